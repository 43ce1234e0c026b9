"""One round: in come participants and rules, out come a group for everybody who can have one.

Who may meet whom is judged and scored block by block, the best peers of each make a graph, pairs or groups
are found on it, odd members join them, and what was relaxed is named.
"""

from collections.abc import Callable, Collection
from datetime import date
from itertools import combinations

import numpy as np

from .arrays import FloatArray, IntArray
from .grouping import group_up
from .matcher import A_MONDAY, Matcher
from .meetable import NO, Community, Meetable, codes_of
from .odd_ones import Groups, padded, take_in, trade_places
from .pair_graph import GraphMembers, PairGraph, best_graph
from .pairs import Asked, pair_up
from .round import ERASED, NO_PEER, ODD_ONE, Group, RoundPlan, RoundRules, relaxations

FORTNIGHT = 14  # days
_GRAPH_SHARE = 0.5  # of the progress that is told

Progress = Callable[[float], None]


def plan_round(
    matcher: Matcher,
    participants: Collection[str],
    rules: RoundRules = RoundRules(),  # noqa: B008 - frozen
    *,
    on: date = A_MONDAY,
    days: int = FORTNIGHT,
    progress: Progress | None = None,
) -> RoundPlan:
    """Group all who take part.

    In this order, none at the expense of an earlier one: hard constraints, never relaxed (every pair of a
    group may meet, all members of it share a slot of an hour in the window); as many members with a group as
    can be; those left out last time before others; no repeats; the greatest sum of the square roots of the
    scores. Being full or connected is no obstacle; a paused member meets nobody.

    Parameters
    ----------
    matcher : Matcher
        Fitted.
    participants : collection of str
        Ids; whom the matcher doesn't know is left out as erased.
    rules : RoundRules
    on : date
        First day of the window, from its start in UTC.
    days : int
        Length of the window; what members state of a week holds for every week of it.
    progress : callable, optional
        Told from time to time which share of the work is done.

    Raises
    ------
    ValueError
        If members who must be together can't be, or the window has no day.

    Examples
    --------
    >>> from matching import Matcher, Profile
    >>> names = ("ana", "ben", "cem", "dia")
    >>> terms = ("chess", "opera", "chess", "opera")
    >>> profiles = [Profile(name, name, interests=(term,)) for name, term in zip(names, terms)]
    >>> [group.members for group in plan_round(Matcher().fit(profiles), names).groups]
    [('ana', 'cem'), ('ben', 'dia')]
    """
    tell = progress or _silent
    known = sorted(one for one in set(participants) if one in matcher)
    members = Community(matcher, known, rules, on, days)
    graph = best_graph(members, rules.seed, lambda share: tell(_GRAPH_SHARE * share))
    plan = _planned(members, graph, rules, set(participants) - set(known))
    tell(1.0)
    return plan


def plan_graph(graph: PairGraph, rules: RoundRules = RoundRules()) -> RoundPlan:  # noqa: B008 - frozen
    """Group the members of a graph of scores; who is not connected in it can't meet.

    Parameters
    ----------
    graph : PairGraph
    rules : RoundRules

    Raises
    ------
    ValueError
        If members who must be together can't be.

    Examples
    --------
    >>> graph = PairGraph.of([("ana", "ben", 0.9), ("ben", "cem", 1.0), ("cem", "dia", 0.9)])
    >>> [group.members for group in plan_graph(graph).groups]
    [('ana', 'ben'), ('cem', 'dia')]
    """
    members = GraphMembers(graph, rules)
    return _planned(members, members.graph, rules, set())


def _silent(_: float) -> None:
    """Tell nobody."""


def _planned(members: Meetable, graph: PairGraph, rules: RoundRules, unknown: set[str]) -> RoundPlan:
    at = {profile_id: number for number, profile_id in enumerate(members.ids)}
    pinned = _pinned(members, rules, at)
    free = np.ones(len(at), np.bool_)
    free[[member for group in pinned for member in group]] = False
    first = np.array([profile_id in rules.first for profile_id in members.ids], np.bool_)
    asked = Asked(members, codes_of(rules.recent, at), first, free, rules.seed)
    if rules.group_size == 2:
        groups, alone, total, bound = _pairs(asked, graph, pinned)
    else:
        groups, alone = group_up(asked, graph, pinned, rules.group_size)
        total, bound = _weight(members, groups), linear_bound(graph, groups)
    return _told(asked, rules, groups, _reasons(asked, alone) | dict.fromkeys(unknown, ERASED), total, bound)


def _pinned(members: Meetable, rules: RoundRules, at: dict[str, int]) -> Groups:
    """Return the groups that must be, refusing those that can't."""
    groups: Groups = []
    for pin in rules.pins():
        missing = sorted(pin - at.keys())
        if missing:
            raise ValueError(f"expected participants together, got {missing}")
        group = tuple(sorted(at[one] for one in pin))
        a, b = np.array(list(combinations(group, 2)), np.int64).T
        if (members.pairs(a, b) < 0).any() or not members.share_time(padded([group])).all():
            raise ValueError(f"expected members together who may meet, got {sorted(pin)}")
        groups.append(group)
    return groups


def _pairs(asked: Asked, graph: PairGraph, pinned: Groups) -> tuple[Groups, list[int], float, float]:
    found = pair_up(asked, graph)
    mates = found.mates
    alone = np.flatnonzero((mates < 0) & asked.free).tolist()
    pairs: Groups = [(one, mate) for one, mate in enumerate(mates.tolist()) if mate > one]
    groups, alone = take_in(asked, [*pinned, *pairs], alone, 3)
    if alone:
        groups, alone = trade_places(asked, mates, groups, alone)
    return groups, alone, found.total, found.bound


def _weight(members: Meetable, groups: Groups) -> float:
    """Return the sum of the square roots of the scores over all pairs in groups."""
    return float(np.sqrt(np.maximum(_scores(members, groups)[1], 0)).sum())


def _scores(members: Meetable, groups: Groups) -> tuple[IntArray, FloatArray]:
    """Return the group and the score of every pair in a group."""
    owner = [at for at, group in enumerate(groups) for _ in combinations(group, 2)]
    pairs = [pair for group in groups for pair in combinations(group, 2)]
    a, b = np.array(pairs, np.int64).reshape(-1, 2).T
    return np.array(owner, np.int64), members.pairs(a, b)


def linear_bound(graph: PairGraph, groups: Groups) -> float:
    """Return what no groups of these sizes can exceed: everybody among their own best peers.

    Of the members who have at least so many companions, no more can be than do, so of the best, the second
    best, ... peers of all members the heaviest so many are counted; each pair is counted from both ends.
    """
    ends, weights = np.concatenate([graph.low, graph.high]), np.tile(graph.weights, 2)
    order = np.lexsort((-weights, ends))
    rank = np.arange(len(order)) - np.searchsorted(ends[order], ends[order])
    sizes = np.array([len(group) for group in groups], np.int64)
    bound = 0.0
    for companion in range(int(sizes.max(initial=1)) - 1):
        count = int(sizes[sizes > companion + 1].sum())
        level = np.sort(weights[order][rank == companion])[::-1]
        bound += float(level[:count].sum()) / 2
    return bound


def _reasons(asked: Asked, alone: list[int]) -> dict[str, str]:
    """Tell why each is left out."""
    return {
        asked.members.ids[one]: ODD_ONE if (asked.members.row(one) > NO / 2).any() else NO_PEER
        for one in alone
    }


def _told(
    asked: Asked, rules: RoundRules, groups: Groups, left_out: dict[str, str], total: float, bound: float
) -> RoundPlan:
    ids = asked.members.ids
    owner, scores = _scores(asked.members, groups)
    pairs = np.array([pair for group in groups for pair in combinations(group, 2)], np.int64).reshape(-1, 2)
    again = asked.repeats(*pairs.T)
    counts = np.maximum(np.bincount(owner, minlength=len(groups)), 1)
    means = np.bincount(owner, weights=scores, minlength=len(groups)) / counts
    repeats = np.bincount(owner, weights=again, minlength=len(groups))
    told = [
        Group(
            tuple(sorted(ids[one] for one in group)),
            round(float(means[at]), 4),
            relaxations(rules.group_size, len(group), int(repeats[at])),
        )
        for at, group in enumerate(groups)
    ]
    placed = sum(map(len, groups))
    return RoundPlan(
        groups=tuple(sorted(told, key=lambda group: group.members)),
        left_out=dict(sorted(left_out.items())),
        participants=placed + len(left_out),
        placed=placed,
        repeats=int(again.sum()),
        mean_score=round(float(scores.mean()), 4) if len(scores) else 0.0,
        worst_score=round(float(scores.min()), 4) if len(scores) else 0.0,
        total=total,
        bound=bound,
        bound_ratio=total / bound if bound > 0 else 1.0,
    )
