"""A session: one request's or job's hold on one community. Nothing reaches another community through it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection

from service.records import ApiKey, Community, Member, Pair, ProfileRecord, Report
from service.storage import acquaintances, api_keys, pairs, profiles, reports, unserved
from service.storage.communities import Write, write
from service.storage.database import Database
from service.storage.pairs import Listed
from service.storage.unserved import Unserved

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
        """Return, by id, how many acquaintances others have in common with a member; none where it is off."""
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

    def list_keys(self, after: str, limit: int) -> Sequence[ApiKey]:
        """Return up to `limit` keys whose ids follow `after`."""
        return self._read(lambda connection: api_keys.list_keys(connection, self._community, after, limit))

    def _read(self, statement: Callable[[Connection], T]) -> T:
        with self._database.read() as connection:
            return statement(connection)
