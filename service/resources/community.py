"""The key's community over HTTP."""

from functools import partial
from typing import Any

from flask import Response
from flask.views import MethodView

from service.records import Community as CommunityRecord
from service.schemas.base import AnyObject
from service.schemas.communities import CommunityAnswer, community_wire, read_changes
from service.usecases.communities import change_community, etag_of
from service.web.access import needs_admin
from service.web.answers import condition, tagged
from service.web.blueprint import ETAG, Blueprint
from service.web.state import access, session

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


def _show(community: CommunityRecord) -> Response:
    return tagged(community_wire(community), etag_of(community))
