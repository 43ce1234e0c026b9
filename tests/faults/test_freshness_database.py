"""A database locked, cut off, gone or restored: 503 for want of an answer, never a wrong one."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import make_url
from werkzeug.test import TestResponse

from service.storage.database import Database
from service.storage.tables import communities
from tests.harness import Kith, peers
from tests.servers import PostgresServer

HERE = {"lat": 52.52, "lon": 13.405}
TIED_UP_MS = 100
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


@pytest.fixture
def kith(database_url: str, redis_url: str) -> Iterator[Kith]:
    with Kith.open(database_url, redis_url) as kith:
        yield kith


def _assert_not_ready(reply: TestResponse) -> None:
    assert reply.status_code == 503, reply.text
    assert int(reply.headers["Retry-After"]) >= 1
    assert reply.content_type == "application/problem+json"
    assert reply.json is not None
    assert reply.json["type"] == "urn:kith:problem:not-ready"


def _make_impatient(kith: Kith) -> None:
    """Let every connection wait a tenth of a second for a lock, in place of a quarter of a minute."""
    wait = {
        "sqlite": f"PRAGMA busy_timeout = {TIED_UP_MS}",
        "postgresql": f"SET lock_timeout = {TIED_UP_MS}",
    }[kith.database.dialect]

    def shorten(connection: Any, *_: object) -> None:
        cursor = connection.cursor()
        cursor.execute(wait)
        cursor.close()

    event.listen(kith.database.engine, "checkout", shorten)


@contextmanager
def _held(url: str) -> Iterator[None]:
    """Hold the community's lock as another process would that does not come to an end."""
    other = Database(url)
    try:
        with other.write() as connection:
            connection.execute(select(communities.c.number).with_for_update()).all()
            yield
    finally:
        other.close()


def test_a_database_locked_for_too_long_is_503_for_writes_and_nothing_for_reads(
    kith: Kith, database_url: str
) -> None:
    kith.post_profile("ana", location=HERE)
    kith.post_profile("ben", location=HERE)
    kith.suggestions("ana")
    _make_impatient(kith)
    with _held(database_url):
        _assert_not_ready(kith.call("POST", "/v1/profiles", {"name": "Cem"}))
        _assert_not_ready(kith.call("DELETE", "/v1/profiles/ben"))
        assert kith.suggestions("ana")["cache"] == "hit"
        assert peers(kith.suggestions("ben")) == ["ana"]
        assert kith.get("/readyz")["database"] == "ok"
    assert kith.call("DELETE", "/v1/profiles/ben").status_code == 204


@ON_POSTGRESQL
def test_a_connection_cut_under_a_waiting_writer_is_503_and_the_next_request_works(
    kith: Kith, database_url: str
) -> None:
    kith.post_profile("ana")
    replies: list[TestResponse] = []
    writer = threading.Thread(
        target=lambda: replies.append(kith.call("PATCH", "/v1/profiles/ana", {"name": "B"}))
    )
    with _held(database_url):
        writer.start()
        _cut(database_url, "wait_event_type = 'Lock'")
        writer.join(10)
    _assert_not_ready(replies[0])
    assert kith.get("/v1/profiles/ana")["name"] == "Ana"
    assert kith.call("PATCH", "/v1/profiles/ana", {"name": "B"}).status_code == 200


@ON_POSTGRESQL
def test_idle_connections_cut_by_the_server_are_replaced_unnoticed(kith: Kith, database_url: str) -> None:
    kith.post_profile("ana")
    _cut(database_url, "state = 'idle'")
    assert kith.call("PATCH", "/v1/profiles/ana", {"name": "B"}).status_code == 200


def _cut(url: str, where: str) -> None:
    query = (
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        f"WHERE datname = current_database() AND pid <> pg_backend_pid() AND {where}"
    )
    parts = make_url(url)
    with psycopg.connect(f"host={parts.query['host']} user=postgres dbname={parts.database}") as connection:
        until = time.monotonic() + 10
        while not connection.execute(query.encode()).fetchall():
            assert time.monotonic() < until, "nobody to cut off"
            time.sleep(0.02)


def test_without_a_database_every_request_is_503_but_the_process_lives(
    kith: Kith, database_url: str, postgres_server: PostgresServer
) -> None:
    kith.post_profile("ana")
    kith.suggestions("ana")
    _remove(kith, postgres_server)
    for method, path in (
        ("GET", "/v1/profiles/ana"),
        ("GET", "/v1/profiles/ana/suggestions"),
        ("GET", "/v1/terms"),
        ("POST", "/v1/profiles"),
        ("DELETE", "/v1/profiles/ana"),
    ):
        _assert_not_ready(kith.call(method, path, {"name": "N"} if method == "POST" else None))
    assert kith.call("GET", "/readyz").status_code == 503
    assert kith.call("GET", "/livez").status_code == 200


def _remove(kith: Kith, server: PostgresServer) -> None:
    url = make_url(kith.database.engine.url)
    assert url.database is not None
    if kith.database.dialect == "postgresql":
        server.drop(url.database)
        return
    kith.database.close()
    for file in Path(url.database).parent.glob(Path(url.database).name + "*"):
        file.unlink()


# ---------------------------------------------------------------- restored


Backup = Callable[[], Callable[[], None]]


@pytest.fixture
def backup(database_url: str, postgres_server: PostgresServer) -> Backup:
    """What copies the database, and gives what puts the copy back. Nobody may be connected at either."""
    name = make_url(database_url).database
    assert name is not None

    def of_sqlite() -> Callable[[], None]:
        shutil.copy(name, f"{name}.backup")

        def restore() -> None:
            for end in ("-wal", "-shm"):
                Path(name + end).unlink(missing_ok=True)
            shutil.copy(f"{name}.backup", name)

        return restore

    def of_postgres() -> Callable[[], None]:
        copy = postgres_server.create(template=name)

        def restore() -> None:
            postgres_server.drop(name)
            postgres_server._execute("ALTER DATABASE {} RENAME TO {}", copy, name)

        return restore

    return of_sqlite if database_url.startswith("sqlite") else of_postgres


def _peopled(kith: Kith) -> None:
    for member in ("ana", "ben", "cem"):
        kith.post_profile(member, location=HERE, interests=["chess"])


def _names(answer: Any) -> dict[str, str]:
    return {item["peer"]["id"]: item["peer"]["name"] for item in answer["items"]}


def test_a_restored_database_never_meets_an_answer_from_after_its_copy(
    database_url: str, redis_url: str, backup: Backup
) -> None:
    with Kith.open(database_url, redis_url) as first:
        _peopled(first)
        before = _names(first.suggestions("ana"))
    restore = backup()
    told: list[dict[str, str]] = []
    # Each life after the copy has as many writes as the others: their change numbers are the same.
    for life in ("one", "two", "three"):
        with Kith.open(database_url, redis_url, like=first) as kith:
            assert _names(kith.suggestions("ana")) == before
            for turn in range(3):
                name = f"{life} {turn}"
                assert kith.call("PATCH", "/v1/profiles/ben", {"name": name}).status_code == 200
                found = kith.suggestions("ana")
                assert (_names(found)["ben"], found["cache"]) == (name, "miss")
                told.append(_names(kith.suggestions("ana")))
        restore()
        restore = backup()
    assert [names["ben"] for names in told] == [
        f"{life} {n}" for life in ("one", "two", "three") for n in range(3)
    ]


# A process keeps its SQLite file open: there it must be restarted.
@ON_POSTGRESQL
def test_a_database_restored_under_a_running_process_is_read_anew(
    database_url: str, redis_url: str, backup: Backup
) -> None:
    with Kith.open(database_url, redis_url) as kith:
        _peopled(kith)
        kith.suggestions("ana")
        kith.database.close()
        restore = backup()
        kith.post_profile("ghost", location=HERE)
        assert kith.call("DELETE", "/v1/profiles/cem").status_code == 204
        assert set(_names(kith.suggestions("ana"))) == {"ben", "ghost"}
        restore()
        assert set(_names(kith.suggestions("ben"))) == {"ana", "cem"}
        assert set(_names(kith.suggestions("ana", "?limit=7"))) == {"ben", "cem"}
