"""Pairs for a round: in come members and the graph of their best peers, out come mates and a bound.

In this order, none at the expense of an earlier one: as many members with a mate as the full graph allows;
those of `first` before others; no repeats; the greatest weight. Nearly always the heaviest pairs of the graph
leave at most one member alone, which settles the first three. Where they don't, whoever is alone is tried
against all, and the pairs that this brings join the graph.
"""

from dataclasses import dataclass, replace

import numpy as np

from .alternating import Peers, most_pairs
from .arrays import BoolArray, FloatArray, IntArray
from .heaviest import ALONE, Stakes, Standing, Weighted, heaviest, prices_of, standing
from .meetable import NO, Meetable, has_codes
from .pair_graph import JITTER, PairGraph

# Stakes to try: the least that get what goes before weight leave weights the most of the 24 bits.
STAKES = (Stakes(4, 1, 2), Stakes(16, 4, 4), Stakes(128, 16, 16), Stakes(1024, 64, 32))


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold what pairs are asked for.

    Attributes
    ----------
    members : Meetable
    recent : array of int
        Codes of the pairs within the cool-down.
    first, free : array of bool, shape (n_members,)
        Who was left out last time; who has no group yet.
    seed : int
    """

    members: Meetable
    recent: IntArray
    first: BoolArray
    free: BoolArray
    seed: int

    @property
    def size(self) -> int:
        """Count the members."""
        return len(self.members.ids)

    def repeats(self, a: IntArray, b: IntArray) -> BoolArray:
        """Tell which pairs are within the cool-down."""
        return has_codes(self.recent, a, b, self.size)

    def peers(self, *, repeats: bool) -> Peers:
        """Return a way to ask for a member's free peers, that remembers the latest answer."""
        latest: dict[int, IntArray] = {}

        def ask(member: int) -> IntArray:
            if member not in latest:
                found = np.flatnonzero((self.members.row(member) > NO / 2) & self.free)
                if not repeats:
                    found = found[~self.repeats(np.full(len(found), member), found)]
                latest.clear()
                latest[member] = found
            return latest[member]

        return ask


@dataclass(frozen=True, slots=True)
class Pairs:
    """Hold everybody's mate, and what no pairs on the graph can outweigh."""

    mates: IntArray
    total: float
    bound: float


def pair_up(asked: Asked, graph: PairGraph) -> Pairs:
    """Find every free member a mate."""
    usable = graph.where(asked.free[graph.low] & asked.free[graph.high])
    plain = _weighted(asked, usable.where(~asked.repeats(usable.low, usable.high)))
    prices = prices_of(plain.size, plain.low, plain.high, plain.weights)
    mates = heaviest(plain, prices, STAKES[0])
    alone = (mates == ALONE) & asked.free
    if alone.sum() > 1 or (alone & asked.first).any():
        kept = most_pairs(mates, asked.peers(repeats=False), asked.first, asked.free)
        best = kept
        if len(asked.recent):
            best = most_pairs(kept, asked.peers(repeats=True), asked.first, asked.free)
        if (best != mates).any():
            return _settled(asked, usable, kept, best)
    return _told(plain, mates, prices)


def _settled(asked: Asked, graph: PairGraph, kept: IntArray, best: IntArray) -> Pairs:
    """Find the heaviest pairs of the best standing, which is reached by `best`, or without repeats `kept`."""
    wider = _with_mates(asked, _with_mates(asked, graph, kept), best)
    whole = _weighted(asked, wider)
    aim = standing(whole, best)
    # A repeat that neither another pair nor one of `first` needs is none that can't be avoided.
    needs = (aim.pairs, aim.first_over) != (standing(whole, kept).pairs, standing(whole, kept).first_over)
    best, aim = _fewest_repeats(whole, best, aim) if needs else (kept, replace(aim, repeats=0))
    if not aim.repeats:
        whole = _weighted(asked, wider.where(~whole.repeats))
    prices = prices_of(whole.size, whole.low, whole.high, whole.weights)
    for stakes in STAKES:
        mates = heaviest(whole, prices, stakes)
        if standing(whole, mates) == aim:
            return _told(whole, mates, prices)
    return _told(whole, best, prices)


def _fewest_repeats(graph: Weighted, begun: IntArray, aim: Standing) -> tuple[IntArray, Standing]:
    """Return pairs of the same standing but for as few repeats as can be; whole numbers, so exact."""
    stake = aim.pairs + 1
    level = replace(graph, weights=np.zeros(len(graph.weights)))
    mates = heaviest(level, np.zeros(graph.size), Stakes(4 * stake, stake, 1))
    found = standing(graph, mates)
    reached = (found.pairs, found.first_over) == (aim.pairs, aim.first_over)
    return (mates, found) if reached and found.repeats <= aim.repeats else (begun, aim)


def _weighted(asked: Asked, graph: PairGraph) -> Weighted:
    """Weigh pairs by the roots of their scores, equal ones by the seed."""
    spread = np.random.default_rng(asked.seed).random(asked.size)
    ties = (spread[graph.low] + spread[graph.high]) % 1.0
    weights = np.minimum(graph.weights + JITTER * ties, 1.0)
    repeats = asked.repeats(graph.low, graph.high)
    return Weighted(asked.size, graph.low, graph.high, weights, repeats, asked.first & asked.free)


def _with_mates(asked: Asked, graph: PairGraph, mates: IntArray) -> PairGraph:
    """Return the graph with the pairs of a matching in it."""
    low = np.flatnonzero(mates > np.arange(len(mates)))
    return graph.with_pairs(low, mates[low], asked.members.pairs(low, mates[low]))


def _told(graph: Weighted, mates: IntArray, prices: FloatArray) -> Pairs:
    chosen = mates[graph.low] == graph.high
    return Pairs(mates, float(graph.weights[chosen].sum()), float(prices.sum()))
