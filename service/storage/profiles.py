"""Profiles: rows to members and back; pages, batches and erasure, always within one community."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Row,
    Select,
    Update,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from matching import Place
from service.records import Member, Stay, as_document, from_document
from service.storage import stamps
from service.storage.bulk import insert_rows
from service.storage.communities import Write
from service.storage.tables import departures, kept_answers, profiles, tiles
from service.storage.upsert import upsert

COLUMNS = [
    profiles.c[name]
    for name in (
        "number", "id", "document", "radius_km", "last_cell", "moved_at", "waiting_cell", "moves_at",
        "own", "pairs", "changed", "code", "introductions", "created_at",
    )
]  # fmt: skip
IDS_PER_STATEMENT = 500
ROWS_PER_FETCH = 5000
# Built once: building a statement takes longer than running it.
_DEPARTED = select(departures.c.number).where(
    departures.c.community == bindparam("asked"), departures.c.changed > bindparam("since")
)
_in_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def as_member(row: Row[Any] | Mapping[str, Any]) -> Member:
    """Return the member in a row that holds `COLUMNS`."""
    found = row._mapping if isinstance(row, Row) else row
    record = from_document(json.loads(found["document"]))
    stay = Stay(
        record.place,
        _place(found["last_cell"]),
        found["moved_at"],
        _place(found["waiting_cell"]),
        found["moves_at"],
    )
    rest = {
        name: found[name]
        for name in ("number", "own", "pairs", "changed", "code", "introductions", "created_at")
    }
    return Member(record, found["radius_km"], stay, **rest)


def _place(cell: str | None) -> Place | None:
    return Place.of(cell) if cell else None


def _as_row(member: Member) -> dict[str, Any]:
    stay, record = member.stay, member.record
    return {
        "id": record.id,
        "code": member.code,
        "document": _in_json(as_document(record)),
        "radius_km": member.radius_km,
        "last_cell": stay.last_place.cell if stay.last_place else None,
        "moved_at": stay.moved_at,
        "waiting_cell": stay.waiting_place.cell if stay.waiting_place else None,
        "moves_at": stay.moves_at,
        "due_at": member.due_at,
        "own": member.own,
        "pairs": member.pairs,
        "changed": member.changed,
        "introductions": member.introductions,
        "created_at": member.created_at,
    } | _reach(record.place, member.radius_km)


@lru_cache(maxsize=16384)  # many live in a cell, and most leave the radius to us
def _reach(place: Place | None, radius_km: float) -> dict[str, int | None]:
    if place is None:
        return dict.fromkeys(("tile_lat", "tile_lon", "reach_lat", "reach_lon", "widest_lon"))
    lat, lon = stamps.tile_of(place)
    reach_lat, reach_lon = stamps.reach_in_tiles(place.lat, radius_km)
    _, widest_lon = stamps.reach_in_tiles(place.lat, stamps.LARGEST_RADIUS_KM)
    return {
        "tile_lat": lat,
        "tile_lon": lon,
        "reach_lat": reach_lat,
        "reach_lon": reach_lon,
        "widest_lon": widest_lon,
    }


def forget_reach() -> None:
    """Forget where members live."""
    _reach.cache_clear()


def find_members(connection: Connection, community: int, ids: Sequence[str]) -> dict[str, Member]:
    """Return the members of these ids that there are, by id."""
    found = _find_by("id", connection, community, ids)
    return {member.record.id: member for member in found}


def find_member(write: Write, profile_id: str) -> Member | None:
    """Return the member of this id inside an open write, if there is one."""
    return find_members(write.connection, write.community.number, [profile_id]).get(profile_id)


def find_by_codes(connection: Connection, community: int, codes: Sequence[str]) -> dict[str, Member]:
    """Return the members of these codes that there are, by code."""
    return {member.code: member for member in _find_by("code", connection, community, codes)}


def ids_by_codes(connection: Connection, community: int, codes: Sequence[str]) -> dict[str, str]:
    """Return the ids of the members of these codes that there are, by code."""
    chosen = _chosen(connection.dialect.name, ("code", "id"), "code")
    return {row.code: row.id for row in _each_of(connection, chosen, community, codes)}


def find_by_numbers(connection: Connection, community: int, numbers: Sequence[int]) -> list[Member]:
    """Return the members with these rows that there are."""
    return list(_find_by("number", connection, community, numbers))


def _find_by(name: str, connection: Connection, community: int, values: Sequence[Any]) -> Iterator[Member]:
    chosen = _chosen(connection.dialect.name, tuple(column.name for column in COLUMNS), name)
    return map(as_member, _each_of(connection, chosen, community, values))


def _each_of(
    connection: Connection, chosen: Select[Any], community: int, values: Sequence[Any]
) -> Iterator[Row[Any]]:
    for start in range(0, len(values), IDS_PER_STATEMENT):
        some = list(values[start : start + IDS_PER_STATEMENT])
        yield from connection.execute(chosen, {"here": community, "asked": some})


@cache
def _chosen(dialect: str, names: Sequence[str], by: str) -> Select[Any]:
    """Return the statement that reads these columns of the members chosen by one; it is built once."""
    here = select(*(profiles.c[name] for name in names)).where(profiles.c.community == bindparam("here"))
    if dialect == "postgresql":
        return _one_by_one(here, profiles.c[by])
    return here.where(profiles.c[by].in_(bindparam("asked", expanding=True)))


def _one_by_one(here: Select[Any], column: ColumnElement[Any]) -> Select[Any]:
    # Row by row in the index. Of a table that has grown since it was last analysed, as by an import, the
    # planner expects so little that it would rather read the whole community, once for each portion.
    asked = func.unnest(bindparam("asked", type_=ARRAY(column.type))).table_valued("value").render_derived()
    found = here.where(column == asked.c.value).limit(1).lateral("found")
    return select(found).select_from(asked.join(found, true()))


def page_of_members(connection: Connection, community: int, after: str, limit: int) -> list[Member]:
    """Return up to `limit` members whose ids follow `after`, in the order of their bytes."""
    chosen = select(*COLUMNS).where(profiles.c.community == community, profiles.c.id > after)
    return [as_member(row) for row in connection.execute(chosen.order_by(profiles.c.id).limit(limit))]


def members_due(connection: Connection, community: int, now: int, limit: int) -> list[Member]:
    """Return members for whom something has ended by time."""
    chosen = select(*COLUMNS).where(profiles.c.community == community, profiles.c.due_at <= now)
    return [as_member(row) for row in connection.execute(chosen.order_by(profiles.c.due_at).limit(limit))]


def insert_members(write: Write, members: Sequence[Member]) -> None:
    """Insert new members; their ids must be free."""
    if members:
        here = {"community": write.community.number}
        names = [*_as_row(members[0]), *here]
        insert_rows(write.connection, profiles, names, (_as_row(member) | here for member in members))


def update_members(write: Write, members: Sequence[Member]) -> None:
    """Write members anew under their numbers."""
    if members:
        names = tuple(name for name in _as_row(members[0]) if name != "id")
        rows = [
            {name: row[name] for name in names} | {"at": member.number}
            for member in members
            for row in [_as_row(member)]
        ]
        write.connection.execute(_update(names), rows)


def update_standing(write: Write, members: Sequence[Member]) -> None:
    """Write how members stand with others: their stamps of pairs and what follows from it."""
    if members:
        names = ("pairs", "introductions", "changed")
        rows = [{name: getattr(member, name) for name in names} | {"at": member.number} for member in members]
        write.connection.execute(_update(names), rows)


@cache
def _update(names: Sequence[str]) -> Update:
    """Return the statement that writes these columns of a member anew; it is built once."""
    statement = update(profiles).where(profiles.c.number == bindparam("at"))
    return statement.values({name: bindparam(name) for name in names})


def erase_member(write: Write, member: Member) -> None:
    """Delete a member's row and the answers kept about them; only their number stays."""
    here = write.community.number
    write.connection.execute(delete(profiles).where(profiles.c.number == member.number))
    about = or_(kept_answers.c.about == member.code, kept_answers.c.about_peer == member.code)
    write.connection.execute(delete(kept_answers).where(kept_answers.c.community == here, about))
    write.connection.execute(
        insert(departures).values(community=here, number=member.number, changed=write.number)
    )


def stamp_tiles(write: Write, touched: Iterable[stamps.Tile]) -> None:
    """Give these tiles a new stamp."""
    rows = [
        {"community": write.community.number, "lat": lat, "lon": lon, "stamp": write.stamp()}
        for lat, lon in sorted(touched)
    ]
    upsert(write.connection, tiles, rows)


def changed_since(connection: Connection, community: int, number: int) -> list[Member]:
    """Return the members whose public side changed after this change number."""
    chosen = select(*COLUMNS).where(profiles.c.community == community, profiles.c.changed > number)
    return [as_member(row) for row in connection.execute(chosen)]


def everybody(connection: Connection, community: int) -> Iterator[list[Member]]:
    """Yield all members, some thousand at a time, each lot as it is when it is read."""
    last = 0
    chosen = select(*COLUMNS).where(profiles.c.community == community, profiles.c.number > bindparam("last"))
    page = chosen.order_by(profiles.c.number).limit(ROWS_PER_FETCH)
    while members := [as_member(row) for row in connection.execute(page, {"last": last})]:
        yield members
        last = members[-1].number


def changed_last(connection: Connection, community: int, limit: int) -> list[tuple[int, int, str]]:
    """Return number, change and stamp of the members who changed last."""
    c = profiles.c
    chosen = select(c.number, c.changed, c.own).where(c.community == community)
    latest = chosen.order_by(c.changed.desc(), c.number).limit(limit)
    return [(row.number, row.changed, row.own) for row in connection.execute(latest)]


def changes_of(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[int, str]]:
    """Return the change and stamp of those of these members that there are, by number."""
    c = profiles.c
    chosen = select(c.number, c.changed, c.own).where(c.number.in_(numbers))
    return {row.number: (row.changed, row.own) for row in connection.execute(chosen)}


def departed_since(connection: Connection, community: int, number: int) -> list[int]:
    """Return the numbers of the members erased after this change number."""
    return list(connection.execute(_DEPARTED, {"asked": community, "since": number}).scalars())
