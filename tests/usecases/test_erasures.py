"""Erasures beyond the transaction: sweeps that come again until all is done, tombstones, and the log."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service.errors import NotReady
from service.storage import database as database_module
from service.storage.cache import LocalCache, open_cache
from service.storage.clock import Clock
from service.storage.tables import tombstones
from service.usecases import erasures
from service.usecases.erasures import RETRY_MS
from service.worker import work_once
from tests.attacks.erasure_canary import everything_logged
from tests.harness import NDJSON, Kith, peers
from tests.tenants import SQLITE_FIRST, TestClock

ANA, BEN = "ana-petrosyan", "ben-petrosyan"
NOW = 1_764_000_000_000


@dataclass
class Town:
    """A Kith of its own with two members, its worker's cache and log, and the time."""

    kith: Kith
    clock: TestClock
    log: io.StringIO
    erased: Path
    cache: Any = field(default_factory=LocalCache)

    def round(self, seconds: float = 0) -> int:
        """Let some time pass and the worker do a round; return how many lines it logged."""
        self.clock.forward(seconds=seconds)
        before = len(self.log.getvalue().splitlines())
        work_once(self.kith.database, self.cache, self.erased)
        return len(self.log.getvalue().splitlines()) - before

    def erase(self, profile_id: str = ANA) -> None:
        """Erase a member."""
        assert self.kith.call("DELETE", f"/v1/profiles/{profile_id}").status_code == 204

    def stones(self) -> list[tuple[bool, int, int | None]]:
        """Return of each tombstone whether it is logged, its sweeps, and the seconds until the next."""
        c = tombstones.c
        with self.kith.database.read() as connection:
            now = self.kith.database.now(connection)
            rows = connection.execute(select(c.logged, c.sweeps, c.sweep_at).order_by(c.erased_at)).all()
        return [(row.logged, row.sweeps, row.sweep_at and (row.sweep_at - now) // 1000) for row in rows]

    def lines(self) -> list[dict[str, str]]:
        """Return the erasure log's lines."""
        return [json.loads(line) for line in self.erased.read_text().splitlines()]

    @property
    def wal(self) -> int:
        """The size of SQLite's write-ahead log."""
        return Path(f"{self.kith.database.engine.url.database}-wal").stat().st_size


@pytest.fixture
def standing_clock(clock: TestClock, monkeypatch: pytest.MonkeyPatch) -> TestClock:
    """Time that moves by its file alone: however slow the machine, a sweep is due when it is said to be."""
    shift = Clock.shift
    monkeypatch.setattr(Clock, "shift", lambda clock, _: shift(clock, NOW))
    return clock


@pytest.fixture(params=SQLITE_FIRST)
def sqlite_first(request: pytest.FixtureRequest) -> str:
    fixture = {"sqlite": "sqlite_url", "postgresql": "fresh_postgres_url"}[request.param]
    return str(request.getfixturevalue(fixture))


@pytest.fixture
def town(sqlite_first: str, standing_clock: TestClock, tmp_path: Path) -> Iterator[Town]:
    yield from _town(sqlite_first, standing_clock, tmp_path)


@pytest.fixture
def sqlite_town(sqlite_url: str, standing_clock: TestClock, tmp_path: Path) -> Iterator[Town]:
    yield from _town(sqlite_url, standing_clock, tmp_path)


def _town(url: str, clock: TestClock, folder: Path) -> Iterator[Town]:
    opened = Kith.open(url, KITH_CLOCK_FILE=str(clock.file), KITH_TESTING="1")
    with opened as kith, everything_logged() as log:
        for member in (ANA, BEN):
            kith.post_profile(member, interests=["hiking"])
        yield Town(kith, clock, log, folder / "log" / "erased.log")


def test_sweeps_come_at_once_and_twice_more(town: Town) -> None:
    town.erase()
    assert town.stones() == [(False, 0, 0)]
    for seconds, left in ((0, (True, 1, 20)), (20, (True, 2, 25)), (25, (True, 3, None))):
        assert town.round(seconds) == 0
        assert town.stones() == [left]
    assert len(town.lines()) == 1
    assert town.round(60) == 0
    assert town.stones() == [(True, 3, None)]


def test_the_log_names_a_member_by_code_alone_and_is_the_owners(town: Town) -> None:
    town.erase()
    town.round()
    (line,) = town.lines()
    assert line.keys() == {"community", "member", "erased_at"}
    assert line["community"] == town.kith.community
    assert len(line["member"]) == 32
    assert ANA not in town.erased.read_text()
    assert town.erased.stat().st_mode & 0o777 == 0o600


def test_a_member_who_is_erased_twice_is_logged_twice(town: Town) -> None:
    for _ in range(2):
        town.erase()
        town.round()
        assert town.stones() == [(True, 1, 20)]
        town.kith.post_profile(ANA)
        town.clock.forward(seconds=5)
    one, other = town.lines()
    assert one["member"] == other["member"]
    assert one["erased_at"] < other["erased_at"]


def test_sweeps_come_again_until_redis_is_back(town: Town) -> None:
    town.cache = open_cache("unix:///no/such/socket")
    town.erase()
    for seconds, sweeps in ((0, 1), (20, 2), (25, 2), (RETRY_MS / 1000, 2)):
        assert town.round(seconds) >= 1
        assert [stone[:2] for stone in town.stones()] == [(True, sweeps)]
    assert '"event": "sweep_incomplete"' in town.log.getvalue()
    assert ANA not in town.log.getvalue()
    town.cache.close()
    town.cache = LocalCache()
    assert town.round(RETRY_MS / 1000) == 0
    assert town.stones() == [(True, 3, None)]


def test_sweeps_come_again_until_the_log_can_be_written(town: Town) -> None:
    town.erased.mkdir(parents=True)
    town.erase()
    for seconds in (0, 20, 25, RETRY_MS / 1000):
        assert town.round(seconds) == 1
    assert town.stones() == [(False, 2, 5)]
    assert ANA not in town.log.getvalue()
    town.erased.rmdir()
    town.round(RETRY_MS / 1000)
    assert town.stones() == [(True, 3, None)]
    assert len(town.lines()) == 1


def test_sweeps_come_again_until_a_reader_has_gone(sqlite_town: Town) -> None:
    town = sqlite_town
    with town.kith.database.read() as reader:
        reader.exec_driver_sql("BEGIN")
        assert reader.exec_driver_sql("SELECT count(*) FROM profiles").scalar() == 2
        town.erase()
        for seconds in (0, 20, 25):
            assert town.round(seconds) == 1
        assert town.stones() == [(True, 0, 5)]
        grown = town.wal
        town.round(RETRY_MS / 1000)
        # Tried again in vain; the file isn't written anew each time into a log that only grows.
        assert 0 < town.wal < grown + 50_000
        reader.exec_driver_sql("ROLLBACK")
    assert ANA not in town.log.getvalue()
    for sweeps in (1, 2, 3):
        assert town.round(RETRY_MS / 1000) == 0
        assert [stone[1] for stone in town.stones()] == [sweeps]


def test_a_reader_who_comes_during_the_rewriting_makes_it_come_again(
    sqlite_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = sqlite_town
    monkeypatch.setattr(database_module, "EMPTYING_SECONDS", 0)
    original, tries = town.kith.database.checkpoint, list[int]()
    with town.kith.database.read() as reader:

        def checkpoint() -> bool:
            done = original()
            tries.append(1)
            if len(tries) == 2:
                reader.exec_driver_sql("BEGIN")
                reader.exec_driver_sql("SELECT count(*) FROM profiles")
            return done

        town.erase()
        monkeypatch.setattr(town.kith.database, "checkpoint", checkpoint)
        assert town.round() == 0
        assert town.round(20) == 1
        assert town.stones() == [(True, 1, 5)]
        reader.exec_driver_sql("ROLLBACK")
        assert town.round(RETRY_MS / 1000) == 0
        assert town.stones() == [(True, 2, 20)]


def test_a_database_that_can_not_be_rewritten_now_is_tried_again(
    sqlite_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, original = sqlite_town, sqlite_town.kith.database.rewrite

    def full() -> bool:
        raise NotReady("The disk is full.")

    town.erase()
    town.round()
    monkeypatch.setattr(town.kith.database, "rewrite", full)
    assert town.round(20) == 1
    assert town.stones() == [(True, 1, 5)]
    monkeypatch.setattr(town.kith.database, "rewrite", original)
    assert town.round(RETRY_MS / 1000) == 0
    assert town.stones() == [(True, 2, 20)]


def test_the_file_is_written_anew_once_for_all_who_wait(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    rewritten, original = list[int](), town.kith.database.rewrite

    def counted() -> bool:
        rewritten.append(1)
        return original()

    monkeypatch.setattr(town.kith.database, "rewrite", counted)
    town.erase()
    town.round()
    town.clock.forward(seconds=10)
    town.erase(BEN)
    town.round()
    assert not rewritten
    town.round(10)
    assert town.stones() == [(True, 2, 25), (True, 2, 35)]
    for _ in range(8):
        town.round(5)
    assert town.stones() == [(True, 3, None)] * 2
    assert len(rewritten) == 1


def test_more_erasures_than_a_sweep_takes_are_swept_by_the_next(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures, "TOMBSTONES_PER_SWEEP", 1)
    town.erase()
    town.erase(BEN)
    town.round()
    assert len(town.lines()) == 1
    town.round()
    assert len({line["member"] for line in town.lines()}) == 2


def test_an_export_under_way_does_not_hold_up_the_checkpoint(sqlite_town: Town) -> None:
    town = sqlite_town
    lines = "".join(json.dumps({"id": f"m{n:04}", "name": "N"}) + "\n" for n in range(1200)).encode()
    assert town.kith.call("POST", "/v1/profiles/import", lines, Content_Type=NDJSON).json["created"] == 1200
    headers = {"Authorization": f"Bearer {town.kith.key}"}
    answer = town.kith.client.get("/v1/profiles/export", headers=headers, buffered=False)
    stream: Any = iter(answer.response)
    assert json.loads(next(stream))["id"] == ANA
    town.erase("m1100")
    assert town.round() == 0
    assert town.round(20) == 0
    assert town.wal < 50_000  # what the round itself noted
    rest = b"".join(stream)
    answer.close()
    assert b'"m1099"' in rest
    assert b'"m1100"' not in rest


def test_who_comes_again_starts_empty_but_stays_blocked(town: Town) -> None:
    kith = town.kith
    for member in ("cem", "dan", "eve"):
        kith.post_profile(member, interests=["hiking"])
    _tell(kith, "PUT", f"/v1/profiles/{BEN}/blocks/{ANA}")
    _tell(kith, "PUT", f"/v1/profiles/{ANA}/blocks/cem")
    _tell(kith, "PUT", f"/v1/profiles/{ANA}/connections/dan", {})
    _tell(kith, "POST", f"/v1/profiles/{ANA}/responses", {"peer": "eve", "response": "decline"})
    _tell(kith, "POST", f"/v1/profiles/{ANA}/reports", {"peer": "cem", "reason": "spam", "detail": "much"})
    town.erase()
    town.round()
    assert kith.import_profiles({"id": ANA, "name": "Ana", "interests": ["hiking"]})["created"] == 1
    path = f"/v1/profiles/{ANA}"
    for listed in ("invitations", "connections", "reconnects", "blocks"):
        assert kith.get(f"{path}/{listed}")["items"] == []
    assert sorted(peers(kith.suggestions(ANA))) == ["cem", "dan", "eve"]
    assert ANA not in peers(kith.suggestions(BEN))
    assert kith.get(f"/v1/profiles/{BEN}/blocks")["items"][0]["peer"]["id"] == ANA
    refused = kith.call("POST", f"{path}/responses", {"peer": BEN, "response": "accept"})
    assert refused.status_code == 404


def _tell(kith: Kith, method: str, path: str, body: Any = None) -> None:
    answer = kith.call(method, path, body)
    assert answer.status_code < 300, answer.text


KILLED = """
import os, signal, sys
from pathlib import Path
from service.storage import {module}
from service.storage.cache import LocalCache
from service.storage.database import Database
from service.worker import work_once
original = {module}.{name}
def killed(*arguments):
    if {after}:
        original(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
{module}.{name} = killed
work_once(Database(sys.argv[1]), LocalCache(), Path(sys.argv[2]))
"""


@pytest.mark.parametrize(
    ("module", "name", "after", "lines"),
    [
        ("erasure_log", "append", False, 0),
        ("erasure_log", "append", True, 1),
        ("tombstones", "note_sweeps", False, 1),
        ("tombstones", "note_sweeps", True, 1),
    ],
)
def test_a_worker_that_is_killed_leaves_a_line_that_comes_twice_at_most_and_never_not_at_all(
    sqlite_town: Town, module: str, name: str, after: bool, lines: int
) -> None:
    town = sqlite_town
    town.erase()
    url = town.kith.database.engine.url.render_as_string(hide_password=False)
    program = KILLED.format(module=module, name=name, after=after)
    done = subprocess.run([sys.executable, "-c", program, url, str(town.erased)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (len(town.lines()) if town.erased.exists() else 0) == lines
    noted = (module, after) == ("tombstones", True)
    assert town.stones()[0][:2] == ((True, 1) if noted else (False, 0))
    town.round(20)
    assert len(town.lines()) == (1 if noted or lines == 0 else 2)
    assert len({json.dumps(line) for line in town.lines()}) == 1
