"""Bids bring everybody onto a list who could be, and are given up where there are too few places."""

import numpy as np
import pytest

from matching.arrays import BoolArray, FloatArray, IntArray
from matching.auction import NOBODY, SEEN, SEES, Graph, evenly, gini

FIRSTS, LENGTH = 2, 6


def graph_of(values: FloatArray, sees: BoolArray) -> Graph:
    """Return all pairs of a square of values, in which some see others; the best two are first."""
    members = len(values)
    pairs = (sees | sees.T) & ~np.eye(members, dtype=np.bool_)
    owners, others = np.nonzero(pairs)
    marks = np.where(sees[owners, others], SEES, 0) | np.where(sees[others, owners], SEEN, 0)
    best = np.argsort(-np.where(sees & pairs, values, -np.inf), axis=1)[:, :FIRSTS].astype(np.int32)
    known = np.take_along_axis(sees & pairs, best.astype(np.int64), axis=1)
    ends = np.append(0, np.cumsum(pairs.sum(axis=1)))
    firsts = np.where(known, best, np.int32(NOBODY))
    return ends, others.astype(np.int32), values[owners, others], marks.astype(np.uint8), firsts


def stars(seed: int, members: int = 60) -> FloatArray:
    """Return symmetric values in which some are dear to everybody."""
    chance = np.random.default_rng(seed)
    dear = chance.exponential(2.0, members)
    noise = chance.normal(0, 0.5, (members, members))
    return dear[:, None] + dear + noise + noise.T


def auction(
    graph: Graph, step: float = 0.01, part: float = 0.5, most: int = 200
) -> tuple[FloatArray, IntArray]:
    lifts, lists, _, _ = evenly(graph, np.arange(len(graph[4])), LENGTH, step, part, most)
    return lifts, lists.astype(np.int64)


def shown_of(lists: IntArray) -> IntArray:
    return np.bincount(lists[lists >= 0], minlength=len(lists))


def by_hand(values: FloatArray, sees: BoolArray, graph: Graph, lifts: FloatArray) -> list[set[int]]:
    """Return everybody's list under these lifts."""
    lists = []
    for owner, first in enumerate(graph[4].tolist()):
        known = {one for one in first if one != NOBODY}
        rest = [at for at in np.flatnonzero(sees[owner]).tolist() if at != owner and at not in known]
        rest.sort(key=lambda at: -(values[owner, at] + lifts[at]))
        lists.append(known | set(rest[: LENGTH - FIRSTS]))
    return lists


@pytest.mark.parametrize("seed", range(3))
def test_lists_are_those_under_the_lifts_and_half_as_unequal(seed: int) -> None:
    values, sees = stars(seed), np.ones((60, 60), np.bool_)
    before = shown_of(auction(graph_of(values, sees), step=0.0)[1])
    assert np.count_nonzero(before == 0) > 15

    graph = graph_of(values, sees)
    lifts, lists = auction(graph)

    after = shown_of(lists)
    assert after.min() >= 1
    assert gini(after) <= 0.5 * gini(before)
    assert [set(one.tolist()) for one in lists] == by_hand(values, sees, graph, lifts)
    # Who is on most lists need not bid, and nobody is lifted onto more than is fair.
    assert lifts[before.argmax()] == 0
    assert after[lifts > 0].max() <= LENGTH


def test_that_everybody_is_on_a_list_comes_before_how_evenly() -> None:
    _, lists = auction(graph_of(stars(0), np.ones((60, 60), np.bool_)), part=1.0)

    assert shown_of(lists).min() == 1


def test_without_a_step_nobody_bids() -> None:
    lifts, lists = auction(graph_of(stars(0), np.ones((60, 60), np.bool_)), step=0.0)

    assert not lifts.any()
    assert (lists >= 0).all()


def test_lifting_ends_where_bids_run_out() -> None:
    values, sees = stars(1), np.ones((60, 60), np.bool_)

    few, lists = auction(graph_of(values, sees), most=1)

    assert few.any()
    assert gini(shown_of(lists)) > gini(shown_of(auction(graph_of(values, sees))[1]))


def test_what_brings_somebody_onto_a_list_is_the_least_on_it() -> None:
    values, sees = stars(1), np.ones((60, 60), np.bool_)
    sees[5] = False
    graph = graph_of(values, sees)

    lifts, lists, entry, gave_up = evenly(graph, np.arange(60), LENGTH, 0.01, 0.5, 200)

    assert not gave_up.any()
    for owner in (0, 7, 59):
        others = np.setdiff1d(lists[owner], graph[4][owner])
        assert entry[owner] == pytest.approx((values[owner, others] + lifts[others]).min())
    assert entry[5] == np.inf


def test_who_wants_more_places_than_there_are_costs_nobody_else_theirs() -> None:
    values, sees = np.zeros((160, 160)), np.zeros((160, 160), np.bool_)
    values[:120, :120], sees[:120, :120] = stars(0, 120), True
    values[120:, 120:], sees[123:, 120:123], sees[120:123, 123:] = stars(3, 40), True, True  # 37 seek three

    lifts, lists, _, gave_up = evenly(graph_of(values, sees), np.arange(160), LENGTH, 0.01, 0.5, 200)

    assert not gave_up[:123].any()
    assert np.count_nonzero(gave_up) >= 37 - 3 * LENGTH
    expected, _ = auction(graph_of(stars(0, 120), np.ones((120, 120), np.bool_)))
    assert lifts[:120].max() < 2 * expected.max()
    shown = shown_of(lists.astype(np.int64))
    assert shown[:120].min() >= int(shown.mean()) - 1
    assert shown[123:].max() <= 3  # of the mentors' lists


def test_everybody_is_on_some_list_where_there_are_few_lists() -> None:
    values, sees = stars(0, 40), np.zeros((40, 40), np.bool_)
    sees[:12] = True  # 72 places, a third of which are the first

    _, lists = auction(graph_of(values, sees))

    assert shown_of(lists).min() == 1


def test_nobody_comes_onto_the_list_of_who_may_not_see_them() -> None:
    values, sees = stars(2), np.ones((60, 60), np.bool_)
    sees[:, 7] = False  # nobody sees them, though they see others
    sees[3, 20:] = False
    sees[:, 9] = np.arange(60) < 2  # two alone see them

    lifts, lists = auction(graph_of(values, sees))

    assert lifts[7] == 0
    assert not (lists == 7).any()
    assert (lists[7] >= 0).all()
    assert lists[3].max() < 20
    assert {int(at) for at in np.flatnonzero((lists == 9).any(axis=1))} <= {0, 1}
    assert np.delete(shown_of(lists), 7).min() >= 1


def test_who_has_nothing_in_common_stays_behind_who_has_at_any_lift() -> None:
    values = stars(0, 20)
    values[:, 4] = values[4, :] = values[:, 4] - 2.0**20

    lifts, lists = auction(graph_of(values, np.ones((20, 20), np.bool_)))

    assert lifts[4] == 0
    assert not (lists == 4).any()


def test_lists_that_are_not_full_hold_everybody_there_is() -> None:
    values, sees = stars(0, 5), np.ones((5, 5), np.bool_)
    sees[0] = False

    lifts, lists = auction(graph_of(values, sees))

    assert not lifts.any()
    assert (lists[0] == NOBODY).all()
    assert [np.count_nonzero(one >= 0) for one in lists[1:]] == [4] * 4


def test_nobody_is_an_auction_too() -> None:
    nothing = np.empty((0, 0))

    lifts, lists, entry, _ = evenly(
        graph_of(nothing, nothing.astype(np.bool_)), np.arange(0), 6, 0.1, 0.5, 9.0
    )

    assert lists.shape == (0, 6)
    assert not len(lifts)
    assert not len(entry)
