"""An import over HTTP beside the validation of the same lines alone, which any import must do."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.figures import Spread, table
from benchmarks.running import Caller
from benchmarks.sets import RealSet
from service.schemas.profiles import ProfileSchema
from service.web.gate import parse_json


@dataclass(frozen=True, slots=True)
class ImportRound:
    """Seconds for the same lines, validated alone and imported."""

    validating: float
    importing: float


def measure_import(real: RealSet, caller: Caller) -> ImportRound:
    """Validate a set here and import it there, one right after the other."""
    validating = validate(real)
    return ImportRound(validating, caller.import_lines(real.body).seconds)


def validate(real: RealSet) -> float:
    """Return the seconds that the gate and the schema take for a set's lines."""
    schema = ProfileSchema()
    began = time.perf_counter()
    for line in real.lines:
        schema.read(parse_json(line))
    return time.perf_counter() - began


def import_table(measured: Mapping[tuple[str, str, int], Sequence[ImportRound]]) -> str:
    """Write what was measured, by database, set and number of lines."""
    head = ("set", "database", "lines", "validated per second", "imported per second", "import / validation")
    return table(head, (_row(*key, rounds) for key, rounds in measured.items()))


def _row(name: str, database: str, lines: int, rounds: Sequence[ImportRound]) -> tuple[str, ...]:
    validated = Spread.of(lines / round_.validating for round_ in rounds)
    imported = Spread.of(lines / round_.importing for round_ in rounds)
    ratio = Spread.of(round_.importing / round_.validating for round_ in rounds)
    return (name, database, f"{lines:,}", validated.words(0), imported.words(0), ratio.words(2))
