"""From launching `kith serve` to its first answers, on a home that is set up: embedded database and cache."""

import resource
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

from benchmarks.figures import Spread, table
from benchmarks.running import Caller, environment, run_kith, serving

GOAL_SECONDS = 3.0
MEMBER = "ana"


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds since the launch, and what all processes spent on a processor until they had stopped."""

    ready: float
    answered: float
    spent: float


def measure(rounds: int) -> str:
    """Start the service so many times and return the table."""
    with tempfile.TemporaryDirectory(prefix="kith-bench-") as folder:
        environ = environment(Path(folder))
        made = run_kith(environ, "community", "create", "Measured")
        with as_file(files("service") / "demo.ndjson") as profiles:
            run_kith(environ, "import", str(profiles), "--community", made["community"])
        _start(environ, made["key"], Path(folder))  # the first one fills the file system's cache
        starts = [_start(environ, made["key"], Path(folder)) for _ in range(rounds)]
    return _table(starts)


def _start(environ: Mapping[str, str], key: str, folder: Path) -> Start:
    began, spent = time.perf_counter(), _spent_by_children()
    with serving(environ, folder / "log") as port:
        ready = time.perf_counter() - began
        with Caller(port, key) as caller:
            caller.suggestions(MEMBER)
        answered = time.perf_counter() - began
    return Start(ready, answered, _spent_by_children() - spent)


def _spent_by_children() -> float:
    """Return the processor seconds of every process that was started from here and has ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _table(starts: list[Start]) -> str:
    ready = Spread.of(start.ready for start in starts)
    answered = Spread.of(start.answered for start in starts)
    rows = [
        ("first 200 of `/readyz`", ready.words()),
        ("first suggestion", answered.words()),
        ("goal for both", f"{GOAL_SECONDS:.2f}"),
        (
            "processor time of all processes, start to stop",
            Spread.of(start.spent for start in starts).words(),
        ),
    ]
    return table(("from launch to", "seconds"), rows)
