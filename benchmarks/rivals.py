"""What a user would pick instead: a shuffle, greedy pairs, and rustworkx on the graph that Kith uses.

Each takes members, a graph of who may meet whom without the pairs of the latest rounds, and a seed, and
returns groups of positions.
"""

import random
from collections.abc import Callable

import numpy as np
import rustworkx

from matching.odd_ones import Groups
from matching.pair_graph import PairGraph
from matching.pairs import Asked
from matching.swaps import better_groups, weights_of

_FINE = 2**30  # rustworkx takes whole numbers
Rival = Callable[[PairGraph, int], Groups]


def shuffled(graph: PairGraph, seed: int) -> Groups:
    """Pair members up as they come out of a hat; the odd one joins the last pair."""
    order = list(range(len(graph.ids)))
    random.Random(seed).shuffle(order)
    groups: Groups = [tuple(order[at : at + 2]) for at in range(0, len(order) - 1, 2)]
    if len(order) % 2 and groups:
        groups[-1] = (*groups[-1], order[-1])
    return groups


def greedy(graph: PairGraph, seed: int) -> Groups:
    """Take the best pair that is left, again and again."""
    ties = np.random.default_rng(seed).random(len(graph.scores))
    taken: set[int] = set()
    groups: Groups = []
    for at in np.lexsort((ties, -graph.scores)).tolist():
        pair = (int(graph.low[at]), int(graph.high[at]))
        if taken.isdisjoint(pair):
            taken.update(pair)
            groups.append(pair)
    return groups


def maximum(graph: PairGraph, seed: int) -> Groups:
    """Let rustworkx find the heaviest of the largest matchings."""
    whole: rustworkx.PyGraph[int, int] = rustworkx.PyGraph(multigraph=False)
    whole.add_nodes_from(list(range(len(graph.ids))))
    weights = np.rint(graph.weights * _FINE).astype(np.int64)
    whole.add_edges_from(list(zip(graph.low.tolist(), graph.high.tolist(), weights.tolist(), strict=True)))
    return sorted(rustworkx.max_weight_matching(whole, max_cardinality=True, weight_fn=int))


RIVALS: dict[str, Rival] = {"a shuffle": shuffled, "greedy": greedy, "rustworkx": maximum}


def greedy_groups(asked: Asked, graph: PairGraph, size: int) -> tuple[float, float]:
    """Fill one group after another with whoever adds most; return its weight, and that after swaps."""
    left = set(range(len(graph.ids)))
    groups: Groups = []
    while left:
        group = [min(left)]
        left.discard(group[0])
        while len(group) < size and left:
            others = np.array(sorted(left))
            rows = np.array([asked.members.row(one)[others] for one in group])
            able = others[(rows >= 0).all(axis=0)]
            sums = np.sqrt(np.maximum(rows, 0)).sum(axis=0)[(rows >= 0).all(axis=0)]
            joined = np.column_stack([np.tile(group, (len(able), 1)), able])
            fits = asked.members.share_time(joined) if len(able) else np.zeros(0, np.bool_)
            if not fits.any():
                break
            group.append(int(able[fits][np.argmax(sums[fits])]))
            left.discard(group[-1])
        groups.append(tuple(group))
    swapped = better_groups(asked, graph, groups)
    return float(weights_of(asked, groups).sum()), float(weights_of(asked, swapped).sum())
