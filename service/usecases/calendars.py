"""Members' calendars: a secret address each, and what is read there.

The secret is a nonce and its keyed hash under the community's secret: it can be shown again after any
restart, and who reads the table of nonces alone can open no calendar.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from service.errors import NotFound, Stale
from service.records import Community, Member, content_hash
from service.records_meetups import MeetupView
from service.storage import calendar_feeds, communities
from service.storage.database import Database
from service.storage.session import Session
from service.usecases.meetup_views import views_of
from service.usecases.profiles import Condition
from service.usecases.responses import find_member

NONCE_DIGITS = 32
CONTENT_TYPE = "text/calendar; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Calendar:
    """One member's calendar, found by its secret."""

    community: Community
    member: Member


def address_of(session: Session, community: Community, member: Member) -> str:
    """Return the secret of a member's address; they are given one when it is first asked for."""
    feed = session.find_feed(member)
    if feed is None:
        with session.write() as write:
            # Looked up again: another may have asked at the same time, or the member be erased.
            there = find_member(write, member.record.id)
            feed = calendar_feeds.find_feed(write.connection, there)
            feed = feed or calendar_feeds.set_feed(write, there, _new_nonce())
    return _secret(community, feed.nonce)


def change_address(session: Session, profile_id: str, holds: Condition) -> None:
    """Give a member another address; what was read at the old one is found no more."""
    with session.write() as write:
        member = find_member(write, profile_id)
        feed = calendar_feeds.find_feed(write.connection, member)
        if not holds(etag_of(_secret(write.community, feed.nonce)) if feed else None):
            raise Stale("The address has changed since it was read.")
        calendar_feeds.set_feed(write, member, _new_nonce())


def etag_of(secret: str) -> str:
    """Return a hash of an address."""
    return content_hash(["calendar", secret])


def find_calendar(database: Database, secret: str) -> Calendar:
    """Return whose calendar has this secret, or raise `NotFound`."""
    nonce = secret[:NONCE_DIGITS]
    with database.read() as connection:
        found = calendar_feeds.find_owner(connection, nonce)
        community = communities.find_by_number(connection, found[0]) if found else None
    if found is None or community is None or not hmac.compare_digest(secret, _secret(community, nonce)):
        raise NotFound("There is no such calendar.")
    return Calendar(community, found[1])


def read_calendar(database: Database, calendar: Calendar) -> bytes:
    """Return a member's meetups as iCalendar."""
    return write_calendar(calendar, views_of(database, calendar.community, calendar.member))


def write_calendar(calendar: Calendar, meetups: Iterable[MeetupView]) -> bytes:
    """Return these meetups as the member's calendar."""
    from service.integrations.calendar import calendar_feed  # a third of a second that no start need wait

    return calendar_feed(meetups, calendar.community.name)


def write_meetup(meetup: MeetupView, community: Community) -> bytes:
    """Return one meetup as an invitation, or as its cancellation."""
    from service.integrations.calendar import meetup_file

    return meetup_file(meetup, community.id, community.name)


def _new_nonce() -> str:
    return secrets.token_hex(NONCE_DIGITS // 2)


def _secret(community: Community, nonce: str) -> str:
    key = bytes.fromhex(community.secret)
    # The words keep these hashes apart from members' codes, which are made with the same key.
    return nonce + hmac.new(key, f"calendar feed {nonce}".encode(), hashlib.sha256).hexdigest()[:NONCE_DIGITS]
