"""Responses and invitations over HTTP."""

from typing import Any

from flask import Response
from flask.views import MethodView

from service.schemas.pairs import InvitationPage, ResponseSchema, StateAnswer, invitation_wire
from service.schemas.queries import NewestFirstQuery
from service.usecases.introductions import Listing, page_of_introductions, place_in
from service.usecases.pairs import ACCEPT_MS
from service.usecases.responses import respond
from service.web.access import reads_profile
from service.web.answers import answer, page
from service.web.blueprint import Blueprint
from service.web.idempotency import idempotent
from service.web.state import access, parts, session

blueprint = Blueprint(
    "responses", __name__, url_prefix="/v1/profiles/<profile_id:profile_id>", description="Who wants to meet."
)


@blueprint.route("/responses")
class Responses(MethodView):
    """What a member says of others."""

    @idempotent()
    @blueprint.arguments(ResponseSchema)
    @blueprint.response(200, StateAnswer)
    def post(self, wanted: dict[str, str], profile_id: str) -> Response:
        """Accept, decline or put off; two accepts connect."""
        return answer({"state": respond(session(), profile_id, wanted["peer"], wanted["response"])})


@blueprint.route("/invitations")
class Invitations(MethodView):
    """Who has accepted a member."""

    @reads_profile
    @blueprint.arguments(NewestFirstQuery, location="query")
    @blueprint.response(200, InvitationPage)
    def get(self, query: dict[str, Any], profile_id: str) -> Response:
        """List those who have accepted and wait for an answer, newest first."""
        limit = query["limit"]
        found = page_of_introductions(
            parts().loaded, session(), access(), "invitations", limit + 1, query["cursor"]
        )
        return page(found, limit, _wire, lambda last: place_in("invitations", last.pair))


def _wire(listing: Listing) -> dict[str, Any]:
    peer = {"id": listing.id, "name": listing.name}
    expires_at = (listing.pair.theirs.answered_at or 0) + ACCEPT_MS
    return invitation_wire(peer, listing.pair, expires_at, listing.introduction)
