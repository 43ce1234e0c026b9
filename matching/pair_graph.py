"""The graph of a round: everybody's best peers, built block by block; or a graph of scores that is given.

Up to SHARD members each is compared with all. Above that, members, who are sorted by what they are separated
by and by place, are compared within shards: time and memory grow with the members, not with their pairs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from .arrays import BoolArray, FloatArray, IntArray
from .meetable import NO, Community, Forbidden
from .round import RoundRules

BEST = 50  # peers of each
SHARD = 10_000  # members compared with each other
_SHORTLIST = 128  # peers whose times are compared, unless too few of them have one in common
_CELLS = 500_000  # pairs worked on at once, 4 MB a column
JITTER = 2.0**-20  # orders equal scores by pair and seed

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True, eq=False)
class PairGraph:
    """Hold who may meet whom: each pair once, by position in `ids`, with its score.

    Parameters
    ----------
    ids : tuple of str
        Each once.
    low, high : array of int
        Positions, low below high; sorted by both.
    scores : array of float
        0 to 1.

    Raises
    ------
    ValueError
        If ids or pairs are not as above, or a score is out of range.

    Examples
    --------
    >>> PairGraph.of([("ana", "ben", 0.5), ("cem", "ben", 0.7)]).ids
    ('ana', 'ben', 'cem')
    """

    ids: tuple[str, ...]
    low: IntArray
    high: IntArray
    scores: FloatArray

    def __post_init__(self) -> None:
        if len(set(self.ids)) < len(self.ids):
            raise ValueError("expected each id once")
        codes = self.low * len(self.ids) + self.high
        inside = (self.low >= 0) & (self.low < self.high) & (self.high < len(self.ids))
        if not (inside.all() and (np.diff(codes) > 0).all()):
            raise ValueError("expected each pair once, sorted, by positions in ids")
        if not ((self.scores >= 0) & (self.scores <= 1)).all():
            raise ValueError("expected scores from 0 to 1")

    @classmethod
    def of(cls, scored: Iterable[tuple[str, str, float]], ids: Iterable[str] = ()) -> "PairGraph":
        """Make a graph of pairs with their scores; `ids` may name more members. The last of a pair counts."""
        latest = {(min(a, b), max(a, b)): value for a, b, value in scored}
        names = tuple(sorted({*ids, *(one for pair in latest for one in pair)}))
        at = {name: number for number, name in enumerate(names)}
        rows = sorted((at[a], at[b], value) for (a, b), value in latest.items())
        low, high = (np.array([row[end] for row in rows], np.int64) for end in (0, 1))
        return cls(names, low, high, np.array([row[2] for row in rows], np.float64))

    @property
    def weights(self) -> FloatArray:
        """Return the square roots of the scores."""
        return np.sqrt(self.scores)

    def with_pairs(self, low: IntArray, high: IntArray, scores: FloatArray) -> "PairGraph":
        """Return the graph with more pairs in it."""
        return merged(
            self.ids,
            np.concatenate([self.low, low]),
            np.concatenate([self.high, high]),
            np.concatenate([self.scores, scores]),
        )

    def where(self, kept: BoolArray) -> "PairGraph":
        """Return the graph of some of the pairs."""
        return PairGraph(self.ids, self.low[kept], self.high[kept], self.scores[kept])


def merged(ids: tuple[str, ...], a: IntArray, b: IntArray, scores: FloatArray) -> PairGraph:
    """Make a graph of pairs either way round, some of them twice."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    _, first = np.unique(low * len(ids) + high, return_index=True)
    return PairGraph(ids, low[first], high[first], scores[first])


class GraphMembers:
    """Judge and score the pairs of a graph: who is not in it may not meet. Times are not looked at."""

    def __init__(self, graph: PairGraph, rules: RoundRules) -> None:
        forbidden = Forbidden(graph.ids, rules)
        kept = graph.where(~forbidden.pairs(graph.low, graph.high))
        size = len(graph.ids)
        ends = (np.concatenate([kept.low, kept.high]), np.concatenate([kept.high, kept.low]))
        # Shifted, so that a score of 0 is an entry and what is missing comes out as NO.
        self._shifted = csr_array(coo_array((np.tile(kept.scores - NO, 2), ends), shape=(size, size)))
        self.ids, self.graph, self.forbidden = graph.ids, kept, forbidden

    def row(self, member: int) -> FloatArray:
        """Score one member with everybody, NO for themself."""
        one: FloatArray = self.rows(np.array([member]))[0]
        return one

    def rows(self, members: IntArray) -> FloatArray:
        """Score some members, in ascending order, with everybody."""
        scores: FloatArray = self._shifted[members].toarray() + NO
        return scores

    def pairs(self, a: IntArray, b: IntArray) -> FloatArray:
        """Score pairs one by one."""
        if not len(a):
            return np.zeros(0)
        scores: FloatArray = np.asarray(self._shifted[a, b]).reshape(-1) + NO
        return scores

    def share_time(self, groups: IntArray) -> BoolArray:
        """Take it that all have time."""
        return np.ones(len(groups), np.bool_)


def best_graph(community: Community, seed: int, progress: Progress) -> PairGraph:
    """Build the graph of everybody's best peers.

    Parameters
    ----------
    community : Community
    seed : int
        Orders equal scores.
    progress : callable
        Told the share that is done.
    """
    size = len(community.ids)
    shards = np.array_split(np.arange(size), max(-(-size // SHARD), 1))
    spread = np.random.default_rng(seed).random(size)
    found, done = [(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))], 0
    for shard in shards:
        height = max(_CELLS // max(len(shard), 1), 1)
        for first in range(0, len(shard), height):
            block = shard[first : first + height]
            found.append(_best_of(community, block, shard, spread))
            done += len(block)
            progress(done / size)
    a, b, scores = (np.concatenate([part[at] for part in found]) for at in range(3))
    return merged(community.ids, a, b, scores)


def _best_of(
    community: Community, block: IntArray, shard: IntArray, spread: FloatArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the best peers of some members within their shard."""
    scores = community.block(block, shard)
    keys = spread[block][:, None] + spread[shard][None, :]
    keys -= keys >= 1  # symmetric, and in another order for everybody
    keys *= JITTER
    keys += scores
    kept = _shortlisted(community, block, shard, keys, min(_SHORTLIST, len(shard)))
    short = kept.sum(axis=1) < np.minimum(BEST, (scores > NO / 2).sum(axis=1))
    if short.any():  # among the best too few have time: compare everybody's
        kept[short] = _shortlisted(community, block[short], shard, keys[short], len(shard))
    keys[~kept] = NO
    if len(shard) > BEST:
        last = -np.partition(-keys, BEST - 1, axis=1)[:, BEST - 1]
        kept &= keys >= last[:, None]
    at, peer = np.nonzero(kept)
    return block[at], shard[peer], scores[at, peer]


def _shortlisted(
    community: Community, block: IntArray, shard: IntArray, keys: FloatArray, count: int
) -> BoolArray:
    """Tell who of each member's first `count` may be met and has time."""
    kept: BoolArray = keys > NO / 2
    if count < len(shard):
        last = -np.partition(-keys, count - 1, axis=1)[:, count - 1]
        kept &= keys >= last[:, None]
    at, peer = np.nonzero(kept)
    kept[at, peer] = community.free_together(block[at], shard[peer])
    return kept
