"""The wire shape of webhooks and of what was sent to them."""

import re
from typing import Any, ClassVar
from urllib.parse import urlsplit

from marshmallow import Schema, ValidationError, fields

from service.schemas.base import StrictSchema
from service.schemas.fields import Choice, Line, Moment, Several, write_time
from service.storage.deliveries import Delivery
from service.storage.events import EVENTS
from service.storage.webhooks import Webhook

LONGEST_URL = 2000
STATES = ("pending", "delivered", "failed")
# Stricter than the standards: what two readers of an address could read differently is none.
_VISIBLE = re.compile(r"[!-~]+")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?|\[[0-9A-Fa-f:.]{2,45}\]")
_PORT = re.compile(r":[0-9]{1,5}|")


class WebhookUrl(Line):
    """An http or https address without credentials."""

    def __init__(self, **options: Any) -> None:
        super().__init__(LONGEST_URL, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        url = super()._deserialize(value, attr, data, **options)
        problem = _problem_with(url)
        if problem:
            raise ValidationError(problem)
        return url


def _problem_with(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "Must be an address such as https://example.org/kith."
    if parts.scheme not in {"http", "https"} or not _VISIBLE.fullmatch(url) or "\\" in url:
        return "Must be an address that begins with http:// or https://."
    if "@" in parts.netloc:
        return "Must not carry a user or a password."
    if "#" in url:
        return "Must not carry a fragment."
    return _problem_with_host(parts.netloc)


def _problem_with_host(netloc: str) -> str | None:
    host = _HOST.match(netloc)
    rest = netloc[host.end() :] if host else netloc
    if host is None or ".." in host[0] or not _PORT.fullmatch(rest):
        return "Must name a host, in ASCII (xn--…), and perhaps a port."
    if rest and not 1 <= int(rest[1:]) <= 65535:
        return "Must name a port from 1 to 65535."
    return None


class WebhookSchema(StrictSchema):
    """A webhook to add."""

    url = WebhookUrl(required=True)
    events = Several(Choice(*EVENTS), len(EVENTS), fewest=1, unique=True, required=True)


class WebhookChange(StrictSchema):
    """What can be changed of a webhook."""

    read_only: ClassVar[tuple[str, ...]] = ("id", "created_at")

    url = WebhookUrl()
    events = Several(Choice(*EVENTS), len(EVENTS), fewest=1, unique=True)


class WebhookAnswer(Schema):
    """A webhook as it is read."""

    id = fields.String(required=True)
    url = fields.String(required=True)
    events = Several(Choice(*EVENTS), len(EVENTS), fewest=1, unique=True, required=True)
    created_at = Moment(required=True)


class NewWebhookAnswer(WebhookAnswer):
    """A webhook just added, with the secret that its deliveries are signed with, shown this once."""

    secret = fields.String(required=True)


class WebhookPage(Schema):
    """A page of webhooks; `next` is the cursor of the one that follows."""

    items = fields.List(fields.Nested(WebhookAnswer), required=True)
    next = fields.String()


class DeliveryAnswer(Schema):
    """What was sent, or is to be. `status` and `error` are of the last attempt."""

    id = fields.String(required=True)
    type = fields.String(required=True)
    state = Choice(*STATES, required=True)
    attempts = fields.Integer(required=True)
    status = fields.Integer(required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)
    created_at = Moment(required=True)
    next_attempt_at = Moment(required=True, allow_none=True)


class DeliveryPage(Schema):
    """A page of deliveries, the oldest first; `next` is the cursor of the one that follows."""

    items = fields.List(fields.Nested(DeliveryAnswer), required=True)
    next = fields.String()


def webhook_wire(webhook: Webhook) -> dict[str, Any]:
    """Return a webhook as it is read."""
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": list(webhook.events),
        "created_at": write_time(webhook.created_at),
    }


def delivery_wire(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as it is listed."""
    # What goes ahead of all others has been due since the epoch: it was asked for when it was made.
    due_at = max(delivery.due_at, delivery.created_at)
    return {
        "id": delivery.id,
        "type": delivery.type,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "status": delivery.status,
        "error": delivery.error,
        "created_at": write_time(delivery.created_at),
        "next_attempt_at": write_time(due_at) if delivery.state == "pending" else None,
    }
