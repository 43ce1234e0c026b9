"""Connections over HTTP: told, listed, imported, ended."""

from typing import Any

from flask import Response, request
from flask.views import MethodView

from service.records import ConnectionRecord
from service.schemas.pairs import ConnectionPage, ConnectionSchema, ToldAnswer, connection_wire, told_wire
from service.schemas.queries import NewestFirstQuery
from service.schemas.transfers import ImportAnswer, report_wire
from service.storage.pairs import Listed
from service.usecases.connections import connect, disconnect, import_connections
from service.usecases.introductions import Listing, page_of_introductions, place_in
from service.web.access import reads_profile
from service.web.answers import answer, nothing, page
from service.web.blueprint import Blueprint, read_stream
from service.web.lines import NDJSON, read_connections
from service.web.state import access, parts, session

blueprint = Blueprint("connections", __name__, url_prefix="/v1", description="Who knows whom.")


@blueprint.route("/profiles/<profile_id:profile_id>/connections")
class Connections(MethodView):
    """Whom a member knows."""

    @reads_profile
    @blueprint.arguments(NewestFirstQuery, location="query")
    @blueprint.response(200, ConnectionPage)
    def get(self, query: dict[str, Any], profile_id: str) -> Response:
        """List a member's connections, newest first."""
        return _page("connections", query)


@blueprint.route("/profiles/<profile_id:profile_id>/reconnects")
class Reconnects(MethodView):
    """Who is worth writing to again."""

    @reads_profile
    @blueprint.arguments(NewestFirstQuery, location="query")
    @blueprint.response(200, ConnectionPage)
    def get(self, query: dict[str, Any], profile_id: str) -> Response:
        """List the connections that have not met for two months, newest first, with words to begin with."""
        return _page("reconnects", query)


@blueprint.route("/profiles/<profile_id:profile_id>/connections/<profile_id:peer_id>")
class Connection(MethodView):
    """Two who know each other."""

    @blueprint.arguments(ConnectionSchema)
    @blueprint.response(200, ToldAnswer)
    def put(self, stated: dict[str, int | None], profile_id: str, peer_id: str) -> Response:
        """Tell that two know each other, since when, and when they last met."""
        record = ConnectionRecord(profile_id, peer_id, **stated)
        pair, name = connect(session(), record)
        return answer({"peer": {"id": peer_id, "name": name}} | told_wire(pair))

    @blueprint.response(204)
    def delete(self, profile_id: str, peer_id: str) -> Response:
        """End a connection; that counts as a decline."""
        disconnect(session(), profile_id, peer_id)
        return nothing()


@blueprint.route("/connections/import")
class Import(MethodView):
    """Many connections at once."""

    @blueprint.response(200, ImportAnswer)
    @blueprint.doc(requestBody={"required": True, "content": {NDJSON: {"schema": {"type": "string"}}}})
    def post(self) -> Response:
        """Import connections as NDJSON; a bad line costs only itself."""
        lines = read_connections(read_stream(request, (NDJSON,)))
        return answer(report_wire(import_connections(session(), lines)))


def _page(listed: Listed, query: dict[str, Any]) -> Response:
    limit = query["limit"]
    found = page_of_introductions(parts().loaded, session(), access(), listed, limit + 1, query["cursor"])
    return page(found, limit, _wire, lambda last: place_in(listed, last.pair))


def _wire(listing: Listing) -> dict[str, Any]:
    return connection_wire({"id": listing.id, "name": listing.name}, listing.pair, listing.introduction)
