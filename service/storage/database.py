"""The database: one engine, one-statement reads, and writes that take turns.

Comes in: an address as SQLAlchemy's. Goes out: connections whose reads commit by themselves, and write
connections inside one transaction. SQLite: WAL, full sync, secure delete, BEGIN IMMEDIATE, a busy time-out,
and a turn of their own for those who write.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.errors import NotReady
from service.storage.clock import Clock
from service.storage.turns import TIED_UP, TRY_SECONDS, Turns

BUSY_SECONDS = 15
CHECKPOINT_MS = 250
EMPTYING_SECONDS = 10
POOL_SIZE = 16
_TIME_OUTS = f"-c lock_timeout={BUSY_SECONDS}s -c idle_in_transaction_session_timeout=60s"
# Named, whatever the server's default: who waited for the community's lock must see what was committed.
_BEGIN = {"sqlite": "BEGIN IMMEDIATE", "postgresql": "BEGIN ISOLATION LEVEL READ COMMITTED"}
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    "PRAGMA foreign_keys = ON",
    f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}",
)


class Database:
    """Reads and writes of one SQL database, SQLite or PostgreSQL."""

    def __init__(self, url: str, clock_file: Path | None = None) -> None:
        self.engine = _engine(url)
        self.dialect = self.engine.dialect.name
        self.clock = Clock(self.dialect, clock_file)
        file = self.engine.url.database if self.dialect == "sqlite" else None
        self._turns = Turns(Path(f"{file}-turn"), BUSY_SECONDS) if file else None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection on which every statement is a transaction of its own."""
        with _translated(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection inside one transaction, committed at the end, rolled back on any error."""
        turn = self._turns.take() if self._turns else nullcontext()
        with turn, _translated(), self.engine.connect() as connection:
            connection.exec_driver_sql(_BEGIN[self.dialect])
            try:
                yield connection
            except BaseException:
                # Where the connection was cut there is nothing left to roll back, nor anything to do it on.
                if not connection.invalidated:
                    connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")

    def now(self, connection: Connection) -> int:
        """Return the database's time, in milliseconds since 1970."""
        return self.clock.shift(connection.execute(self.clock.reading).scalar_one())

    def checkpoint(self) -> bool:
        """Empty SQLite's write-ahead log, in which old pages stand; False where a reader holds it up."""
        if self.dialect != "sqlite":
            return True
        with self.read() as connection:
            # Writers wait while it waits for readers: it had better come again than wait long.
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {CHECKPOINT_MS}")
            busy: int = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
            return not busy

    def rewrite(self) -> bool:
        """Write SQLite's file anew without what its pages still hold of rows that are gone.

        False where a reader holds it up. `secure_delete` overwrites what is deleted, but not the copies that
        stay behind in the free space of a page when its rows move to another one.
        """
        if self.dialect != "sqlite":
            return True
        # Nothing is rewritten into a log that can't be emptied: it would grow by a database at every try.
        if not self.checkpoint():
            return False
        with self.read() as connection:
            connection.exec_driver_sql("VACUUM")
        # Whoever commits next may be emptying the log by themself: that is waited for.
        until = time.monotonic() + EMPTYING_SECONDS
        while not self.checkpoint():
            if time.monotonic() > until:
                return False
            time.sleep(CHECKPOINT_MS / 1000)
        return True

    def forget_connections(self) -> None:
        """Drop the pool without closing it: after a fork its connections are the parent's."""
        self.engine.dispose(close=False)

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()
        if self._turns:
            self._turns.close()


def _engine(url: str) -> Engine:
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
        options: dict[str, Any] = {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}}
    else:
        options = {"pool_pre_ping": True, "connect_args": {"connect_timeout": 5, "options": _TIME_OUTS}}
    options |= {"isolation_level": "AUTOCOMMIT", "pool_size": POOL_SIZE, "max_overflow": 0}
    # Errors are logged, and a statement's parameters are names, terms and places of people.
    engine = create_engine(url, hide_parameters=True, **options)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    cursor, until = connection.cursor(), time.monotonic() + BUSY_SECONDS
    for pragma in _PRAGMAS:
        while not _is_set(cursor, pragma, until):
            time.sleep(TRY_SECONDS)
    cursor.close()


def _is_set(cursor: sqlite3.Cursor, pragma: str, until: float) -> bool:
    """Set one; False where several open a new file at once: SQLite makes no second one wait."""
    try:
        cursor.execute(pragma)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
            raise
        return False
    return True


@contextmanager
def _translated() -> Iterator[None]:
    # Unreachable, locked for too long, out of connections: the caller may try again later.
    try:
        yield
    except (OperationalError, PoolTimeout) as error:
        raise NotReady(TIED_UP) from error
