"""Pairs on graphs: the optimum by brute force and by networkx, in the order in which things count."""

import random
from collections.abc import Mapping

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import PairGraph, RoundRules, plan_graph
from matching.alternating import most_pairs
from matching.heaviest import Pairs, Standing, Weighted, standing
from matching.meetable import codes_of
from matching.odd_sets import ALONE
from matching.pair_graph import GraphMembers
from matching.pairs import Asked, pair_up
from tests.matching.rounds import best_standing, random_graph

seeds = st.integers(0, 2**32 - 1)
Scored = Mapping[tuple[str, str], float]


def graph_of(ids: list[str], scored: Scored) -> PairGraph:
    return PairGraph.of([(a, b, score) for (a, b), score in scored.items()], ids)


def paired(graph: PairGraph, rules: RoundRules) -> tuple[Asked, Pairs]:
    members = GraphMembers(graph, rules)
    at = {one: number for number, one in enumerate(graph.ids)}
    first = np.array([one in rules.first for one in graph.ids])
    asked = Asked(members, codes_of(rules.recent, at), first, np.ones(len(at), np.bool_), rules.seed)
    return asked, pair_up(asked, members.graph)


def random_rules(chance: random.Random, ids: list[str]) -> RoundRules:
    pairs = [frozenset(chance.sample(ids, 2)) for _ in range(12)]
    return RoundRules(
        recent=frozenset(pairs[: chance.choice((0, 4, 12))]),
        first=frozenset(chance.sample(ids, chance.choice((0, 1, 2)))),
    )


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_small_graphs_get_the_best_pairs_there_are(seed: int) -> None:
    chance = random.Random(seed)
    ids, scored = random_graph(chance, 8)
    rules = random_rules(chance, ids)

    _, found = paired(graph_of(ids, scored), rules)

    mates = {ids[at]: ids[mate] for at, mate in enumerate(found.mates.tolist()) if mate > at}
    assert all(pair in scored for pair in mates.items())
    weight = sum(scored[pair] ** 0.5 for pair in mates.items())
    repeats = sum(frozenset(pair) in rules.recent for pair in mates.items())
    seated = {*mates, *mates.values()}
    expected = best_standing(scored, rules)
    assert (len(mates), len(seated & rules.first), -repeats) == expected[:3]
    assert weight == pytest.approx(expected[3], abs=1e-4)
    assert weight <= found.bound + 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_graphs_get_what_networkx_finds(seed: int) -> None:
    chance = random.Random(seed)
    ids = [f"n{number:02}" for number in range(60)]
    scored = {pair: chance.random() for pair in random_pairs(chance, ids)}

    _, found = paired(graph_of(ids, scored), RoundRules(seed=seed))

    judge = nx.Graph()
    judge.add_weighted_edges_from((a, b, score**0.5) for (a, b), score in scored.items())
    best = nx.max_weight_matching(judge, maxcardinality=True)
    assert (found.mates >= 0).sum() == 2 * len(best)
    heaviest = sum(judge[a][b]["weight"] for a, b in best)
    assert found.total == pytest.approx(heaviest, rel=1e-5)
    assert heaviest <= found.bound + 1e-9
    assert found.bound <= heaviest * (1 + 1e-5)


def random_pairs(chance: random.Random, ids: list[str]) -> list[tuple[str, str]]:
    return sorted({tuple(sorted(chance.sample(ids, 2))) for _ in range(150)})  # type: ignore[misc]


def test_whoever_was_left_out_comes_first() -> None:
    graph = PairGraph.of([("ana", "ben", 0.9), ("ben", "cem", 0.1)])

    plan = plan_graph(graph, RoundRules(first=frozenset({"cem"})))

    assert [group.members for group in plan.groups] == [("ben", "cem")]
    assert plan.left_out == {"ana": "odd_one"}


def test_a_repeat_is_better_than_nobody_and_is_named() -> None:
    graph = PairGraph.of([("ana", "ben", 0.9), ("ben", "cem", 0.2), ("cem", "dia", 0.3)])
    recent = frozenset({frozenset({"ana", "ben"})})

    plan = plan_graph(graph, RoundRules(recent=recent))

    assert [(group.members, group.relaxed) for group in plan.groups] == [
        (("ana", "ben"), ("repeat",)),
        (("cem", "dia"), ()),
    ]
    assert plan.repeats == 1


def test_the_fewest_repeats_are_taken() -> None:
    cycle = [("a", "b", 0.9), ("c", "d", 0.9), ("b", "c", 0.1), ("a", "d", 0.1)]
    recent = frozenset(frozenset(pair) for pair in ("ab", "cd", "ad"))

    plan = plan_graph(PairGraph.of(cycle), RoundRules(recent=recent))

    assert [group.members for group in plan.groups] == [("a", "d"), ("b", "c")]


def test_an_odd_member_makes_a_three() -> None:
    graph = PairGraph.of([("a", "b", 0.9), ("b", "c", 0.5), ("a", "c", 0.5), ("c", "d", 0.1)], ["e"])

    plan = plan_graph(graph, RoundRules(apart=(frozenset("cd"),)))

    assert [group.members for group in plan.groups] == [("a", "b", "c")]
    assert plan.left_out == {"d": "no_feasible_peer", "e": "no_feasible_peer"}


def test_the_odd_one_trades_places_with_one_who_can_join_a_pair() -> None:
    edges = [("u", "a"), ("a", "b"), ("c", "d"), ("b", "c"), ("b", "d")]
    graph = PairGraph.of([(x, y, 1.0 if (x, y) == ("a", "b") else 0.5) for x, y in edges])

    plan = plan_graph(graph)

    assert [group.members for group in plan.groups] == [("a", "u"), ("b", "c", "d")]


def test_standing_counts_what_goes_before_weight() -> None:
    low, high = np.array([0, 1]), np.array([1, 2])
    graph = Weighted(3, low, high, np.ones(2), np.array([True, False]), np.array([False, False, True]))

    assert standing(graph, np.array([1, 0, -1])) == Standing(1, 1, 1)


@pytest.mark.parametrize(
    ("ids", "low", "high", "scores"),
    [
        (("a", "a"), [0], [1], [0.5]),
        (("a", "b"), [1], [0], [0.5]),
        (("a", "b"), [0, 0], [1, 1], [0.5, 0.5]),
        (("a", "b"), [0], [1], [1.5]),
    ],
)
def test_a_graph_that_is_none_is_refused(
    ids: tuple[str, ...], low: list[int], high: list[int], scores: list[float]
) -> None:
    with pytest.raises(ValueError, match="expected"):
        PairGraph(ids, np.array(low), np.array(high), np.array(scores))


def test_a_graph_of_nobody_has_no_groups() -> None:
    plan = plan_graph(PairGraph.of([]))

    assert (plan.groups, plan.bound_ratio, plan.participants) == ((), 1.0, 0)


def test_who_was_left_out_last_time_takes_the_place_of_who_was_not() -> None:
    peers = {0: np.array([1]), 1: np.array([0, 2]), 2: np.array([1])}
    first, free = np.array([True, False, False]), np.ones(3, np.bool_)

    mates = most_pairs(np.array([ALONE, 2, 1]), lambda member, _: peers[member], first, free)

    assert mates.tolist() == [1, 0, ALONE]
