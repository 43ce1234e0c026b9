"""Whole rounds: no rule is ever broken, whoever can be placed is, and order changes nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.communities import simulated
from matching import (
    Group,
    Matcher,
    PairGraph,
    Profile,
    RoundPlan,
    RoundRules,
    Slot,
    check_round,
    meetable,
    pair_graph,
    plan_graph,
    plan_round,
)
from tests.matching.rounds import Case, case, shuffled

A_DAY = date(2026, 11, 30)
seeds = st.integers(0, 2**32 - 1)


def planned(one: Case) -> RoundPlan:
    return plan_round(one.matcher(), one.participants, one.rules, on=one.on, days=one.days)


def problems(one: Case, plan: RoundPlan) -> list[str]:
    return check_round(
        plan.groups,
        one.profiles,
        one.rules,
        one.on,
        days=one.days,
        separate_by=one.separate_by,
        participants=one.participants,
    )


def friends(count: int, **more: object) -> list[Profile]:
    return [replace(Profile(f"p{at}", "N", interests=("chess",)), **more) for at in range(count)]  # type: ignore[arg-type]


def members_of(plan: RoundPlan) -> list[tuple[str, ...]]:
    return [group.members for group in plan.groups]


@settings(max_examples=25, deadline=None)
@given(seeds, st.sampled_from((2, 2, 2, 3, 4, 5, 8)))
def test_no_round_breaks_a_rule_and_nobody_is_lost(seed: int, group_size: int) -> None:
    one = case(seed, group_size)

    plan = planned(one)

    assert problems(one, plan) == []
    seated = {member for group in plan.groups for member in group.members}
    assert seated | set(plan.left_out) == set(one.participants)
    assert (plan.participants, plan.placed) == (len(one.participants), len(seated))
    assert 0 <= plan.bound_ratio <= 1 + 1e-9


@settings(max_examples=6, deadline=None)
@given(seeds, st.sampled_from((2, 4)))
def test_the_order_of_the_input_changes_nothing(seed: int, group_size: int) -> None:
    one = case(seed, group_size)
    model = one.matcher().model_
    other = shuffled(one, seed)
    again = Matcher(separate_by=one.separate_by).fit(other.profiles, model=model)

    assert plan_round(again, other.participants, one.rules, on=one.on, days=one.days) == planned(one)


def test_a_seed_orders_what_is_equal() -> None:
    matcher = Matcher().fit(friends(12))
    ids = [f"p{at}" for at in range(12)]

    plans = [members_of(plan_round(matcher, ids, RoundRules(seed=seed))) for seed in (1, 1, 2)]

    assert plans[0] == plans[1] != plans[2]


def test_scores_are_those_of_suggestions() -> None:
    profiles = simulated(30, "mild", 3)
    matcher = Matcher().fit(profiles)

    plan = plan_round(matcher, [one.id for one in profiles], on=A_DAY)

    for group in plan.groups:
        asker = next(one for one in profiles if one.id == group.members[0])
        scores = {item.id: item.score for item in matcher.suggest(asker, 30, on=A_DAY).items}
        assert group.score == pytest.approx(scores[group.members[1]], abs=1e-3)


@pytest.fixture
def sharp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a small community need what a large one does: shards, short lists, and tries beyond them."""
    monkeypatch.setattr(meetable, "SMALL", 50)
    monkeypatch.setattr(pair_graph, "BEST", 3)
    monkeypatch.setattr(pair_graph, "_SHORTLIST", 5)
    monkeypatch.setattr(pair_graph, "SHARD", 32)


@pytest.mark.usefixtures("sharp")
@pytest.mark.parametrize("strictness", ["strict", "mild"])
def test_as_many_have_a_mate_as_the_full_graph_allows(strictness: str) -> None:
    profiles = simulated(60, strictness)
    ids = [one.id for one in profiles]
    told: list[float] = []

    plan = plan_round(Matcher().fit(profiles), ids, on=A_DAY, progress=told.append)

    assert check_round(plan.groups, profiles, RoundRules(), A_DAY, participants=ids) == []
    most = nx.max_weight_matching(full_graph(profiles), maxcardinality=True)
    threes = sum(len(group.members) == 3 for group in plan.groups)
    assert plan.placed - threes == 2 * len(most)
    assert told == sorted(told)
    assert told[-1] == 1.0


def full_graph(profiles: Sequence[Profile]) -> nx.Graph:
    graph = nx.Graph()
    for a, b in combinations(sorted(profiles, key=lambda one: one.id), 2):
        if not check_round([Group((a.id, b.id), 0.0)], [a, b], RoundRules(), A_DAY):
            graph.add_edge(a.id, b.id)
    return graph


def test_a_short_window_restricts_and_a_long_one_repeats_the_week() -> None:
    sundays = friends(2, timezone="Europe/Berlin", availability=(Slot(6, 600, 720),))
    matcher = Matcher().fit(sundays)
    monday = date(2026, 11, 30)

    placed = [plan_round(matcher, ["p0", "p1"], on=monday, days=days).placed for days in (1, 6, 7, 30)]

    assert placed == [0, 0, 2, 2]


def test_together_and_apart_are_kept() -> None:
    matcher = Matcher().fit(friends(6))
    rules = RoundRules(together=(frozenset({"p0", "p5"}),), apart=(frozenset({"p1", "p2", "p3"}),))

    plan = plan_round(matcher, [f"p{at}" for at in range(6)], rules)

    assert ("p0", "p5") in [group.members[:1] + group.members[-1:] for group in plan.groups]
    assert check_round(plan.groups, friends(6), rules, A_DAY) == []


@pytest.mark.parametrize(
    ("together", "words"),
    [({"p0", "nobody"}, r"participants together, got \['nobody'\]"), ({"p0", "far"}, "who may meet")],
)
def test_pins_that_can_not_be_are_refused(together: set[str], words: str) -> None:
    matcher = Matcher().fit([*friends(2), Profile("far", "N", languages=("fi",), modes=frozenset())])

    with pytest.raises(ValueError, match=words):
        plan_round(matcher, ["p0", "p1", "far"], RoundRules(together=(frozenset(together),)))


def test_whom_the_matcher_does_not_know_was_erased_and_who_is_paused_meets_nobody() -> None:
    matcher = Matcher().fit([*friends(3), Profile("away", "N", paused=True)])

    plan = plan_round(matcher, ["p0", "p1", "away", "gone"])

    assert plan.left_out == {"away": "no_feasible_peer", "gone": "erased"}
    assert members_of(plan) == [("p0", "p1")]


def test_being_full_or_hidden_is_no_obstacle() -> None:
    matcher = Matcher().fit(friends(2, full=True, suggestible=False))

    assert plan_round(matcher, ["p0", "p1"]).placed == 2


@pytest.mark.parametrize("size", [3, 4, 5, 8])
def test_groups_keep_to_their_size(size: int) -> None:
    profiles = simulated(60, "mild", 2)

    plan = plan_round(Matcher().fit(profiles), [one.id for one in profiles], RoundRules(size), on=A_DAY)

    assert check_round(plan.groups, profiles, RoundRules(size), A_DAY, participants=[]) != []
    assert check_round(plan.groups, profiles, RoundRules(size), A_DAY) == []
    assert plan.placed == 60
    assert 0.5 < plan.bound_ratio < 1


def test_groups_out_of_a_graph_name_what_was_relaxed() -> None:
    names = "abcdef"
    edges = [(x, y, 0.5) for x, y in combinations(names, 2)] + [("g", "h", 0.5)]
    edges += [("i", "a", 0.5), ("i", "b", 0.5)]
    met = frozenset({frozenset("gh")})

    plan = plan_graph(PairGraph.of(edges), RoundRules(group_size=4, together=(frozenset("ab"),), recent=met))

    assert sorted((len(group.members), group.relaxed) for group in plan.groups) == [
        (2, ("repeat", "size")),
        (3, ()),
        (4, ()),
    ]


def test_four_who_are_to_be_four_are_one_group() -> None:
    members = friends(4)

    plan = plan_round(Matcher().fit(members), [one.id for one in members], RoundRules(group_size=4))

    assert members_of(plan) == [("p0", "p1", "p2", "p3")]
