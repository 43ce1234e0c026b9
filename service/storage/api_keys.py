"""API keys: rows that hold a digest, never the key."""

import json
from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from service.records import ApiKey
from service.storage.communities import Write
from service.storage.tables import api_keys


def insert_key(write: Write, key: ApiKey, digest: str) -> None:
    """Keep a new key by its digest."""
    write.connection.execute(
        insert(api_keys).values(
            id=key.id,
            community=write.community.number,
            name=key.name,
            digest=digest,
            scopes=json.dumps(key.scopes),
            created_at=key.created_at,
        )
    )


def list_keys(
    connection: Connection, community: int, after: str = "", limit: int | None = None
) -> Sequence[ApiKey]:
    """Return a community's keys whose ids follow `after`, in the order of their bytes."""
    chosen = select(api_keys).where(api_keys.c.community == community, api_keys.c.id > after)
    rows = connection.execute(chosen.order_by(api_keys.c.id).limit(limit))
    return [ApiKey(row.id, row.name, tuple(json.loads(row.scopes)), row.created_at) for row in rows]


def delete_key(write: Write, key_id: str) -> None:
    """Delete a key; it stops working with the commit."""
    write.connection.execute(
        delete(api_keys).where(api_keys.c.community == write.community.number, api_keys.c.id == key_id)
    )
