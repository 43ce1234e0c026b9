"""A session: one request's or job's hold on one community. Nothing reaches another community through it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import Connection

from service.records import ApiKey, Member
from service.storage import api_keys, profiles
from service.storage.communities import Write, write
from service.storage.database import Database

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

    def list_keys(self, after: str, limit: int) -> Sequence[ApiKey]:
        """Return up to `limit` keys whose ids follow `after`."""
        return self._read(lambda connection: api_keys.list_keys(connection, self._community, after, limit))

    def _read(self, statement: Callable[[Connection], T]) -> T:
        with self._database.read() as connection:
            return statement(connection)
