"""The wire shape of imports and exports."""

from typing import Any

from marshmallow import Schema, fields

from service.records import MOST_ERRORS, ImportLine, ImportReport, Member
from service.schemas.fields import Moment, Whole, write_time
from service.schemas.profiles import LocationAnswer, ProfileAnswer, location_wire, profile_wire

MOST_LINES = 2**53


class LineErrors(Schema):
    """What was wrong with one line."""

    line = Whole(1, MOST_LINES, required=True)
    id = fields.String(required=True, allow_none=True)
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()), required=True)


class ImportAnswer(Schema):
    """What an import did; at most 1,000 errors."""

    created = Whole(0, MOST_LINES, required=True)
    updated = Whole(0, MOST_LINES, required=True)
    unchanged = Whole(0, MOST_LINES, required=True)
    failed = Whole(0, MOST_LINES, required=True)
    errors = fields.List(fields.Nested(LineErrors), required=True, metadata={"maxItems": MOST_ERRORS})


class MemberExport(Schema):
    """All that is kept of one member."""

    profile = fields.Nested(ProfileAnswer, required=True)
    last_location = fields.Nested(LocationAnswer, required=True, allow_none=True)
    moved_at = Moment(required=True, allow_none=True)
    waiting_location = fields.Nested(LocationAnswer, required=True, allow_none=True)


def member_wire(member: Member) -> dict[str, Any]:
    """Return all that is kept of a member, also of where they were and where they are going."""
    stay = member.stay
    return {
        "profile": profile_wire(member),
        "last_location": location_wire(stay.last_place),
        "moved_at": None if stay.moved_at is None else write_time(stay.moved_at),
        "waiting_location": location_wire(stay.waiting_place),
    }


def report_wire(report: ImportReport) -> dict[str, Any]:
    """Return what an import did."""
    return {
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "failed": report.failed,
        "errors": [_line_wire(line) for line in report.errors],
    }


def _line_wire(line: ImportLine) -> dict[str, Any]:
    return {
        "line": line.number,
        "id": line.id,
        "errors": {path: list(texts) for path, texts in line.errors.items()},
    }
