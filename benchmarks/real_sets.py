"""Four real communities through the whole service: imported, asked, asked again.

Each round is a community of its own in one serving process, so that every round begins cold. The first round
of an import is thrown away on both sides: caches of normal forms are cold in it.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from benchmarks.imports import ImportRound, import_table, measure_import
from benchmarks.running import Caller, environment, new_key, run_kith, serving
from benchmarks.sets import NAMES, RealSet, read_set, sample
from benchmarks.suggestions import (
    AskRound,
    Worth,
    judge_answers,
    latency_table,
    measure_suggestions,
    worth_table,
)
from tests.servers import ServerUnavailableError, running_postgres


def measure(rounds: int) -> str:
    """Measure every set and return the tables; raise `SetsMissingError` where there are none."""
    sets = [read_set(name) for name in NAMES]
    imports: dict[tuple[str, str, int], list[ImportRound]] = {}
    asks: dict[str, list[AskRound]] = {}
    worths: dict[str, Worth] = {}
    for real in sets:
        key = (real.name, "SQLite", len(real.lines))
        imports[key], asks[real.name], worths[real.name] = _on_sqlite(real, rounds)
        try:
            imports[real.name, "PostgreSQL", len(real.lines)] = _on_postgres(real, rounds)
        except ServerUnavailableError as reason:
            _say(f"No PostgreSQL: {reason}")
    return "\n\n".join((import_table(imports), latency_table(asks), worth_table(worths)))


def _on_sqlite(real: RealSet, rounds: int) -> tuple[list[ImportRound], list[AskRound], Worth]:
    with tempfile.TemporaryDirectory(prefix="kith-bench-") as folder:
        environ = environment(Path(folder))
        with _server(real, environ, Path(folder)) as port:
            measured = [_whole_round(real, environ, port, number) for number in range(rounds)]
    imports, asks, worths = zip(*measured, strict=True)
    return list(imports), list(asks), worths[0]


def _whole_round(
    real: RealSet, environ: Mapping[str, str], port: int, number: int
) -> tuple[ImportRound, AskRound, Worth]:
    _say(f"{real.name}, SQLite, round {number + 1}")
    asked = sample(real.ids)
    with Caller(port, new_key(environ)) as caller:
        imported = measure_import(real, caller)
        found = measure_suggestions(caller, asked, sample(real.ids, len(asked) + 1)[-1])
        exported = caller.get("/v1/profiles/export").body
    profiles = {profile["id"]: profile for profile in map(json.loads, exported.splitlines())}
    return imported, found, judge_answers(asked, found, profiles)


def _on_postgres(real: RealSet, rounds: int) -> list[ImportRound]:
    with tempfile.TemporaryDirectory(prefix="kith-bench-") as folder, running_postgres() as postgres:
        environ = environment(Path(folder), KITH_DATABASE_URL=postgres.url(postgres.create()))
        run_kith(environ, "migrate")
        with _server(real, environ, Path(folder)) as port:
            return [_import_round(real, environ, port, number) for number in range(rounds)]


def _import_round(real: RealSet, environ: Mapping[str, str], port: int, number: int) -> ImportRound:
    _say(f"{real.name}, PostgreSQL, round {number + 1}")
    with Caller(port, new_key(environ)) as caller:
        return measure_import(real, caller)


@contextmanager
def _server(real: RealSet, environ: Mapping[str, str], folder: Path) -> Iterator[int]:
    """Serve, warmed by one import that does not count."""
    with serving(environ, folder / "log") as port:
        with Caller(port, new_key(environ)) as caller:
            measure_import(real, caller)
        yield port


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
