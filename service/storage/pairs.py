"""Pairs: rows to pairs and back, seen from whichever side asks; always within one community."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    String,
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    tuple_,
    union_all,
)

from service.records import Pair, ProfileRecord, Side, from_document
from service.storage.communities import Write
from service.storage.tables import ByBytes, pairs, profiles
from service.storage.upsert import upsert

PAIRS_PER_STATEMENT = 200
# Where a list that begins with the newest begins.
BEFORE_ALL = (2**63 - 1, "")
_SIDE = ("response", "answered_at", "blocked_at", "unblocked", "stranger", "outcome")
_WHOLE = ("since", "last_met", "times_met", "apart_until")
Listed = Literal["invitations", "connections", "reconnects"]


def _seen_from(low: str, high: str) -> list[ColumnElement[Any]]:
    """Return a pair's columns under names that don't tell which side is low."""
    sides = [
        pairs.c[f"{side}_{name}"].label(f"{whose}_{name}")
        for whose, side in (("mine", low), ("theirs", high))
        for name in _SIDE
    ]
    whole = [pairs.c[name] for name in _WHOLE]
    return [pairs.c.community, pairs.c[low].label("me"), pairs.c[high].label("peer"), *sides, *whole]


def _with_peer() -> Select[Any]:
    """Return the statement for all pairs of one member, as that member sees them."""
    here, code = pairs.c.community == bindparam("community"), bindparam("code", type_=String)
    one = select(*_seen_from("low", "high")).where(here, pairs.c.low == code)
    other = select(*_seen_from("high", "low")).where(here, pairs.c.high == code)
    seen = union_all(one, other).subquery("seen")
    known = and_(profiles.c.community == seen.c.community, profiles.c.code == seen.c.peer)
    peer = func.coalesce(profiles.c.id, seen.c.theirs_stranger).label("peer_id")
    return select(seen, peer).outerjoin(profiles, known)


def _page_of(listed: Listed) -> Select[Any]:
    chosen = _with_peer().add_columns(profiles.c.document).subquery("listed")
    column = chosen.c
    unblocked = and_(column.mine_blocked_at.is_(None), column.theirs_blocked_at.is_(None))
    is_new = and_(column.theirs_response == "accept", column.mine_response.is_(None))
    last_met = func.coalesce(column.last_met, column.since)
    belongs: dict[Listed, ColumnElement[bool]] = {
        "invitations": and_(unblocked, column.since.is_(None), is_new),
        "connections": and_(unblocked, column.since.is_not(None)),
        "reconnects": and_(unblocked, column.since.is_not(None), last_met <= bindparam("quiet_until")),
    }
    at = column.theirs_answered_at if listed == "invitations" else column.since
    at_then, peer_then = bindparam("at", type_=BigInteger), bindparam("peer", type_=String)
    follows = or_(at < at_then, and_(at == at_then, column.peer > peer_then))
    wanted = select(chosen).where(belongs[listed], column.document.is_not(None), follows)
    return wanted.order_by(at.desc(), column.peer).limit(bindparam("limit"))


def _blocks() -> Select[Any]:
    chosen = _with_peer().add_columns(profiles.c.document).subquery("listed")
    blocked = and_(chosen.c.mine_blocked_at.is_not(None), chosen.c.theirs_blocked_at.is_(None))
    wanted = select(chosen).where(blocked, chosen.c.peer_id > bindparam("after"))
    return wanted.order_by(chosen.c.peer_id).limit(bindparam("limit"))


# Built once: building them costs many times what running them does.
_THESE = select(*_seen_from("low", "high")).where(
    pairs.c.community == bindparam("community"),
    tuple_(pairs.c.low, pairs.c.high).in_(bindparam("asked", expanding=True)),
)
_PAIRS = _with_peer()
_PAGES: dict[Listed, Select[Any]] = {
    "invitations": _page_of("invitations"),
    "connections": _page_of("connections"),
    "reconnects": _page_of("reconnects"),
}
_BLOCKS = _blocks()


def as_pair(row: Row[Any]) -> Pair:
    """Return the pair in a row of one side's view."""
    found = row._mapping
    return Pair(found["me"], found["peer"], _side(found, "mine"), _side(found, "theirs"), *_rest(found))


def _side(found: Any, whose: str) -> Side:
    unblocked = found[f"{whose}_unblocked"]
    return Side(
        found[f"{whose}_response"],
        found[f"{whose}_answered_at"],
        found[f"{whose}_blocked_at"],
        tuple(json.loads(unblocked)) if unblocked else (),
        found[f"{whose}_stranger"],
        found[f"{whose}_outcome"],
    )


def _rest(found: Any) -> tuple[int | None, int | None, int, int | None]:
    return found["since"], found["last_met"], found["times_met"], found["apart_until"]


def find_pairs(connection: Connection, community: int, codes: Sequence[tuple[str, str]]) -> list[Pair]:
    """Return the pairs of these codes (mine, theirs) that there are, each seen from the first."""
    found: list[Pair] = []
    for start in range(0, len(codes), PAIRS_PER_STATEMENT):
        some = codes[start : start + PAIRS_PER_STATEMENT]
        asked = {"community": community, "asked": [(min(two), max(two)) for two in some]}
        rows = {(pair.me, pair.peer): pair for pair in map(as_pair, connection.execute(_THESE, asked))}
        for mine, theirs in some:
            pair = rows.get((min(mine, theirs), max(mine, theirs)))
            if pair is not None:
                found.append(pair if pair.me == mine else pair.turned())
    return found


def pairs_of(connection: Connection, community: int, code: str) -> list[tuple[str | None, Pair]]:
    """Return all pairs of one member with the ids of the others; None for who is erased."""
    rows = connection.execute(_PAIRS, {"community": community, "code": code})
    return [(row.peer_id, as_pair(row)) for row in rows]


def page_of_pairs(
    connection: Connection,
    community: int,
    code: str,
    listed: Listed,
    *,
    limit: int,
    after: tuple[int, str] | None = None,
    quiet_until: int = 0,
) -> list[tuple[str, str, Pair]]:
    """Return up to `limit` of a member's pairs of one kind with the others' ids and names, the newest first.

    `after` is the time and the peer's code of the last one seen; `reconnects` are the connections that have
    not met since `quiet_until`.
    """
    at, peer = after or BEFORE_ALL
    asked = {"community": community, "code": code, "at": at, "peer": peer, "limit": limit}
    if listed == "reconnects":
        asked["quiet_until"] = quiet_until
    rows = connection.execute(_PAGES[listed], asked)
    return [(row.peer_id, json.loads(row.document)["name"], as_pair(row)) for row in rows]


def page_of_blocks(
    connection: Connection, community: int, code: str, after: str, limit: int
) -> list[tuple[str, ProfileRecord | None, Pair]]:
    """Return up to `limit` of those whom a member blocks, by id, with their profiles.

    The erased are left out, and so is who blocks the member: to them they are as if erased.
    """
    asked = {"community": community, "code": code, "after": after, "limit": limit}
    rows = connection.execute(_BLOCKS, asked)
    return [(row.peer_id, _record(row.document), as_pair(row)) for row in rows]


def _record(document: str | None) -> ProfileRecord | None:
    return from_document(json.loads(document)) if document else None


def page_of_all(connection: Connection, community: int, after: tuple[str, str], limit: int) -> list[Pair]:
    """Return up to `limit` pairs whose codes, the lower first, follow `after`."""
    codes = tuple_(pairs.c.low, pairs.c.high)
    follows = codes > tuple_(*(bindparam(None, code, type_=ByBytes, unique=True) for code in after))
    chosen = select(*_seen_from("low", "high")).where(pairs.c.community == community, follows)
    return [
        as_pair(row) for row in connection.execute(chosen.order_by(pairs.c.low, pairs.c.high).limit(limit))
    ]


def keeping_apart(connection: Connection, community: int) -> list[tuple[str, str]]:
    """Return the codes of all pairs of whom one blocks, has declined or has put off the other."""
    c = pairs.c
    either = [
        reason
        for blocked_at, response in ((c.low_blocked_at, c.low_response), (c.high_blocked_at, c.high_response))
        for reason in (blocked_at.is_not(None), response.in_(("decline", "later")))
    ]
    rows = connection.execute(select(c.low, c.high).where(c.community == community, or_(*either)))
    return [(row.low, row.high) for row in rows]


def pairs_due(connection: Connection, community: int, now: int, limit: int) -> list[Pair]:
    """Return pairs in which something has ended by time."""
    chosen = select(*_seen_from("low", "high")).where(pairs.c.community == community, pairs.c.due_at <= now)
    return [as_pair(row) for row in connection.execute(chosen.order_by(pairs.c.due_at).limit(limit))]


def save_pairs(write: Write, saved: Iterable[tuple[Pair, int | None]]) -> None:
    """Insert or replace pairs, each with its due time."""
    upsert(write.connection, pairs, [_as_row(write, pair, due_at) for pair, due_at in saved])


def delete_pairs(write: Write, gone: Iterable[Pair]) -> None:
    """Delete pairs in which nothing stands any more."""
    rows = [{"one": min(pair.me, pair.peer), "other": max(pair.me, pair.peer)} for pair in gone]
    if rows:
        here = pairs.c.community == write.community.number
        statement = delete(pairs).where(
            here, pairs.c.low == bindparam("one"), pairs.c.high == bindparam("other")
        )
        write.connection.execute(statement, rows)


def _as_row(write: Write, pair: Pair, due_at: int | None) -> dict[str, Any]:
    seen = pair if pair.me < pair.peer else pair.turned()
    row: dict[str, Any] = {"community": write.community.number, "low": seen.me, "high": seen.peer}
    for name, side in (("low", seen.mine), ("high", seen.theirs)):
        row |= {f"{name}_{field}": getattr(side, field) for field in _SIDE}
        row[f"{name}_unblocked"] = json.dumps(side.unblocked) if side.unblocked else None
    return row | {name: getattr(seen, name) for name in _WHOLE} | {"due_at": due_at}
