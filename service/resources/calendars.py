"""Members' calendars over HTTP: their secret addresses, and what is read there without a key."""

from flask import Blueprint as PlainBlueprint
from flask import Response
from flask.views import MethodView

from service.errors import NotFound
from service.records import content_hash
from service.schemas.venues import CalendarAnswer
from service.usecases.calendars import (
    CONTENT_TYPE,
    address_of,
    change_address,
    etag_of,
    find_calendar,
    read_calendar,
)
from service.web.access import open_to_all, reads_profile
from service.web.answers import condition, nothing, tagged, unless_known
from service.web.blueprint import ETAG, Blueprint
from service.web.fairness import check_address, check_feed
from service.web.state import access, link, parts, session

blueprint = Blueprint("calendars", __name__, url_prefix="/v1/profiles", description="Members' calendars.")
feeds = PlainBlueprint("feeds", __name__)


@blueprint.route("/<profile_id:profile_id>/calendar")
class Address(MethodView):
    """The secret address of a member's calendar."""

    @reads_profile
    @blueprint.response(200, CalendarAnswer, headers=ETAG)
    def get(self, profile_id: str) -> Response:
        """Give the address at which calendars read a member's meetups; whoever knows it can read them."""
        secret = address_of(session(), access().community, access().asked())
        return tagged({"url": link("feeds.feed", secret=secret)}, etag_of(secret))

    @blueprint.response(204)
    def delete(self, profile_id: str) -> Response:
        """Change the address; the old one leads nowhere any more."""
        change_address(session(), profile_id, condition())
        return nothing()


@feeds.get("/calendars/<feed_secret:secret>.ics")
@open_to_all
def feed(secret: str) -> Response:
    """Give a member's meetups as iCalendar."""
    try:
        calendar = find_calendar(parts().database, secret)
    except NotFound:
        check_address()
        raise
    check_feed(calendar.community.number, f"feed_{calendar.member.number}")
    content = read_calendar(parts().database, calendar)
    response = unless_known(
        content_hash(content.decode()), lambda: Response(content, content_type=CONTENT_TYPE)
    )
    response.headers["Cache-Control"] = "private, no-cache"
    return response
