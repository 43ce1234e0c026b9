"""Meetups over HTTP: listed, read, arranged, answered, and how they went."""

from typing import Any

from flask import Response
from flask.views import MethodView

from service.records import content_hash
from service.records_meetups import Meetup
from service.schemas.meetups import (
    MeetupAnswer,
    MeetupPage,
    NewMeetupSchema,
    OutcomeSchema,
    ReplySchema,
    meetup_wire,
)
from service.schemas.queries import MeetupQuery
from service.usecases.calendars import CONTENT_TYPE, write_meetup
from service.usecases.gatherings import Told, describe
from service.usecases.meetup_views import view_meetup
from service.usecases.meetups import arrange_meetup, page_of_meetups, read_meetup, reply
from service.usecases.outcomes import record_outcome
from service.web.answers import page, tagged, unless_known
from service.web.blueprint import ETAG, Blueprint
from service.web.idempotency import idempotent, speaks_of
from service.web.state import access, link, parts, session

blueprint = Blueprint("meetups", __name__, url_prefix="/v1/meetups", description="Who meets when and where.")


@blueprint.route("")
class Meetups(MethodView):
    """The meetups of the community."""

    @blueprint.arguments(MeetupQuery, location="query")
    @blueprint.response(200, MeetupPage)
    def get(self, query: dict[str, Any]) -> Response:
        """List meetups in the order of their ids, the oldest first."""
        after, limit = (query["cursor"] or [""])[0], query["limit"]
        found = page_of_meetups(session(), after, limit + 1, query["profile"], query["round"])
        shown = list(zip(found, _told(found), strict=True))
        return page(shown, limit, lambda one: _wire(*one), lambda last: [last[0].id])

    @idempotent()
    @blueprint.arguments(NewMeetupSchema)
    @blueprint.response(201, MeetupAnswer, headers=ETAG)
    def post(self, wanted: dict[str, Any]) -> Response:
        """Arrange a meetup for people who are all connected."""
        meetup = arrange_meetup(session(), wanted["members"])
        speaks_of(meetup.id)
        return _show(meetup, 201)


@blueprint.route("/<meetup_id:meetup_id>")
class OneMeetup(MethodView):
    """One meetup."""

    @blueprint.response(200, MeetupAnswer, headers=ETAG)
    def get(self, meetup_id: str) -> Response:
        """Read a meetup."""
        return _show(read_meetup(session(), meetup_id))


@blueprint.route("/<meetup_id:meetup_id>.ics")
class File(MethodView):
    """One meetup for a calendar."""

    @blueprint.response(200, {"type": "string"}, content_type=CONTENT_TYPE.partition(";")[0], headers=ETAG)
    def get(self, meetup_id: str) -> Response:
        """Give a meetup as iCalendar: an invitation, or its cancellation."""
        view = view_meetup(parts().loaded, session(), access(), meetup_id)
        content = write_meetup(view, access().community)
        return unless_known(
            content_hash(content.decode()), lambda: Response(content, content_type=CONTENT_TYPE)
        )


@blueprint.route("/<meetup_id:meetup_id>/replies")
class Replies(MethodView):
    """Who comes."""

    @idempotent()
    @blueprint.arguments(ReplySchema)
    @blueprint.response(200, MeetupAnswer, headers=ETAG)
    def post(self, said: dict[str, str], meetup_id: str) -> Response:
        """Say whether somebody comes; for `other_time` another one is sought."""
        speaks_of(meetup_id)
        return _show(reply(session(), meetup_id, said["profile"], said["reply"]))


@blueprint.route("/<meetup_id:meetup_id>/outcomes")
class Outcomes(MethodView):
    """How it went."""

    @idempotent()
    @blueprint.arguments(OutcomeSchema)
    @blueprint.response(200, MeetupAnswer, headers=ETAG)
    def post(self, said: dict[str, Any], meetup_id: str) -> Response:
        """Say how it went for somebody; `unsafe` blocks and reports, `again` from all makes the next."""
        speaks_of(meetup_id)
        return _show(record_outcome(session(), meetup_id, said["profile"], said["outcome"], said["again"]))


def _show(meetup: Meetup, status: int = 200) -> Response:
    headers = {"Location": link("meetups.OneMeetup", meetup_id=meetup.id)} if status == 201 else None
    wire = _wire(meetup, _told([meetup])[0])
    return tagged(wire, content_hash(wire), status, headers)


def _told(found: list[Meetup]) -> list[Told]:
    groups = [[one.id for one in meetup.attendees] for meetup in found]
    return describe(parts().loaded, session(), access(), groups)


def _wire(meetup: Meetup, told: Told) -> dict[str, Any]:
    return meetup_wire(meetup, told.timezone, told.reasons, told.openers)
