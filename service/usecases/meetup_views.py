"""Meetups as calendars show them: one to anybody who is handed it, and all of one member's."""

from collections.abc import Mapping, Sequence
from typing import Any

from service.errors import NotFound
from service.records import Access, Community, Member
from service.records_meetups import Meetup, MeetupPlace, MeetupView
from service.storage import meetups, profiles
from service.storage.database import Database
from service.storage.loaded import LoadedCommunities
from service.storage.session import Session
from service.usecases.gatherings import describe
from service.usecases.meetups import read_meetup


def view_meetup(loaded: LoadedCommunities, session: Session, access: Access, meetup_id: str) -> MeetupView:
    """Return a meetup as a calendar shows it; `NotFound` where it has no time."""
    meetup = read_meetup(session, meetup_id)
    ids = [one.id for one in meetup.attendees]
    told = describe(loaded, session, access, [ids])[0]
    found = session.read(lambda connection, here: profiles.find_members(connection, here, ids))
    names = [found[name].record.name for name in ids if name in found]
    view = _view(meetup, names, told.timezone, None, told.reasons, told.openers)
    if view is None:
        raise NotFound("No time is known of this meetup.")
    return view


def views_of(database: Database, community: Community, member: Member) -> list[MeetupView]:
    """Return a member's meetups on their own clock, with those they were taken out of as cancelled.

    Who blocks the member is as if erased.
    """
    session = Session(database, community.number)
    asked = session.read(lambda connection, here: meetups.meetups_asked(connection, here, member.number))
    blocking = {
        peer for peer, pair in session.pairs_of(member.code) if peer and pair.theirs.blocked_at is not None
    }
    hidden = {member.record.id, *blocking}
    groups = [[one.id for one in meetup.attendees if one.id not in hidden] for meetup in asked]
    ids = sorted({name for group in groups for name in group})
    found = session.read(lambda connection, here: profiles.find_members(connection, here, ids))
    views = [
        _view(meetup, [found[name].record.name for name in group], member.record.timezone, member)
        for meetup, group in zip(asked, groups, strict=True)
    ]
    return [view for view in views if view is not None]


def _view(
    meetup: Meetup,
    names: Sequence[str],
    zone: str | None,
    viewer: Member | None = None,
    reasons: tuple[str, ...] = (),
    openers: tuple[str, ...] = (),
) -> MeetupView | None:
    if meetup.starts_at is None or meetup.ends_at is None:
        return None
    comes = viewer is None or any(one.number == viewer.number for one in meetup.attendees)
    return MeetupView(
        id=meetup.id,
        names=tuple(names),
        starts_at=meetup.starts_at,
        ends_at=meetup.ends_at,
        changed_at=meetup.changed_at,
        sequence=meetup.sequence,
        cancelled=meetup.state == "cancelled" or not comes,
        zone=None if zone == "UTC" else zone,
        place=_place(meetup.place) if comes else None,
        reasons=reasons,
        openers=openers,
    )


def _place(place: Mapping[str, Any] | None) -> MeetupPlace | None:
    return None if place is None else MeetupPlace(place["name"], **place["location"])
