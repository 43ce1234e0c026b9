"""A session: one request's or job's hold on one community. Nothing reaches another community through it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection

from service.records import ApiKey, Community, Member, Pair, ProfileRecord, Report
from service.records_meetups import VenueRecord
from service.storage import (
    acquaintances,
    api_keys,
    calendar_feeds,
    deliveries,
    pairs,
    profiles,
    reports,
    unserved,
    venues,
    webhooks,
)
from service.storage.calendar_feeds import Feed
from service.storage.communities import Write, write
from service.storage.database import Database
from service.storage.deliveries import Delivery
from service.storage.pairs import Listed
from service.storage.unserved import Unserved
from service.storage.webhooks import Webhook

T = TypeVar("T")


class Session:
    """Reads of one community, and at most one write of it at a time."""

    def __init__(self, database: Database, community: int) -> None:
        self._database = database
        self._community = community
        self._open: Write | None = None

    @contextmanager
    def write(self) -> Iterator[Write]:
        """Yield the open write, or open one that is committed at the end.

        An inner use joins the outer one: that is how an answer is kept in the transaction that causes it.
        """
        if self._open is not None:
            yield self._open
            return
        with write(self._database, self._community) as opened:
            self._open = opened
            try:
                yield opened
            finally:
                self._open = None

    def find_member(self, profile_id: str) -> Member | None:
        """Return the member of this id, if there is one."""
        return self._read(
            lambda connection: profiles.find_members(connection, self._community, [profile_id])
        ).get(profile_id)

    def page_of_members(self, after: str, limit: int) -> list[Member]:
        """Return up to `limit` members whose ids follow `after`."""
        return self._read(
            lambda connection: profiles.page_of_members(connection, self._community, after, limit)
        )

    def pairs_of(self, code: str) -> list[tuple[str | None, Pair]]:
        """Return all pairs of one member with the ids of the others; None for who is erased."""
        return self._read(lambda connection: pairs.pairs_of(connection, self._community, code))

    def acquaintances_of(self, community: Community, member: Member) -> dict[str, int]:
        """Return, by id, the step of the acquaintances in common with a member; nothing where it is off."""
        if not community.acquaintances:
            return {}
        return self._read(lambda connection: acquaintances.acquaintances_of(connection, community, member))

    def page_of_unserved(self, after: str, limit: int) -> list[tuple[Member, Unserved]]:
        """Return up to `limit` of those left without suggestions whose ids follow `after`."""
        return self._read(
            lambda connection: unserved.page_of_unserved(connection, self._community, after, limit)
        )

    def page_of_pairs(self, code: str, listed: Listed, **options: Any) -> list[tuple[str, str, Pair]]:
        """Return some of a member's pairs of one kind with the others' ids and names, the newest first."""
        return self._read(
            lambda connection: pairs.page_of_pairs(connection, self._community, code, listed, **options)
        )

    def page_of_blocks(
        self, code: str, after: str, limit: int
    ) -> list[tuple[str, ProfileRecord | None, Pair]]:
        """Return up to `limit` of those whom a member blocks, whose ids follow `after`."""
        return self._read(
            lambda connection: pairs.page_of_blocks(connection, self._community, code, after, limit)
        )

    def page_of_reports(self, after: str, limit: int) -> list[Report]:
        """Return up to `limit` reports whose ids follow `after`."""
        return self._read(
            lambda connection: reports.page_of_reports(connection, self._community, after, limit)
        )

    def reports_by(self, code: str) -> list[Report]:
        """Return what one member reported."""
        return self._read(lambda connection: reports.reports_by(connection, self._community, code))

    def find_venue(self, venue_id: str) -> VenueRecord | None:
        """Return the venue of this id, if there is one."""
        return self._read(lambda connection: venues.find_venues(connection, self._community, [venue_id])).get(
            venue_id
        )

    def find_feed(self, member: Member) -> Feed | None:
        """Return what the address of a member's calendar is made of, if they have one."""
        return self._read(lambda connection: calendar_feeds.find_feed(connection, member))

    def list_keys(self, after: str, limit: int) -> Sequence[ApiKey]:
        """Return up to `limit` keys whose ids follow `after`."""
        return self._read(lambda connection: api_keys.list_keys(connection, self._community, after, limit))

    def read(self, statement: Callable[[Connection, int], T]) -> T:
        """Return what a statement reads of this community, given by its number."""
        return self._read(lambda connection: statement(connection, self._community))

    def list_webhooks(self, after: str, limit: int) -> Sequence[Webhook]:
        """Return up to `limit` webhooks whose ids follow `after`."""
        return self._read(
            lambda connection: webhooks.list_webhooks(connection, self._community, after, limit)
        )

    def find_webhook(self, webhook_id: str) -> Webhook | None:
        """Return the webhook of this id, if there is one."""
        return self._read(lambda connection: webhooks.find_webhook(connection, self._community, webhook_id))

    def page_of_deliveries(self, webhook_id: str, after: str, limit: int) -> list[Delivery]:
        """Return up to `limit` deliveries to a webhook whose ids follow `after`."""
        return self._read(
            lambda connection: deliveries.page_of_deliveries(
                connection, self._community, webhook_id, after, limit
            )
        )

    def _read(self, statement: Callable[[Connection], T]) -> T:
        with self._database.read() as connection:
            return statement(connection)
