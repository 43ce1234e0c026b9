"""The score keeps its promises, and ties have one order from either side."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import Place
from matching.columns import GRAIN
from matching.profile import unit_vector
from matching.ranking import (
    best,
    kilometres,
    length_norm,
    listed,
    member_code,
    nearness,
    pair_codes,
    rank,
    score,
    turns,
    value,
)
from tests.matching.values import splitmix

words = st.integers(0, 2**64 - 1)


def distance(a: tuple[float, float, float], b: tuple[float, float, float]) -> float:
    x, y, z = np.array([b]).T
    return float(kilometres(x, y, z, a)[0])


@given(st.floats(-50, 50), st.floats(-50, 50), st.floats(0.1, 20))
def test_any_common_term_ranks_above_none(some: float, none: float, half: float) -> None:
    with_common, without = score(np.array([some, none]), np.array([True, False]), half)

    assert 0 <= without < 0.1 < with_common < 1


def test_the_score_grows_with_the_value_and_is_in_its_middle_at_the_half() -> None:
    values = np.array([-1000.0, -1.0, 0.0, 1.0, 2.0, 5.0, 1000.0])

    common, none = score(values, np.ones(7, np.bool_), 2.0), score(values, np.zeros(7, np.bool_), 2.0)

    assert (np.diff(common) > 0).all()
    assert common[[2, 4]].tolist() == pytest.approx([0.325, 0.55])
    assert common[[0, -1]].tolist() == pytest.approx([0.1, 1.0], abs=0.002)
    assert none.tolist() == pytest.approx([0, 0, 0, 1 / 30, 0.05, 5 / 70, 0.1], abs=0.0003)
    assert (np.diff(none[2:]) > 0).all()


def test_many_terms_divide_softly() -> None:
    norms = length_norm(np.array([0.0, 5.0, 10.0, 300.0]), 10.0)

    assert norms.tolist() == pytest.approx([(100 / 110) ** 0.5, (105 / 110) ** 0.5, 1, (400 / 110) ** 0.5])


def test_what_is_shared_and_kindred_is_divided_and_nearness_is_not() -> None:
    assert value(np.array([3.0]), np.array([2.0]), np.array([-1.0]), np.array([0.25])).tolist() == [1.25]


def test_a_pairs_turn_is_around_nothing_by_its_code() -> None:
    moves = turns(np.array([0, 2**63, 2**64 - 1], np.uint64), 0.2)

    assert moves.tolist() == pytest.approx([-0.1, 0.0, 0.1])
    assert turns(np.array([7], np.uint64), 0.0).tolist() == [0.0]


def test_many_acquaintances_come_before_common_terms_and_those_before_any_value() -> None:
    worth = np.array([-50.0, 900.0, -50.0, 900.0, 900.0, 899.0])
    common = np.array([False, True, True, False, True, True])

    ranks = rank(worth, common, np.array([2, 1, 0, 0, 0, 0]), 0.0)

    assert np.argsort(-ranks).tolist() == [0, 1, 4, 5, 2, 3]


def test_acquaintances_count_in_three_steps_and_few_of_them_by_how_far_values_spread() -> None:
    nothing, steps = np.zeros(3), np.array([0, 1, 2])

    unknown, spread = (rank(nothing, nothing > 0, steps, rotation) for rotation in (0.0, 0.5))

    assert unknown.tolist() == [0, 2**21, 3 * 2**21]
    assert spread.tolist() == [0, 4, 4 + 2**22]


def test_nearness_falls_from_one_to_nothing() -> None:
    near = nearness(np.array([0.0, 2.0, 50.0, 200.0, 20000.0, np.nan]))

    assert near[0] == 1
    assert near[1] == pytest.approx(1 - math.log(3) / math.log(201), abs=GRAIN / 2)
    assert near[1] > near[2] > 0
    assert near[3:].tolist() == [0, 0, 0]
    assert (np.rint(near / GRAIN) * GRAIN == near).all()


@pytest.mark.parametrize(
    ("one", "other", "km"),
    [((52.52, 13.405), (48.8566, 2.3522), 878), ((0, 179.9), (0, -179.9), 22.2), ((0, 0), (0, 180), 20015)],
)
def test_distances_are_those_of_the_great_circle(
    one: tuple[float, float], other: tuple[float, float], km: float
) -> None:
    a, b = unit_vector(Place.at(*one)), unit_vector(Place.at(*other))

    there, back = distance(a, b), distance(b, a)
    assert there == pytest.approx(km, abs=4)
    assert there == back


@given(words, words, st.integers(-(2**70), 2**70))
def test_a_pairs_code_is_the_same_from_either_side(a: int, b: int, number: int) -> None:
    expected = splitmix(a ^ b ^ splitmix(number % 2**64))

    assert pair_codes(a, np.array([b], np.uint64), number).tolist() == [expected]
    assert pair_codes(b, np.array([a], np.uint64), number).tolist() == [expected]


def test_another_model_turns_the_order_of_ties() -> None:
    codes = np.array([member_code(f"m{number}") for number in range(50)], np.uint64)

    orders = [np.argsort(pair_codes(member_code("ana"), codes, number)).tolist() for number in (1, 2)]

    assert orders[0] != orders[1]


def test_members_have_different_codes() -> None:
    assert len({member_code(f"m{number}") for number in range(10_000)}) == 10_000


@given(st.lists(st.tuples(st.sampled_from((0.1, 0.5, 0.9)), words), max_size=30), st.integers(1, 10))
def test_the_best_are_those_of_a_full_sort(peers: list[tuple[float, int]], n: int) -> None:
    peers = list({code: (points, code) for points, code in peers}.values())
    scores, codes = np.array([s for s, _ in peers], float), np.array([c for _, c in peers], np.uint64)

    chosen = best(scores, codes, n)

    assert chosen == sorted(range(len(peers)), key=lambda at: (-peers[at][0], peers[at][1]))[:n]


@pytest.mark.parametrize(
    ("n", "expected"),
    [
        (3, [0, 1, 2]),
        (4, [0, 1, 2, 3]),
        (5, [0, 1, 2, 3, 7]),
        (8, [0, 1, 2, 3, 7, 6, 5, 10]),
        (10, [0, 1, 2, 3, 7, 6, 5, 10, 11, 4]),
        (11, [0, 1, 2, 3, 7, 6, 5, 10, 11, 4, 8]),
        (20, [0, 1, 2, 3, 7, 6, 5, 10, 11, 4, 8, 9]),
    ],
)
def test_moves_count_from_the_fifth_to_the_tenth_place(n: int, expected: list[int]) -> None:
    ranks = np.arange(12.0)[::-1]
    moves = np.array([-90.0, -80, -70, -60, -5, 3, 5, 7, -50, -40, 8, 8])
    codes = np.arange(12).astype(np.uint64)

    assert listed(ranks, moves, codes, n) == expected


def test_a_list_of_four_is_by_rank_alone() -> None:
    ranks, moves = np.array([1.0, 2, 3, 4]), np.array([100.0, 0, 0, 0])

    assert listed(ranks, moves, np.arange(4).astype(np.uint64), 10) == [3, 2, 1, 0]
