"""How closely an attacker's own profiles find a member: naive designs and Kith, attacked by the same code.

Each round is another sample of members anywhere in the populated latitudes. Kith is its matcher and its
cells, called as the service calls them; a naive design knows where everybody is exactly.
"""

import sys
from collections.abc import Callable, Iterable, Sequence

from benchmarks.figures import Spread, table
from tests.attacks.location_attack import Effort, Service
from tests.attacks.location_members import Result, Sought, by_way, guesses, look_for, members
from tests.attacks.location_services import DESIGNS, KITHS_WAYS, Design, NaiveService, SimulatedKith

MEMBERS_A_ROUND = 40
EFFORT = Effort(spots=12)
HEAD = ("what is shown", "median error, m", "median error, C", "within 0.1 C", "calls")
GOAL = ("goal for Kith", "", "at least 0.36", "at most 7%", "")
WORDS = {
    "shortfall": "Kith, by its shortfall alone",
    "radius": "Kith, by its radius alone",
    "distance": "Kith, by its distance bands alone",
    "score": "Kith, by its score alone",
    "order": "Kith, by its order alone",
    "all": "Kith, by all of these",
}
Samples = Sequence[Sequence[Sought]]


def measure(rounds: int) -> str:
    """Attack so many samples and return the table."""
    return attack_table([list(members(MEMBERS_A_ROUND, number)) for number in range(1, rounds + 1)], EFFORT)


def attack_table(samples: Samples, effort: Effort) -> str:
    """Attack every design with the same members and write what came of it."""
    rows = []
    for design in DESIGNS:
        _say(design.name)
        found = _attack(samples, effort, _serve(design))
        rows.append(_row(f"naive: {design.name}", [by["all"] for by in found]))
    _say("Kith")
    found = _attack(samples, effort, lambda one: SimulatedKith(one.at, one.radius_km))
    rows += [_row(WORDS[way], [by[way] for by in found]) for way in (*KITHS_WAYS, "all")]
    rows.append(_row("nothing: the middle of the cell, guessed", list(map(guesses, samples))))
    return table(HEAD, [*rows, GOAL])


def _serve(design: Design) -> Callable[[Sought], Service]:
    return lambda one: NaiveService(design, one.at)


def _attack(samples: Samples, effort: Effort, serve: Callable[[Sought], Service]) -> list[dict[str, Result]]:
    return [by_way([look_for(one, serve(one), effort) for one in sample]) for sample in samples]


def _row(name: str, results: Iterable[Result]) -> tuple[str, ...]:
    rounds = list(results)
    metres = Spread.of(1000 * result.median_km for result in rounds)
    return (
        name,
        metres.words(0 if metres.median >= 10 else 3),
        Spread.of(result.median for result in rounds).words(2 if metres.median >= 10 else 6),
        f"{Result.of(one for result in rounds for one in result.found).close:.1%}",
        Spread.of(result.calls for result in rounds).words(0),
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
