"""Deliveries: rows that say what is to be sent to which webhook, leased by whoever sends them."""

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Row,
    Update,
    and_,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)

from service.storage.communities import Write
from service.storage.database import Database
from service.storage.tables import deliveries, mentions, webhooks

State = Literal["pending", "delivered", "failed"]
LEASE_MS = 60_000
KEPT_MS = 7 * 24 * 3600 * 1000
# So long an erased member's id may still be told; it is gone before SQLite's file is written anew.
TOLD_MS = 10_000
ERASED = "profile.erased"
SCRUBBED = '{"profile":null}'
_ENDED = ("delivered", "failed")
_COLUMNS = [
    deliveries.c[name]
    for name in ("id", "type", "state", "attempts", "due_at", "status", "error", "created_at")
]


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as it is listed: without what it tells. `status` and `error` are of the last attempt."""

    id: str
    type: str
    state: State
    attempts: int
    due_at: int
    status: int | None
    error: str | None
    created_at: int


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is sent and where: `payload` is the event's data as JSON."""

    id: str
    type: str
    payload: str
    attempts: int
    created_at: int
    url: str
    secret: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of sending one delivery: its new state, and in how many milliseconds it is due again."""

    id: str
    state: State
    again_ms: int = 0
    status: int | None = None
    error: str | None = None


def insert_deliveries(
    write: Write, webhook_id: str, event: str, told: Sequence[Mapping[str, Any]]
) -> list[Delivery]:
    """Let a webhook be told of events of one type, each by its data."""
    erased = event == ERASED
    # What ends soonest goes first.
    due_at = 0 if erased else write.now
    # Ids sort by time, so that the list does.
    made = [
        Delivery(
            f"dlv_{write.now:012x}{secrets.token_hex(6)}", event, "pending", 0, due_at, None, None, write.now
        )
        for _ in told
    ]
    common = {
        "community": write.community.number,
        "webhook": webhook_id,
        "scrub_at": write.now + TOLD_MS if erased else None,
    }
    rows = [
        {column.name: getattr(delivery, column.name) for column in _COLUMNS}
        | {"payload": json.dumps(data, separators=(",", ":"))}
        | common
        for delivery, data in zip(made, told, strict=True)
    ]
    write.connection.execute(insert(deliveries), rows)
    named = [
        {"delivery": delivery.id, "code": code, "community": write.community.number}
        for delivery, data in zip(made, told, strict=True)
        for code in _codes(write, data)
    ]
    # An erasure's own event outlives the next one of that id; it is scrubbed by time.
    if named and not erased:
        write.connection.execute(insert(mentions), named)
    return made


def _codes(write: Write, data: Mapping[str, Any]) -> set[str]:
    ids = [data.get("profile"), data.get("peer"), *data.get("members", ())]
    return {write.community.code_of(profile_id) for profile_id in ids if profile_id is not None}


def forget_member(write: Write, code: str) -> None:
    """Delete every delivery that names a member, sent or not."""
    named = select(mentions.c.delivery).where(
        mentions.c.community == write.community.number, mentions.c.code == code
    )
    write.connection.execute(delete(deliveries).where(deliveries.c.id.in_(named)))


def scrub_due(database: Database, now: int) -> None:
    """Take the ids of erased members out of what is still to be told of their erasure."""
    _if_any(
        database, deliveries.c.scrub_at <= now, update(deliveries).values(payload=SCRUBBED, scrub_at=None)
    )


def forget_old(database: Database) -> None:
    """Delete what ended long ago."""
    with database.read() as connection:
        now = database.now(connection)
    old = and_(deliveries.c.state.in_(_ENDED), deliveries.c.due_at <= now)
    _if_any(database, old, delete(deliveries))


def _if_any(database: Database, found: ColumnElement[bool], statement: Update | Delete) -> None:
    # Looked for first: a write that changes nothing keeps other writers waiting all the same.
    with database.read() as connection:
        if not connection.execute(select(exists().where(found))).scalar_one():
            return
    with database.write() as connection:
        connection.execute(statement.where(found))


# ---------------------------------------------------------------- lists


def _as_delivery(row: Row[Any]) -> Delivery:
    return Delivery(**row._mapping)


def page_of_deliveries(
    connection: Connection, community: int, webhook_id: str, after: str, limit: int
) -> list[Delivery]:
    """Return up to `limit` deliveries to a webhook whose ids follow `after`."""
    here = and_(deliveries.c.webhook == webhook_id, deliveries.c.community == community)
    chosen = select(*_COLUMNS).where(here, deliveries.c.id > after).order_by(deliveries.c.id).limit(limit)
    return [_as_delivery(row) for row in connection.execute(chosen)]


def send_again(write: Write, webhook_id: str, delivery_id: str) -> Delivery | None:
    """Make a delivery due now, with all its attempts before it; None where there is none of this id."""
    here = and_(
        deliveries.c.community == write.community.number,
        deliveries.c.webhook == webhook_id,
        deliveries.c.id == delivery_id,
    )
    fresh = {"state": "pending", "attempts": 0, "due_at": write.now, "lease": None, "leased_until": None}
    statement = update(deliveries).where(here).values(fresh).returning(*_COLUMNS)
    row = write.connection.execute(statement).one_or_none()
    return _as_delivery(row) if row else None


# ---------------------------------------------------------------- sending


def _is_due(now: int) -> ColumnElement[bool]:
    free = or_(deliveries.c.leased_until.is_(None), deliveries.c.leased_until <= now)
    return and_(deliveries.c.state == "pending", deliveries.c.due_at <= now, free)


def webhooks_due(database: Database) -> list[str]:
    """Return the ids of the webhooks to which something is to be sent now, in all communities."""
    with database.read() as connection:
        now = database.now(connection)
        waiting = exists().where(deliveries.c.webhook == webhooks.c.id, _is_due(now))
        return list(connection.execute(select(webhooks.c.id).where(waiting)).scalars())


def lease(database: Database, webhook_id: str, most: int) -> tuple[str, list[str]]:
    """Lease up to `most` deliveries that are due to a webhook, the oldest first: a token, and their ids."""
    token = secrets.token_hex(8)
    with database.write() as connection:
        now = database.now(connection)
        chosen = (
            select(deliveries.c.id)
            .where(deliveries.c.webhook == webhook_id, _is_due(now))
            .order_by(deliveries.c.due_at, deliveries.c.id)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        ids = list(connection.execute(chosen).scalars())
        taken = update(deliveries).where(deliveries.c.id.in_(ids))
        connection.execute(taken.values(lease=token, leased_until=now + LEASE_MS))
    return token, ids


def find_parcel(database: Database, token: str, delivery_id: str) -> Parcel | None:
    """Return what is to be sent; None where the lease is over, or delivery or webhook are gone."""
    c = deliveries.c
    chosen = (
        select(c.id, c.type, c.payload, c.attempts, c.created_at, webhooks.c.url, webhooks.c.secret)
        .join(webhooks, webhooks.c.id == c.webhook)
        .where(c.id == delivery_id, c.lease == token)
    )
    with database.read() as connection:
        row = connection.execute(chosen).one_or_none()
    return Parcel(*row) if row else None


def note_attempts(database: Database, token: str, leased: Sequence[str], attempts: Iterable[Attempt]) -> None:
    """Note what became of the deliveries under a lease, and give back those that were not tried."""
    mine = deliveries.c.lease == token
    with database.write() as connection:
        now = database.now(connection)
        for attempt in attempts:
            same = and_(mine, deliveries.c.id == attempt.id)
            if attempt.state != "pending":
                told = update(deliveries).where(same, deliveries.c.scrub_at.is_not(None))
                connection.execute(told.values(payload=SCRUBBED, scrub_at=None))
            connection.execute(update(deliveries).where(same).values(_after(attempt, now)))
        rest = update(deliveries).where(mine, deliveries.c.id.in_(leased))
        connection.execute(rest.values(lease=None, leased_until=None))


def _after(attempt: Attempt, now: int) -> dict[str, Any]:
    return {
        "state": attempt.state,
        "attempts": deliveries.c.attempts + 1,
        "due_at": now + (attempt.again_ms if attempt.state == "pending" else KEPT_MS),
        "status": attempt.status,
        "error": attempt.error,
        "lease": None,
        "leased_until": None,
    }
