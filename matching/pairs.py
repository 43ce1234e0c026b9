"""Pairs for a round: in come members and the graph of their best peers, out come mates and a bound.

In this order, none at the expense of an earlier one: as many members with a mate as the full graph allows;
those of `first` before others; no repeats; the greatest weight. Nearly always the heaviest pairs of the graph
leave at most one member alone, which settles the first three. Where they don't, whoever is alone is tried
against all, and the pairs that this brings join the graph.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .alternating import Peers, most_pairs
from .arrays import BoolArray, IntArray
from .heaviest import Pairs, Weighted, heaviest, standing
from .meetable import NO, Meetable, has_codes
from .odd_sets import ALONE
from .pair_graph import JITTER, PairGraph

_CELLS = 500_000  # scores looked up at once


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
        """Return a way to ask for a member's free peers, that looks up those to come with them."""
        known: dict[int, IntArray] = {}
        most = max(_CELLS // max(self.size, 1), 1)

        def ask(member: int, coming: Sequence[int]) -> IntArray:
            if member not in known:
                known.clear()
                wanted = np.unique([member, *coming[: most - 1]])
                for one, row in zip(wanted.tolist(), self.members.rows(wanted), strict=True):
                    found = np.flatnonzero((row > NO / 2) & self.free)
                    if not repeats:
                        found = found[~self.repeats(np.full(len(found), one), found)]
                    known[one] = found
            return known[member]

        return ask


def pair_up(asked: Asked, graph: PairGraph) -> Pairs:
    """Find every free member a mate."""
    usable = graph.where(asked.free[graph.low] & asked.free[graph.high])
    found = heaviest(_weighted(asked, usable.where(~asked.repeats(usable.low, usable.high))))
    alone = (found.mates == ALONE) & asked.free
    if alone.sum() < 2 and not (alone & asked.first).any():
        return found
    kept = most_pairs(found.mates, asked.peers(repeats=False), asked.first, asked.free)
    best = kept
    if len(asked.recent):
        best = most_pairs(kept, asked.peers(repeats=True), asked.first, asked.free)
    if (best == found.mates).all():
        return found
    return heaviest(_widened(asked, usable, kept, best))


def _widened(asked: Asked, graph: PairGraph, kept: IntArray, best: IntArray) -> Weighted:
    """Add the pairs of the best standing, with repeats only where it is better than `kept` without."""
    wider = _with_mates(asked, _with_mates(asked, graph, kept), best)
    whole = _weighted(asked, wider)
    without, within = standing(whole, kept), standing(whole, best)
    if (without.pairs, without.first_over) == (within.pairs, within.first_over):
        return _weighted(asked, wider.where(~whole.repeats))
    return whole


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
