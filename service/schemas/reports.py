"""The wire shape of reports."""

from typing import Any, ClassVar

from marshmallow import Schema, fields

from service.records import Report
from service.schemas.base import StrictSchema
from service.schemas.fields import Choice, Moment, Text, write_time
from service.schemas.profiles import ProfileId

REASONS = ("harassment", "spam", "unsafe", "underage", "other")
STATES = ("open", "resolved")
LONGEST_DETAIL = 2000


class ReportSchema(StrictSchema):
    """What a member reports of somebody."""

    peer = ProfileId(required=True)
    reason = Choice(*REASONS, required=True)
    detail = Text(LONGEST_DETAIL, load_default=None, allow_none=True)


class ReportChange(StrictSchema):
    """What an admin can change of a report."""

    read_only: ClassVar[tuple[str, ...]] = (
        "id", "profile", "peer", "peer_hash", "reason", "detail", "created_at",
    )  # fmt: skip

    state = Choice(*STATES, required=True)


class FiledReport(Schema):
    """A report as the one who filed it may see it."""

    id = fields.String(required=True)
    peer = fields.String(required=True, allow_none=True)
    reason = Choice(*REASONS, required=True)
    detail = fields.String(required=True, allow_none=True)
    created_at = Moment(required=True)


class ReportAnswer(FiledReport):
    """A report as admins see it; who is erased is null, and `peer_hash` tells that reports are about one."""

    profile = fields.String(required=True, allow_none=True)
    peer_hash = fields.String(required=True)
    state = Choice(*STATES, required=True)


class NewReportAnswer(ReportAnswer):
    """A report just filed, with the community's words on where to find help."""

    support = fields.String(required=True, allow_none=True)


class ReportPage(Schema):
    """A page of reports; `next` is the cursor of the one that follows."""

    items = fields.List(fields.Nested(ReportAnswer), required=True)
    next = fields.String()


def report_wire(report: Report) -> dict[str, Any]:
    """Return a report as it is read."""
    return filed_wire(report) | {
        "profile": report.profile,
        "peer_hash": report.peer_code,
        "state": report.state,
    }


def filed_wire(report: Report) -> dict[str, Any]:
    """Return a report without what only admins see."""
    return {
        "id": report.id,
        "peer": report.peer,
        "reason": report.reason,
        "detail": report.detail,
        "created_at": write_time(report.created_at),
    }
