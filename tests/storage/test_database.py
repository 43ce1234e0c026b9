"""The database as it is opened: pragmas, whole transactions, time, and what is said when it can't be used."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from threading import Barrier

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from service.storage.communities import find_community, write
from service.storage.database import BUSY_SECONDS, CHECKPOINT_MS, POOL_SIZE, Database
from service.storage.tables import departures
from tests.harness import Kith
from tests.servers import PostgresServer


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Database]:
    database = Database(sqlite_url)
    yield database
    database.close()


def test_every_sqlite_connection_is_safe_and_patient(sqlite: Database) -> None:
    expected = {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL: what was acknowledged outlives a power cut
        "secure_delete": 1,
        "foreign_keys": 1,
        "busy_timeout": BUSY_SECONDS * 1000,
    }
    together = Barrier(POOL_SIZE)
    found = []

    def look() -> None:
        with sqlite.read() as connection:
            together.wait(10)  # so that each thread has a connection of its own
            found.append({name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in expected})

    threads = [threading.Thread(target=look) for _ in range(POOL_SIZE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * POOL_SIZE


def test_a_sqlite_database_is_made_with_its_folder(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new' / 'folder' / 'kith.db'}")
    try:
        with database.read() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
    finally:
        database.close()


def test_what_fails_leaves_nothing_and_the_connection_usable(kith: Kith) -> None:
    number = 987_654
    row = {"community": 1, "number": number, "changed": 1}
    with pytest.raises(ZeroDivisionError), kith.database.write() as connection:
        _insert_and_fail(connection, row)
    chosen = select(departures.c.number).where(departures.c.number == number)
    with kith.database.read() as connection:
        assert connection.execute(chosen).all() == []
    with kith.database.write() as connection:
        connection.execute(insert(departures).values(row))
        with kith.database.read() as other:
            assert other.execute(chosen).all() == []
    with kith.database.read() as connection:
        assert connection.execute(chosen).all() == [(number,)]


def _insert_and_fail(connection: Connection, row: dict[str, int]) -> None:
    connection.execute(insert(departures).values(row))
    raise ZeroDivisionError


def test_an_error_does_not_repeat_what_was_to_be_written(kith: Kith) -> None:
    row = {"community": 1, "number": 123_456_789, "changed": 1}
    with pytest.raises(IntegrityError) as error, kith.database.write() as connection:
        connection.execute(insert(departures), [row, row])
    # Errors are logged. PostgreSQL's own text names the key in question: never a name, a term or a place.
    assert "parameters hidden" in str(error.value)
    assert "'number'" not in str(error.value)


def test_the_time_is_the_databases_and_moves_with_the_file(kith: Kith, tmp_path: Path) -> None:
    file = tmp_path / "seconds"
    database = Database(kith.database.engine.url.render_as_string(hide_password=False), file)
    try:
        with database.read() as connection:
            now = database.now(connection)  # no file yet
            assert abs(now - time.time() * 1000) < 5000
            file.write_text("3600")
            assert 3_600_000 <= database.now(connection) - now < 3_605_000
        for written, moved in (("90", 90_000), ("-1.5\n", -1500), ("", 0), ("nonsense", 0), ("inf", 0)):
            file.write_text(written)
            assert database.clock.shift(now) == now + moved, written
    finally:
        database.close()


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
def test_writers_take_turns_whatever_the_server_does_by_default(
    postgres_server: PostgresServer, fresh_postgres_url: str, isolation: str
) -> None:
    with Kith.open(fresh_postgres_url) as kith:
        name = make_url(fresh_postgres_url).database
        assert name is not None
        statement = sql.SQL("ALTER DATABASE {} SET default_transaction_isolation = {}")
        with psycopg.connect(postgres_server._dsn("postgres"), autocommit=True) as connection:
            connection.execute(statement.format(sql.Identifier(name), sql.Literal(isolation)))
        kith.database.engine.dispose()
        kith.post_profile("ana")
        together, codes = Barrier(6), list[int]()

        def change(number: int) -> None:
            together.wait(10)
            for turn in range(4):
                patch = {"attributes": {f"thread {number}": str(turn)}}
                codes.append(kith.call("PATCH", "/v1/profiles/ana", patch).status_code)

        threads = [threading.Thread(target=change, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert codes == [200] * 24
        assert kith.get("/v1/profiles/ana")["attributes"] == {f"thread {n}": "3" for n in range(6)}


def test_ids_are_listed_in_the_order_of_their_bytes(kith: Kith) -> None:
    ids = ["Zoe", "ana", "a~b", "a-b", "a.b", "a_b", "A", "b", "B1", "0", "ab", "a:b", "a@b"]
    assert kith.import_profiles(*({"id": one, "name": "N"} for one in ids))["created"] == len(ids)
    assert [item["id"] for item in kith.get("/v1/profiles?limit=100")["items"]] == sorted(ids, key=str.encode)


# ---------------------------------------------------------------- the write-ahead log


@pytest.fixture
def filled(sqlite_url: str) -> Iterator[Kith]:
    """A Kith on SQLite of whose writes some stand in the log alone."""
    with Kith.open(sqlite_url) as kith:
        kith.import_profiles(*({"id": f"m{number}", "name": "Canary"} for number in range(50)))
        assert b"Canary" in log_of(kith).read_bytes()
        yield kith


def log_of(kith: Kith) -> Path:
    """Return the file of the write-ahead log."""
    return Path(f"{kith.database.engine.url.database}-wal")


def time_outs(database: Database, in_use: int = 0) -> set[int]:
    """Return the busy time-outs of the pool's connections, but for those in use."""
    with ExitStack() as stack:
        taken = [stack.enter_context(database.read()) for _ in range(POOL_SIZE - in_use)]
        return {int(one.execute(text("PRAGMA busy_timeout")).scalar_one()) for one in taken}


def test_a_checkpoint_empties_the_log(filled: Kith) -> None:
    assert filled.database.checkpoint()

    assert log_of(filled).stat().st_size == 0
    assert time_outs(filled.database) == {BUSY_SECONDS * 1000}
    assert len(filled.get("/v1/profiles?limit=100")["items"]) == 50
    assert filled.database.checkpoint()


def test_a_checkpoint_that_a_reader_holds_up_gives_up_soon(filled: Kith) -> None:
    with filled.database.engine.connect() as reader:
        reader.exec_driver_sql("BEGIN")
        assert reader.execute(text("SELECT count(*) FROM profiles")).scalar() == 50
        filled.post_profile("ana")
        began = time.perf_counter()

        assert not filled.database.checkpoint()

        assert time.perf_counter() - began < CHECKPOINT_MS / 1000 + 2
        assert log_of(filled).stat().st_size > 0
        # Nobody else waits any shorter for it.
        assert time_outs(filled.database, in_use=1) == {BUSY_SECONDS * 1000}
        reader.exec_driver_sql("COMMIT")
    assert filled.database.checkpoint()
    assert log_of(filled).stat().st_size == 0


def test_a_checkpoint_beside_a_writer_gives_up_soon_and_harms_nobody(filled: Kith) -> None:
    with filled.database.write() as writer:
        writer.execute(insert(departures).values(community=1, number=99, changed=1))
        began = time.perf_counter()

        assert not filled.database.checkpoint()

        assert time.perf_counter() - began < CHECKPOINT_MS / 1000 + 2
        assert time_outs(filled.database, in_use=1) == {BUSY_SECONDS * 1000}
    with filled.database.read() as connection:
        assert connection.execute(select(departures.c.number)).scalars().all() == [99]
    assert filled.database.checkpoint()


def test_on_postgresql_there_is_nothing_to_empty(fresh_postgres_url: str) -> None:
    database = Database(fresh_postgres_url)
    try:
        assert database.checkpoint()
    finally:
        database.close()


def test_a_change_costs_no_more_in_a_large_community(sqlite_kith: Kith) -> None:
    with sqlite_kith.database.read() as connection:
        community = find_community(connection, sqlite_kith.community).number

    def steps() -> int:
        counted = count()
        with write(sqlite_kith.database, community) as opened:
            assert opened.number
            driver = opened.connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.set_progress_handler(lambda: next(counted) < 0, 1)
        driver.set_progress_handler(None, 0)
        return next(counted)

    few = steps()
    sqlite_kith.import_profiles(*({"id": f"m{number}", "name": "M"} for number in range(500)))

    assert few > 10
    assert steps() < 2 * few
