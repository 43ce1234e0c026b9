"""A day of a town: everybody writes once and reads five times, at random; whom it took to look at for that.

The events of a Poisson day, sent one after another as fast as they are answered, to a `kith serve` with two
worker processes on two connections in turn. What is counted is the service's own: `/metrics`, after the day.
"""

import json
import random
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.crowds import crowd, person
from benchmarks.figures import table
from benchmarks.http_load import community, say, suggestions
from benchmarks.running import KITH, Caller, environment, free_port, running

MEMBERS, FEWER = 10_000, 1_000
READS, WRITES = 5.0, 1.0  # a member and day
GOAL = 0.5
_COUNTED = re.compile(r'kith_suggestions_looked_at_total\{how="(\w+)"\} ([0-9.]+)')


def measure(members: int) -> str:
    """Replay a day and return the table."""
    with tempfile.TemporaryDirectory(prefix="kith-bench-") as folder, ExitStack() as open_now:
        environ, port = environment(Path(folder) / "home"), free_port()
        key = community(environ, Path(folder), "Town", members)
        command = [*KITH, "serve", "--port", str(port), "--workers", "2"]
        open_now.enter_context(running(environ, Path(folder) / "log", command, port))
        callers = [open_now.enter_context(Caller(port, key)) for _ in range(2)]
        for number, (method, path, body) in enumerate(day(members)):
            callers[number % 2].call(method, path, body, "application/json")
            if number % 5000 == 0:
                say(f"town: {number:,} requests")
        metrics = callers[0].get("/metrics").body.decode()
    return _table(members, {how: int(float(count)) for how, count in _COUNTED.findall(metrics)})


def day(members: int, seed: int = 1) -> Iterator[tuple[str, str, bytes | None]]:
    """Yield the requests of a day in order: in a Poisson one each is anybody's, and a read or a write."""
    chance = random.Random(seed)
    of_day = [profile["id"] for profile in crowd(members)]
    for _ in range(round(members * (READS + WRITES))):
        number = chance.randrange(members)
        if chance.random() < READS / (READS + WRITES):
            yield "GET", suggestions(number), None
        else:
            changed: dict[str, Any] = person(of_day[number], chance)
            patch = {name: changed[name] for name in chance.choice((["interests"], ["goals"], ["location"]))}
            yield "PATCH", f"/v1/profiles/{of_day[number]}", json.dumps(patch).encode()


def _table(members: int, counted: dict[str, int]) -> str:
    reads = sum(counted.values())
    shares = [f"{counted.get(how, 0) / reads:.0%}" for how in ("hit", "front", "scan")]
    head = ("members", "reads", "found again", "mended", "everybody looked at", "goal")
    return table(head, [(f"{members:,}", f"{reads:,}", *shares, f"at most {1 - GOAL:.0%}")])
