"""The heaviest pairs by networkx and rustworkx, and bounds that hold, even if prices were wrong."""

import random
from dataclasses import replace
from itertools import combinations, pairwise

import networkx as nx
import numpy as np
import pytest
import rustworkx

from matching import heaviest as heaviest_module
from matching.heaviest import Weighted, heaviest, standing
from matching.odd_sets import ALONE
from matching.price_forest import PriceForest

FINE = 2**30  # the judges take whole numbers


def graph_of(size: int, pairs: list[tuple[int, int]], weights: list[float]) -> Weighted:
    low, high = np.array(pairs, np.int64).reshape(-1, 2).T
    nobody, none = np.zeros(size, np.bool_), np.zeros(len(pairs), np.bool_)
    return Weighted(size, low, high, np.array(weights), none, nobody)


def random_graph(seed: int) -> Weighted:
    """Sparse to full, some with equal weights, some with repeats and members who come first."""
    chance = random.Random(seed)
    size = chance.randint(2, 40)
    share, digits = chance.choice((0.1, 0.2, 0.5, 1.0)), chance.choice((0, 1, 9))
    pairs = [pair for pair in combinations(range(size), 2) if chance.random() < share]
    graph = graph_of(size, pairs, [round(chance.random(), digits) for _ in pairs])
    draw = np.random.default_rng(seed).random
    repeats, first = draw(len(pairs)) < chance.choice((0, 0.3, 0.9)), draw(size) < chance.choice((0, 0.2))
    return replace(graph, repeats=repeats, first=first)


def judged(graph: Weighted) -> tuple[tuple[int, int, int], float]:
    """Return the best standing and its weight by networkx: one sum of whole numbers without limit."""
    half = graph.size // 2 + 1
    judge = nx.Graph()
    columns = (graph.low, graph.high, graph.weights, graph.repeats)
    for a, b, weight, repeat in zip(*(column.tolist() for column in columns), strict=True):
        stakes = (half + half**2) * (1 + int(graph.first[a]) + int(graph.first[b])) - half * repeat
        judge.add_edge(a, b, weight=int(weight * FINE) + FINE * stakes)
    mates = np.full(graph.size, ALONE)
    for a, b in nx.max_weight_matching(judge):
        mates[a], mates[b] = b, a
    found = standing(graph, mates)
    chosen = mates[graph.low] == graph.high
    return (found.pairs, found.first_over, found.repeats), float(graph.weights[chosen].sum())


@pytest.mark.parametrize("seed", range(120))
def test_the_best_standing_and_then_the_most_weight(seed: int) -> None:
    graph = random_graph(seed)

    found = heaviest(graph)

    reached = standing(graph, found.mates)
    expected, weight = judged(graph)
    assert (reached.pairs, reached.first_over, reached.repeats) == expected
    assert found.total == pytest.approx(weight, abs=1e-6)
    assert max(weight, found.total) <= found.bound + 1e-9
    assert found.bound <= found.total + 1e-6


@pytest.mark.unmeasured  # all of it is reached elsewhere
def test_a_thousand_members_are_as_heavy_as_rustworkx_makes_them_and_proven() -> None:
    draw = np.random.default_rng(4)
    size = 1_001
    codes = np.unique(np.sort(draw.integers(0, size, (12 * size, 2)), axis=1) @ [size, 1])
    pairs = [(int(code) // size, int(code) % size) for code in codes if code // size != code % size]
    graph = graph_of(size, pairs, draw.random(len(pairs)).tolist())

    found = heaviest(graph)

    weight_of = dict(zip(pairs, graph.weights.tolist(), strict=True))
    whole: rustworkx.PyGraph[int, int] = rustworkx.PyGraph(multigraph=False)
    whole.add_nodes_from(list(range(size)))
    whole.add_edges_from([(*pair, int(weight * FINE)) for pair, weight in weight_of.items()])
    best = rustworkx.max_weight_matching(whole, max_cardinality=True, weight_fn=int)
    weight = sum(weight_of[min(pair), max(pair)] for pair in best)
    assert (found.mates != ALONE).sum() == 2 * len(best)
    assert found.total == pytest.approx(weight, rel=1e-7)
    assert weight <= found.bound <= weight * (1 + 1e-5)


@pytest.mark.parametrize(
    ("size", "pairs"), [(151, list(combinations(range(151), 2))), (601, list(pairwise(range(601))))]
)
def test_equal_weights_leave_only_the_odd_one_alone(size: int, pairs: list[tuple[int, int]]) -> None:
    found = heaviest(graph_of(size, pairs, [0.5] * len(pairs)))

    assert (found.mates == ALONE).sum() == 1
    assert found.total == pytest.approx(found.bound)


@pytest.mark.parametrize("wrong", [0, -(2**50), None])
def test_a_bound_holds_even_where_prices_prove_nothing(
    monkeypatch: pytest.MonkeyPatch, wrong: int | None
) -> None:
    class Broken(PriceForest):
        def grow(self) -> None:
            super().grow()
            self.prices = [price if wrong is None else wrong for price in self.prices]
            self.set_prices = dict.fromkeys(self.set_prices, -(2**50) if wrong is None else 0)

    graph = graph_of(5, [(0, 1), (0, 2), (1, 2), (2, 3), (3, 4)], [0.9, 0.8, 0.9, 0.1, 0.7])
    expected = heaviest(graph)
    monkeypatch.setattr(heaviest_module, "PriceForest", Broken)

    found = heaviest(graph)

    assert found.total == expected.total
    assert found.bound > expected.bound + 0.1
