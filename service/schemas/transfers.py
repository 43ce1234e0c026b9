"""The wire shape of imports and exports."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from marshmallow import Schema, fields

from service.records import MOST_ERRORS, ImportLine, ImportReport, Member, Pair, Report
from service.records_meetups import Meetup, Round, Seat
from service.schemas.fields import Choice, Flag, Moment, Whole, write_time
from service.schemas.meetups import OUTCOMES, REPLIES
from service.schemas.pairs import MOST_MEETINGS, RESPONSES, told_wire
from service.schemas.profiles import LocationAnswer, ProfileAnswer, location_wire, profile_wire
from service.schemas.reports import FiledReport, filed_wire
from service.schemas.rounds import LEFT_OUT

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


class GivenResponse(Schema):
    """What a member said of another."""

    peer = fields.String(required=True)
    response = Choice(*RESPONSES, required=True)
    at = Moment(required=True)


class KnownPeer(Schema):
    """Somebody a member knows."""

    peer = fields.String(required=True)
    since = Moment(required=True)
    last_met = Moment(required=True, allow_none=True)
    times_met = Whole(0, MOST_MEETINGS, required=True)


class BlockedPeer(Schema):
    """Somebody a member blocks."""

    peer = fields.String(required=True)
    since = Moment(required=True)


class AskedMeetup(Schema):
    """What a member said of a meetup to which they were asked."""

    id = fields.String(required=True)
    round = fields.String(required=True, allow_none=True)
    comes = Flag(required=True)
    reply = Choice(*REPLIES, required=True, allow_none=True)
    outcome = Choice(*OUTCOMES, required=True, allow_none=True)
    again = Flag(required=True, allow_none=True)


class JoinedRound(Schema):
    """A round in which a member takes part, and why they have no group in it, if so."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    left_out = Choice(*LEFT_OUT, required=True, allow_none=True)


class MemberExport(Schema):
    """All that is kept of one member, and nothing of those who blocked or reported them."""

    profile = fields.Nested(ProfileAnswer, required=True)
    last_location = fields.Nested(LocationAnswer, required=True, allow_none=True)
    moved_at = Moment(required=True, allow_none=True)
    waiting_location = fields.Nested(LocationAnswer, required=True, allow_none=True)
    created_at = Moment(required=True)
    responses = fields.List(fields.Nested(GivenResponse), required=True)
    connections = fields.List(fields.Nested(KnownPeer), required=True)
    blocks = fields.List(fields.Nested(BlockedPeer), required=True)
    reports = fields.List(fields.Nested(FiledReport), required=True)
    calendar_since = Moment(required=True, allow_none=True)
    meetups = fields.List(fields.Nested(AskedMeetup), required=True)
    rounds = fields.List(fields.Nested(JoinedRound), required=True)


def member_wire(
    member: Member,
    pairs: Sequence[tuple[str | None, Pair]],
    reports: Sequence[Report],
    calendar_since: int | None,
) -> dict[str, Any]:
    """Return all that is kept of a member: also where they were, what they said of others, and reported.

    `calendar_since` is when the address of their calendar was made.
    """
    stay = member.stay
    known = sorted((peer, pair) for peer, pair in pairs if peer is not None)
    met = [(peer, pair) for peer, pair in known if pair.theirs.blocked_at is None]
    blocked_at = {pair.peer: pair.theirs.blocked_at for _, pair in pairs}
    return {
        "profile": profile_wire(member),
        "created_at": write_time(member.created_at),
        "responses": [
            {"peer": peer, "response": pair.mine.response, "at": write_time(pair.mine.answered_at or 0)}
            for peer, pair in met
            if pair.mine.response
        ],
        "connections": [told_wire(pair) | {"peer": peer} for peer, pair in met if pair.since is not None],
        "blocks": [
            {"peer": peer, "since": write_time(pair.mine.blocked_at)}
            for peer, pair in met
            if pair.mine.blocked_at is not None
        ],
        "reports": [filed_wire(_as_filed(report, blocked_at)) for report in reports],
        "last_location": location_wire(stay.last_place),
        "moved_at": None if stay.moved_at is None else write_time(stay.moved_at),
        "waiting_location": location_wire(stay.waiting_place),
        "calendar_since": None if calendar_since is None else write_time(calendar_since),
    }


def gatherings_wire(
    member: Member, asked: Sequence[Meetup], joined: Sequence[tuple[Round, Seat]]
) -> dict[str, Any]:
    """Return a member's own part in meetups and rounds: what the others say and do is theirs."""
    own = [(meetup, one) for meetup in asked for one in meetup.asked if one.number == member.number]
    return {
        "meetups": [
            {name: getattr(one, name) for name in ("comes", "reply", "outcome", "again")}
            | {"id": meetup.id, "round": meetup.round}
            for meetup, one in own
        ],
        "rounds": [{"id": made.id, "name": made.name, "left_out": seat.reason} for made, seat in joined],
    }


def _as_filed(report: Report, blocked_at: Mapping[str, int | None]) -> Report:
    # Who blocks the member is as if erased: as an erasure does, a block takes what was written before it.
    at = blocked_at.get(report.peer_code)
    if at is None:
        return report
    return replace(report, peer=None, detail=report.detail if report.created_at > at else None)


def report_wire(report: ImportReport) -> dict[str, Any]:
    """Return what an import did."""
    return {
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "failed": report.failed,
        "errors": [_line_wire(line) for line in report.errors],
    }


def _line_wire(line: ImportLine[Any]) -> dict[str, Any]:
    return {
        "line": line.number,
        "id": line.id,
        "errors": {path: list(texts) for path, texts in line.errors.items()},
    }
