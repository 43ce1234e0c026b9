"""Imports through a served Kith beside marshmallow's validation of the same lines, by database and size.

Each size has a new `kith serve` with one serving process on either database, each round a new community. No
worker runs: it would learn from one import during the next. In every round: SQLite, the validation here,
PostgreSQL. In order: make the lines, serve, go round, take the shares of one import here, write tables.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cost_plot import draw
from benchmarks.crowds import crowd
from benchmarks.figures import Spread, table
from benchmarks.http_load import spent_by
from benchmarks.import_shares import shares_of, shares_table
from benchmarks.running import KITH, Caller, environment, free_port, new_key, run_kith, running
from matching import FACETS
from service.schemas.profiles import ProfileSchema
from tests.servers import ServerUnavailableError, running_postgres

SIZES = (1_000, 10_000, 100_000)
APART = 10_000  # lines once more, in which no term stands twice, and lines whose time is told by stage
WARMING = 1000
PLOT = "cost-of-import.svg"
GOAL = 1.5
SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds by the clock, and on a processor by the service or by the validation alone."""

    seconds: float
    spent: float


@dataclass(frozen=True, slots=True)
class Server:
    """A served Kith that runs for one size."""

    environ: Mapping[str, str]
    port: int
    group: int

    def import_lines(self, body: bytes) -> Cost:
        """Import into a new community."""
        with Caller(self.port, new_key(self.environ)) as caller:
            spent = spent_by(self.group)
            seconds = caller.import_lines(body).seconds
            return Cost(seconds, spent_by(self.group) - spent)

    def peak_mib(self) -> float:
        """Return the most memory that the largest of its processes ever had."""
        peaks = (_peak_kib(stat.parent) for stat in Path("/proc").glob("[0-9]*/stat") if self._owns(stat))
        return max(peaks) / 1024

    def _owns(self, stat: Path) -> bool:
        try:
            return int(stat.read_text().rpartition(")")[2].split()[2]) == self.group
        except OSError:  # it has ended
            return False


@dataclass(frozen=True, slots=True)
class Size:
    """What was measured at one size: the validation alone, and the import by database."""

    lines: int
    words: str
    alone: Sequence[Cost]
    imports: Mapping[str, Sequence[Cost]]
    peaks: Mapping[str, float]


def measure(rounds: int, sizes: Sequence[int] = SIZES, apart: int = APART) -> tuple[str, str]:
    """Measure every size so many times and return the tables and the plot."""
    measured = [_measure_size(lines_of(count), f"{count:,}", rounds) for count in sizes]
    unlike = [_measure_size(unlike_lines(apart), f"{apart:,}, no term twice", rounds)] if apart else []
    tables = _table([*measured, *unlike]), shares_table(shares_of(lines_of(apart or max(sizes))))
    return "\n\n".join(tables), draw(_curves(measured), "lines", "seconds, the median round")


def lines_of(members: int) -> list[bytes]:
    """Return the lines of an import."""
    return [_line(profile) for profile in crowd(members)]


def unlike_lines(members: int) -> list[bytes]:
    """Return the lines of an import in which nobody states what another states."""
    return [
        _line(profile | {facet: [f"{term} {profile['id']}" for term in profile[facet]] for facet in FACETS})
        for profile in crowd(members)
    ]


def _line(profile: Mapping[str, Any]) -> bytes:
    return json.dumps(profile, ensure_ascii=False).encode() + b"\n"


def _measure_size(lines: Sequence[bytes], words: str, rounds: int) -> Size:
    body = b"".join(lines)
    with ExitStack() as opened:
        servers = dict(_servers(opened))
        for server in servers.values():
            server.import_lines(b"".join(lines[:WARMING]))
        validate(lines[:WARMING])
        alone: list[Cost] = []
        imports: dict[str, list[Cost]] = {name: [] for name in servers}
        for number in range(rounds):
            imports[SQLITE].append(servers[SQLITE].import_lines(body))
            alone.append(validate(lines))
            if POSTGRESQL in servers:
                imports[POSTGRESQL].append(servers[POSTGRESQL].import_lines(body))
            ratios = (costs[-1].seconds / alone[-1].seconds for costs in imports.values())
            _say(f"{words} lines, round {number + 1}: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")
        peaks = {name: server.peak_mib() for name, server in servers.items()}
    return Size(len(lines), words, alone, imports, peaks)


def validate(lines: Sequence[bytes]) -> Cost:
    """Let marshmallow alone validate lines: parsed as JSON, and loaded by one schema for all of them."""
    schema = ProfileSchema()
    began, spent = time.perf_counter(), time.process_time()
    for line in lines:
        schema.load(json.loads(line))
    return Cost(time.perf_counter() - began, time.process_time() - spent)


def _servers(opened: ExitStack) -> Iterator[tuple[str, Server]]:
    yield SQLITE, opened.enter_context(_serving())
    try:
        postgres = opened.enter_context(running_postgres())
    except ServerUnavailableError as reason:
        _say(f"No PostgreSQL: {reason}")
        return
    yield POSTGRESQL, opened.enter_context(_serving(KITH_DATABASE_URL=postgres.url(postgres.create())))


@contextmanager
def _serving(**more: str) -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="kith-bench-") as folder:
        environ, port = environment(Path(folder), **more), free_port()
        run_kith(environ, "migrate")
        command = [*KITH, "serve", "--port", str(port), "--workers", "1", "--no-worker"]
        with running(environ, Path(folder) / "log", command, port) as group:
            yield Server(environ, port, group)


def _peak_kib(process: Path) -> int:
    try:
        status = (process / "status").read_text()
    except OSError:  # it has ended
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)


def _table(measured: Sequence[Size]) -> str:
    head = (
        "database", "lines", "validated alone, seconds", "imported, seconds",
        "import / validation", "goal", "processor: import / validation", "peak memory, MiB",
    )  # fmt: skip
    return table(
        head, (_row(name, size) for name in (SQLITE, POSTGRESQL) for size in measured if name in size.peaks)
    )


def _row(name: str, size: Size) -> tuple[str, ...]:
    both = list(zip(size.imports[name], size.alone, strict=True))
    return (
        name,
        size.words,
        Spread.of(alone.seconds for alone in size.alone).words(),
        Spread.of(cost.seconds for cost in size.imports[name]).words(),
        Spread.of(cost.seconds / alone.seconds for cost, alone in both).words(),
        f"at most {GOAL}",
        Spread.of(cost.spent / alone.spent for cost, alone in both).words(),
        f"{size.peaks[name]:.0f}",
    )


def _curves(measured: Sequence[Size]) -> dict[str, list[tuple[float, float]]]:
    curves: dict[str, list[tuple[float, float]]] = {}
    for size in measured:
        for name, costs in ({"validated alone": size.alone} | dict(size.imports)).items():
            seconds = statistics.median(cost.seconds for cost in costs)
            curves.setdefault(name, []).append((size.lines, seconds))
    return curves


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
