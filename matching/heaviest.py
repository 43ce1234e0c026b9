"""The heaviest pairs of a graph: in come weighted pairs, out come who is with whom, and a proven bound.

As many pairs as can be, then as few of `first` left over, then as few repeats, then the greatest weight: one
sum, in which what goes first is worth more than all that follows. In whole numbers, so that nothing is lost.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .odd_sets import ALONE, OddSets
from .price_forest import Near, PriceForest

_FINEST, _BITS = 40, 58  # of a weight of 1, and of the whole sum of a pair, which has to fit in 64
_AHEAD = 64  # part of a weight of 1 by which prices fall before trees look further
_EVEN = 4  # halves of halves stay whole


@dataclass(frozen=True, slots=True)
class Weighted:
    """Hold pairs with weights from 0 to 1, each once, by position.

    Attributes
    ----------
    size : int
        Members.
    low, high : array of int
    weights : array of float
    repeats : array of bool
        Pairs to be avoided.
    first : array of bool, shape (size,)
        Members who should not be left over.
    """

    size: int
    low: IntArray
    high: IntArray
    weights: FloatArray
    repeats: BoolArray
    first: BoolArray


@dataclass(frozen=True, slots=True)
class Standing:
    """Count what goes before weight: pairs, `first` members left over, repeats."""

    pairs: int
    first_over: int
    repeats: int


@dataclass(frozen=True, slots=True)
class Pairs:
    """Hold everybody's mate, ALONE for none, the weight, and what no pairs of that standing can outweigh."""

    mates: IntArray
    total: float
    bound: float


def standing(graph: Weighted, mates: IntArray) -> Standing:
    """Count what a matching on the graph reaches."""
    chosen = mates[graph.low] == graph.high
    over = (mates == ALONE) & graph.first
    return Standing(int(chosen.sum()), int(over.sum()), int((chosen & graph.repeats).sum()))


def heaviest(graph: Weighted) -> Pairs:
    """Find the heaviest pairs of the best standing there is, and prove it."""
    worth, unit = _worth(graph)
    nobody = OddSets([ALONE] * graph.size)
    forest = PriceForest(nobody, _first_prices(graph, worth), _near(graph, worth), unit // _AHEAD)
    forest.grow()
    mates = np.array(forest.sets.mates, np.int64)
    chosen = mates[graph.low] == graph.high
    total = float(graph.weights[chosen].sum())
    gap = (_proven(graph, worth, forest) - sum(worth[chosen].tolist())) / unit
    # A weight is rounded by half a step at most, here and in whatever it is compared with.
    rounding = (graph.size // 2) * _EVEN / unit
    return Pairs(mates, total, total + gap + rounding)


def _worth(graph: Weighted) -> tuple[IntArray, int]:
    """Return what each pair is worth in whole numbers, and how much a weight of 1 is."""
    most = graph.size // 2 + 1  # above the weight of all pairs
    repeat = most if graph.repeats.any() else 0
    first = most * (1 + repeat)
    ends = graph.first[graph.low].astype(np.int64) + graph.first[graph.high]
    stakes = first - repeat * graph.repeats.astype(np.int64) + first * ends
    bits = min(_BITS - int(3 * first).bit_length(), _FINEST)
    fine = np.rint(graph.weights * 2.0**bits).astype(np.int64)
    return _EVEN * (fine + (stakes << bits)), _EVEN << bits


def _first_prices(graph: Weighted, worth: IntArray) -> list[int]:
    """Return prices at which no pair costs less than it is worth: half of each member's best pair."""
    best = np.zeros(graph.size, np.int64)
    np.maximum.at(best, graph.low, worth)
    np.maximum.at(best, graph.high, worth)
    prices: list[int] = (best // 2).tolist()
    return prices


def _near(graph: Weighted, worth: IntArray) -> Near:
    """Return a way to ask whom a member may be with, and what each pair is worth."""
    ends = np.concatenate([graph.low, graph.high])
    order = np.argsort(ends, kind="stable")
    peers, worths = np.concatenate([graph.high, graph.low])[order], np.tile(worth, 2)[order]
    starts = np.searchsorted(ends[order], np.arange(graph.size + 1)).tolist()

    def near(member: int) -> Iterable[tuple[int, int]]:
        mine = slice(starts[member], starts[member + 1])
        return zip(peers[mine].tolist(), worths[mine].tolist(), strict=True)

    return near


def _proven(graph: Weighted, worth: IntArray, forest: PriceForest) -> int:
    """Return what no pairs can be worth more than: all prices, those of odd sets once for each pair inside.

    That holds if no price is below 0, and no pair is worth more than what its two and the sets around both
    cost; what is amiss, if ever, is made up for.
    """
    prices = np.maximum(np.array(forest.prices, np.int64), 0)
    sets = {one: max(price, 0) for one, price in forest.set_prices.items()}
    over = worth - prices[graph.low] - prices[graph.high]
    dear = over > 0
    short = over[dear] - _around(forest.sets, sets, graph.low[dear], graph.high[dear])
    inside: int = sum(price * (len(forest.sets.inside[one]) // 2) for one, price in sets.items())
    all_of_them: int = sum(prices.tolist())  # more than 64 bits hold
    return all_of_them + inside + int(np.max(short, initial=0)) * (graph.size // 2)


def _around(sets: OddSets, prices: Mapping[int, int], a: IntArray, b: IntArray) -> IntArray:
    """Return what the sets around both of each pair cost together."""
    nowhere = len(sets.around)
    above = np.array([*sets.around, ALONE], np.int64)
    above[above == ALONE] = nowhere
    cost = np.zeros(nowhere + 1, np.int64)
    for one in range(nowhere - 1, -1, -1):
        cost[one] = prices.get(one, 0) + cost[above[one]]
    while (a != b).any():  # up to the innermost set around both: the lower number is the inner one
        a, b = np.where(a == b, a, above[np.minimum(a, b)]), np.maximum(a, b)
    shared: IntArray = cost[a]
    return shared
