"""The wire shapes of what is learnt and counted: the model's figures, the stats, who is unserved."""

from typing import Any

from marshmallow import Schema, fields

from matching import FACETS, Shortfall, TermModel
from service.records import Community, Figures, Fit, Stats
from service.schemas.fields import Choice, Flag, Moment, Number, Several, Whole, write_time
from service.schemas.suggestions import REASONS, RELAX

MOST = 2**53


class CommunityStatsAnswer(Schema):
    """How the members fare, counted with the model: shares from 0 to 1 over everyone's first ten.

    Null where nothing was counted yet, as in a large community just imported.
    """

    members = Whole(0, MOST, required=True)
    with_suggestion = Number(0, 1, required=True, allow_none=True)
    connected = Number(0, 1, required=True, allow_none=True)
    never_suggested = Number(0, 1, required=True, allow_none=True)
    exposure_gini = Number(0, 1, required=True, allow_none=True)
    reply_rate = Number(0, 1, required=True, allow_none=True)
    meetups_held = Whole(0, MOST, required=True)
    as_of = Moment(required=True, allow_none=True)


class UnservedAnswer(Schema):
    """A member left without when the stats were counted, and what keeps people from them now."""

    profile = fields.String(required=True)
    no_suggestion = Flag(required=True)
    never_suggested = Flag(required=True)
    reasons = Several(Choice(*REASONS), len(REASONS), required=True)
    relax = Several(Choice(*RELAX), len(RELAX), required=True)


class UnservedPage(Schema):
    """A page of those left without; `next` is the cursor of the one that follows."""

    items = fields.List(fields.Nested(UnservedAnswer), required=True)
    next = fields.String()


class TermCounts(Schema):
    """How many terms of each facet three members or more use."""

    interests = Whole(0, MOST, required=True)
    activities = Whole(0, MOST, required=True)
    goals = Whole(0, MOST, required=True)


class FeedbackCounts(Schema):
    """How many pairs the model was fitted to, and what was told since."""

    learnt = Whole(0, MOST, required=True)
    since = Whole(0, MOST, required=True)


class ModelAnswer(Schema):
    """The model: what it was counted from and fitted to, and its figures on feedback held out from it.

    `refused` are those of a newer one that did worse; `facet_weights` null is learnt.
    """

    number = Whole(0, MOST, required=True)
    members = Whole(0, MOST, required=True)
    terms = fields.Nested(TermCounts, required=True)
    feedback = fields.Nested(FeedbackCounts, required=True)
    fitted_at = Moment(required=True, allow_none=True)
    facet_weights = fields.Dict(keys=fields.String(), values=fields.Float(), required=True, allow_none=True)
    figures = fields.Dict(keys=fields.String(), required=True, allow_none=True)
    refused = fields.Dict(keys=fields.String(), required=True, allow_none=True)


def stats_wire(community: Community, stats: Stats | None) -> dict[str, Any]:
    """Return how the members fare."""
    names = ("with_suggestion", "connected", "never_suggested", "exposure_gini", "reply_rate")
    if stats is None:
        unknown = dict.fromkeys((*names, "as_of"))
        return {"members": community.members, "meetups_held": 0} | unknown
    return {
        "members": stats.members,
        **{name: round(getattr(stats, name), 6) for name in names},
        "meetups_held": stats.meetups_held,
        "as_of": write_time(stats.as_of),
    }


def unserved_wire(
    profile_id: str, *, no_suggestion: bool, never_suggested: bool, shortfall: Shortfall | None
) -> dict[str, Any]:
    """Return a member who is left without."""
    return {
        "profile": profile_id,
        "no_suggestion": no_suggestion,
        "never_suggested": never_suggested,
        "reasons": list(shortfall.reasons) if shortfall else [],
        "relax": list(shortfall.relax) if shortfall else [],
    }


def model_wire(community: Community, model: TermModel, fit: Fit | None) -> dict[str, Any]:
    """Return a community's model by its figures."""
    weights = community.facet_weights
    return {
        "number": model.number,
        "members": model.members,
        "terms": {facet: len(model.counts.get(facet, {})) for facet in FACETS},
        "feedback": {"learnt": community.learnt_feedback, "since": community.feedback},
        "fitted_at": write_time(fit.fitted_at) if fit and fit.fitted_at is not None else None,
        "facet_weights": None if weights is None else dict(weights),
        "figures": _figures(fit.learnt if fit else None),
        "refused": _figures(fit.refused if fit else None),
    }


def refit_wire(community: Community, stats: Stats, *, accepted: bool, figures: Figures) -> dict[str, Any]:
    """Return what came of a refit."""
    return {
        "community": community.id,
        "accepted": accepted,
        "figures": dict(figures),
        "stats": stats_wire(community, stats),
    }


def _figures(figures: Figures | None) -> dict[str, Any] | None:
    return None if figures is None else dict(figures)
