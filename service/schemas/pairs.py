"""The wire shapes of what stands between two members: responses, connections, blocks, and lists of them."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from matching import FACETS, Introduction
from service.records import ConnectionRecord, Pair
from service.schemas.base import StrictSchema
from service.schemas.fields import Choice, Moment, Whole, write_time
from service.schemas.profiles import ProfileId
from service.schemas.suggestions import PeerAnswer, SharedAnswer

RESPONSES = ("accept", "decline", "later")
STATES = ("pending", "connected", "declined", "later")
MOST_MEETINGS = 2**31 - 1


class ResponseSchema(StrictSchema):
    """What a member says of another."""

    peer = ProfileId(required=True)
    response = Choice(*RESPONSES, required=True)


class StateAnswer(Schema):
    """How the two stand, as far as the member may know: a decline by the other stays `pending`."""

    state = Choice(*STATES, required=True)


class ConnectionSchema(StrictSchema):
    """Since when two know each other, and when they last met; what is left out stays as it is."""

    read_only: ClassVar[tuple[str, ...]] = ("peer", "times_met", "shared", "reasons", "openers")

    since = Moment(load_default=None, allow_none=True)
    last_met = Moment(load_default=None, allow_none=True)


class ConnectionLineSchema(StrictSchema):
    """A line of an import of connections."""

    a = ProfileId(required=True)
    b = ProfileId(required=True)
    since = Moment(load_default=None, allow_none=True)
    last_met = Moment(load_default=None, allow_none=True)

    @validates_schema
    def check_together(self, data: Mapping[str, Any], **_: Any) -> None:
        """Nobody is connected to themself."""
        if data["a"] == data["b"]:
            raise ValidationError("Must be somebody else than a.", "b")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> ConnectionRecord:
        """Return the record."""
        return ConnectionRecord(**data)


class IntroductionAnswer(Schema):
    """Somebody whom the member knows, or who would like to."""

    peer = fields.Nested(PeerAnswer, required=True)
    since = Moment(required=True)
    shared = fields.Nested(SharedAnswer, required=True)
    reasons = fields.List(fields.String(), required=True)
    openers = fields.List(fields.String(), required=True)


class InvitationAnswer(IntroductionAnswer):
    """Somebody who accepted the member and waits for an answer, until `expires_at`."""

    expires_at = Moment(required=True)


class ConnectionAnswer(IntroductionAnswer):
    """Somebody the member is connected to."""

    last_met = Moment(required=True, allow_none=True)
    times_met = Whole(0, MOST_MEETINGS, required=True)


class ToldAnswer(Schema):
    """A connection as the platform told it."""

    peer = fields.Nested(PeerAnswer, required=True)
    since = Moment(required=True)
    last_met = Moment(required=True, allow_none=True)
    times_met = Whole(0, MOST_MEETINGS, required=True)


class BlockedAnswer(Schema):
    """Somebody blocked; the name is null for who isn't a member, or may not meet the one who blocks."""

    id = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)


class BlockAnswer(Schema):
    """One block."""

    peer = fields.Nested(BlockedAnswer, required=True)
    since = Moment(required=True)


class InvitationPage(Schema):
    """A page of invitations; `next` is the cursor of the one that follows."""

    items = fields.List(fields.Nested(InvitationAnswer), required=True)
    next = fields.String()


class ConnectionPage(Schema):
    """A page of connections; `next` is the cursor of the one that follows."""

    items = fields.List(fields.Nested(ConnectionAnswer), required=True)
    next = fields.String()


class BlockPage(Schema):
    """A page of blocks; `next` is the cursor of the one that follows."""

    items = fields.List(fields.Nested(BlockAnswer), required=True)
    next = fields.String()


def invitation_wire(
    peer: Mapping[str, str], pair: Pair, expires_at: int, introduction: Introduction
) -> dict[str, Any]:
    """Return an invitation as it is read."""
    since = pair.theirs.answered_at or 0
    times = {"since": write_time(since), "expires_at": write_time(expires_at)}
    return {"peer": dict(peer)} | times | _introduction_wire(introduction)


def connection_wire(peer: Mapping[str, str], pair: Pair, introduction: Introduction) -> dict[str, Any]:
    """Return a connection as it is read."""
    return {"peer": dict(peer)} | told_wire(pair) | _introduction_wire(introduction)


def told_wire(pair: Pair) -> dict[str, Any]:
    """Return what is known of a connection."""
    return {
        "since": write_time(pair.since or 0),
        "last_met": None if pair.last_met is None else write_time(pair.last_met),
        "times_met": pair.times_met,
    }


def block_wire(peer_id: str, name: str | None, pair: Pair) -> dict[str, Any]:
    """Return a block as it is read."""
    return {"peer": {"id": peer_id, "name": name}, "since": write_time(pair.mine.blocked_at or 0)}


def _introduction_wire(introduction: Introduction) -> dict[str, Any]:
    return {
        "shared": {facet: list(introduction.shared.get(facet, ())) for facet in FACETS},
        "reasons": list(introduction.reasons),
        "openers": list(introduction.openers),
    }
