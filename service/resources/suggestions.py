"""Suggestions over HTTP."""

from typing import Any

from flask import Response
from flask.views import MethodView

from service.schemas.fields import write_time
from service.schemas.queries import SuggestionQuery
from service.schemas.suggestions import SuggestionsAnswer, suggestions_wire
from service.usecases.suggestions import Found, Question
from service.web.access import reads_profile
from service.web.answers import CONTENT_TYPE, as_json
from service.web.blueprint import Blueprint
from service.web.metrics import LOOKED_AT, SUGGESTIONS
from service.web.state import access, parts, session

blueprint = Blueprint(
    "suggestions", __name__, url_prefix="/v1/profiles", description="Whom a member could meet."
)


@blueprint.route("/<profile_id:profile_id>/suggestions")
class Suggestions(MethodView):
    """One member's suggestions."""

    @reads_profile
    @blueprint.arguments(SuggestionQuery, location="query")
    @blueprint.response(200, SuggestionsAnswer)
    def get(self, query: dict[str, Any], profile_id: str) -> Response:
        """Suggest whom a member could meet, best first."""
        asker = access()
        support = asker.community.support_text
        found = parts().suggester.suggest(
            session(),
            asker,
            Question(**query),
            lambda found, invited_by: as_json(suggestions_wire(found, invited_by, support)),
        )
        SUGGESTIONS.labels(found.cache).inc()
        LOOKED_AT.labels(found.how).inc()
        return Response(_finish(found, asker.now), content_type=CONTENT_TYPE)


def _finish(found: Found, now: int) -> bytes:
    # The kept bytes are an object without the two fields that differ from call to call: they go in front.
    return b'{"cache":"%s","as_of":"%s",%s' % (found.cache.encode(), write_time(now).encode(), found.body[1:])
