"""Meetups: read, arranged for people who know each other, and answered by those who are asked."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from service.errors import Conflict, Invalid, NotFound
from service.records import DAY_MS, Member
from service.records_meetups import Attendee, Meetup, Round, Seat
from service.storage import meetups, profiles, rounds
from service.storage import pairs as pair_rows
from service.storage.communities import Write
from service.storage.session import Session
from service.storage.venues import all_venues
from service.usecases import pairs
from service.usecases.attendance import leave, tell
from service.usecases.gatherings import DAYS_AHEAD, NOTICE_MS, Span, find_time_and_place
from service.usecases.publishing import new_meetup
from service.usecases.round_rules import time_of

UNKNOWN = "There is no such profile."


def read_meetup(session: Session, meetup_id: str) -> Meetup:
    """Return a meetup, or raise `NotFound`."""
    found = session.read(lambda connection, here: meetups.find_meetup(connection, here, meetup_id))
    if found is None:
        raise NotFound("There is no such meetup.")
    return found


def page_of_meetups(
    session: Session, after: str, limit: int, profile: str | None, round_id: str | None
) -> list[Meetup]:
    """Return up to `limit` meetups whose ids follow `after`, of a member or a round where one is named."""
    return session.read(
        lambda connection, here: meetups.page_of_meetups(
            connection, here, after, limit, profile=profile, round_id=round_id
        )
    )


def gatherings_of(session: Session, member: Member) -> tuple[list[Meetup], list[tuple[Round, Seat]]]:
    """Return every meetup to which a member was asked, and their seat in every round."""
    asked = session.read(lambda connection, here: meetups.meetups_asked(connection, here, member.number))
    return asked, session.read(lambda connection, here: rounds.rounds_of(connection, here, member.number))


def find_meetup(write: Write, meetup_id: str) -> Meetup:
    """Return a meetup inside an open write, or raise `NotFound`."""
    found = meetups.find_meetup(write.connection, write.community.number, meetup_id)
    if found is None:
        raise NotFound("There is no such meetup.")
    return found


def arrange_meetup(session: Session, ids: Sequence[str]) -> Meetup:
    """Arrange a meetup for people who are all connected, within two weeks."""
    with session.write() as write:
        found = profiles.find_members(write.connection, write.community.number, ids)
        unknown = {f"members.{place}": [UNKNOWN] for place, name in enumerate(ids) if name not in found}
        if unknown:
            raise Invalid(unknown)
        if len(found) < len(ids):
            raise Invalid({"members": ["Must not name anybody twice."]})
        members = [found[name] for name in ids]
        if not _know_each_other(write, members):
            raise Invalid({"members": ["Must all be connected to each other."]})
        return arrange(write, members)


def arrange(write: Write, members: Sequence[Member], previous: Meetup | None = None) -> Meetup:
    """Arrange a meetup within two weeks, of now or of the one before, at the first time that suits all."""
    earliest = write.now + NOTICE_MS
    if previous and previous.ends_at:
        earliest = max(earliest, previous.ends_at + DAY_MS)
    between = (earliest, earliest - NOTICE_MS + DAYS_AHEAD * DAY_MS)
    public = [member.public() for member in members]
    here, numbers = write.community.number, [member.number for member in members]
    busy = meetups.busy_times(write.connection, here, numbers)
    taken = [span for spans in busy.values() for span in spans]
    found = find_time_and_place(public, between, taken, venues=all_venues(write.connection, here))
    made = new_meetup(write, members, found, between[1])
    meetups.insert_meetups(write, [made], previous=previous.number if previous else None)
    tell(write, "meetup.scheduled", [made])
    return made


def _know_each_other(write: Write, members: Sequence[Member]) -> bool:
    twos = list(combinations(members, 2))
    if any(write.community.parts(one.record, other.record) for one, other in twos):
        return False
    codes = [(one.code, other.code) for one, other in twos]
    found = pair_rows.find_pairs(write.connection, write.community.number, codes)
    return sum(pairs.is_connected(pair) for pair in found) == len(twos)


def reply(session: Session, meetup_id: str, profile_id: str, said: str) -> Meetup:
    """Record whether somebody comes. A `no` takes them out; for `other_time` another is sought."""
    with session.write() as write:
        before = find_meetup(write, meetup_id)
        who = attendee(before, profile_id)
        if before.state != meetups.COMING:
            raise Conflict(f"The meetup is {before.state}.")
        answered = with_attendee(before, replace(who, reply=said, comes=said != "no"))
        if said == "no":
            return leave(write, before, answered)
        after = _moved(write, answered, who) if said == "other_time" else answered
        meetups.save_meetup(write, before, after)
        if after.starts_at != before.starts_at:
            tell(write, "meetup.changed", [after])
        return after


def attendee(meetup: Meetup, profile_id: str) -> Attendee:
    """Return the one of this id who is asked to a meetup, or raise `Invalid`."""
    for one in meetup.attendees:
        if one.id == profile_id:
            return one
    raise Invalid({"profile": ["Is not asked to this meetup."]})


def with_attendee(meetup: Meetup, after: Attendee) -> Meetup:
    """Return a meetup in which this is what one of those asked has said."""
    return replace(meetup, asked=tuple(after if one.number == after.number else one for one in meetup.asked))


def _moved(write: Write, meetup: Meetup, asking: Attendee) -> Meetup:
    """Return the meetup at another time, if one suits all; what the others said was of the time before."""
    here = write.community.number
    found = profiles.find_members(write.connection, here, [one.id for one in meetup.attendees])
    members = [member.public() for member in found.values()]
    numbers = [one.number for one in meetup.attendees]
    busy = meetups.busy_times(write.connection, here, numbers, without=meetup)
    tried = (*meetup.tried, *([] if meetup.starts_at is None else [meetup.starts_at]))
    taken = [span for spans in busy.values() for span in spans] + [(at, at + 1) for at in tried]
    venues = all_venues(write.connection, here)
    other = find_time_and_place(members, _when(write, meetup), taken, venues=venues)
    if other is None:
        return meetup
    asked = [
        one if one.number == asking.number or not one.comes else replace(one, reply=None)
        for one in meetup.asked
    ]
    return replace(
        meetup,
        starts_at=other.at[0],
        ends_at=other.at[1],
        place=other.place,
        due_at=other.at[1],
        tried=tried,
        sequence=meetup.sequence + 1,
        changed_at=write.now,
        asked=tuple(asked),
    )


def _when(write: Write, meetup: Meetup) -> Span:
    planned = meetup.round and rounds.find_round(write.connection, write.community.number, meetup.round)
    return time_of(planned, write.now) if planned else (write.now + NOTICE_MS, meetup.until)
