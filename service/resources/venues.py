"""Venues over HTTP: written, read, deleted, imported."""

from dataclasses import replace

from flask import Response, request
from flask.views import MethodView

from service.errors import Invalid
from service.records_meetups import VenueRecord
from service.schemas.transfers import ImportAnswer, report_wire
from service.schemas.venues import VenueAnswer, VenueSchema, venue_wire
from service.usecases.venues import etag_of, find_venue, import_venues, remove_venue, replace_venue
from service.web.answers import answer, condition, nothing, tagged
from service.web.blueprint import ETAG, JSON, Blueprint, read_stream
from service.web.geojson import GEOJSON, TYPES, read_venues
from service.web.lines import NDJSON
from service.web.state import link, session

blueprint = Blueprint(
    "venues", __name__, url_prefix="/v1/venues", description="Public places where the community meets."
)
_COLLECTION = {
    "schema": {
        "type": "object",
        "required": ["type", "features"],
        "properties": {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "features": {"type": "array", "items": {"type": "object"}},
        },
    }
}
_IMPORTED = {GEOJSON: _COLLECTION, JSON: _COLLECTION, NDJSON: {"schema": {"type": "string"}}}


@blueprint.route("/<venue_id:venue_id>")
class Venue(MethodView):
    """One venue."""

    @blueprint.response(200, VenueAnswer, headers=ETAG)
    def get(self, venue_id: str) -> Response:
        """Read a venue."""
        return _show(find_venue(session(), venue_id))

    @blueprint.arguments(VenueSchema)
    @blueprint.response(200, VenueAnswer, headers=ETAG)
    @blueprint.alt_response(201, schema=VenueAnswer, headers=ETAG, success=True)
    def put(self, record: VenueRecord, venue_id: str) -> Response:
        """Create a venue or replace it whole."""
        if record.id not in {"", venue_id}:
            raise Invalid({"id": ["Must be the id in the path."]})
        named = replace(record, id=venue_id)
        outcome = replace_venue(session(), named, condition())
        return _show(named, 201 if outcome == "created" else 200)

    @blueprint.response(204)
    def delete(self, venue_id: str) -> Response:
        """Delete a venue; meetups that have it keep it."""
        remove_venue(session(), venue_id, condition())
        return nothing()


@blueprint.route("/import")
class Import(MethodView):
    """Many venues at once."""

    @blueprint.response(200, ImportAnswer)
    @blueprint.doc(requestBody={"required": True, "content": _IMPORTED})
    def post(self) -> Response:
        """Import venues as a GeoJSON FeatureCollection of points, or its features as NDJSON.

        A feature's `properties` are those of a venue without `location`; `line` in the answer is its number.
        """
        lines = read_venues(read_stream(request, TYPES), request.mimetype)
        return answer(report_wire(import_venues(session(), lines)))


def _show(record: VenueRecord, status: int = 200) -> Response:
    headers = {"Location": link("venues.Venue", venue_id=record.id)} if status == 201 else None
    return tagged(venue_wire(record), etag_of(record), status, headers)
