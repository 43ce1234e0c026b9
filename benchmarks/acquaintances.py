"""Half of all friendships known, as connections: whether acquaintances in common find the other half."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from unittest.mock import patch

from benchmarks.figures import table
from matching import Matcher, TermModel, ranking
from matching.evaluation import MOST, Found, Trial, judge, ordered

STEPS = (2, 3, 5)  # acquaintances in common that are many
Graph = dict[str, set[str]]


@dataclass(frozen=True, slots=True)
class Known:
    """Hold recall@10 by profiles alone, and with acquaintances by how many of them are many."""

    alone: float
    with_them: Mapping[int, float]


def with_half_known(trial: Trial, model: TermModel) -> Known:
    """Tell the matcher of half of the friendships and judge by the other half."""
    known, hidden = _halves(trial)
    matcher = Matcher().fit(trial.profiles, model=model)
    alone = _found(trial, matcher, known, hidden, told=False).recall_10.mean()
    with_them = {}
    for many in STEPS:
        with patch.object(ranking, "_MANY", many):
            with_them[many] = float(_found(trial, matcher, known, hidden, told=True).recall_10.mean())
    return Known(float(alone), with_them)


def _halves(trial: Trial) -> tuple[Graph, Graph]:
    halves: tuple[Graph, Graph] = ({}, {})
    for one, others in trial.friends.items():
        for other in others:
            pair = "\0".join(sorted((one, other)))
            halves[sha256(pair.encode()).digest()[0] % 2].setdefault(one, set()).add(other)
    return halves


def _found(trial: Trial, matcher: Matcher, known: Graph, hidden: Graph, *, told: bool) -> Found:
    """Ask without those who are known already; whom there is to find are the hidden friends."""

    def lists() -> Iterator[tuple[list[str], set[str]]]:
        for one, meetable in trial.relevant.items():
            wanted = hidden.get(one, set()) & meetable
            if wanted:
                common = in_common(known, one) if told else {}
                friends = known.get(one, set())
                profile = trial.profile(one)
                yield ordered(matcher, profile, MOST, exclude=friends, acquainted=common), wanted

    return judge(lists())


def in_common(known: Graph, one: str) -> dict[str, int]:
    """Count the acquaintances that a member has in common with everybody."""
    counts: dict[str, int] = {}
    for friend in known.get(one, ()):
        for other in known[friend]:
            counts[other] = counts.get(other, 0) + 1
    return counts


def acquaintances_table(known: Mapping[str, Known], goals: Mapping[str, float]) -> str:
    """Write recall@10 with half of the friendships known."""
    head = ("set", "profiles alone", *(f"many is {many}" for many in STEPS), "best ratio", "goal")
    rows = []
    for name, one in known.items():
        best = max(one.with_them.values()) / one.alone
        figures = (f"{value:.4f}" for value in (one.alone, *(one.with_them[many] for many in STEPS)))
        rows.append((name, *figures, f"{best:.2f}", f"{goals[name]:.1f}"))
    return table(head, rows)
