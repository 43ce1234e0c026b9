"""Somebody for everybody: in comes a matcher, out come prices that keep members from all lists, or none.

A member's price is taken off their value for the fifth to the tenth place of everybody's list. Prices are
found in an auction (see `auction`), in which who is on no list, and then who is on few, bid for places; who
is on many is charged nothing, which would cost far more likeness for the same. That is worked out on each
member's best rivals and whose best rival they are, so its cost grows with the members, not with the pairs.
Prices bring others near: rivals are looked for again under the prices found, and prices worked out anew on
all of them.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray, Numbers
from .auction import evenly, gini
from .index import PeerIndex, PriceList, Prices
from .learning import ROTATION
from .matcher import Matcher
from .ranking import FIRST
from .rivalry import Asking
from .roster import Roster
from .search import COMPILED

_TURNS = 1 / ROTATION  # from how far turns move to the spread of values

RIVALS, TIMES = 32, 7  # asked for of each member, and how often at most
STEP = 0.004  # of the spread of values: what a bid is more than it has to be
FEW_NEW = 1.01  # times as many pairs as before, which change little
EASIEST = 0.01  # of all lists, which count as equally easy to come onto
HALF = 0.48  # of the Gini coefficient without prices, where nobody bids any more
BIDS = 250  # of each member at most, on average
NEWCOMERS = 0.02  # the share of members who pay less than a newcomer, who pays nothing


@dataclass(frozen=True, slots=True)
class Figures:
    """Hold how a community is served: shares of its members, and the Gini coefficient of being shown."""

    with_suggestion: float
    never_suggested: float
    exposure_gini: float


@dataclass(frozen=True)  # not slotted: it keeps the names once they were asked for
class Exposure:
    """Hold each member's price, and everybody's first ten under these prices, in no order.

    Attributes
    ----------
    roster : Roster
        Knows the members' names: ask for them before it changes.
    rows : array of int
        Of everybody who isn't paused.
    values : array of float
        What each of them costs.
    lists_by_number : array of int, shape (n, 10)
        Whom each of them sees, by place in `rows`; -1 for nobody.
    """

    roster: Roster
    rows: IntArray
    values: FloatArray
    lists_by_number: Numbers

    @property
    def listed(self) -> PriceList:
        """Return the prices by code."""
        return PriceList(self.roster.codes[self.rows], self.values)

    def figures(self, among: BoolArray) -> Figures:
        """Count how those who are marked are served by their lists."""
        lists = self.lists_by_number[among]
        return _figures(np.any(lists >= 0, axis=1), self._shown(among)[among])

    def unserved(self, among: BoolArray) -> tuple[BoolArray, BoolArray]:
        """Tell who of those marked has nobody on their list, and who is on none of their lists."""
        return among & ~np.any(self.lists_by_number >= 0, axis=1), among & (self._shown(among) == 0)

    def _shown(self, among: BoolArray) -> IntArray:
        lists = self.lists_by_number[among]
        return np.bincount(lists[lists >= 0], minlength=len(self.rows))

    @cached_property
    def prices(self) -> Mapping[str, float]:
        """Return the prices by id."""
        return dict(zip(self._ids, self.values.tolist(), strict=True))

    @cached_property
    def lists(self) -> Mapping[str, tuple[str, ...]]:
        """Return the lists by id."""
        ids = self._ids
        return {
            ids[owner]: tuple(ids[peer] for peer in peers if peer >= 0)
            for owner, peers in enumerate(self.lists_by_number.tolist())
        }

    @cached_property
    def _ids(self) -> list[str]:
        return [self.roster.profile(row).id for row in self.rows.tolist()]


def balance(
    matcher: Matcher,
    *,
    exclude: Mapping[str, Collection[str]] | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> Exposure:
    """Price everybody.

    Parameters
    ----------
    matcher : Matcher
        Fitted; its own prices don't matter.
    exclude : mapping of str to collection of str
        Who is not to be suggested to whom, by ids.
    progress : callable
        Is told how far it is, from 0 to 1.
    """
    index, unit = matcher.index_, _TURNS * matcher.model_.rotation
    if COMPILED and index.segments and not index.is_sorted:
        matcher.compact()
    asking = Asking(matcher, _awake(index), _hidden_rows(index, exclude or {}))
    ask = asking.at_once if COMPILED and index.segments else asking.one_by_one
    known, entry, order = None, np.zeros(len(asking.rows)), np.argsort(index.roster.codes[asking.rows])
    for number in range(TIMES):
        had = len(known.others) if known else 0
        prices = _easiest_first(asking, entry)
        known = ask(RIVALS, prices, known, _part_of(progress, number))
        lifts, lists, entry, gave_up = evenly(asking.graph(known), order, FIRST, STEP * unit, HALF, BIDS)
        if not lifts.any() or len(known.others) < FEW_NEW * had:
            break
    progress(1.0)
    # Only how prices compare counts; so that who comes next pays no more than who is lifted most, and doesn't
    # pay what was bid where there are too few places.
    usual = lifts[~gave_up]
    values = (np.quantile(usual, 1 - NEWCOMERS) if len(usual) else 0.0) - lifts
    return Exposure(index.roster, asking.rows, values, lists)


def _part_of(progress: Callable[[float], None], number: int) -> Callable[[float], None]:
    """Return what is told how far one time of asking is."""
    return lambda done: progress(0.99 * (number + done) / TIMES)


def _easiest_first(asking: Asking, entry: FloatArray) -> Prices:
    """Return prices by which each asks for those whose lists they come onto most easily."""
    charged = np.zeros(asking.matcher.index_.rows)
    if len(entry):
        entry = np.minimum(entry, np.max(entry, where=entry < np.inf, initial=0.0))
        low, high = np.quantile(entry, (EASIEST, 1), method="lower")
        charged[asking.rows] = np.maximum(entry, low) - high
    return Prices.of(charged)


def _awake(index: PeerIndex) -> IntArray:
    """Return the rows of all who aren't paused."""
    rows = index.roster.taken
    silent = rows[~index.members.table["suggestible"][rows]]
    paused = [row for row in silent.tolist() if index.profile(row).paused]
    return np.setdiff1d(rows, np.array(paused, np.int64))


def _hidden_rows(index: PeerIndex, exclude: Mapping[str, Collection[str]]) -> dict[int, IntArray]:
    """Return the rows that are hidden from rows."""
    known = index.roster.find(exclude)
    return {row: index.rows_of(exclude[one]) for one, row in known.items()}


def figures(lists: Mapping[str, Collection[str]]) -> Figures:
    """Count how everybody is served by these lists; members without a list count as never asked."""
    shown = dict.fromkeys(lists, 0)
    for peers in lists.values():
        for peer in peers:
            shown[peer] = shown.get(peer, 0) + 1
    return _figures(
        np.array([bool(peers) for peers in lists.values()]), np.array(list(shown.values()), np.int64)
    )


def _figures(served: BoolArray, shown: IntArray) -> Figures:
    return Figures(
        with_suggestion=float(np.count_nonzero(served)) / max(len(served), 1),
        never_suggested=float(np.count_nonzero(shown == 0)) / max(len(shown), 1),
        exposure_gini=gini(shown),
    )
