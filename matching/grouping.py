"""Groups of three to eight: in come members and the graph of their best peers, out come groups.

Pairs are matched, then the pairs of those pairs, while the result fits in a group; as many of these as there
are to be groups are kept, and the others take the places that are left, one at a time. Members change places
as long as that adds weight, which is the sum of the square roots of the scores over all pairs of a group; at
last small groups draw members from larger ones.
"""

from dataclasses import replace

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .balance import evened_out
from .heaviest import Weighted, heaviest
from .meetable import NO
from .odd_ones import Groups, padded, take_in
from .pair_graph import PairGraph
from .pairs import Asked, pair_up
from .swaps import better_groups, weights_between, weights_of

_MOST_CANDIDATES = 50  # groups that one group may be joined with


def group_up(asked: Asked, graph: PairGraph, pinned: Groups, size: int) -> tuple[Groups, list[int]]:
    """Form groups of `size`, give or take one where that can be; return them and who is in none.

    Without repeats first; then whoever is left joins a group with a repeat; then they form smaller groups.
    """
    wanted = how_many(int(asked.free.sum()) + sum(map(len, pinned)), size)
    groups, alone = _seeds(asked, graph, [*pinned, *_pairs(asked, graph)], wanted, size)
    for most in range(2, size + 2):
        groups, alone = take_in(asked, groups, alone, most, (False,))
    groups = better_groups(asked, graph, groups)
    groups, alone = take_in(asked, groups, alone, size + 1)
    return _with_rest(asked, graph, groups, alone, size)


def _with_rest(
    asked: Asked, graph: PairGraph, groups: Groups, alone: list[int], size: int
) -> tuple[Groups, list[int]]:
    """Form groups of whoever is left, of any size from two on, with repeats where there is no other way."""
    full = [group for group in groups if len(group) > 1]
    rest = [*alone, *(group[0] for group in groups if len(group) == 1)]
    among = replace(asked, free=np.isin(np.arange(asked.size), rest))
    mates = pair_up(among, graph).mates
    pairs: Groups = [(one, mate) for one, mate in enumerate(mates.tolist()) if mate > one]
    paired = {member for pair in pairs for member in pair}
    small, left = take_in(asked, pairs, [one for one in rest if one not in paired], size + 1)
    return evened_out(asked, full + small, left, size)


def how_many(members: int, size: int) -> int:
    """Return how many groups keep everybody within one member of the size, if that can be."""
    whole, over = divmod(members, size)
    return max(whole if over <= whole else whole + 1, 1)


def _pairs(asked: Asked, graph: PairGraph) -> Groups:
    """Pair the free members up without repeats; whoever has no mate is a cluster of one."""
    mates = pair_up(asked, graph).mates
    low = np.flatnonzero(mates > np.arange(len(mates)))
    low = low[~asked.repeats(low, mates[low])]
    pairs: Groups = list(zip(low.tolist(), mates[low].tolist(), strict=True))
    inside = {member for pair in pairs for member in pair}
    return pairs + [(one,) for one in np.flatnonzero(asked.free).tolist() if one not in inside]


def _seeds(
    asked: Asked, graph: PairGraph, clusters: Groups, wanted: int, size: int
) -> tuple[Groups, list[int]]:
    """Join clusters as long as they fit in a group; keep the heaviest, and take the other free ones apart."""
    joined, before = clusters, 0
    while before != len(joined):
        before = len(joined)
        joined = _joined(asked, graph, joined, size)
    fixed = [one for one in joined if not asked.free[list(one)].all()]
    others = [one for one in joined if asked.free[list(one)].all()]
    heavy = np.argsort(-weights_of(asked, others), kind="stable").tolist()
    kept = heavy[: max(wanted - len(fixed), 0)]
    loose = [member for at in heavy[len(kept) :] for member in others[at]]
    return fixed + [others[at] for at in kept], loose


def _joined(asked: Asked, graph: PairGraph, clusters: Groups, size: int) -> Groups:
    """Match clusters with each other where two make at most a group."""
    low, high = _neighbours(asked, graph, clusters, size)
    gains = _gains(asked, clusters, low, high)
    kept = _best_gains(len(clusters), low, high, gains)
    low, high, gains = low[kept], high[kept], gains[kept]
    scaled = gains / max(float(gains.max(initial=0)), 1.0)
    nobody = np.zeros(len(clusters), np.bool_)
    whole = Weighted(len(clusters), low, high, scaled, np.zeros(len(low), np.bool_), nobody)
    mates = heaviest(whole).mates.tolist()
    pairs = [(*clusters[at], *clusters[mate]) for at, mate in enumerate(mates) if mate > at]
    return pairs + [clusters[at] for at, mate in enumerate(mates) if mate < 0]


def _neighbours(asked: Asked, graph: PairGraph, clusters: Groups, size: int) -> tuple[IntArray, IntArray]:
    """Return pairs of clusters with an edge of the graph between them that fit in a group."""
    owner = np.full(asked.size, -1, np.int64)
    for number, cluster in enumerate(clusters):
        owner[list(cluster)] = number
    sizes = np.array([len(cluster) for cluster in clusters], np.int64)
    a, b = owner[graph.low], owner[graph.high]
    good = (a >= 0) & (b >= 0) & (a != b)
    a, b = np.minimum(a, b)[good], np.maximum(a, b)[good]
    good = sizes[a] + sizes[b] <= size
    codes = np.unique(a[good] * len(clusters) + b[good])
    return codes // max(len(clusters), 1), codes % max(len(clusters), 1)


def _gains(asked: Asked, clusters: Groups, low: IntArray, high: IntArray) -> FloatArray:
    """Return the weight between two clusters, NO where their members can't be one group."""
    rows = padded(clusters)
    left, right = rows[low], rows[high]
    gains = np.zeros(len(low))
    fits: BoolArray = np.ones(len(low), np.bool_)
    for x in left.T:
        for y in right.T:
            there = np.flatnonzero((x >= 0) & (y >= 0) & fits)
            weights = weights_between(asked, x[there], y[there])
            fits[there[weights < 0]] = False
            gains[there] += weights
    both = np.flatnonzero(fits)
    together = np.sort(np.concatenate([left[both], right[both]], axis=1), axis=1)[:, ::-1]
    fits[both] = asked.members.share_time(together) if len(both) else False
    return np.where(fits, gains, NO)


def _best_gains(size: int, low: IntArray, high: IntArray, gains: FloatArray) -> BoolArray:
    """Tell which pairs of clusters are among the best of either."""
    able = np.flatnonzero(gains >= 0)
    ends = np.concatenate([low[able], high[able]])
    order = np.lexsort((np.tile(able, 2), -np.tile(gains[able], 2), ends))
    rank = np.arange(len(order)) - np.searchsorted(ends[order], ends[order])
    kept: BoolArray = np.zeros(len(low), np.bool_)
    kept[np.tile(able, 2)[order[rank < _MOST_CANDIDATES]]] = True
    return kept
