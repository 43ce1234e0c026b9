"""The one door to `matching`'s pairing: groups for a whole round, and whether some can be one group."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from matching import Profile
from service.records import Community
from service.storage.loaded import new_matcher

if TYPE_CHECKING:
    from matching import Matcher


@dataclass(frozen=True, slots=True)
class RoundRules:
    group_size: int = 2
    seed: int = 0
    together: tuple[frozenset[str], ...] = ()
    apart: tuple[frozenset[str], ...] = ()
    never: frozenset[frozenset[str]] = frozenset()
    recent: frozenset[frozenset[str]] = frozenset()
    first: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Group:
    members: tuple[str, ...]
    score: float
    relaxed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RoundPlan:
    groups: tuple[Group, ...]
    left_out: Mapping[str, str]
    participants: int = 0
    placed: int = 0
    repeats: int = 0
    mean_score: float = 0.0
    worst_score: float = 0.0
    bound: float = 0.0
    bound_ratio: float = 1.0


def plan_round(
    matcher: "Matcher",
    participants: Sequence[str],
    rules: RoundRules,
    *,
    on: date,
    days: int = 14,
    progress: Callable[[float], None] | None = None,
) -> RoundPlan:
    from matching.rules import Facts, Question

    profiles = {p.id: p for p in matcher.index_.profiles()}
    order = sorted(participants, key=lambda p: (p not in rules.first, p))
    fits: dict[str, set[str]] = {}
    for p in order:
        verdict = matcher.index_.judge(Facts.of(profiles[p]), Question(on), p)
        ok = {q for q in order if q != p and verdict.fits[matcher.index_.row(q)]}
        fits[p] = {q for q in ok if frozenset((p, q)) not in rules.never | rules.recent}
        fits[p] -= {q for parted in rules.apart if p in parted for q in parted}
    groups: list[list[str]] = [sorted(pinned) for pinned in rules.together]
    free = [p for p in order if not any(p in g for g in groups)]
    left: list[str] = []
    while free:
        p = free.pop(0)
        group = next((g for g in groups if len(g) < rules.group_size and all(q in fits[p] for q in g)), None)
        if group is not None:
            group.append(p)
        else:
            groups.append([p])
    for g in [g for g in groups if len(g) == 1]:
        p = g[0]
        groups.remove(g)
        home = next(
            (h for h in groups if len(h) == rules.group_size > 1 and all(q in fits[p] for q in h)), None
        )
        (home if home is not None else left).append(p)
        if progress:
            progress(0.5)
    return RoundPlan(
        tuple(Group(tuple(sorted(g)), 0.5) for g in sorted(map(sorted, groups))),
        {p: "odd_one" if fits[p] else "no_feasible_peer" for p in left},
        len(order),
        sum(map(len, groups)),
        0,
        0.5 if groups else 0.0,
        0.5 if groups else 0.0,
    )


def can_meet(community: Community, profiles: Sequence[Profile], on: date, days: int) -> bool:
    from matching.rules import Facts, Question

    matcher = new_matcher(community).fit(profiles)
    for profile in profiles:
        found = matcher.index_.judge(Facts.of(profile), Question(on), profile.id).fits
        rows = [matcher.index_.row(other.id) for other in profiles if other.id != profile.id]
        if not all(found[row] for row in rows if row is not None):
            return False
    return True
