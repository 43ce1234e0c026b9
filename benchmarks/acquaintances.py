"""Half of all friendships known, as connections: whether acquaintances in common find the other half."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from benchmarks.figures import table
from matching import Matcher, TermModel
from matching.acquaintances import WHOLE, share, step
from matching.evaluation import MOST, Found, Trial, judge, ordered

Graph = dict[str, set[str]]


@dataclass(frozen=True, slots=True)
class Known:
    """Hold recall@10 by profiles alone, and with acquaintances by their number, and as Kith weighs them."""

    alone: float
    counted: float
    weighed: float


def with_half_known(trial: Trial, model: TermModel) -> Known:
    """Tell the matcher of half of the friendships and judge by the other half."""
    known, hidden = _halves(trial)
    matcher = Matcher().fit(trial.profiles, model=model)

    def recalled(told: Callable[[str], dict[str, int]]) -> float:
        return float(_found(trial, matcher, known, hidden, told).recall_10.mean())

    return Known(
        recalled(lambda _: {}),
        recalled(lambda one: in_common(known, one, weighed=False)),
        recalled(lambda one: in_common(known, one)),
    )


def _halves(trial: Trial) -> tuple[Graph, Graph]:
    halves: tuple[Graph, Graph] = ({}, {})
    for one, others in trial.friends.items():
        for other in others:
            pair = "\0".join(sorted((one, other)))
            halves[sha256(pair.encode()).digest()[0] % 2].setdefault(one, set()).add(other)
    return halves


def _found(
    trial: Trial, matcher: Matcher, known: Graph, hidden: Graph, told: Callable[[str], dict[str, int]]
) -> Found:
    """Ask without those who are known already; whom there is to find are the hidden friends."""

    def lists() -> Iterator[tuple[list[str], set[str]]]:
        for one, meetable in trial.relevant.items():
            wanted = hidden.get(one, set()) & meetable
            if wanted:
                friends = known.get(one, set())
                profile = trial.profile(one)
                yield ordered(matcher, profile, MOST, exclude=friends, acquainted=told(one)), wanted

    return judge(lists())


def in_common(known: Graph, one: str, *, weighed: bool = True) -> dict[str, int]:
    """Return the step of the acquaintances that a member has in common with everybody."""
    found: dict[str, list[int]] = {}
    for friend in known.get(one, ()):
        for other in known[friend]:
            found.setdefault(other, []).append(share(len(known[friend])) if weighed else WHOLE)
    return {other: step(len(shares), sum(shares)) for other, shares in found.items()}


def acquaintances_table(known: Mapping[str, Known], goals: Mapping[str, float]) -> str:
    """Write recall@10 with half of the friendships known."""
    head = ("set", "profiles alone", "by their number", "as Kith weighs them", "ratio", "goal")
    rows = [
        (
            name,
            *(f"{value:.4f}" for value in (one.alone, one.counted, one.weighed)),
            f"{one.weighed / one.alone:.2f}",
            f"{goals[name]:.1f}",
        )
        for name, one in known.items()
    ]
    return table(head, rows)
