"""Communities: their rows, and the lock by which a community's writes take turns."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, union, update

from service.errors import NotFound
from service.records import Community
from service.storage.clock import NOW
from service.storage.database import Database
from service.storage.round_tables import meetups
from service.storage.stamps import new_stamp
from service.storage.tables import communities, pairs, profiles

COLUMNS = [column for column in communities.c if column.name != "created_at"]
_JSON = ("facet_weights", "admin_attributes", "separate_by")
# Built once: building a statement takes longer than running it.
_BY_NUMBER = communities.c.number == bindparam("asked")
_LOCKED = {dialect: select(*COLUMNS, now).where(_BY_NUMBER).with_for_update() for dialect, now in NOW.items()}
# But for its number: SQLite would look through all that is the community's for rows that name the old one.
_CHANGING = [column.name for column in COLUMNS if column.name != "number"]
_UPDATE = update(communities).where(_BY_NUMBER).values({name: bindparam(name) for name in _CHANGING})


class Write:
    """One transaction of one community.

    The community's row is locked first and updated last, so change numbers commit in order.
    """

    def __init__(self, connection: Connection, community: Community, now: int) -> None:
        self.connection = connection
        self.community = community
        self.now = now
        self._changed = False
        self._stamp = ""

    @property
    def number(self) -> int:
        """The change number of this transaction; asking for it makes it a change."""
        if not self._changed:
            self._changed = True
            self.community = replace(self.community, change_number=self.community.change_number + 1)
        return self.community.change_number

    def stamp(self) -> str:
        """Return the stamp of this change, the same for all that it stamps: one row tells of the others."""
        self._stamp = self._stamp or new_stamp(self.number)
        return self._stamp

    def settle(self, community: Community) -> None:
        """Give the community new settings or a new model, written at the end."""
        self.community = replace(community, change_number=self.number)

    def finish(self) -> None:
        """Write the community's row, once for all that the transaction did."""
        if self._changed:
            row = as_row(self.community)
            row["asked"] = row.pop("number")
            self.connection.execute(_UPDATE, row)


@contextmanager
def write(database: Database, number: int) -> Iterator[Write]:
    """Open a write in this community, or raise `NotFound`."""
    with database.write() as connection:
        # The lock comes first: two writers of a community never read the same state.
        row = connection.execute(_LOCKED[database.dialect], {"asked": number}).one_or_none()
        if row is None:
            raise NotFound("There is no such community.")
        transaction = Write(connection, as_community(row), database.clock.shift(row.now))
        yield transaction
        transaction.finish()


def communities_due(database: Database) -> list[int]:
    """Return the numbers of the communities in which something has ended by time."""
    with database.read() as connection:
        now = database.now(connection)
        due = [select(table.c.community).where(table.c.due_at <= now) for table in (profiles, pairs, meetups)]
        return list(connection.execute(union(*due)).scalars())


def insert_community(connection: Connection, community: Community, now: int) -> Community:
    """Insert a community and return it with its number."""
    values = as_row(community) | {"created_at": now}
    del values["number"]
    result = connection.execute(insert(communities).values(values).returning(communities.c.number))
    return replace(community, number=result.scalar_one())


def with_members(community: Community, more: int) -> Community:
    """Return a community with so many more members."""
    return replace(community, members=community.members + more)


def delete_row(connection: Connection, community: Community) -> None:
    """Delete a community; all that is its own goes with it."""
    connection.execute(delete(communities).where(communities.c.number == community.number))


def find_community(connection: Connection, community_id: str) -> Community:
    """Return the community of this public id, or raise `NotFound`."""
    row = connection.execute(select(*COLUMNS).where(communities.c.id == community_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no community {community_id}.")
    return as_community(row)


def find_by_number(connection: Connection, number: int) -> Community | None:
    """Return the community of this number, if there is one."""
    row = connection.execute(select(*COLUMNS).where(communities.c.number == number)).one_or_none()
    return as_community(row) if row else None


def find_change_number(connection: Connection, number: int) -> int:
    """Return a community's newest change number, -1 where there is no such community."""
    chosen = select(communities.c.change_number).where(communities.c.number == number)
    found = connection.execute(chosen).scalar()
    return -1 if found is None else found


def as_community(row: Row[*tuple[Any, ...]]) -> Community:
    """Return the community in a row that holds `COLUMNS`."""
    found = row._mapping
    values = {column.name: found[column] for column in COLUMNS}
    loaded = {name: json.loads(values[name]) if values[name] else None for name in _JSON}
    lists = {name: tuple(loaded[name] or ()) for name in ("admin_attributes", "separate_by")}
    return Community(**{**values, **loaded, **lists})


def as_row(community: Community) -> dict[str, Any]:
    """Return the columns of a community's row."""
    row = {column.name: getattr(community, column.name) for column in COLUMNS}
    weights = community.facet_weights
    return row | {
        "facet_weights": json.dumps(dict(weights)) if weights is not None else None,
        "admin_attributes": json.dumps(community.admin_attributes),
        "separate_by": json.dumps(community.separate_by),
    }
