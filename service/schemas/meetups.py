"""The wire shapes of meetups: who is asked, when and where, what they reply, how it went."""

from collections.abc import Sequence
from typing import Any

from marshmallow import Schema, fields

from service.records_meetups import Meetup
from service.schemas.base import StrictSchema
from service.schemas.fields import Choice, Flag, Moment, Several, write_time
from service.schemas.profiles import ProfileId
from service.schemas.rounds import MOST_TOGETHER

STATES = ("scheduled", "over", "cancelled")
REPLIES = ("yes", "no", "other_time")
OUTCOMES = ("met", "scheduled", "not_yet", "did_not_happen", "unsafe")


class NewMeetupSchema(StrictSchema):
    """Who shall meet: people who are all connected to each other."""

    members = Several(ProfileId(), MOST_TOGETHER, fewest=2, required=True)


class ReplySchema(StrictSchema):
    """Whether somebody comes."""

    profile = ProfileId(required=True)
    reply = Choice(*REPLIES, required=True)


class OutcomeSchema(StrictSchema):
    """How it went for one of them, and whether they would like to meet again."""

    profile = ProfileId(required=True)
    outcome = Choice(*OUTCOMES, required=True)
    again = Flag(load_default=None, allow_none=True)


class ReplyAnswer(Schema):
    """What one of them said."""

    profile = fields.String(required=True)
    reply = Choice(*REPLIES, required=True)


class MeetupAnswer(Schema):
    """A meetup with those who are still expected; no `starts_at` where no time suits all."""

    id = fields.String(required=True)
    round = fields.String(required=True, allow_none=True)
    members = fields.List(fields.String(), required=True)
    starts_at = Moment(required=True, allow_none=True)
    ends_at = Moment(required=True, allow_none=True)
    timezone = fields.String(required=True)
    place = fields.Dict(required=True, allow_none=True)
    state = Choice(*STATES, required=True)
    replies = fields.List(fields.Nested(ReplyAnswer), required=True)
    reasons = fields.List(fields.String(), required=True)
    openers = fields.List(fields.String(), required=True)
    created_at = Moment(required=True)


class MeetupPage(Schema):
    """A page of meetups; `next` is the cursor of the one that follows."""

    items = fields.List(fields.Nested(MeetupAnswer), required=True)
    next = fields.String()


def meetup_wire(
    meetup: Meetup, timezone: str, reasons: Sequence[str], openers: Sequence[str]
) -> dict[str, Any]:
    """Return a meetup as it is read."""
    return {
        "id": meetup.id,
        "round": meetup.round,
        "members": [one.id for one in meetup.attendees],
        "starts_at": None if meetup.starts_at is None else write_time(meetup.starts_at),
        "ends_at": None if meetup.ends_at is None else write_time(meetup.ends_at),
        "timezone": timezone,
        "place": None if meetup.place is None else dict(meetup.place),
        "state": meetup.state,
        "replies": [{"profile": one.id, "reply": one.reply} for one in meetup.attendees if one.reply],
        "reasons": list(reasons),
        "openers": list(openers),
        "created_at": write_time(meetup.created_at),
    }
