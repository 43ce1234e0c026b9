"""Rounds beside what a user would pick instead, on the same simulated communities, round after round.

Each method lives with the history that it made itself: whom it grouped in the latest six rounds counts as met
lately. All are judged alike, by who may meet whom on the full graph.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import numpy as np

from benchmarks.communities import STRICTNESS, simulated
from benchmarks.figures import Spread, table
from benchmarks.rivals import RIVALS, greedy_groups
from benchmarks.sets import SetsMissingError, read_set
from matching import Group, Matcher, Place, Profile, RoundPlan, RoundRules, check_round, plan_round
from matching.meetable import Community
from matching.odd_ones import Groups
from matching.pair_graph import PairGraph, best_graph
from matching.pairs import Asked

SIZES = (18, 60, 200, 1_000, 10_000)
LARGE, LARGE_ROUNDS = 10_000, 1  # there a round takes minutes with rustworkx
CITY = 100_000
OURS = "Kith, graph included"
COOLDOWN = 6  # rounds
FIRST_DAY = date(2026, 11, 30)
CHECKED = 200  # members up to which each of Kith's rounds is judged by `check_round` too
HEAD = ("members", "method", "rounds", "left out", "repeats", "can't meet", "mean score", "worst", "seconds")
Recent = frozenset[frozenset[str]]
Plan = Callable[[int, Recent], Sequence[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one method's rounds; of the first, without history, weight and seconds too."""

    rounds: int
    left_out: float
    repeats: float
    impossible: float
    mean: float
    worst: float
    seconds: Spread
    first_weight: float
    first_seconds: float


Outcomes = dict[str, Outcome]


def measure(rounds: int) -> str:
    """Run so many rounds of every community and return the tables."""
    tables, found, growth = [], {}, _growth()
    for strictness in STRICTNESS:
        found = {size: compare(simulated(size, strictness), _number(size, rounds)) for size in SIZES}
        rows = [row for size, outcomes in found.items() for row in _rows(size, outcomes)]
        tables.append(f"{strictness.capitalize()} communities:\n\n{table(HEAD, rows)}")
    return "\n\n".join([*tables, _group_table(), _speed_table(growth, found), _real_table()])


def _number(size: int, rounds: int) -> int:
    return rounds if size < LARGE else min(rounds, LARGE_ROUNDS)


def _rows(size: int, outcomes: Outcomes) -> list[tuple[str, ...]]:
    return [(f"{size:,}", name, f"{outcome.rounds}", *_words(outcome)) for name, outcome in outcomes.items()]


def _words(outcome: Outcome) -> tuple[str, ...]:
    shares = [f"{share:.1%}" for share in (outcome.left_out, outcome.repeats, outcome.impossible)]
    return (*shares, f"{outcome.mean:.3f}", f"{outcome.worst:.3f}", outcome.seconds.words(2))


def compare(profiles: Sequence[Profile], rounds: int) -> Outcomes:
    """Run every method for so many rounds on one community."""
    matcher, ids = Matcher().fit(profiles), sorted(profile.id for profile in profiles)
    members = Community(matcher, ids, RoundRules(), FIRST_DAY, 14)
    graph = best_graph(members, 0, lambda _: None)

    def kith(seed: int, recent: Recent) -> list[tuple[str, ...]]:
        rules = RoundRules(seed=seed, recent=recent)
        plan = plan_round(matcher, ids, rules, on=FIRST_DAY)
        _judge(plan.groups, profiles, rules)
        return [group.members for group in plan.groups]

    methods: dict[str, Plan] = {OURS: kith}
    for name, rival in RIVALS.items():
        methods[name] = _on(graph, rival)
    return {name: _outcome(name, method, members, rounds) for name, method in methods.items()}


def _judge(groups: Sequence[Group], profiles: Sequence[Profile], rules: RoundRules) -> None:
    if len(profiles) <= CHECKED:
        wrong = check_round(groups, profiles, rules, FIRST_DAY)
        if wrong:
            raise ValueError(f"expected a round that keeps every rule, got {wrong[:3]}")


def _on(graph: PairGraph, rival: Callable[[PairGraph, int], Groups]) -> Plan:
    """Make a rival plan on the graph without the pairs that met lately."""

    def plan(seed: int, recent: Recent) -> list[tuple[str, ...]]:
        names = graph.ids
        pairs = zip(graph.low.tolist(), graph.high.tolist(), strict=True)
        kept = np.array([frozenset((names[a], names[b])) not in recent for a, b in pairs], np.bool_)
        return [tuple(names[one] for one in group) for group in rival(graph.where(kept), seed)]

    return plan


def _outcome(name: str, method: Plan, members: Community, rounds: int) -> Outcome:
    at = {one: number for number, one in enumerate(members.ids)}
    history: list[Recent] = []
    seconds, scores, over, again = [], [], 0, 0
    for number in range(rounds):
        print(f"{len(at):,} members, {name}, round {number + 1}", file=sys.stderr, flush=True)
        recent = frozenset[frozenset[str]]().union(*history[-COOLDOWN:])
        began = time.perf_counter()
        groups = method(number, recent)
        seconds.append(time.perf_counter() - began)
        pairs = [frozenset(pair) for group in groups for pair in combinations(group, 2)]
        again += sum(pair in recent for pair in pairs)
        over += len(at) - sum(map(len, groups))
        a, b = np.array([sorted(at[one] for one in pair) for pair in pairs], np.int64).reshape(-1, 2).T
        scores.append(members.pairs(a, b))
        history.append(frozenset(pairs))
    every = np.concatenate(scores)
    able = every[every >= 0]
    return Outcome(
        rounds=rounds,
        left_out=over / (rounds * len(at)),
        repeats=again / max(len(every), 1),
        impossible=float(np.mean(every < 0)) if len(every) else 0.0,
        mean=float(able.mean()) if len(able) else 0.0,
        worst=float(able.min(initial=1.0)),
        seconds=Spread.of(seconds),
        first_weight=float(np.sqrt(np.maximum(scores[0], 0)).sum()),
        first_seconds=seconds[0],
    )


# ---------------------------------------------------------------- groups


def _group_table(sizes: Sequence[int] = (60, 200, 1_000), group_size: int = 4) -> str:
    """Compare groups with greedy ones, before and after members change places."""
    rows = []
    for size in sizes:
        profiles = simulated(size, "mild")
        matcher, ids = Matcher().fit(profiles), [profile.id for profile in profiles]
        plan = plan_round(matcher, ids, RoundRules(group_size), on=FIRST_DAY)
        members = Community(matcher, ids, RoundRules(group_size), FIRST_DAY, 14)
        graph, nobody = best_graph(members, 0, lambda _: None), np.zeros(size, np.bool_)
        asked = Asked(members, np.zeros(0, np.int64), nobody, ~nobody, 0)
        plain, swapped = greedy_groups(asked, graph, group_size)
        figures = (plan.total / plain, plan.total / swapped, plan.bound_ratio)
        rows.append((f"{size:,}", f"{plan.placed}", *(f"{figure:.3f}" for figure in figures)))
    head = ("mild, groups of 4", "placed", "Kith / greedy", "Kith / greedy with swaps", "Kith / linear bound")
    return table(head, rows)


# ---------------------------------------------------------------- speed


@dataclass(frozen=True, slots=True)
class Growth:
    """What one round of pairs cost a community: seconds, and the kilobytes that it added for each member."""

    seconds: float
    kilobytes: float
    gap: str


def _growth(sizes: Sequence[int] = (1_000, LARGE, CITY)) -> dict[int, Growth]:
    """Plan a round of each size, the smallest first, since memory is measured by the most there ever was."""
    found = {}
    for size in sizes:
        profiles = simulated(size, "mild")
        matcher, ids = Matcher().fit(profiles), [profile.id for profile in profiles]
        print(f"{size:,} members, speed and memory", file=sys.stderr, flush=True)
        before, began = _megabytes(), time.perf_counter()
        plan = plan_round(matcher, ids, on=FIRST_DAY)
        taken = time.perf_counter() - began
        found[size] = Growth(taken, (_megabytes() - before) * 1_024 / size, _gap(plan))
    return found


def _speed_table(growth: Mapping[int, Growth], mild: Mapping[int, Outcomes]) -> str:
    """Compare first rounds of pairs with rustworkx on the same graph, and see how time and memory grow."""
    rows = []
    for size, cost in growth.items():
        beside = _beside_rustworkx(mild[size]) if size in mild else ("", "")
        ratio = f"{cost.seconds / growth[LARGE].seconds:.1f}"
        rows.append((f"{size:,}", f"{cost.seconds:.1f}", *beside, cost.gap, ratio, f"{cost.kilobytes:.1f}"))
    head = (
        "mild, pairs",
        "Kith s",
        "rustworkx s / Kith s",
        "weight / rustworkx's",
        "bound / weight - 1",
        "s / s of 10,000",
        "kB a member",
    )
    return table(head, rows)


def _gap(plan: RoundPlan) -> str:
    return f"{plan.bound / plan.total - 1:.0e}"


def _megabytes() -> float:
    """Return the most memory that this process has had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _beside_rustworkx(outcomes: Outcomes) -> tuple[str, str]:
    ours, theirs = outcomes[OURS], outcomes["rustworkx"]
    ratio = theirs.first_seconds / ours.first_seconds
    return f"{ratio:.1f}", f"{ours.first_weight / theirs.first_weight:.5f}"


# ---------------------------------------------------------------- Nashville


def _real_table(radius_km: float = 25.0, rounds: int = 2) -> str:
    """Run rounds on the Nashville set: towns as places, radii as a city has them."""
    try:
        real = read_set("nashville_meetup")
    except SetsMissingError as reason:
        return str(reason)
    profiles = [_member(json.loads(line), radius_km) for line in real.lines]
    matcher, ids = Matcher().fit(profiles), list(real.ids)
    rows, recent = [], frozenset[frozenset[str]]()
    for number in range(rounds):
        rules = RoundRules(seed=number, recent=recent)
        began = time.perf_counter()
        plan = plan_round(matcher, ids, rules, on=FIRST_DAY + timedelta(days=14 * number))
        taken = time.perf_counter() - began
        met = [frozenset(pair) for group in plan.groups for pair in combinations(group.members, 2)]
        recent |= frozenset(met)
        figures = (
            f"{len(plan.left_out)}",
            f"{plan.repeats}",
            f"{plan.mean_score:.3f}",
            f"{plan.worst_score:.3f}",
        )
        rows.append((f"{number + 1}", f"{plan.placed:,}", *figures, _gap(plan), f"{taken:.1f}"))
    head = (
        "Nashville, round",
        "placed",
        "left out",
        "repeats",
        "mean score",
        "worst",
        "bound / weight - 1",
        "seconds",
    )
    return table(head, rows)


def _member(wire: Any, radius_km: float) -> Profile:
    place = Place.at(wire["location"]["lat"], wire["location"]["lon"])
    interests, activities = (tuple(wire.get(facet, ())) for facet in ("interests", "activities"))
    return Profile(wire["id"], wire["name"], interests, activities, place=place, radius_km=radius_km)
