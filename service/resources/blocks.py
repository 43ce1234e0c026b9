"""Blocks over HTTP."""

from typing import Any

from flask import Response
from flask.views import MethodView

from service.schemas.pairs import BlockPage, block_wire
from service.schemas.queries import PageQuery
from service.usecases.blocks import block, list_blocks, unblock
from service.web.access import never_limited, reads_profile
from service.web.answers import nothing, page
from service.web.blueprint import Blueprint
from service.web.state import access, session

blueprint = Blueprint(
    "blocks",
    __name__,
    url_prefix="/v1/profiles/<profile_id:profile_id>/blocks",
    description="Who is kept away from whom.",
)


@blueprint.route("")
class Blocks(MethodView):
    """Whom a member blocks."""

    @reads_profile
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, BlockPage)
    def get(self, query: dict[str, Any], profile_id: str) -> Response:
        """List those whom a member blocks, in the order of their ids; the erased are left out."""
        after, limit = (query["cursor"] or [""])[0], query["limit"]
        found = list_blocks(session(), access(), after, limit + 1)
        return page(found, limit, lambda item: block_wire(*item), lambda last: [last[0]])


@blueprint.route("/<profile_id:peer_id>")
class Block(MethodView):
    """One block."""

    @never_limited
    @blueprint.response(204)
    def put(self, profile_id: str, peer_id: str) -> Response:
        """Block somebody: both ways, and at once."""
        block(session(), profile_id, peer_id)
        return nothing()

    @blueprint.response(204)
    def delete(self, profile_id: str, peer_id: str) -> Response:
        """Take a block back; the third time within a day has to wait."""
        unblock(session(), profile_id, peer_id)
        return nothing()
