"""The wire shape of suggestions."""

from collections.abc import Collection
from typing import Any

from marshmallow import Schema, fields

from matching import FACETS, Answer, Shortfall, Suggestion
from service.schemas.fields import Choice, Flag, Moment, Number, Several, Whole
from service.schemas.profiles import MODES, SlotSchema, slot_wire

REASONS = (
    "no_location", "too_far", "no_shared_mode", "no_shared_slot", "no_shared_language", "not_sought",
    "paused",
)  # fmt: skip
RELAX = ("radius_km", "modes", "availability", "languages", "seeks")


class PeerAnswer(Schema):
    """Who is suggested."""

    id = fields.String(required=True)
    name = fields.String(required=True)


class SharedAnswer(Schema):
    """Terms that both state, in the asking member's spelling."""

    interests = Several(fields.String(), 50, required=True)
    activities = Several(fields.String(), 50, required=True)
    goals = Several(fields.String(), 50, required=True)


class RelatedAnswer(Schema):
    """A term of each that mean much the same."""

    mine = fields.String(required=True)
    theirs = fields.String(required=True)


class DistanceAnswer(Schema):
    """How far apart the two cells are, as a band."""

    from_km = Whole(0, 100, required=True)
    to_km = Whole(2, 200, required=True)


class SuggestionAnswer(Schema):
    """One suggestion."""

    peer = fields.Nested(PeerAnswer, required=True)
    score = Number(0, 1, required=True)
    modes = Several(Choice(*MODES), 2, fewest=1, required=True)
    shared = fields.Nested(SharedAnswer, required=True)
    related = fields.List(fields.Nested(RelatedAnswer), required=True)
    distance = fields.Nested(DistanceAnswer, required=True, allow_none=True)
    slots = Several(fields.Nested(SlotSchema), 10, required=True)
    reasons = fields.List(fields.String(), required=True)
    openers = fields.List(fields.String(), required=True)
    invited_me = Flag(required=True)


class ShortfallAnswer(Schema):
    """Why a list is shorter than asked for, and what would make it longer."""

    missing = Whole(1, 100, required=True)
    reasons = Several(Choice(*REASONS), len(REASONS), required=True)
    relax = Several(Choice(*RELAX), len(RELAX), required=True)
    support = fields.String(required=True, allow_none=True)


class SuggestionsAnswer(Schema):
    """Whom a member could meet, best first."""

    cache = Choice("hit", "miss", "off", required=True)
    as_of = Moment(required=True)
    items = Several(fields.Nested(SuggestionAnswer), 100, required=True)
    shortfall = fields.Nested(ShortfallAnswer, required=True, allow_none=True)


def suggestions_wire(answer: Answer, invited_by: Collection[str], support: str | None) -> dict[str, Any]:
    """Return the part of the answer that is the same from wherever it comes."""
    return {
        "items": [_suggestion_wire(item, item.id in invited_by) for item in answer.items],
        "shortfall": answer.shortfall and _shortfall_wire(answer.shortfall, support),
    }


def _suggestion_wire(item: Suggestion, invited_me: bool) -> dict[str, Any]:
    return {
        "peer": {"id": item.id, "name": item.name},
        "score": item.score,
        "modes": list(item.modes),
        "shared": {facet: list(item.shared.get(facet, ())) for facet in FACETS},
        "related": [{"mine": mine, "theirs": theirs} for mine, theirs in item.related],
        "distance": item.distance and {"from_km": item.distance[0], "to_km": item.distance[1]},
        "slots": [slot_wire(slot) for slot in item.slots],
        "reasons": list(item.reasons),
        "openers": list(item.openers),
        "invited_me": invited_me,
    }


def _shortfall_wire(shortfall: Shortfall, support: str | None) -> dict[str, Any]:
    return {
        "missing": shortfall.missing,
        "reasons": list(shortfall.reasons),
        "relax": list(shortfall.relax),
        "support": support,
    }
