"""Every row of a community, to see that a call changed nothing, or nothing of somebody else's."""

from __future__ import annotations

from sqlalchemy import select

from service.storage.tables import communities, metadata
from tests.harness import Kith


def rows_of(kith: Kith) -> dict[str, list[str]]:
    """Return all rows that belong to this community, by table, as text."""
    with kith.database.read() as connection:
        own = select(communities).where(communities.c.id == kith.community)
        community = connection.execute(own).one()
        found = {
            name: sorted(
                repr(row)
                for row in connection.execute(select(table).where(table.c.community == community.number))
            )
            for name, table in metadata.tables.items()
            if "community" in table.c
        }
    return found | {"communities": [repr(community)]}
