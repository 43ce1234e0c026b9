"""Rounds: rows to rounds and back, with their seats, groups and pins; always within one community.

Members stand under the numbers of their rows: an id that is shown is looked up, and so is gone with them.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, insert, select, update

from service.records_meetups import Round, Seat
from service.storage.communities import Write
from service.storage.round_tables import round_groups, round_pins, round_seats, rounds
from service.storage.tables import profiles

_COLUMNS = [rounds.c[name] for name in Round.__dataclass_fields__]
_MEMBER = and_(profiles.c.community == round_seats.c.community, profiles.c.number == round_seats.c.member)


@dataclass(frozen=True, slots=True)
class RoundGroup:
    """A group of a round; times are milliseconds since 1970, no `starts_at` where no time suits all."""

    number: int
    score: float
    relaxed: tuple[str, ...] = ()
    starts_at: int | None = None
    ends_at: int | None = None
    place: Mapping[str, Any] | None = None
    members: tuple[int, ...] = ()
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pins:
    """Who must, and who must not, be in one group, by the numbers of their rows."""

    together: tuple[frozenset[int], ...] = ()
    apart: tuple[frozenset[int], ...] = ()


def insert_round(write: Write, made: Round, members: Iterable[int]) -> None:
    """Insert a round, with a seat for each who is named."""
    row = {name: getattr(made, name) for name in Round.__dataclass_fields__ if name != "number"}
    row |= {"community": write.community.number, "stats": None}
    number = write.connection.execute(insert(rounds).values(row).returning(rounds.c.number)).scalar_one()
    save_seats(write, number, [Seat(member, "") for member in members])


def find_round(connection: Connection, community: int, round_id: str) -> Round | None:
    """Return a round, if there is one of this id."""
    chosen = select(*_COLUMNS).where(rounds.c.community == community, rounds.c.id == round_id)
    row = connection.execute(chosen).one_or_none()
    return _as_round(row) if row else None


def _as_round(row: Row[Any]) -> Round:
    found = dict(row._mapping)
    return Round(**found | {"stats": json.loads(found["stats"]) if found["stats"] else None})


def save_round(write: Write, after: Round) -> None:
    """Write what can change of a round."""
    stats = None if after.stats is None else json.dumps(dict(after.stats))
    names = ("state", "planned_at", "error", "published_at")
    values = {name: getattr(after, name) for name in names} | {"stats": stats}
    write.connection.execute(update(rounds).where(rounds.c.number == after.number).values(values))


def seats_of(connection: Connection, round_number: int) -> list[Seat]:
    """Return the seats of all who are still members, by id."""
    c = round_seats.c
    chosen = select(c.member, profiles.c.id, c.group_number, c.reason).join(profiles, _MEMBER)
    rows = connection.execute(chosen.where(c.round == round_number).order_by(profiles.c.id))
    return [Seat(*row) for row in rows]


def save_seats(write: Write, round_number: int, seats: Sequence[Seat]) -> None:
    """Give a round these seats alone. One member has one seat: the key sees to it."""
    here: dict[str, Any] = {"round": round_number, "community": write.community.number}
    write.connection.execute(delete(round_seats).where(round_seats.c.round == round_number))
    if seats:
        rows = [
            here | {"member": seat.member, "group_number": seat.group, "reason": seat.reason}
            for seat in seats
        ]
        write.connection.execute(insert(round_seats), rows)


def move_seats(write: Write, round_number: int, seats: Sequence[Seat]) -> None:
    """Put some members of a round elsewhere."""
    if seats:
        c = round_seats.c
        statement = update(round_seats).where(c.round == round_number, c.member == bindparam("at"))
        values: dict[str, Any] = {"group_number": bindparam("group"), "reason": bindparam("why")}
        rows = [{"at": seat.member, "group": seat.group, "why": seat.reason} for seat in seats]
        write.connection.execute(statement.values(values), rows)


def save_groups(write: Write, round_number: int, groups: Sequence[RoundGroup]) -> None:
    """Give a round these groups alone."""
    here = {"round": round_number, "community": write.community.number}
    write.connection.execute(delete(round_groups).where(round_groups.c.round == round_number))
    if groups:
        rows = [
            here
            | {name: getattr(group, name) for name in ("number", "score", "starts_at", "ends_at")}
            | {
                "relaxed": json.dumps(group.relaxed),
                "place": None if group.place is None else json.dumps(dict(group.place), ensure_ascii=False),
            }
            for group in groups
        ]
        write.connection.execute(insert(round_groups), rows)


def page_of_groups(
    connection: Connection, round_number: int, after: int = 0, limit: int | None = None
) -> list[RoundGroup]:
    """Return up to `limit` groups of two or more whose numbers follow `after`, with their members."""
    c, seat = round_groups.c, round_seats.c
    sitting = select(func.count()).where(seat.round == c.round, seat.group_number == c.number)
    chosen = select(c.number, c.score, c.relaxed, c.starts_at, c.ends_at, c.place).where(
        c.round == round_number, c.number > after, sitting.scalar_subquery() >= 2
    )
    rows = connection.execute(chosen.order_by(c.number).limit(limit)).all()
    members = _sitting_in(connection, round_number, [row.number for row in rows])
    return [
        RoundGroup(
            row.number,
            row.score,
            tuple(json.loads(row.relaxed)),
            row.starts_at,
            row.ends_at,
            json.loads(row.place) if row.place else None,
            tuple(number for number, _ in members.get(row.number, ())),
            tuple(profile_id for _, profile_id in members.get(row.number, ())),
        )
        for row in rows
    ]


def _sitting_in(
    connection: Connection, round_number: int, numbers: Sequence[int]
) -> dict[int, list[tuple[int, str]]]:
    found: dict[int, list[tuple[int, str]]] = {}
    if numbers:
        c = round_seats.c
        chosen = select(c.group_number, c.member, profiles.c.id).join(profiles, _MEMBER)
        here = chosen.where(c.round == round_number, c.group_number.between(numbers[0], numbers[-1]))
        for group, member, profile_id in connection.execute(here.order_by(profiles.c.id)):
            found.setdefault(group, []).append((member, profile_id))
    return found


def page_of_left_out(connection: Connection, round_number: int, after: str, limit: int) -> list[Seat]:
    """Return up to `limit` of those in no group whose ids follow `after`."""
    c = round_seats.c
    chosen = select(c.member, profiles.c.id, c.group_number, c.reason).join(profiles, _MEMBER)
    left = chosen.where(c.round == round_number, c.reason.is_not(None), profiles.c.id > after)
    return [Seat(*row) for row in connection.execute(left.order_by(profiles.c.id).limit(limit))]


def pins_of(connection: Connection, round_number: int) -> Pins:
    """Return a round's pins, without who is erased."""
    c = round_pins.c
    found: dict[tuple[bool, int], set[int]] = {}
    for row in connection.execute(
        select(c.together, c.pin, c.member).where(c.round == round_number).order_by(c.pin)
    ):
        found.setdefault((row.together, row.pin), set()).add(row.member)
    kinds = [
        tuple(frozenset(members) for (together, _), members in found.items() if together is kind)
        for kind in (True, False)
    ]
    return Pins(*kinds)


def save_pins(write: Write, round_number: int, pins: Pins) -> None:
    """Give a round these pins alone."""
    write.connection.execute(delete(round_pins).where(round_pins.c.round == round_number))
    here = {"round": round_number, "community": write.community.number}
    rows = [
        here | {"together": together, "pin": pin, "member": member}
        for together, sets in ((True, pins.together), (False, pins.apart))
        for pin, members in enumerate(sets)
        for member in sorted(members)
    ]
    if rows:
        write.connection.execute(insert(round_pins), rows)


def met_since(connection: Connection, community: int, since: int) -> list[tuple[int, int]]:
    """Return whom rounds published after `since` have brought together, as pairs of members' numbers."""
    one, other = round_seats.alias("one"), round_seats.alias("other")
    same = and_(
        one.c.round == other.c.round,
        one.c.group_number == other.c.group_number,
        one.c.member < other.c.member,
    )
    chosen = (
        select(one.c.member, other.c.member)
        .select_from(rounds)
        .join(one, one.c.round == rounds.c.number)
        .join(other, same)
        .where(rounds.c.community == community, rounds.c.published_at > since)
        .distinct()
    )
    return [(row[0], row[1]) for row in connection.execute(chosen)]


def left_out_last(connection: Connection, community: int) -> set[int]:
    """Return whom the round published last left out."""
    last = (
        select(rounds.c.number)
        .where(rounds.c.community == community, rounds.c.published_at.is_not(None))
        .order_by(rounds.c.published_at.desc(), rounds.c.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    c = round_seats.c
    return set(connection.execute(select(c.member).where(c.round == last, c.reason.is_not(None))).scalars())


def drafts_with(connection: Connection, community: int, member: int) -> list[tuple[int, int]]:
    """Return the drafts in which a member has a group, with the group's number."""
    c = round_seats.c
    chosen = select(c.round, c.group_number).join(rounds, rounds.c.number == c.round)
    here = (rounds.c.community == community, rounds.c.state == "draft")
    rows = connection.execute(chosen.where(*here, c.member == member, c.group_number.is_not(None)))
    return [(row.round, row.group_number) for row in rows]


def rounds_of(connection: Connection, community: int, member: int) -> list[tuple[Round, Seat]]:
    """Return the rounds in which a member has a seat, the oldest first, with that seat."""
    c = round_seats.c
    chosen = select(*_COLUMNS, c.group_number, c.reason).join(round_seats, c.round == rounds.c.number)
    rows = connection.execute(
        chosen.where(rounds.c.community == community, c.member == member).order_by(rounds.c.number)
    )
    count = len(_COLUMNS)
    names = [column.name for column in _COLUMNS]
    found = []
    for row in rows:
        values = dict(zip(names, row[:count], strict=True)) | {"stats": None}
        found.append((Round(**values), Seat(member, "", *row[count:])))
    return found


def remaining_in(connection: Connection, round_number: int, group: int) -> list[int]:
    """Return the numbers of those who sit in a group."""
    c = round_seats.c
    chosen = select(c.member).where(c.round == round_number, c.group_number == group)
    return list(connection.execute(chosen).scalars())


def forget_member(write: Write, member: int) -> None:
    """Delete a member's seats and pins."""
    for table in (round_seats, round_pins):
        write.connection.execute(delete(table).where(table.c.member == member))
