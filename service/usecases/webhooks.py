"""Webhooks: added, changed and deleted by a community's admins; deliveries sent again, and tried out."""

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from service.errors import Conflict, Invalid, NotFound, Stale
from service.integrations.addresses import is_refused_literally
from service.records import content_hash
from service.storage import deliveries, webhooks
from service.storage.communities import Write
from service.storage.deliveries import Delivery
from service.storage.session import Session
from service.storage.webhooks import Webhook

MOST_WEBHOOKS = 20
SECRET_BYTES = 32
TEST = "webhook.test"


def create_webhook(
    session: Session, url: str, events: tuple[str, ...], *, private: bool
) -> tuple[Webhook, str]:
    """Add a webhook; return it with the secret that its deliveries are signed with, for this once."""
    _check_address(url, private=private)
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
    with session.write() as write:
        here = webhooks.list_webhooks(write.connection, write.community.number)
        if len(here) >= MOST_WEBHOOKS:
            raise Conflict(f"A community has at most {MOST_WEBHOOKS} webhooks.")
        webhook = Webhook(f"whk_{secrets.token_hex(8)}", url, events, write.now)
        webhooks.insert_webhook(write, webhook, secret)
    return webhook, secret


def change_webhook(
    session: Session,
    webhook_id: str,
    change: Mapping[str, Any],
    holds: Callable[[str | None], bool],
    *,
    private: bool,
) -> Webhook:
    """Give a webhook another address or other events; what is under way goes to the new address."""
    with session.write() as write:
        before = _find(write, webhook_id)
        _check(holds, before)
        after = replace(before, **change)
        if after.url != before.url:
            _check_address(after.url, private=private)
        webhooks.update_webhook(write, after)
        return after


def delete_webhook(session: Session, webhook_id: str, holds: Callable[[str | None], bool]) -> None:
    """Delete a webhook; nothing more is sent to it."""
    with session.write() as write:
        _check(holds, _find(write, webhook_id))
        webhooks.delete_webhook(write, webhook_id)


def try_webhook(session: Session, webhook_id: str) -> Delivery:
    """Let a webhook be sent a test, whatever events it asked for."""
    with session.write() as write:
        webhook = _find(write, webhook_id)
        return deliveries.insert_deliveries(write, webhook.id, TEST, [{"webhook": webhook.id}])[0]


def send_again(session: Session, webhook_id: str, delivery_id: str) -> Delivery:
    """Send a delivery again, now, whatever became of it."""
    with session.write() as write:
        delivery = deliveries.send_again(write, webhook_id, delivery_id)
        if delivery is None:
            raise NotFound("There is no such delivery.")
        return delivery


def list_deliveries(session: Session, webhook_id: str, after: str, limit: int) -> list[Delivery]:
    """Return up to `limit` deliveries to a webhook whose ids follow `after`."""
    read_webhook(session, webhook_id)
    return session.page_of_deliveries(webhook_id, after, limit)


def read_webhook(session: Session, webhook_id: str) -> Webhook:
    """Return the webhook of this id, or raise `NotFound`."""
    return _known(session.find_webhook(webhook_id))


def _find(write: Write, webhook_id: str) -> Webhook:
    return _known(webhooks.find_webhook(write.connection, write.community.number, webhook_id))


def _known(webhook: Webhook | None) -> Webhook:
    if webhook is None:
        raise NotFound("There is no such webhook.")
    return webhook


def _check(holds: Callable[[str | None], bool], webhook: Webhook) -> None:
    if not holds(etag_of(webhook)):
        raise Stale("The webhook has changed since it was read.")


def _check_address(url: str, *, private: bool) -> None:
    # A name is looked up when something is sent, every time.
    if is_refused_literally(url, private=private):
        raise Invalid({"url": ["Must not lead into a private network."]})


def etag_of(webhook: Webhook) -> str:
    """Return a hash of what is shown of a webhook."""
    return content_hash([webhook.id, webhook.url, webhook.events])
