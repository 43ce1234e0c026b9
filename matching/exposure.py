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
from functools import cached_property, partial

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .index import Prices
from .learning import ROTATION
from .matcher import Matcher
from .ranking import UNMOVED, turns

_TURNS = 1 / ROTATION  # from how far turns move to the spread of values

FIRST = 10  # places of a list that count
RIVALS, AGAIN = 100, (50, 50)  # of each member, at first and each time again
ROUNDS = 80
STEP, SHORTER = 0.45, 15  # of the spread of values; the rounds after which it is half as long
HALF_OF_UNFAIR = 0.4  # of the Gini coefficient without prices
EVENED = 30  # rounds in which who is shown seldom is lifted too
SELDOM, MORE_OFTEN = 0.2, 0.03  # of what is fair: at first, and more with each of those rounds
FEW_UNSHOWN = 0.004
LEVEL = 2.0**-20  # less than by what values differ
NEWCOMERS = 0.3  # the share of members who pay less than a newcomer, who pays nothing


@dataclass(frozen=True, slots=True)
class Exposure:
    """Hold each member's price, by id, and everybody's first ten under these prices, in no order."""

    prices: Mapping[str, float]
    lists: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Figures:
    """Hold how a community is served: shares of its members, and the Gini coefficient of being shown."""

    with_suggestion: float
    never_suggested: float
    exposure_gini: float


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
    unit = _TURNS * matcher.model_.rotation
    hidden, share = exclude or {}, 1 / (1 + len(AGAIN))
    graph = _Rivals.of(matcher, RIVALS, hidden, lambda done: progress(share * done))
    prices = _fair_prices(graph, unit)
    for number, again in enumerate(AGAIN if prices.any() else (), 1):
        at = partial(lambda number, done: progress(share * (number + done)), number)
        graph = graph.joined(_Rivals.of(matcher, again, hidden, at, prices))
        prices = _fair_prices(graph, unit)
    places = graph.lists(prices)
    progress(1.0)
    lists: dict[str, list[str]] = {name: [] for name in graph.ids}
    for owner, peer in zip(graph.owners[places].tolist(), graph.others[places].tolist(), strict=True):
        lists[graph.ids[owner]].append(graph.ids[peer])
    # Only how prices compare counts; so that who comes next pays no more than who is seldom shown.
    prices = prices - (np.quantile(prices, NEWCOMERS) if len(prices) else 0.0)
    first = {name: tuple(peers) for name, peers in lists.items()}
    return Exposure(dict(zip(graph.ids, prices.tolist(), strict=True)), first)


def _fair_prices(graph: "_Rivals", unit: float) -> FloatArray:
    """Lower prices step by step; return those by which fewest are unshown, and then the fairest."""
    could = np.flatnonzero(np.bincount(graph.others, minlength=len(graph.ids)))  # nobody sees the others
    prices = best = np.zeros(len(graph.ids))
    start, fairest, evened = 1.0, (1.0, 1.0), 0
    places = graph.lists(prices)
    for number in range(ROUNDS):
        shown = graph.shown(places)[could]
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
        places = graph.lists_again(places, prices, seldom)
    return best


def figures(lists: Mapping[str, Collection[str]]) -> Figures:
    """Count how everybody is served by these lists; members without a list count as never asked."""
    shown = dict.fromkeys(lists, 0)
    for peers in lists.values():
        for peer in peers:
            shown[peer] = shown.get(peer, 0) + 1
    counts = np.array(list(shown.values()), np.float64)
    members = max(len(counts), 1)
    return Figures(
        with_suggestion=sum(1 for peers in lists.values() if peers) / max(len(lists), 1),
        never_suggested=float(np.count_nonzero(counts == 0)) / members,
        exposure_gini=gini(counts),
    )


def gini(counts: FloatArray | IntArray) -> float:
    """Return the Gini coefficient of some counts: 0 where all are equal, near 1 where one has all."""
    total, n = counts.sum(), len(counts)
    if not total:
        return 0.0
    ranks = 2 * np.arange(1, n + 1) - n - 1
    return float(ranks @ np.sort(counts) / (n * total))


@dataclass(frozen=True)
class _Rivals:
    """Hold who could be on whose list: pairs of members by number, sorted by whose list it is.

    Attributes
    ----------
    ids : tuple of str
    owners, others : array of int
    values, turned : array of float
        What a list is ordered by in its first places, and after these but for prices.
    """

    ids: tuple[str, ...]
    owners: IntArray
    others: IntArray
    values: FloatArray
    turned: FloatArray

    @classmethod
    def of(
        cls,
        matcher: Matcher,
        n: int,
        exclude: Mapping[str, Collection[str]],
        progress: Callable[[float], None],
        prices: FloatArray | None = None,
    ) -> "_Rivals":
        """Ask for each member's n best rivals under some prices, given by number."""
        profiles = [profile for profile in matcher.index_.profiles() if not profile.paused]
        number_of, price_of = np.full(matcher.index_.rows, -1, np.int64), np.zeros(matcher.index_.rows)
        for number, profile in enumerate(profiles):
            number_of[matcher.index_.row(profile.id)] = number
        if prices is not None:
            price_of[number_of >= 0] = prices[number_of[number_of >= 0]]
        charged, rotation = Prices.of(price_of), matcher.model_.rotation
        nobody = np.empty(0, np.int64)
        owners, others, values, turned = [nobody], [nobody], [np.empty(0)], [np.empty(0)]
        for number, profile in enumerate(profiles):
            unseen = exclude.get(profile.id, ())
            rows, ranks, codes = matcher.rivals(profile, n, prices=charged, exclude=unseen)
            owners.append(np.full(len(rows), number))
            others.append(number_of[rows])
            values.append(ranks + turns(codes, -LEVEL))  # of the level the lower code comes first
            turned.append(ranks + turns(codes, rotation or -LEVEL))  # before a fit nobody takes turns
            if number % 256 == 0:
                progress(0.9 * number / len(profiles))
        ids = tuple(profile.id for profile in profiles)
        shown = np.array([profile.suggestible and not profile.full for profile in profiles], np.bool_)
        # Values are the same from either side, and so is who could be whose rival.
        graph = cls._sorted(
            ids,
            np.concatenate([*owners, *others]),
            np.concatenate([*others, *owners]),
            np.concatenate([*values, *values]),
            np.concatenate([*turned, *turned]),
        )
        return graph.only(shown[graph.others] & ~np.isin(graph.keys(), _hidden(ids, exclude)))

    @classmethod
    def _sorted(
        cls, ids: tuple[str, ...], owners: IntArray, others: IntArray, values: FloatArray, turned: FloatArray
    ) -> "_Rivals":
        _, first = np.unique(owners * len(ids) + others, return_index=True)
        return cls(ids, owners[first], others[first], values[first], turned[first])

    def joined(self, more: "_Rivals") -> "_Rivals":
        """Add the pairs of another graph of the same members."""
        return self._sorted(
            self.ids,
            np.concatenate([self.owners, more.owners]),
            np.concatenate([self.others, more.others]),
            np.concatenate([self.values, more.values]),
            np.concatenate([self.turned, more.turned]),
        )

    def lists(self, prices: FloatArray, among: IntArray | None = None) -> IntArray:
        """Return everybody's first ten under these prices, as places among the pairs, list after list.

        With `among` only those places can be on a list, given in order.
        """
        places = np.arange(len(self.owners)) if among is None else among
        places = places[np.lexsort((-self._ranks(places, prices), self.owners[places]))]
        return places[_standing(self.owners[places]) < FIRST]

    def lists_again(self, places: IntArray, prices: FloatArray, cheaper: BoolArray) -> IntArray:
        """Return the lists anew once these members' prices have fallen: nobody else can come upon one."""
        last = np.full(len(self.ids), np.inf)
        np.minimum.at(last, self.owners[places], self._ranks(places, prices))
        some = np.flatnonzero(cheaper[self.others])
        some = some[self._ranks(some, prices) >= last[self.owners[some]]]
        return self.lists(prices, np.union1d(places, some))

    def shown(self, places: IntArray) -> IntArray:
        """Count on how many lists each is who could be on any."""
        return np.bincount(self.others[places], minlength=len(self.ids))

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

    def keys(self) -> IntArray:
        """Return a number for each pair."""
        return self.owners * len(self.ids) + self.others

    def only(self, kept: BoolArray) -> "_Rivals":
        """Keep some pairs."""
        return _Rivals(self.ids, self.owners[kept], self.others[kept], self.values[kept], self.turned[kept])


def _standing(owners: IntArray) -> IntArray:
    """Return the place of each pair among those of its owner, from 0, where they come owner after owner."""
    at = np.arange(len(owners))
    begins = np.append(True, owners[1:] != owners[:-1])[: len(owners)]
    standing: IntArray = at - np.maximum.accumulate(np.where(begins, at, 0))
    return standing


def _hidden(ids: tuple[str, ...], exclude: Mapping[str, Collection[str]]) -> IntArray:
    """Return the keys of who is hidden from whom: of two, one may be seen by the other."""
    at = {name: place for place, name in enumerate(ids)}
    keys = [
        at[one] * len(ids) + at[other]
        for one, unseen in exclude.items()
        for other in unseen
        if one in at and other in at
    ]
    return np.array(keys, np.int64)
