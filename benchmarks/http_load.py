"""What a served Kith answers a second: each kind of request in turn, in rounds, beside the least to be done.

A real `kith serve` with two worker processes, the embedded database and cache, no rate limit; a client that
is a process of its own. What every kind is compared with is a route of the same app that authenticates in SQL
and answers 3 kB. In order: make communities, serve, warm up, go round, write tables.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import count, islice
from pathlib import Path

from benchmarks.cost_plot import draw
from benchmarks.crowds import crowd, person
from benchmarks.figures import Spread, quantile, table
from benchmarks.http_app import PLAIN
from benchmarks.http_shares import SHARES, shares_table
from benchmarks.load_client import Asked, Load, Result
from benchmarks.running import NDJSON, ROOT, Caller, FailedError, environment, free_port, run_kith, running

SIZES = (1_000, 10_000, 1_000_000)
TOWN, COUNTRY, SMALL = 10_000, 1_000_000, 100
PLOT = "cost-of-serving.svg"
CONNECTIONS = 8
SECONDS = 2.0
CACHED_ASKERS = 100
ASKERS = 1000
LINES_AN_IMPORT = 500
APP = ("-m", "benchmarks.http_app")
NOTHING, PROFILED = (*APP, "--nothing"), (*APP, "--profiled")
PROFILED_REQUESTS = 500
SERVER, NO_OP, BASE, CACHED = "no-op app, same server", "`/livez`", "SQL and 3 kB", "suggestion, cached"
UNCACHED = "suggestion, uncached, {:,}".format  # by the number of members
IN_TOWN, IN_COUNTRY = UNCACHED(TOWN), UNCACHED(COUNTRY)
LEARNT = f"{IN_TOWN}, learnt"
GOALS = {CACHED: 0.6, IN_TOWN: 0.4, IN_COUNTRY: 0.35}
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request: where it goes, as whom, and an endless supply of it."""

    port: int
    group: int
    key: str
    requests: Iterator[Asked]
    content_type: str | None = None
    connections: int = CONNECTIONS
    lines: int = 1  # of work in a request

    def load(self, seconds: float = SECONDS, most: int = 20_000) -> Load:
        """Return the next requests."""
        headers = {"Authorization": f"Bearer {self.key}"}
        headers |= {"Content-Type": self.content_type} if self.content_type else {}
        return Load(
            self.port, headers, list(islice(self.requests, most)), self.connections, seconds, again=False
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """What one kind did in one round: its rate, latencies, and processor seconds of the server a request."""

    rate: float
    latencies: Sequence[float]
    spent: float

    def at(self, share: float) -> float:
        """Return the latency at a quantile, in milliseconds."""
        return 1000 * quantile(self.latencies, share)


def measure(rounds: int, sizes: Sequence[int] = SIZES) -> tuple[str, str]:
    """Measure every kind so many times in turn, and return the tables and the plot."""
    with tempfile.TemporaryDirectory(prefix="kith-bench-") as folder, ExitStack() as servers:
        kinds = _kinds(Path(folder), servers, sizes)
        for name, kind in kinds.items():
            say(f"warming up: {name}")
            ask(kind, most=max(4 * kind.connections, CACHED_ASKERS if name == CACHED else 0), seconds=1e9)
        turns: dict[str, list[Turn]] = {name: [] for name in kinds}
        for number in range(rounds):
            say(f"round {number + 1}")
            for name, kind in kinds.items():
                turns[name].append(_turn(kind))
        servers.close()
        profiled = _profiled(Path(folder), {name: kinds[name] for name in (BASE, CACHED, IN_TOWN)})
    tables = (_rates(turns), _shares(turns), shares_table(profiled))
    return "\n\n".join(tables), _plot(turns, sizes)


def _profiled(folder: Path, kinds: Mapping[str, Kind]) -> dict[str, Mapping[str, float]]:
    """Ask one process one thing after another, and return the seconds of its parts for each kind."""
    found = {}
    with app(environment(folder / "home"), folder / "log", PROFILED) as (port, group):
        for name, kind in kinds.items():
            say(f"profiling: {name}")
            alone = replace(kind, port=port, group=group, connections=1)
            with Caller(port, kind.key) as caller:
                ask(alone, seconds=1e9, most=CACHED_ASKERS)
                caller.get(SHARES)
                ask(alone, seconds=1e9, most=PROFILED_REQUESTS)
                found[name] = caller.get(SHARES).json
    return found


def _kinds(folder: Path, servers: ExitStack, sizes: Sequence[int]) -> dict[str, Kind]:
    environ = environment(folder / "home")
    keys = {members: community(environ, folder, f"Of {members}", members) for members in sizes}
    learnt = community(environ, folder, "Learnt", TOWN, learnt=True)
    posts, imports = (community(environ, folder, name, SMALL) for name in ("Posts", "Imports"))
    ours = servers.enter_context(app(environ, folder / "log", APP))
    theirs = servers.enter_context(app(environ, folder / "log", NOTHING))
    fresh, town = count(), keys[TOWN]
    return {
        SERVER: Kind(*theirs, "", _over(["/"])),
        NO_OP: Kind(*ours, "", _over(["/livez"])),
        BASE: Kind(*ours, town, _over([PLAIN])),
        CACHED: Kind(*ours, town, _over([suggestions(at) for at in range(CACHED_ASKERS)])),
        **{UNCACHED(members): Kind(*ours, key, _unseen(members, fresh)) for members, key in keys.items()},
        LEARNT: Kind(*ours, learnt, _unseen(TOWN, fresh)),
        "profile posted": Kind(*ours, posts, _posts(), "application/json"),
        f"import of {LINES_AN_IMPORT}, a line": Kind(
            *ours, imports, _imports(), NDJSON, connections=1, lines=LINES_AN_IMPORT
        ),
    }


def community(
    environ: Mapping[str, str], folder: Path, name: str, members: int, *, learnt: bool = False
) -> str:
    """Make a community of a crowd and return its key; let Kith learn its model if asked."""
    made = run_kith(environ, "community", "create", name)
    file = folder / "crowd.ndjson"
    say(f"{name}: {members:,} members")
    with file.open("w") as lines:
        lines.writelines(json.dumps(member) + "\n" for member in crowd(members))
    run_kith(environ, "import", str(file), "--community", made["community"])
    file.unlink()
    if learnt:
        say(f"{name}: learning")
        run_kith(environ, "refit", made["community"])
    return str(made["key"])


@contextmanager
def app(environ: Mapping[str, str], log: Path, words: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Serve one of the two apps; give its port and its group of processes."""
    port = free_port()
    with running(environ, log, [sys.executable, *words, str(port)], port) as group:
        yield port, group


def suggestions(number: int, query: str = "") -> str:
    """Return the path of one member's suggestions."""
    return f"/v1/profiles/m{number:07}/suggestions{query}"


def _over(paths: Sequence[str]) -> Iterator[Asked]:
    while True:
        yield from (("GET", path, None) for path in paths)


def _unseen(members: int, fresh: Iterator[int]) -> Iterator[Asked]:
    """Ask about members in turn, each time with another radius of 25 km: a new question each time."""
    chance = random.Random(members)
    askers = [chance.randrange(members) for _ in range(ASKERS)]
    while True:
        for asker in askers:
            yield "GET", suggestions(asker, f"?radius_km=25.{next(fresh):07}"), None


def _posts() -> Iterator[Asked]:
    chance = random.Random("posts")
    for number in count():
        yield "POST", "/v1/profiles", json.dumps(person(f"p{number:07}", chance))


def _imports() -> Iterator[Asked]:
    for number in count():
        lines = crowd(LINES_AN_IMPORT, seed=number, prefix=f"i{number}.")
        yield "POST", "/v1/profiles/import", "".join(json.dumps(member) + "\n" for member in lines)


def ask(kind: Kind, *, seconds: float, most: int) -> Result:
    """Let a client ask; whatever is refused ends the benchmark."""
    load = kind.load(seconds, most)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load_client"],
        input=json.dumps(asdict(load)), cwd=ROOT, capture_output=True, check=False, text=True,
    )  # fmt: skip
    if done.returncode:
        raise FailedError(f"the client ended with {done.returncode}: {done.stderr[-1000:]}")
    found = Result(**json.loads(done.stdout))
    if found.refused:
        raise FailedError(
            f"{len(found.refused)} requests were refused, as {load.requests[0]}: {found.refused[:3]}"
        )
    return found


def _turn(kind: Kind) -> Turn:
    before = spent_by(kind.group)
    found = ask(kind, seconds=SECONDS, most=100 if kind.lines > 1 else 20_000)
    answered = len(found.latencies) * kind.lines
    spent = (spent_by(kind.group) - before) / answered
    return Turn(answered / found.seconds, [each / kind.lines for each in found.latencies], spent)


def spent_by(group: int) -> float:
    """Return the processor seconds that the living processes of a group have spent."""
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[2]) == group:
            total += (int(fields[11]) + int(fields[12])) / TICKS
    return total


def _rates(turns: Mapping[str, Sequence[Turn]]) -> str:
    head = ("request", "a second", f"of {BASE}", "goal", "p50 ms", "p99 ms", "p99 / p50", "processor ms")
    return table(head, (_row(name, mine, turns[BASE]) for name, mine in turns.items()))


def _row(name: str, mine: Sequence[Turn], base: Sequence[Turn]) -> tuple[str, ...]:
    columns: tuple[Callable[[Turn], float], ...] = (
        lambda turn: turn.at(0.5), lambda turn: turn.at(0.99), lambda turn: turn.at(0.99) / turn.at(0.5),
        lambda turn: 1000 * turn.spent,
    )  # fmt: skip
    ratio = Spread.of(one.rate / other.rate for one, other in zip(mine, base, strict=True))
    rate = Spread.of(turn.rate for turn in mine).words(0)
    goal = f"at least {GOALS[name]}" if name in GOALS else ""
    return (name, rate, ratio.words(2), goal, *(Spread.of(map(column, mine)).words(2) for column in columns))


def _plot(turns: Mapping[str, Sequence[Turn]], sizes: Sequence[int]) -> str:
    """Draw what each kind of answer costs at each size; what doesn't depend on it is level."""

    def spent(name: str) -> float:
        return Spread.of(1000 * turn.spent for turn in turns[name]).median

    curves = {name: [(float(members), spent(name)) for members in sizes] for name in (BASE, CACHED)}
    curves["uncached"] = [(float(members), spent(UNCACHED(members))) for members in sizes]
    return draw(curves, "members", "processor milliseconds a request, median")


def _shares(turns: Mapping[str, Sequence[Turn]]) -> str:
    """Write what part of the processor time of each kind the server, and the app around it, take."""
    head = ("request", "the server alone", "with what every request of ours takes", "with the key in SQL")
    names = [name for name in turns if name not in {SERVER, NO_OP, BASE} and not name.startswith("import")]
    rows = [
        (name, *(_share(turns[part], turns[name]).words(2) for part in (SERVER, NO_OP, BASE)))
        for name in names
    ]
    return table(head, rows)


def _share(part: Sequence[Turn], whole: Sequence[Turn]) -> Spread:
    return Spread.of(one.spent / other.spent for one, other in zip(part, whole, strict=True))


def say(text: str) -> None:
    """Tell progress."""
    print(text, file=sys.stderr, flush=True)
