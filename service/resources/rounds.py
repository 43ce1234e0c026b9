"""Rounds over HTTP: opened, read, planned anew, published, cancelled."""

from typing import Any

from flask import Response
from flask.views import MethodView

from service.records import content_hash
from service.records_meetups import NewRound, Round
from service.schemas.fields import write_time
from service.schemas.queries import NumberedQuery, PageQuery
from service.schemas.rounds import (
    GroupPage,
    LeftOutPage,
    PinsSchema,
    RoundAnswer,
    RoundSchema,
    round_wire,
)
from service.storage.rounds import RoundGroup
from service.usecases.gatherings import Told, describe
from service.usecases.publishing import publish_round
from service.usecases.rounds import (
    cancel_round,
    open_round,
    page_of_groups,
    page_of_left_out,
    plan_again,
    read_round,
)
from service.web.access import needs_admin
from service.web.answers import answer, page, tagged
from service.web.blueprint import ETAG, Blueprint
from service.web.idempotency import idempotent
from service.web.state import access, link, parts, session

blueprint = Blueprint("rounds", __name__, url_prefix="/v1/rounds", description="Everyone gets a meetup.")


@blueprint.route("")
class Rounds(MethodView):
    """The rounds of the community."""

    @idempotent()
    @blueprint.arguments(RoundSchema)
    @blueprint.response(202, RoundAnswer)
    def post(self, wanted: NewRound) -> Response:
        """Open a round, and have it planned."""
        return _accept(open_round(session(), wanted))


@blueprint.route("/<round_id:round_id>")
class OneRound(MethodView):
    """One round."""

    @blueprint.response(200, RoundAnswer, headers=ETAG)
    def get(self, round_id: str) -> Response:
        """Read a round: its state, how far planning is, what the plan came to."""
        wire = round_wire(*read_round(session(), round_id))
        return tagged(wire, content_hash(wire))


@blueprint.route("/<round_id:round_id>/groups")
class Groups(MethodView):
    """A round's groups."""

    @blueprint.arguments(NumberedQuery, location="query")
    @blueprint.response(200, GroupPage)
    def get(self, query: dict[str, Any], round_id: str) -> Response:
        """List the groups."""
        after, limit = (query["cursor"] or [0])[0], query["limit"]
        found = page_of_groups(session(), round_id, after, limit + 1)
        told = describe(parts().loaded, session(), access(), [group.ids for group in found])
        shown = list(zip(found, told, strict=True))
        return page(shown, limit, lambda one: _group_wire(*one), lambda last: [last[0].number])


@blueprint.route("/<round_id:round_id>/left-out")
class LeftOut(MethodView):
    """Who takes part in a round but has no group."""

    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, LeftOutPage)
    def get(self, query: dict[str, Any], round_id: str) -> Response:
        """List those who are left out, and why. In the next round they come first."""
        after, limit = (query["cursor"] or [""])[0], query["limit"]
        found = page_of_left_out(session(), round_id, after, limit + 1)
        return page(
            found, limit, lambda one: {"profile": one.id, "reason": one.reason}, lambda last: [last.id]
        )


@blueprint.route("/<round_id:round_id>/replan")
class Replan(MethodView):
    """A draft once more."""

    @idempotent()
    @blueprint.arguments(PinsSchema)
    @blueprint.response(202, RoundAnswer)
    def post(self, pins: dict[str, Any], round_id: str) -> Response:
        """Have a round planned anew, with these pins in place of those before."""
        return _accept(plan_again(session(), round_id, pins["together"], pins["apart"]))


@blueprint.route("/<round_id:round_id>/publish")
class Publish(MethodView):
    """A draft becomes meetups."""

    @needs_admin
    @idempotent()
    @blueprint.response(200, RoundAnswer)
    def post(self, round_id: str) -> Response:
        """Publish a draft, once: later calls get the same answer."""
        return answer(round_wire(publish_round(session(), round_id)))


@blueprint.route("/<round_id:round_id>/cancel")
class Cancel(MethodView):
    """A round that does not take place."""

    @needs_admin
    @idempotent()
    @blueprint.response(200, RoundAnswer)
    def post(self, round_id: str) -> Response:
        """Cancel a round that is not published yet."""
        return answer(round_wire(cancel_round(session(), round_id)))


def _accept(planned: Round) -> Response:
    headers = {"Location": link("rounds.OneRound", round_id=planned.id)}
    return answer(round_wire(planned, 0.0), 202, headers)


def _group_wire(group: RoundGroup, told: Told) -> dict[str, Any]:
    slot = None
    if group.starts_at is not None and group.ends_at is not None:
        times = {"starts_at": write_time(group.starts_at), "ends_at": write_time(group.ends_at)}
        slot = times | {"timezone": told.timezone}
    return {
        "members": list(group.ids),
        "score": round(group.score, 4),
        "slot": slot,
        "place": None if group.place is None else dict(group.place),
        "reasons": list(told.reasons),
        "relaxed": list(group.relaxed),
    }
