"""Jobs: rows of work that must happen, written in the transaction that causes them, leased by one worker.

A job is done at least once and its effect is kept just once: `finish` stands in the effect's own transaction
and raises `LeaseLost` where another worker has taken over, so that what was done in vain is rolled back.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Insert,
    Select,
    Update,
    and_,
    bindparam,
    case,
    delete,
    null,
    or_,
    select,
    update,
)

from service.errors import LeaseLost
from service.storage.communities import Write
from service.storage.database import Database
from service.storage.tables import jobs
from service.storage.upsert import insert_into

LEASE_MS = 60_000
# Of a job that failed; each time after that it is three times as long: an hour and a half in all.
FIRST_WAIT_MS = 5_000
MOST_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it was read: how often it was begun, how far it is, what went wrong the last time.

    `subject` says what it is about, such as a round's id; it is never a member's id. `run_at` is None for one
    that was given up; it begins anew when it is enqueued again.
    """

    number: int
    community: int
    kind: str
    subject: str
    run_at: int | None
    lease: str | None
    attempts: int
    progress: float
    error: str | None


_COLUMNS = [jobs.c[name] for name in Job.__dataclass_fields__]


def _due() -> Select[Any]:
    now = bindparam("now", type_=BigInteger)
    free = or_(jobs.c.leased_until.is_(None), jobs.c.leased_until <= now)
    of_kinds = jobs.c.kind.in_(bindparam("kinds", expanding=True))
    chosen = select(jobs.c.number).where(of_kinds, jobs.c.run_at <= now, free)
    return chosen.order_by(jobs.c.run_at, jobs.c.number).limit(1)


_DUE = _due()
_DUE_UNLOCKED = _DUE.with_for_update(skip_locked=True)


def enqueue(write: Write, kind: str, subject: str = "", run_at: int | None = None) -> None:
    """Have a job done, at once or from `run_at` on, if this transaction is committed.

    What is queued already is not queued twice, and keeps the earlier time. What is being done right now may
    not have seen this transaction: it is done again.
    """
    row = {
        "community": write.community.number,
        "kind": kind,
        "subject": subject,
        "run_at": write.now if run_at is None else run_at,
        "attempts": 0,
        "progress": 0.0,
        "created_at": write.now,
    }
    write.connection.execute(_enqueuing(write.connection.dialect.name), row)


@cache
def _enqueuing(dialect: str) -> Insert:
    """Return the statement that queues a job; building it takes longer than running it."""
    statement = insert_into(dialect, jobs)
    again = _queued_again(statement.excluded.run_at)
    return statement.on_conflict_do_update(index_elements=["community", "kind", "subject"], set_=again)


def _queued_again(run_at: ColumnElement[int]) -> dict[str, Any]:
    c = jobs.c
    leased, given_up = c.lease.is_not(None), c.run_at.is_(None)
    return {
        "again_at": case(
            (and_(leased, or_(c.again_at.is_(None), c.again_at > run_at)), run_at), else_=c.again_at
        ),
        "run_at": case((leased, c.run_at), (or_(given_up, c.run_at > run_at), run_at), else_=c.run_at),
        "attempts": case((and_(given_up, c.lease.is_(None)), 0), else_=c.attempts),
        "error": case((and_(given_up, c.lease.is_(None)), null()), else_=c.error),
    }


def find_job(connection: Connection, community: int, kind: str, subject: str = "") -> Job | None:
    """Return the job of this kind about this subject, while there is one."""
    same = (jobs.c.community == community, jobs.c.kind == kind, jobs.c.subject == subject)
    row = connection.execute(select(*_COLUMNS).where(*same)).one_or_none()
    return Job(*row) if row else None


def lease(database: Database, kinds: Collection[str]) -> Job | None:
    """Take the job of these kinds that has been due for longest, for a minute; None where none is due.

    Whoever does more than that renews the lease. One that was begun once too often already is given too, so
    that it can be given up: its worker died each time.
    """
    asked = {"kinds": sorted(kinds)}
    with database.read() as connection:  # so that nobody who has nothing to do holds up writers
        if connection.execute(_DUE, asked | {"now": database.now(connection)}).first() is None:
            return None
    with database.write() as connection:
        now = database.now(connection)
        row = connection.execute(_DUE_UNLOCKED, asked | {"now": now}).one_or_none()
        if row is None:
            return None
        c = jobs.c
        taken = {
            "lease": secrets.token_hex(8),
            "leased_until": now + LEASE_MS,
            "attempts": c.attempts + 1,
            "progress": 0.0,
            # What was asked for until now is seen by whoever begins now.
            "again_at": case((c.again_at > now, c.again_at), else_=null()),
        }
        statement = update(jobs).where(c.number == row.number).values(taken).returning(*_COLUMNS)
        return Job(*connection.execute(statement).one())


def renew(database: Database, job: Job, progress: float | None = None) -> None:
    """Keep a job for another minute, and say how far it is, or raise `LeaseLost`."""
    with database.write() as connection:
        values: dict[str, Any] = {"leased_until": database.now(connection) + LEASE_MS}
        if progress is not None:
            values["progress"] = progress
        if connection.execute(_held(job).values(values)).rowcount == 0:
            raise LeaseLost("Another worker has taken this job.")


def finish(write: Write, job: Job) -> None:
    """End a job inside the transaction of its effect, or raise `LeaseLost`, which rolls the effect back."""
    again = _held(job).where(jobs.c.again_at.is_not(None)).values(_freed() | _anew())
    held = and_(jobs.c.number == job.number, jobs.c.lease == job.lease)
    if (
        write.connection.execute(again).rowcount
        or write.connection.execute(delete(jobs).where(held)).rowcount
    ):
        return
    raise LeaseLost("Another worker has taken this job.")


def fail(database: Database, job: Job, error: str) -> None:
    """Put a job back after an error, to be tried later; at last it stays as it is, with its error.

    `error` is a word out of the code: what an exception says may quote what is private.
    """
    with database.write() as connection:
        if job.attempts < MOST_ATTEMPTS:
            then = {"run_at": database.now(connection) + FIRST_WAIT_MS * 3 ** (job.attempts - 1)}
        else:
            asked_again = jobs.c.again_at.is_not(None)
            then = _anew() | {"attempts": case((asked_again, 0), else_=jobs.c.attempts)}
        connection.execute(_held(job).values(_freed() | then | {"error": error}))


def _held(job: Job) -> Update:
    return update(jobs).where(jobs.c.number == job.number, jobs.c.lease == job.lease)


def _freed() -> dict[str, Any]:
    return {"lease": None, "leased_until": None, "progress": 0.0}


def _anew() -> dict[str, Any]:
    # Where it was not asked for again, that is never.
    return {"run_at": jobs.c.again_at, "again_at": None, "attempts": 0, "error": None}
