"""Webhooks over HTTP: who is told of what, what was sent, and sending it again."""

from typing import Any

from flask import Response
from flask.views import MethodView

from service.schemas.queries import PageQuery
from service.schemas.webhooks import (
    DeliveryAnswer,
    DeliveryPage,
    NewWebhookAnswer,
    WebhookAnswer,
    WebhookChange,
    WebhookPage,
    WebhookSchema,
    delivery_wire,
    webhook_wire,
)
from service.storage.webhooks import Webhook as WebhookRecord
from service.usecases import webhooks
from service.web.access import needs_admin
from service.web.answers import answer, condition, nothing, page, tagged
from service.web.blueprint import ETAG, Blueprint
from service.web.idempotency import idempotent
from service.web.state import parts, session

blueprint = Blueprint(
    "webhooks", __name__, url_prefix="/v1/webhooks", description="Who is told of what happens."
)


@blueprint.route("")
class Webhooks(MethodView):
    """All webhooks of the community."""

    @needs_admin
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, WebhookPage)
    def get(self, query: dict[str, Any]) -> Response:
        """List webhooks, without their secrets."""
        after, limit = (query["cursor"] or [""])[0], query["limit"]
        return page(session().list_webhooks(after, limit + 1), limit, webhook_wire, lambda last: [last.id])

    @needs_admin
    @idempotent(secret=True)
    @blueprint.arguments(WebhookSchema)
    @blueprint.response(201, NewWebhookAnswer)
    def post(self, wanted: dict[str, Any]) -> Response:
        """Add a webhook; the secret that its deliveries are signed with is shown this once."""
        webhook, secret = webhooks.create_webhook(
            session(), wanted["url"], wanted["events"], private=_private()
        )
        return answer(webhook_wire(webhook) | {"secret": secret}, 201)


@blueprint.route("/<webhook_id:webhook_id>")
class Webhook(MethodView):
    """One webhook."""

    @needs_admin
    @blueprint.response(200, WebhookAnswer, headers=ETAG)
    def get(self, webhook_id: str) -> Response:
        """Read a webhook, without its secret."""
        return _show(webhooks.read_webhook(session(), webhook_id))

    @needs_admin
    @blueprint.arguments(WebhookChange)
    @blueprint.response(200, WebhookAnswer, headers=ETAG)
    def patch(self, change: dict[str, Any], webhook_id: str) -> Response:
        """Give a webhook another address or other events; the secret stays."""
        return _show(webhooks.change_webhook(session(), webhook_id, change, condition(), private=_private()))

    @needs_admin
    @blueprint.response(204)
    def delete(self, webhook_id: str) -> Response:
        """Delete a webhook; nothing more is sent to it."""
        webhooks.delete_webhook(session(), webhook_id, condition())
        return nothing()


@blueprint.route("/<webhook_id:webhook_id>/deliveries")
class Deliveries(MethodView):
    """What was sent to a webhook within the last week, and what is to be."""

    @needs_admin
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, DeliveryPage)
    def get(self, query: dict[str, Any], webhook_id: str) -> Response:
        """List deliveries, the oldest first."""
        after, limit = (query["cursor"] or [""])[0], query["limit"]
        found = webhooks.list_deliveries(session(), webhook_id, after, limit + 1)
        return page(found, limit, delivery_wire, lambda last: [last.id])


@blueprint.route("/<webhook_id:webhook_id>/deliveries/<delivery_id:delivery_id>/redeliver")
class Redelivery(MethodView):
    """One delivery, sent again."""

    @needs_admin
    @idempotent()
    @blueprint.response(200, DeliveryAnswer)
    def post(self, webhook_id: str, delivery_id: str) -> Response:
        """Send a delivery again, now, under its id."""
        return answer(delivery_wire(webhooks.send_again(session(), webhook_id, delivery_id)))


@blueprint.route("/<webhook_id:webhook_id>/test")
class Trial(MethodView):
    """A webhook tried out."""

    @needs_admin
    @idempotent()
    @blueprint.response(201, DeliveryAnswer)
    def post(self, webhook_id: str) -> Response:
        """Send an event of the type webhook.test."""
        return answer(delivery_wire(webhooks.try_webhook(session(), webhook_id)), 201)


def _show(webhook: WebhookRecord) -> Response:
    return tagged(webhook_wire(webhook), webhooks.etag_of(webhook))


def _private() -> bool:
    return parts().settings.webhook_private
