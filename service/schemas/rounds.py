"""The wire shapes of rounds: what is asked for, the draft, and who is left out of it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from service.records_meetups import NewRound, Round
from service.schemas.base import StrictSchema
from service.schemas.fields import Choice, Day, Line, Moment, Number, Several, Whole, write_time
from service.schemas.profiles import ProfileId

STATES = ("planning", "draft", "published", "cancelled", "failed")
LEFT_OUT = ("no_feasible_peer", "odd_one", "erased")
GROUP_SIZES = (2, 8)
# An odd member makes a group one larger.
MOST_TOGETHER = GROUP_SIZES[1] + 1
MOST_PARTICIPANTS = 100_000
MOST_PINS = 10_000
MOST_APART = 1_000
LONGEST_DAYS = 92
LONGEST_COOLDOWN_DAYS = 3650
LARGEST_SEED = 2**31 - 1


class RoundSchema(StrictSchema):
    """A round as it is asked for; what is left out is the community's, no participants means everybody."""

    name = Line(100, required=True)
    starts_on = Day(required=True)
    ends_on = Day(required=True)
    group_size = Whole(*GROUP_SIZES, load_default=None, allow_none=True)
    cooldown_days = Whole(0, LONGEST_COOLDOWN_DAYS, load_default=None, allow_none=True)
    seed = Whole(0, LARGEST_SEED, load_default=0)
    participants = Several(
        ProfileId(), MOST_PARTICIPANTS, fewest=1, unique=True, load_default=None, allow_none=True
    )

    @validates_schema
    def check_days(self, data: Mapping[str, Any], **_: Any) -> None:
        """Check that it ends when or after it begins, and within a season."""
        days = (date.fromisoformat(data["ends_on"]) - date.fromisoformat(data["starts_on"])).days + 1
        if not 1 <= days <= LONGEST_DAYS:
            raise ValidationError(f"Must be one of the {LONGEST_DAYS} days from starts_on on.", "ends_on")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> NewRound:
        """Return the round asked for."""
        return NewRound(**data)


class PinsSchema(StrictSchema):
    """Who must, and who must not, be in one group, in place of what was pinned before."""

    together = Several(Several(ProfileId(), MOST_TOGETHER, fewest=2), MOST_PINS, load_default=())
    apart = Several(Several(ProfileId(), MOST_APART, fewest=2), MOST_PINS, load_default=())


class StatsAnswer(Schema):
    """What a plan came to; `bound_ratio` is its weight over what is proven to be the most."""

    participants = Whole(0, MOST_PARTICIPANTS * 1000, required=True)
    placed = Whole(0, MOST_PARTICIPANTS * 1000, required=True)
    left_out = Whole(0, MOST_PARTICIPANTS * 1000, required=True)
    repeats = Whole(0, MOST_PARTICIPANTS * 1000, required=True)
    mean_score = Number(0, 1, required=True)
    worst_score = Number(0, 1, required=True)
    bound_ratio = Number(0, 1, required=True)
    seconds = Number(0, 10**9, required=True)


class RoundAnswer(Schema):
    """A round; `progress` tells how far planning is, `error` why it failed."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    state = Choice(*STATES, required=True)
    group_size = Whole(*GROUP_SIZES, required=True)
    starts_on = Day(required=True)
    ends_on = Day(required=True)
    cooldown_days = Whole(0, LONGEST_COOLDOWN_DAYS, required=True)
    seed = Whole(0, LARGEST_SEED, required=True)
    progress = Number(0, 1, required=True)
    stats = fields.Nested(StatsAnswer, required=True, allow_none=True)
    error = fields.String(required=True, allow_none=True)
    created_at = Moment(required=True)
    published_at = Moment(required=True, allow_none=True)


class TimeAnswer(Schema):
    """When a group could meet, and the time zone that most of it lives in."""

    starts_at = Moment(required=True)
    ends_at = Moment(required=True)
    timezone = fields.String(required=True)


class GroupAnswer(Schema):
    """A group of a draft; `relaxed` names the rules that could not be kept for it."""

    members = fields.List(fields.String(), required=True)
    score = Number(0, 1, required=True)
    slot = fields.Nested(TimeAnswer, required=True, allow_none=True)
    place = fields.Dict(required=True, allow_none=True)
    reasons = fields.List(fields.String(), required=True)
    relaxed = fields.List(fields.String(), required=True)


class GroupPage(Schema):
    """A page of groups; `next` is the cursor of the one that follows."""

    items = fields.List(fields.Nested(GroupAnswer), required=True)
    next = fields.String()


class LeftOutAnswer(Schema):
    """Somebody in no group, and why; `erased` are those whose group fell apart after it was drafted."""

    profile = fields.String(required=True)
    reason = Choice(*LEFT_OUT, required=True)


class LeftOutPage(Schema):
    """A page of those left out; `next` is the cursor of the one that follows."""

    items = fields.List(fields.Nested(LeftOutAnswer), required=True)
    next = fields.String()


def round_wire(shown: Round, progress: float = 1.0) -> dict[str, Any]:
    """Return a round as it is read."""
    plain = ("id", "name", "state", "group_size", "starts_on", "ends_on", "cooldown_days", "seed", "error")
    return {name: getattr(shown, name) for name in plain} | {
        "progress": round(progress, 3),
        "stats": None if shown.stats is None else dict(shown.stats),
        "created_at": write_time(shown.created_at),
        "published_at": None if shown.published_at is None else write_time(shown.published_at),
    }
