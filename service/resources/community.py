"""The key's community over HTTP."""

from functools import partial
from typing import Any

from flask import Response
from flask.views import MethodView

from service.records import Community as CommunityRecord
from service.records import content_hash
from service.schemas.base import AnyObject
from service.schemas.communities import CommunityAnswer, community_wire, read_changes
from service.schemas.learning import (
    CommunityStatsAnswer,
    ModelAnswer,
    UnservedPage,
    model_wire,
    stats_wire,
    unserved_wire,
)
from service.schemas.queries import PageQuery
from service.usecases.communities import change_community, etag_of
from service.usecases.stats import Left, list_unserved, read_model, read_stats
from service.web.access import needs_admin
from service.web.answers import condition, page, tagged
from service.web.blueprint import ETAG, Blueprint
from service.web.state import access, parts, session

blueprint = Blueprint("community", __name__, url_prefix="/v1/community", description="The key's community.")


@blueprint.route("")
class Community(MethodView):
    """The community and its settings."""

    @blueprint.response(200, CommunityAnswer, headers=ETAG)
    def get(self) -> Response:
        """Read the community's settings."""
        return _show(access().community)

    @needs_admin
    @blueprint.arguments(AnyObject, content_type="application/merge-patch+json")
    @blueprint.response(200, CommunityAnswer, headers=ETAG)
    def patch(self, patch: dict[str, Any]) -> Response:
        """Change some settings by a JSON merge patch; null sets the default."""
        return _show(change_community(session(), partial(read_changes, patch), condition()))


@blueprint.route("/stats")
class CommunityStats(MethodView):
    """How the members fare."""

    @blueprint.response(200, CommunityStatsAnswer, headers=ETAG)
    def get(self) -> Response:
        """Read how many members are served, connected and answered, counted with the model."""
        community = access().community
        shown = stats_wire(community, read_stats(parts().database, community))
        return tagged(shown, content_hash(shown))


@blueprint.route("/model")
class CommunityModel(MethodView):
    """The model that the community learnt."""

    @blueprint.response(200, ModelAnswer, headers=ETAG)
    def get(self) -> Response:
        """Read the model's figures."""
        community = access().community
        kept = read_model(parts().database, community)
        shown = model_wire(community, kept.model, kept.fit)
        return tagged(shown, content_hash(shown))


@blueprint.route("/unserved")
class CommunityUnserved(MethodView):
    """Who is left without."""

    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, UnservedPage)
    def get(self, query: dict[str, Any]) -> Response:
        """List who has no suggestion or is on nobody's first ten, and what to relax."""
        after, limit = (query["cursor"] or [""])[0], query["limit"]
        asker, found = access(), parts()
        read_stats(found.database, asker.community)
        left = list_unserved(found.loaded, session(), asker, after, limit + 1)
        return page(left, limit, _unserved_wire, lambda last: [last.id])


def _unserved_wire(left: Left) -> dict[str, Any]:
    counted = left.counted
    return unserved_wire(
        left.id,
        no_suggestion=counted.no_suggestion,
        never_suggested=counted.never_suggested,
        shortfall=left.shortfall,
    )


def _show(community: CommunityRecord) -> Response:
    return tagged(community_wire(community), etag_of(community))
