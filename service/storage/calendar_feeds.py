"""The addresses of members' calendars: a nonce a member, from which their secret is derived."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from service.records import Member
from service.storage import profiles
from service.storage.communities import Write
from service.storage.tables import calendar_feeds
from service.storage.tables import profiles as profile_table
from service.storage.upsert import upsert


class Feed(NamedTuple):
    """What a member's address is made of, and since when it is theirs."""

    nonce: str
    created_at: int


def find_feed(connection: Connection, member: Member) -> Feed | None:
    """Return what a member's address is made of, if they have one."""
    columns = calendar_feeds.c
    chosen = select(columns.nonce, columns.created_at).where(columns.member == member.number)
    row = connection.execute(chosen).one_or_none()
    return Feed(*row) if row else None


def find_owner(connection: Connection, nonce: str) -> tuple[int, Member] | None:
    """Return the member whose address is made of this, with the number of their community."""
    chosen = (
        select(calendar_feeds.c.community, *profiles.COLUMNS)
        .join(calendar_feeds, calendar_feeds.c.member == profile_table.c.number)
        .where(calendar_feeds.c.nonce == nonce)
    )
    row = connection.execute(chosen).one_or_none()
    return (row.community, profiles.as_member(row)) if row else None


def set_feed(write: Write, member: Member, nonce: str) -> Feed:
    """Give a member an address, in place of any that they had."""
    here = write.community.number
    row = {"community": here, "member": member.number, "nonce": nonce, "created_at": write.now}
    upsert(write.connection, calendar_feeds, [row])
    return Feed(nonce, write.now)
