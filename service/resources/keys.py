"""API keys over HTTP: made, listed, revoked."""

from typing import Any

from flask import Response
from flask.views import MethodView

from service.schemas.keys import KeyPage, KeySchema, NewKeyAnswer, key_wire
from service.schemas.queries import PageQuery
from service.usecases import keys
from service.web.access import needs_admin
from service.web.answers import answer, nothing, page
from service.web.blueprint import Blueprint
from service.web.idempotency import idempotent
from service.web.state import session

blueprint = Blueprint("keys", __name__, url_prefix="/v1/keys", description="Keys of the community.")


@blueprint.route("")
class Keys(MethodView):
    """All keys of the community."""

    @needs_admin
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, KeyPage)
    def get(self, query: dict[str, Any]) -> Response:
        """List keys, without their secrets."""
        after, limit = (query["cursor"] or [""])[0], query["limit"]
        return page(session().list_keys(after, limit + 1), limit, key_wire, lambda last: [last.id])

    @needs_admin
    @idempotent(secret=True)
    @blueprint.arguments(KeySchema)
    @blueprint.response(201, NewKeyAnswer)
    def post(self, wanted: dict[str, Any]) -> Response:
        """Make a key; it is shown this once."""
        key, secret = keys.create_key(session(), wanted["name"], wanted["scopes"])
        return answer(key_wire(key) | {"key": secret}, 201)


@blueprint.route("/<key_id:key_id>")
class Key(MethodView):
    """One key."""

    @needs_admin
    @blueprint.response(204)
    def delete(self, key_id: str) -> Response:
        """Revoke a key, in force at the next request."""
        keys.revoke_key(session(), key_id)
        return nothing()
