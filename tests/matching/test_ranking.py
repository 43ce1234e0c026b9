"""The score keeps its promises, and ties have one order from either side."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import Place
from matching.profile import unit_vector
from matching.ranking import best, kilometres, member_code, nearness, pair_codes, score

unit = st.floats(0, 1)
words = st.integers(0, 2**64 - 1)
MASK = 2**64 - 1


def distance(a: tuple[float, float, float], b: tuple[float, float, float]) -> float:
    x, y, z = np.array([b]).T
    return float(kilometres(x, y, z, a)[0])


def splitmix(word: int) -> int:
    word = (word + 0x9E3779B97F4A7C15) & MASK
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & MASK
    return word ^ (word >> 31)


@given(st.floats(1e-6, 1), unit, unit)
def test_any_likeness_ranks_above_none_and_nearness_never_harms(
    likeness: float, near: float, nearer: float
) -> None:
    low, high = sorted((near, nearer))

    some, none = score(np.array([likeness]), np.array([low])), score(np.zeros(1), np.ones(1))
    assert none[0] < some[0] <= score(np.array([likeness]), np.array([high]))[0] <= 1


def test_the_score_reaches_both_ends() -> None:
    assert score(np.array([0.0, 1.0]), np.array([0.0, 1.0])).tolist() == [0.0, 1.0]


def test_nearness_falls_from_one_to_nothing() -> None:
    near = nearness(np.array([0.0, 2.0, 50.0, 200.0, 20000.0, np.nan]))

    assert near[0] == 1
    assert near[1] == pytest.approx(1 - math.log(3) / math.log(201))
    assert near[1] > near[2] > 0
    assert near[3:].tolist() == [0, 0, 0]


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

    chosen = best(scores, codes, str, n)

    assert chosen == sorted(range(len(peers)), key=lambda at: (-peers[at][0], peers[at][1]))[:n]


def test_of_equal_codes_the_lower_id_comes_first() -> None:
    assert best(np.ones(3), np.zeros(3, np.uint64), lambda at: "cab"[at], 3) == [1, 2, 0]
