"""Meetups: rows to meetups and back, with all who were asked; always within one community."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, delete, insert, select, update

from service.records_meetups import Attendee, Meetup
from service.storage.communities import Write
from service.storage.round_tables import meetup_members, meetups, rounds
from service.storage.tables import profiles

COMING = "scheduled"
LATEST = 3
_COLUMNS = [
    meetups.c[name]
    for name in (
        "number", "id", "state", "until", "created_at", "starts_at", "ends_at", "place", "sequence", "tried",
        "due_at", "changed_at",
    )
]  # fmt: skip
IDS_PER_STATEMENT = 500


def _chosen(community: int) -> Select[Any]:
    statement = select(*_COLUMNS, rounds.c.id.label("round")).outerjoin(
        rounds, rounds.c.number == meetups.c.round
    )
    return statement.where(meetups.c.community == community)


def _read(connection: Connection, statement: Select[Any]) -> list[Meetup]:
    rows = connection.execute(statement).all()
    asked = _asked(connection, [row.number for row in rows])
    return [_as_meetup(row, asked.get(row.number, [])) for row in rows]


def _as_meetup(row: Row[Any], asked: Sequence[Attendee]) -> Meetup:
    found = dict(row._mapping)
    place = json.loads(found["place"]) if found["place"] else None
    return Meetup(
        **found | {"place": place, "tried": tuple(json.loads(found["tried"])), "asked": tuple(asked)}
    )


def _asked(connection: Connection, numbers: Sequence[int]) -> dict[int, list[Attendee]]:
    c = meetup_members.c
    found: dict[int, list[Attendee]] = {}
    for start in range(0, len(numbers), IDS_PER_STATEMENT):
        chosen = select(c.meetup, c.member, profiles.c.id, c.comes, c.reply, c.outcome, c.again).join(
            profiles, profiles.c.number == c.member
        )
        here = chosen.where(c.meetup.in_(numbers[start : start + IDS_PER_STATEMENT]))
        for row in connection.execute(here.order_by(profiles.c.id)):
            found.setdefault(row.meetup, []).append(Attendee(*row[1:]))
    return found


def insert_meetups(
    write: Write,
    made: Sequence[Meetup],
    *,
    round_number: int | None = None,
    previous: int | None = None,
) -> None:
    """Insert meetups with those who are asked; a second one after the same `previous` breaks its key."""
    if not made:
        return
    here = {"community": write.community.number, "round": round_number, "previous": previous}
    write.connection.execute(insert(meetups), [here | {"id": one.id} | _as_row(one) for one in made])
    numbers: dict[str, int] = {}
    for start in range(0, len(made), IDS_PER_STATEMENT):
        ids = [one.id for one in made[start : start + IDS_PER_STATEMENT]]
        chosen = select(meetups.c.id, meetups.c.number).where(meetups.c.id.in_(ids))
        numbers |= {row.id: row.number for row in write.connection.execute(chosen)}
    rows = [
        {"meetup": numbers[one.id], "member": who.number, "community": here["community"], "comes": True}
        for one in made
        for who in one.asked
    ]
    write.connection.execute(insert(meetup_members), rows)


def _as_row(meetup: Meetup) -> dict[str, Any]:
    names = (
        "state", "starts_at", "ends_at", "until", "sequence", "due_at", "created_at", "changed_at",
    )  # fmt: skip
    return {name: getattr(meetup, name) for name in names} | {
        "place": None if meetup.place is None else json.dumps(dict(meetup.place), ensure_ascii=False),
        "tried": json.dumps(meetup.tried),
    }


def save_meetup(write: Write, before: Meetup, after: Meetup) -> None:
    """Write what became of a meetup and of those who were asked."""
    if (row := _as_row(after)) != _as_row(before):
        write.connection.execute(update(meetups).where(meetups.c.number == after.number).values(row))
    known = {who.number: who for who in before.asked}
    changed = [who for who in after.asked if known.get(who.number) != who]
    if changed:
        c = meetup_members.c
        names = ("comes", "reply", "outcome", "again")
        statement = update(meetup_members).where(c.meetup == after.number, c.member == bindparam("at"))
        rows = [{"at": who.number} | {f"new_{name}": getattr(who, name) for name in names} for who in changed]
        write.connection.execute(statement.values({name: bindparam(f"new_{name}") for name in names}), rows)


def find_meetup(connection: Connection, community: int, meetup_id: str) -> Meetup | None:
    """Return a meetup, if there is one of this id."""
    found = _read(connection, _chosen(community).where(meetups.c.id == meetup_id))
    return found[0] if found else None


def has_next(connection: Connection, meetup: Meetup) -> bool:
    """Tell whether there is a meetup already that all wanted after this one."""
    chosen = select(meetups.c.number).where(meetups.c.previous == meetup.number)
    return connection.execute(chosen).first() is not None


def page_of_meetups(
    connection: Connection,
    community: int,
    after: str,
    limit: int,
    *,
    profile: str | None = None,
    round_id: str | None = None,
) -> list[Meetup]:
    """Return up to `limit` meetups whose ids follow `after`: of a round, or those that a member comes to."""
    chosen = _chosen(community).where(meetups.c.id > after)
    if profile is not None:
        c = meetup_members.c
        theirs = select(c.meetup).join(profiles, profiles.c.number == c.member)
        of_them = (profiles.c.community == community, profiles.c.id == profile, c.comes.is_(True))
        chosen = chosen.where(meetups.c.number.in_(theirs.where(*of_them)))
    if round_id is not None:
        chosen = chosen.where(rounds.c.id == round_id)
    return _read(connection, chosen.order_by(meetups.c.id).limit(limit))


def meetups_asked(connection: Connection, community: int, member: int) -> list[Meetup]:
    """Return every meetup to which a member was asked, the oldest first."""
    mine = select(meetup_members.c.meetup).where(meetup_members.c.member == member)
    return _read(connection, _chosen(community).where(meetups.c.number.in_(mine)).order_by(meetups.c.id))


def shared_coming(connection: Connection, community: int, one: int, other: int) -> list[Meetup]:
    """Return the coming meetups to which two members come."""
    c = meetup_members.c
    both = [
        meetups.c.number.in_(select(c.meetup).where(c.member == member, c.comes.is_(True)))
        for member in (one, other)
    ]
    return _read(connection, _chosen(community).where(meetups.c.state == COMING, *both))


def busy_times(
    connection: Connection, community: int, members: Sequence[int], without: Meetup | None = None
) -> dict[int, list[tuple[int, int]]]:
    """Return when members have coming meetups already, besides this one."""
    c = meetup_members.c
    found: dict[int, list[tuple[int, int]]] = {}
    for start in range(0, len(members), IDS_PER_STATEMENT):
        some = members[start : start + IDS_PER_STATEMENT]
        chosen = select(c.member, meetups.c.starts_at, meetups.c.ends_at).join(
            meetups, meetups.c.number == c.meetup
        )
        here = chosen.where(
            meetups.c.community == community,
            meetups.c.state == COMING,
            meetups.c.starts_at.is_not(None),
            meetups.c.number != (without.number if without else 0),
            c.member.in_(some),
            c.comes.is_(True),
        )
        for member, begins, ends in connection.execute(here):
            found.setdefault(member, []).append((begins, ends))
    return found


def meetups_due(connection: Connection, community: int, now: int, limit: int) -> list[Meetup]:
    """Return the meetups whose members are to be asked how it went."""
    chosen = _chosen(community).where(meetups.c.due_at <= now)
    return _read(connection, chosen.order_by(meetups.c.due_at, meetups.c.number).limit(limit))


def note_missed(write: Write, meetup: Meetup, missed: Iterable[int], answered: Iterable[int]) -> None:
    """Note who had said nothing when a meetup was over, and who had."""
    c = meetup_members.c
    for members, value in ((list(missed), True), (list(answered), False)):
        if members:
            here = (c.meetup == meetup.number, c.member.in_(members))
            write.connection.execute(update(meetup_members).where(*here).values(missed=value))


def missed_lately(connection: Connection, members: Sequence[int]) -> list[int]:
    """Return those of these members who said nothing of their latest three meetups that are over."""
    c = meetup_members.c
    latest: dict[int, list[bool]] = {}
    for start in range(0, len(members), IDS_PER_STATEMENT):
        chosen = select(c.member, c.missed).join(meetups, meetups.c.number == c.meetup)
        here = and_(c.member.in_(members[start : start + IDS_PER_STATEMENT]), c.missed.is_not(None))
        order = (c.member, meetups.c.until.desc(), meetups.c.number.desc())
        for member, missed in connection.execute(chosen.where(here).order_by(*order)):
            latest.setdefault(member, []).append(missed)
    return [member for member, said in latest.items() if len(said) >= LATEST and all(said[:LATEST])]


def forgive(write: Write, members: Sequence[int]) -> None:
    """Count what these members missed until now no more."""
    for start in range(0, len(members), IDS_PER_STATEMENT):
        some = members[start : start + IDS_PER_STATEMENT]
        c = meetup_members.c
        here = (c.member.in_(some), c.missed.is_(True))
        write.connection.execute(update(meetup_members).where(*here).values(missed=False))


def forget_member(write: Write, member: int) -> None:
    """Delete all that is kept of a member's meetups."""
    write.connection.execute(delete(meetup_members).where(meetup_members.c.member == member))


def without(meetup: Meetup, member: int) -> Meetup:
    """Return a meetup to which a member comes no more."""
    asked = [replace(who, comes=False) if who.number == member else who for who in meetup.asked]
    return replace(meetup, asked=tuple(asked))
