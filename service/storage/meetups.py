"""Meetups, as far as calendars read them.

A stub: there are no meetups before rounds are merged, which brings the table and replaces this module.
"""

from sqlalchemy import Connection

from service.records import Member
from service.records_meetups import MeetupView


def meetups_of(connection: Connection, community: int, member: Member) -> list[MeetupView]:
    """Return one member's meetups, on their own clock, with the names that they are shown."""
    return []
