"""Where the time of an import goes: lines in, the share of each stage out, in this process, by database.

Each stage is a function that is timed for as long as the block lasts; what it spends inside another stage is
that one's. The time that is nobody's is reading lines, counting outcomes, taking the lock and committing.
"""

import io
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

from benchmarks.figures import table
from matching import Place
from service.records import Access, ApiKey
from service.schemas.profiles import ProfileSchema
from service.storage import models, profiles
from service.storage.database import Database
from service.storage.migrate import migrate
from service.storage.session import Session
from service.usecases import imports
from service.usecases import profiles as members
from service.usecases.communities import create_community
from service.web import lines as web_lines
from service.web.lines import NDJSON, read_lines
from tests.servers import ServerUnavailableError, running_postgres

STAGES: dict[str, tuple[Any, str]] = {
    "parse JSON, and the gate": (web_lines, "parse_json"),
    "schema": (ProfileSchema, "read"),
    "snap to the cell": (Place, "at"),
    "who is a member already": (profiles, "find_members"),
    "what each line makes of whom": (imports, "intend"),
    "stamps, tiles, what others see": (imports, "write_members"),
    "rows, and inserting them": (profiles, "insert_members"),
    "the tiles' stamps": (profiles, "stamp_tiles"),
    "events": (members, "emit_all"),
    "count of terms, once at the end": (models, "count_terms"),
}
REST = "lines, lock, commit, and the rest"


class Stopwatch:
    """Seconds by stage, each without what was spent in another one inside it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inside = [0.0]

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, timed."""

        def timing(*given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            self._inside.append(0.0)
            try:
                return function(*given, **named)
            finally:
                took = time.perf_counter() - began
                self.seconds[stage] += took - self._inside.pop()
                self._inside[-1] += took

        return timing


def shares_of(lines: Sequence[bytes]) -> dict[str, dict[str, float]]:
    """Return each stage's share of the time of one import, by database."""
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="kith-bench-") as folder, ExitStack() as opened:
        found["SQLite"] = _shares(f"sqlite:///{Path(folder) / 'kith.db'}", lines)
        try:
            postgres = opened.enter_context(running_postgres())
        except ServerUnavailableError:
            return found
        found["PostgreSQL"] = _shares(postgres.url(postgres.create()), lines)
    return found


def _shares(url: str, lines: Sequence[bytes]) -> dict[str, float]:
    database = Database(url)
    try:
        migrate(database)
        _import(database, lines[:1000])  # the first of all loads and compiles
        watch = Stopwatch()
        with _patched(watch):
            took = _import(database, lines)
    finally:
        database.close()
    rest = took - sum(watch.seconds.values())
    return {stage: seconds / took for stage, seconds in {**watch.seconds, REST: rest}.items()}


def _import(database: Database, lines: Sequence[bytes]) -> float:
    community, _, _ = create_community(database, "Measured")
    access = Access(ApiKey("", "measured", ("admin",), 0), community, now=0)
    body = io.BytesIO(b"".join(lines))
    began = time.perf_counter()
    imports.import_profiles(Session(database, community.number), access, read_lines(body, NDJSON))
    return time.perf_counter() - began


@contextmanager
def _patched(watch: Stopwatch) -> Iterator[None]:
    with ExitStack() as patches:
        for stage, (owner, name) in STAGES.items():
            plain = getattr(owner, name)
            timed = watch.timed(stage, plain)
            is_static = isinstance(vars(owner).get(name), staticmethod)
            patches.enter_context(patch.object(owner, name, staticmethod(timed) if is_static else timed))
        yield


def shares_table(shares: Mapping[str, Mapping[str, float]]) -> str:
    """Write the shares, stage by stage."""
    rows = [
        (stage, *(f"{100 * by_stage.get(stage, 0.0):.1f} %" for by_stage in shares.values()))
        for stage in (*STAGES, REST)
    ]
    return table(("share of an import's time", *shares), rows)
