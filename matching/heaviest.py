"""The heaviest pairs of a graph: in come weighted pairs, out come who is with whom, and a proven bound.

First the fractional problem: a matching of the doubled bipartite graph, halved, is at least as heavy as any
matching, and its prices prove it. Then sparse blossom (Higgott and Gidney 2023, PyMatching) finds the best
pairs; what a pair costs is how far it is below its two prices, so that only what the fractional answer leaves
open, its odd cycles, has to grow.
"""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csc_array, csr_array
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from .arrays import BoolArray, FloatArray, IntArray

ALONE = -1  # the mate of somebody without one
_HEAVY = 2.0  # above any weight, so that no cost is 0, which scipy takes for no edge
_SETTLED = 1e-12


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


def standing(graph: Weighted, mates: IntArray) -> Standing:
    """Count what a matching on the graph reaches."""
    chosen = mates[graph.low] == graph.high
    over = (mates == ALONE) & graph.first
    return Standing(int(chosen.sum()), int(over.sum()), int((chosen & graph.repeats).sum()))


def prices_of(size: int, low: IntArray, high: IntArray, weights: FloatArray) -> FloatArray:
    """Return a price for each member such that no pair is heavier than its two prices, of the least total.

    The total is what no matching can exceed.
    """
    everyone = np.arange(size)
    rows = np.concatenate([low, high, everyone])
    columns = np.concatenate([high, low, everyone])  # one's own column stands for being alone
    values = np.concatenate([weights, weights, np.zeros(size)])
    costs = csr_array((_HEAVY - values, (rows, columns)), shape=(size, size))
    _, taken = min_weight_full_bipartite_matching(costs)
    order = np.argsort(columns, kind="stable")
    rows, columns, values = rows[order], columns[order], values[order]
    chosen = columns == taken[rows]
    own = np.zeros(size)
    own[rows[chosen]] = values[chosen]
    asked = _settle(values - own[rows], taken[rows], np.searchsorted(columns, everyone))
    prices: FloatArray = np.maximum((own - asked[taken] + asked) / 2, 0)
    short = np.max(weights - prices[low] - prices[high], initial=0.0)
    return prices + max(short, 0.0) / 2  # what rounding left open


def _settle(gains: FloatArray, taken: IntArray, starts: IntArray) -> FloatArray:
    """Raise the columns' prices until no row gains by another column (Bellman and Ford)."""
    asked = np.zeros(len(starts))
    while True:
        raised = np.maximum(np.maximum.reduceat(gains + asked[taken], starts), asked)
        if np.max(raised - asked, initial=0.0) < _SETTLED:
            return asked
        asked = raised


@dataclass(frozen=True, slots=True)
class Stakes:
    """Say what goes before weight: the worth of a pair, of not leaving a `first` member, of no repeat."""

    pair: float
    first: float
    repeat: float


def heaviest(graph: Weighted, prices: FloatArray, stakes: Stakes) -> IntArray:
    """Return everybody's mate, ALONE for none, of the greatest sum of weights and stakes.

    Each member is an event to be explained by a pair or by the border. The constant in every pair's cost
    keeps a path over a third member dearer than two borders.
    """
    mates = np.full(graph.size, ALONE, np.int64)
    if not len(graph.low):
        return mates
    spare = prices[graph.low] + prices[graph.high] - graph.weights
    alone = prices + stakes.pair / 2 + stakes.first * graph.first
    constant = 2 * float(alone.max()) + 0.01
    costs = constant + np.maximum(spare, 0) + stakes.repeat * graph.repeats
    events = _matching(graph, costs, constant / 2 + alone)
    found = events[(events >= 0).all(axis=1)]
    mates[found[:, 0]], mates[found[:, 1]] = found[:, 1], found[:, 0]
    return mates


def _matching(graph: Weighted, costs: FloatArray, borders: FloatArray) -> IntArray:
    import pymatching  # it loads plotting with it, a second that only rounds should pay

    pairs = len(graph.low)
    ends = np.stack([graph.low, graph.high], axis=1).reshape(-1)
    rows = np.concatenate([ends, np.arange(graph.size)])
    starts = np.concatenate([np.arange(0, 2 * pairs, 2), 2 * pairs + np.arange(graph.size + 1)])
    shape = (graph.size, pairs + graph.size)
    check = csc_array((np.ones(len(rows), np.uint8), rows, starts), shape=shape)
    decoder = pymatching.Matching.from_check_matrix(check, weights=np.concatenate([costs, borders]))
    events: IntArray = decoder.decode_to_matched_dets_array(np.ones(graph.size, np.uint8)).astype(np.int64)
    return events
