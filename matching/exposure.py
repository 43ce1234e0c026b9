"""Somebody for everybody: in comes a matcher, out come prices that keep members from all lists, or none.

A member's price is taken off their value in everybody's list, after its first few places. As in an auction
(Bertsekas 1988), prices of who is on no list fall a little at a time until somebody takes them, and then of
who is on few; those of who is on many don't rise, which would cost far more likeness for the same. That is
worked out on each member's best rivals and whose best rival they are, so its cost grows with the members, not
with the pairs. Prices bring others near: rivals are looked for again under the prices found, and prices
worked out anew on all of them.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .index import PeerIndex, PriceList, Prices
from .learning import ROTATION
from .matcher import Matcher
from .ranking import LEVEL, UNMOVED, turns
from .rivalry import Lists, ManyRivals
from .roster import Roster
from .search import COMPILED

_TURNS = 1 / ROTATION  # from how far turns move to the spread of values

FIRST = 10  # places of a list that count
RIVALS = 100, 50, 50  # of each member, at first and each time again
MANY, RIVALS_OF_MANY = 200_000, (32, 16, 16)  # members, of whom fewer fit in memory
ROUNDS = 80
STEP, SHORTER = 0.45, 15  # of the spread of values; the rounds after which it is half as long
HALF_OF_UNFAIR = 0.4  # of the Gini coefficient without prices
EVENED = 30  # rounds in which who is shown seldom is lifted too
SELDOM, MORE_OFTEN = 0.2, 0.03  # of what is fair: at first, and more with each of those rounds
FEW_UNSHOWN = 0.004
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
    lists_by_number: Lists

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
    asking = _Asking(matcher, _awake(index), _hidden_rows(index, exclude or {}), progress)
    graph = asking.ask(0, None, None)
    prices = _fair_prices(graph, unit)
    for number in range(1, len(asking.rivals)) if prices.any() else ():
        graph = asking.ask(number, graph, prices)
        prices = _fair_prices(graph, unit)
    lists = graph.by_number(graph.lists(prices, FIRST), FIRST)
    progress(1.0)
    # Only how prices compare counts; so that who comes next pays no more than who is lifted most.
    prices = prices - (np.quantile(prices, NEWCOMERS) if len(prices) else 0.0)
    return Exposure(index.roster, graph.rows, prices, lists)


@dataclass(frozen=True, slots=True)
class _Asking:
    """Ask for everybody's rivals, all at once where there are many and compiled code."""

    matcher: Matcher
    rows: IntArray
    hidden: Mapping[int, IntArray]
    progress: Callable[[float], None]

    @property
    def rivals(self) -> tuple[int, ...]:
        """Return how many of each are asked for, at first and each time again."""
        return RIVALS_OF_MANY if len(self.rows) > MANY else RIVALS

    def ask(self, number: int, known: "Graph | None", prices: FloatArray | None) -> "Graph":
        """Return what is known and the best under some prices, given by number."""
        charged = np.zeros(self.matcher.index_.rows)
        charged[self.rows] = 0.0 if prices is None else prices
        kind = ManyRivals if COMPILED and self.matcher.index_.segments else Rivals
        return kind.of(
            self.matcher,
            self.rows,
            self.rivals[number],
            self.hidden,
            lambda done: self.progress(0.99 * (number + done) / len(self.rivals)),
            Prices.of(charged),
            known,
        )


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


def _fair_prices(graph: "Graph", unit: float) -> FloatArray:
    """Lower prices step by step; return those by which fewest are unshown, and then the fairest."""
    could = np.flatnonzero(graph.seen)  # nobody sees the others
    prices = best = np.zeros(len(graph.rows))
    start, fairest, evened = 1.0, (1.0, 1.0), 0
    lists = graph.lists(prices, FIRST)
    for number in range(ROUNDS):
        shown = graph.shown(lists)[could]
        unshown, inequality = float(np.count_nonzero(shown == 0)) / max(len(shown), 1), gini(shown)
        start = start if number else inequality
        fairness = (max(unshown, FEW_UNSHOWN), inequality)
        if fairness < fairest:
            fairest, best = fairness, prices
        all_shown = unshown <= FEW_UNSHOWN
        if not unit or (all_shown and (inequality <= HALF_OF_UNFAIR * start or evened == EVENED)):
            break
        limit = shown.mean() * (SELDOM + MORE_OFTEN * evened) if all_shown else 0.0
        step = STEP / 2 if all_shown else STEP / (1 + number / SHORTER)
        evened += all_shown
        seldom = np.zeros(len(prices), np.bool_)
        seldom[could[shown <= limit]] = True
        prices = prices - unit * step * seldom
        lists = graph.lists_again(lists, prices, seldom, FIRST)
    return best


def figures(lists: Mapping[str, Collection[str]]) -> Figures:
    """Count how everybody is served by these lists; members without a list count as never asked."""
    shown = dict.fromkeys(lists, 0)
    for peers in lists.values():
        for peer in peers:
            shown[peer] = shown.get(peer, 0) + 1
    return _figures(np.array([bool(peers) for peers in lists.values()]), np.array(list(shown.values())))


def _figures(served: BoolArray, shown: IntArray) -> Figures:
    return Figures(
        with_suggestion=float(np.count_nonzero(served)) / max(len(served), 1),
        never_suggested=float(np.count_nonzero(shown == 0)) / max(len(shown), 1),
        exposure_gini=gini(shown),
    )


def gini(counts: FloatArray | IntArray) -> float:
    """Return the Gini coefficient of some counts: 0 where all are equal, near 1 where one has all."""
    total, n = counts.sum(), len(counts)
    if not total:
        return 0.0
    ranks = 2 * np.arange(1, n + 1) - n - 1
    return float(ranks @ np.sort(counts) / (n * total))


@dataclass(frozen=True)
class Rivals:
    """Hold who could be on whose list: pairs of members by number, sorted by whose list it is.

    Attributes
    ----------
    rows : array of int
        Of everybody who has a list.
    owners, others : array of int
    values, turned : array of float
        What a list is ordered by in its first places, and after these but for prices.
    """

    rows: IntArray
    owners: IntArray
    others: IntArray
    values: FloatArray
    turned: FloatArray

    @classmethod
    def of(
        cls,
        matcher: Matcher,
        rows: IntArray,
        n: int,
        hidden: Mapping[int, IntArray],
        progress: Callable[[float], None],
        prices: Prices,
        known: Any = None,
    ) -> "Rivals":
        """Ask for the n best rivals of each under some prices, given by row; add what is known already."""
        index, rotation = matcher.index_, matcher.model_.rotation
        number_of, nobody = np.full(index.rows, -1, np.int64), np.empty(0, np.int64)
        number_of[rows] = np.arange(len(rows))
        owners, others, values, turned = [nobody], [nobody], [np.empty(0)], [np.empty(0)]
        for number, row in enumerate(rows.tolist()):
            unseen = [index.profile(one).id for one in hidden.get(row, nobody).tolist()]
            found, ranks, codes = matcher.rivals(index.profile(row), n, prices=prices, exclude=unseen)
            owners.append(np.full(len(found), number))
            others.append(number_of[found])
            values.append(ranks + turns(codes, -LEVEL))  # of the level the lower code comes first
            turned.append(ranks + turns(codes, rotation or -LEVEL))  # before a fit nobody takes turns
            if number % 256 == 0:
                progress(number / len(rows))
        # Values are the same from either side, and so is who could be whose rival.
        graph = cls._sorted(
            rows,
            np.concatenate([*owners, *others]),
            np.concatenate([*others, *owners]),
            np.concatenate([*values, *values]),
            np.concatenate([*turned, *turned]),
        )
        shown = index.members.table["suggestible"] & ~index.members.table["full"]
        parted = np.isin(graph.owners * len(rows) + graph.others, _keys(number_of, len(rows), hidden))
        graph = graph.only(shown[rows][graph.others] & ~parted)
        return graph if known is None else known.joined(graph)

    @classmethod
    def _sorted(
        cls, rows: IntArray, owners: IntArray, others: IntArray, values: FloatArray, turned: FloatArray
    ) -> "Rivals":
        _, first = np.unique(owners * len(rows) + others, return_index=True)
        return cls(rows, owners[first], others[first], values[first], turned[first])

    def joined(self, more: "Rivals") -> "Rivals":
        """Add the pairs of another graph of the same members."""
        return self._sorted(
            self.rows,
            np.concatenate([self.owners, more.owners]),
            np.concatenate([self.others, more.others]),
            np.concatenate([self.values, more.values]),
            np.concatenate([self.turned, more.turned]),
        )

    @property
    def seen(self) -> BoolArray:
        """Tell who could be on any list."""
        return np.bincount(self.others, minlength=len(self.rows)) > 0

    def lists(self, prices: FloatArray, length: int, among: IntArray | None = None) -> Lists:
        """Return everybody's first few under these prices, as places among the pairs, list after list.

        With `among` only those places can be on a list, given in order.
        """
        places = np.arange(len(self.owners)) if among is None else among
        places = places[np.lexsort((-self._ranks(places, prices), self.owners[places]))]
        return places[_standing(self.owners[places]) < length]

    def lists_again(self, places: Lists, prices: FloatArray, cheaper: BoolArray, length: int) -> Lists:
        """Return the lists anew once these members' prices have fallen: nobody else can come upon one."""
        last = np.full(len(self.rows), np.inf)
        np.minimum.at(last, self.owners[places], self._ranks(places, prices))
        some = np.flatnonzero(cheaper[self.others])
        some = some[self._ranks(some, prices) >= last[self.owners[some]]]
        return self.lists(prices, length, np.union1d(places, some))

    def shown(self, places: Lists) -> IntArray:
        """Count on how many of these lists each is."""
        return np.bincount(self.others[places], minlength=len(self.rows))

    def by_number(self, places: Lists, length: int) -> Lists:
        """Return lists as numbers of members: shape (n, length), -1 for nobody."""
        lists = np.full((len(self.rows), length), -1, np.int64)
        lists[self.owners[places], _standing(self.owners[places])] = self.others[places]
        return lists

    def _ranks(self, places: IntArray, prices: FloatArray) -> FloatArray:
        moved = self.turned[places] - prices[self.others[places]]
        return np.where(self._unmoved[places], np.inf, moved)

    @cached_property
    def _unmoved(self) -> BoolArray:
        """Tell which pairs are in the first places of a list, whatever the prices."""
        order = np.lexsort((-self.values, self.owners))
        unmoved = np.zeros(len(order), np.bool_)
        unmoved[order] = _standing(self.owners[order]) < UNMOVED
        return unmoved

    def only(self, kept: BoolArray) -> "Rivals":
        """Keep some pairs."""
        return Rivals(self.rows, self.owners[kept], self.others[kept], self.values[kept], self.turned[kept])


Graph = Rivals | ManyRivals


def _standing(owners: IntArray) -> IntArray:
    """Return the place of each pair among those of its owner, from 0, where they come owner after owner."""
    at = np.arange(len(owners))
    begins = np.append(True, owners[1:] != owners[:-1])[: len(owners)]
    standing: IntArray = at - np.maximum.accumulate(np.where(begins, at, 0))
    return standing


def _keys(number_of: IntArray, members: int, hidden: Mapping[int, IntArray]) -> IntArray:
    """Return the keys of who is hidden from whom: of two, one may be seen by the other."""
    keys = [np.empty(0, np.int64)]
    for row, unseen in hidden.items():
        others = number_of[unseen]
        if number_of[row] >= 0:
            keys.append(number_of[row] * members + others[others >= 0])  # who is paused has no number
    return np.concatenate(keys)
