"""Webhooks: who is told of what happens in a community, and the secret with which it is signed."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, Row, bindparam, delete, insert, select, update

from service.storage.communities import Write
from service.storage.tables import webhooks

_COLUMNS = [webhooks.c.id, webhooks.c.url, webhooks.c.events, webhooks.c.created_at]
_MOST = 2**31 - 1
# Built once: every event asks for them.
_LIST = (
    select(*_COLUMNS)
    .where(webhooks.c.community == bindparam("asked"), webhooks.c.id > bindparam("after"))
    .order_by(webhooks.c.id)
    .limit(bindparam("most", type_=Integer))
)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook as it is listed: never with its secret."""

    id: str
    url: str
    events: tuple[str, ...]
    created_at: int


def _as_webhook(row: Row[Any]) -> Webhook:
    return Webhook(row.id, row.url, tuple(json.loads(row.events)), row.created_at)


def insert_webhook(write: Write, webhook: Webhook, secret: str) -> None:
    """Keep a new webhook with its secret."""
    write.connection.execute(
        insert(webhooks).values(
            id=webhook.id,
            community=write.community.number,
            url=webhook.url,
            events=json.dumps(webhook.events),
            secret=secret,
            created_at=webhook.created_at,
        )
    )


def find_webhook(connection: Connection, community: int, webhook_id: str) -> Webhook | None:
    """Return a community's webhook, if there is one of this id."""
    chosen = select(*_COLUMNS).where(webhooks.c.community == community, webhooks.c.id == webhook_id)
    row = connection.execute(chosen).one_or_none()
    return _as_webhook(row) if row else None


def list_webhooks(
    connection: Connection, community: int, after: str = "", limit: int | None = None
) -> Sequence[Webhook]:
    """Return a community's webhooks whose ids follow `after`, in the order of their bytes."""
    asked = {"asked": community, "after": after, "most": _MOST if limit is None else limit}
    return [_as_webhook(row) for row in connection.execute(_LIST, asked)]


def update_webhook(write: Write, webhook: Webhook) -> None:
    """Write a webhook's address and events anew; its secret stays."""
    here = (webhooks.c.community == write.community.number, webhooks.c.id == webhook.id)
    values = {"url": webhook.url, "events": json.dumps(webhook.events)}
    write.connection.execute(update(webhooks).where(*here).values(values))


def delete_webhook(write: Write, webhook_id: str) -> None:
    """Delete a webhook; what was still to be sent to it goes with it."""
    here = (webhooks.c.community == write.community.number, webhooks.c.id == webhook_id)
    write.connection.execute(delete(webhooks).where(*here))
