"""A large community learnt from and served: what a refit costs, what serving holds, how soon it answers.

One home for each size, filled through Kith's own import; numba's code is kept in it. In order: import, refit,
serve until the index is saved with the new model, start anew with one and two serving processes, tables.
"""

import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.country import Country
from benchmarks.figures import table
from benchmarks.http_load import TICKS, say, spent_by
from benchmarks.running import KITH, ROOT, Caller, FailedError, environment, free_port, run_kith, running
from matching import Profile

SIZES = (10_000, 100_000, 1_000_000)
KM = 25.0
QUESTIONS = 200
SETTLING_SECONDS = 900.0
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIB = 1024
_PROGRESS = re.compile(r"kith: (\w+) \d+%")


@dataclass(frozen=True, slots=True)
class Served:
    """What serving took until the first answer, by the clock and on a processor, and MiB after many."""

    seconds: float
    spent: float
    held: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command took: processor seconds by phase, and the most memory that it ever had, in MiB."""

    phases: Mapping[str, float]
    peak: float


@dataclass(frozen=True, slots=True)
class Size:
    """What was measured of a community."""

    members: int
    imported: Cost
    refit: Cost
    after: Served
    one: Served
    two: Served


def measure(sizes: Sequence[int] = SIZES) -> str:
    """Measure a community of each size once and return the tables."""
    measured = [_measure(size) for size in sizes]
    return f"{_serving_table(measured)}\n\n{_refit_table(measured)}"


def _measure(size: int) -> Size:
    with tempfile.TemporaryDirectory(prefix="kith-bench-") as folder:
        home, lines = Path(folder), Path(folder) / "country.ndjson"
        environ = environment(home, NUMBA_CACHE_DIR=str(home / "numba"))
        made = run_kith(environ, "community", "create", "Country")
        say(f"{size:,}: importing")
        _write(Country.of(size), lines)
        imported = _run(environ, "import", str(lines), "--community", made["community"])
        lines.unlink()
        say(f"{size:,}: learning")
        refit = _run(environ, "refit", made["community"])
        say(f"{size:,}: serving")
        after, one, two = (
            _serve(environ, made["key"], size, workers, settle=settle)
            for workers, settle in ((1, True), (1, False), (2, False))
        )
        return Size(size, imported, refit, after, one, two)


def _write(country: Country, file: Path) -> None:
    with file.open("w") as lines:
        for chunk in country.chunks():
            lines.writelines(json.dumps(_wire(one)) + "\n" for one in chunk)


def _wire(one: Profile) -> dict[str, Any]:
    slots = [
        {"day": DAYS[slot.day], "from": _clock(slot.start), "to": _clock(slot.end)}
        for slot in one.availability
    ]
    where = one.place and {"lat": one.place.lat, "lon": one.place.lon}
    stated = {"interests": one.interests, "activities": one.activities, "goals": one.goals}
    rest = {"location": where, "radius_km": KM, "availability": slots, "timezone": "Europe/Berlin"}
    return {"id": one.id, "name": one.name, **stated, **rest}


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _run(environ: Mapping[str, str], *words: str) -> Cost:
    """Run a command to its end; its phases are those of which it tells on stderr."""
    process = subprocess.Popen(
        [*KITH, *words], env=environ, cwd=ROOT, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    phase, before, phases, last = words[0], 0.0, dict[str, float](), ""
    for last in process.stderr or ():
        found = _PROGRESS.match(last)
        if found and found[1] != phase:
            say(f"  {found[1]}")
            spent = _spent(process.pid)
            phases[phase], phase, before = spent - before, found[1], spent
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise FailedError(f"kith {words[0]} ended with {process.returncode}: {last}")
    phases[phase] = usage.ru_utime + usage.ru_stime - before
    return Cost(phases, usage.ru_maxrss / MIB)


def _serve(environ: Mapping[str, str], key: str, members: int, workers: int, *, settle: bool) -> Served:
    """Serve, ask, and measure; with `settle` go on until the index was saved anew, if it ever is."""
    home, port = Path(environ["KITH_HOME"]), free_port()
    command = [*KITH, "serve", "--port", str(port), "--workers", str(workers), "--no-worker"]
    asked, before = _questions(members), _saved(home)
    began = time.perf_counter()
    with running(environ, home / "log", command, port) as group:
        _ask(port, key, next(asked))
        seconds, spent = time.perf_counter() - began, spent_by(group)
        for _ in range(QUESTIONS):  # each over a connection of its own, so that every process has some
            _ask(port, key, next(asked))
        until = time.monotonic() + SETTLING_SECONDS
        while settle and before and _saved(home) in (before, set()) and time.monotonic() < until:
            time.sleep(1)
        return Served(seconds, spent, sum(_held(pid) for pid in _serving(group)))


def _questions(members: int) -> Iterator[str]:
    for number in count(1):
        yield f"/v1/profiles/m{number * 7919 % members}/suggestions"


def _ask(port: int, key: str, path: str) -> None:
    with Caller(port, key) as caller:
        caller.get(path)


def _saved(home: Path) -> set[str]:
    return {path.name for path in home.glob("index/[0-9]*")}


def _spent(process: int) -> float:
    """Return the processor seconds of a process that lives."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _serving(group: int) -> list[int]:
    """Return the serving processes: the children of the first one that run the same program."""
    children = Path(f"/proc/{group}/task/{group}/children").read_text().split()
    own = Path(f"/proc/{group}/cmdline").read_bytes()
    return [int(one) for one in children if Path(f"/proc/{one}/cmdline").read_bytes() == own]


def _held(process: int) -> float:
    """Return the MiB that a process holds, its part of what it shares (PSS)."""
    told = Path(f"/proc/{process}/smaps_rollup").read_text()
    return sum(int(kib) for kib in re.findall(r"^Pss:\s+(\d+)", told, re.MULTILINE)) / MIB


def _serving_table(measured: Sequence[Size]) -> str:
    head = ("", *(f"{size.members:,}" for size in measured), "goal at a million")
    rows: list[tuple[str, list[float], int, str]] = [
        ("one serving process, MiB", [size.one.held for size in measured], 0, "under 1,024"),
        ("two together, MiB", [size.two.held for size in measured], 0, "under 1,229"),
        ("start to first answer, s", [size.one.seconds for size in measured], 1, "under 5"),
        ("processor, s", [size.one.spent for size in measured], 1, ""),
        ("the same with two processes, s", [size.two.seconds for size in measured], 1, "under 5"),
        ("the first start after a refit, s", [size.after.seconds for size in measured], 1, ""),
    ]
    return table(head, ((name, *_words(values, digits), goal) for name, values, digits, goal in rows))


def _refit_table(measured: Sequence[Size]) -> str:
    head = ("processor seconds", *(f"{size.members:,}" for size in measured))
    costs = [{**size.imported.phases, **size.refit.phases} for size in measured]
    names = {name: f"refit: {name}" for name in costs[0] if name != "import"} | {
        "refit": "refit: starting up"
    }
    rows = [(names.get(name, name), *_words([cost[name] for cost in costs], 1)) for name in costs[0]]
    peak = [("refit: most memory, MiB", *_words([size.refit.peak for size in measured], 0))]
    return table(head, [*rows, *peak])


def _words(values: Sequence[float], digits: int) -> list[str]:
    return [f"{value:,.{digits}f}" for value in values]
