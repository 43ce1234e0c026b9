"""Reports over HTTP: filed for a member, read and resolved by the community's admins."""

from typing import Any

from flask import Response
from flask.views import MethodView

from service.schemas.queries import PageQuery
from service.schemas.reports import (
    NewReportAnswer,
    ReportAnswer,
    ReportChange,
    ReportPage,
    ReportSchema,
    report_wire,
)
from service.usecases.reports import etag_of, file_report, resolve_report
from service.web.access import needs_admin
from service.web.answers import answer, condition, page, tagged
from service.web.blueprint import ETAG, Blueprint
from service.web.idempotency import idempotent
from service.web.state import access, session

blueprint = Blueprint("reports", __name__, url_prefix="/v1", description="What members report of others.")


@blueprint.route("/profiles/<profile_id:profile_id>/reports")
class FiledReports(MethodView):
    """What a member reports."""

    @idempotent()
    @blueprint.arguments(ReportSchema)
    @blueprint.response(201, NewReportAnswer)
    def post(self, wanted: dict[str, Any], profile_id: str) -> Response:
        """Report somebody to the community's admins, and block them."""
        report = file_report(session(), profile_id, wanted["peer"], wanted["reason"], wanted["detail"])
        return answer(report_wire(report) | {"support": access().community.support_text}, 201)


@blueprint.route("/reports")
class Reports(MethodView):
    """All reports of the community."""

    @needs_admin
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, ReportPage)
    def get(self, query: dict[str, Any]) -> Response:
        """List reports, the oldest first."""
        after, limit = (query["cursor"] or [""])[0], query["limit"]
        found = session().page_of_reports(after, limit + 1)
        return page(found, limit, report_wire, lambda last: [last.id])


@blueprint.route("/reports/<report_id:report_id>")
class Report(MethodView):
    """One report."""

    @needs_admin
    @blueprint.arguments(ReportChange)
    @blueprint.response(200, ReportAnswer, headers=ETAG)
    def patch(self, change: dict[str, str], report_id: str) -> Response:
        """Resolve a report, or open it again."""
        report = resolve_report(session(), report_id, change["state"], condition())
        return tagged(report_wire(report), etag_of(report))
