"""Imports and exports over HTTP: streams, with flat memory on both ends."""

from collections.abc import Iterator

from flask import Response, request
from flask.views import MethodView

from service.records import content_hash
from service.schemas.profiles import ProfileAnswer, profile_wire
from service.schemas.transfers import ImportAnswer, MemberExport, gatherings_wire, member_wire, report_wire
from service.storage.session import Session
from service.usecases.exports import export_profiles
from service.usecases.imports import import_profiles
from service.usecases.meetups import gatherings_of
from service.web.access import needs_admin, reads_profile
from service.web.answers import answer, as_json, tagged
from service.web.blueprint import ETAG, Blueprint, read_stream
from service.web.lines import CSV, NDJSON, read_lines
from service.web.state import access, session

blueprint = Blueprint("transfers", __name__, url_prefix="/v1/profiles", description="Many profiles at once.")
_TEXT = {"schema": {"type": "string"}}


@blueprint.route("/import")
class Import(MethodView):
    """Profiles coming in."""

    @blueprint.response(200, ImportAnswer)
    @blueprint.doc(requestBody={"required": True, "content": {NDJSON: _TEXT, CSV: _TEXT}})
    def post(self) -> Response:
        """Import whole profiles as NDJSON or CSV; a bad line costs only itself."""
        lines = read_lines(read_stream(request, (NDJSON, CSV)), request.mimetype)
        return answer(report_wire(import_profiles(session(), access(), lines)))


@blueprint.route("/export")
class Export(MethodView):
    """All profiles going out."""

    @needs_admin
    @blueprint.response(200, ProfileAnswer, content_type=NDJSON)
    def get(self) -> Response:
        """Export all profiles as NDJSON, one a line."""
        return Response(_export_lines(session()), content_type=NDJSON)


@blueprint.route("/<profile_id:profile_id>/export")
class ExportOne(MethodView):
    """All that is kept of one member."""

    @needs_admin
    @reads_profile
    @blueprint.response(200, MemberExport, headers=ETAG)
    def get(self, profile_id: str) -> Response:
        """Export all that is kept of one member."""
        member = access().asked()
        code, feed = member.code, session().find_feed(member)
        since = feed.created_at if feed else None
        kept = member_wire(member, session().pairs_of(code), session().reports_by(code), since)
        kept |= gatherings_wire(member, *gatherings_of(session(), member))
        return tagged(kept, content_hash(kept))


def _export_lines(opened: Session) -> Iterator[bytes]:
    for member in export_profiles(opened):
        yield as_json(profile_wire(member)) + b"\n"
