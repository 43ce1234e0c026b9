"""Many asked at once find what one after another finds, and lists of many are those of few."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from matching import Matcher, Place, Profile, compiled_rivals, exposure
from matching.arrays import IntArray
from matching.auction import SEEN, SEES
from matching.everybody import Crowd
from matching.exposure import balance
from matching.index import Prices
from matching.ranking import LEVEL, turns
from matching.rivalry import Asking
from tests.matching import strategies
from tests.matching.test_search import BOTH, OPEN, matcher_of, town

# Uncompiled, the mixing of codes tells of what it does on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in scalar")


def mixed(count: int) -> list[Profile]:
    """Return a town in which two live nowhere, and two state terms that are akin."""
    members = town(count)
    for number in (5, 6):
        members[number] = replace(members[number], place=None, modes=frozenset({"online", "in_person"}))
    for number in (7, 8):
        members[number] = replace(members[number], interests=("jogging", "trail running", "running"))
    return members


def sorted_matcher(members: list[Profile], *, learnt: bool) -> Matcher:
    """Return a matcher whose rows all stand in one segment."""
    matcher = matcher_of(members, 0)
    if learnt:
        fitted = replace(strategies.fitted(5), rotation=0.2)
        matcher.use(replace(matcher.model_, fitted=fitted), facet_weights={"activities": 0.5})
    assert matcher.index_.is_sorted
    return matcher


def one_by_one(matcher: Matcher, row: int, n: int, prices: Prices, unseen: IntArray) -> dict[int, float]:
    profiles = matcher.index_.profile
    exclude = [profiles(one).id for one in unseen.tolist()]
    rows, ranks, codes = matcher.rivals(profiles(row), n, prices=prices, exclude=exclude)
    moved = ranks + turns(codes, matcher.model_.rotation or -LEVEL)
    return dict(zip(rows.tolist(), moved.tolist(), strict=True))


@pytest.mark.parametrize("learnt", [False, True])
@pytest.mark.parametrize("n", [3, 12])
def test_many_asked_at_once_find_what_one_finds(
    learnt: bool, n: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled_rivals, "BLOCK", 16)
    matcher = sorted_matcher(mixed(110), learnt=learnt)
    rows = np.arange(0, 110, 2)
    prices = Prices.of(np.random.default_rng(1).normal(0, 0.3, 110))

    agree(matcher, rows, n, prices, {row: np.arange(row % 5, 110, 9) for row in rows[::4].tolist()})


@pytest.mark.parametrize("charged", [False, True])
@pytest.mark.parametrize("longest", [None, 0.0, 0.4, 1.5, np.inf])
def test_nobody_is_cut_off_who_is_level_or_could_be_kindred_enough(
    longest: float | None, charged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled_rivals, "BLOCK", 16)
    here = Place.at(52.5, 13.4)
    members = [
        replace(
            one,
            place=here,
            modes=BOTH if number % 2 else None,
            interests=("a", "b", "c")[: number % 4],
            activities=(),
        )
        for number, one in enumerate(town(160, **OPEN))
    ]
    fitted = None if longest is None else strategies.much_kindred(members, 2, longest)
    prices = np.random.default_rng(3).integers(-2, 3, 160) / 2 if charged else np.zeros(160)

    agree(matcher_of(members, 0, None, fitted), np.arange(0, 160, 3), 12, Prices.of(prices), {})


def agree(matcher: Matcher, rows: IntArray, n: int, prices: Prices, hidden: Mapping[int, IntArray]) -> None:
    """Hold what many find at once to what each finds alone."""
    found = Crowd(matcher).ask(rows, n, prices, hidden)

    ends = np.cumsum(found.counts)
    for row, first, last in zip(rows.tolist(), ends - found.counts, ends, strict=True):
        expected = one_by_one(matcher, row, n, prices, hidden.get(row, np.empty(0, np.int64)))
        got = dict(zip(found.others[first:last].tolist(), found.turned[first:last].tolist(), strict=True))
        assert got == expected
    assert max(found.counts) > n / 2


@pytest.mark.parametrize("learnt", [False, True])
def test_pairs_of_many_are_those_of_few(learnt: bool) -> None:
    matcher = sorted_matcher(mixed(90), learnt=learnt)
    rows, free = np.arange(2, 90), Prices.of(np.zeros(90))
    hidden = {row: np.arange(row % 7, 90, 11) for row in range(0, 90, 3)}
    for row in (0, 1):
        matcher.index_.members.table["suggestible"][row] = False  # they have no list, and are on none
    few, many, asking = None, None, Asking(matcher, rows, hidden)
    for n, prices in ((8, free), (6, Prices.of(np.random.default_rng(2).normal(0, 0.4, 90)))):
        few = asking.one_by_one(n, prices, few, lambda _: None)
        many = asking.at_once(n, prices, many, lambda _: None)

    assert few is not None
    assert many is not None
    assert many.ends.tolist() == few.ends.tolist()
    assert many.others.tolist() == few.others.tolist()
    assert many.turned.tolist() == few.turned.tolist()
    assert np.sort(many.firsts).tolist() == np.sort(few.firsts).tolist()
    assert few.ends[-1] > 88 * 8  # with those found from the other side


def test_pairs_are_marked_with_who_may_see_whom() -> None:
    members = [
        Profile(f"m{at}", "M", interests=("chess",), full=at == 0, suggestible=at != 1) for at in range(12)
    ]
    matcher = matcher_of(members, 0)
    rows, numbers = np.arange(12), {matcher.index_.profile(row).id: row for row in range(12)}
    of = [numbers[f"m{at}"] for at in range(12)]
    hidden = {of[2]: np.array([of[3]])}

    rivals = Asking(matcher, rows, {}).one_by_one(12, Prices.of(np.zeros(12)), None, lambda _: None)
    ends, others, _, marks, _ = Asking(matcher, rows, hidden).graph(rivals)

    owners = np.repeat(rows, np.diff(ends)).tolist()
    seen = {
        pair: int(mark) for pair, mark in zip(zip(owners, others.tolist(), strict=True), marks, strict=True)
    }
    assert seen[of[4], of[5]] == SEES | SEEN
    assert seen[of[2], of[3]] == SEEN
    assert seen[of[3], of[2]] == SEES
    assert seen[of[0], of[4]] == SEES  # who is full sees others
    assert seen[of[4], of[0]] == SEEN
    assert seen[of[1], of[4]] == SEES


def test_a_large_community_is_priced_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    members = [replace(one, paused=number == 3) for number, one in enumerate(town(60))]
    monkeypatch.setattr(exposure, "COMPILED", False)
    expected = balance(sorted_matcher(members, learnt=True))
    monkeypatch.setattr(exposure, "COMPILED", True)
    matcher = matcher_of(members, 10)
    matcher.use(sorted_matcher(members, learnt=True).model_, facet_weights={"activities": 0.5})

    found = balance(matcher)

    assert "m3" not in found.prices
    assert found.lists.keys() == expected.lists.keys()
    assert found.prices == pytest.approx(expected.prices)
    assert {one: set(peers) for one, peers in found.lists.items()} == {
        one: set(peers) for one, peers in expected.lists.items()
    }


@pytest.mark.drill  # compiling takes half a minute
def test_compiled_code_does_the_same() -> None:
    program = """
import numba
from _pytest.monkeypatch import MonkeyPatch
from tests.matching import test_auction, test_rivalry as here
assert not numba.config.DISABLE_JIT
for learnt in (False, True):
    here.test_pairs_of_many_are_those_of_few(learnt)
    with MonkeyPatch.context() as patched:
        here.test_many_asked_at_once_find_what_one_finds(learnt, 12, patched)
test_auction.test_lists_are_those_under_the_lifts_and_half_as_unequal(0)
test_auction.test_nobody_comes_onto_the_list_of_who_may_not_see_them()
from matching import auction, compiled_pairs, compiled_rivals
for function in (compiled_rivals.rivals_of, compiled_pairs.gathered, auction.evenly):
    assert len(function.signatures) == 1  # a second would take seconds
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
