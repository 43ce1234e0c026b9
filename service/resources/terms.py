"""Term completion over HTTP."""

from typing import Any

from flask import Response
from flask.views import MethodView

from matching import normalise
from service.schemas.queries import TermQuery, write_cursor
from service.schemas.terms import TermPage
from service.usecases.terms import complete_terms
from service.web.answers import answer
from service.web.blueprint import Blueprint
from service.web.state import access, parts

blueprint = Blueprint(
    "terms", __name__, url_prefix="/v1/terms", description="What the community's members write."
)


@blueprint.route("")
class Terms(MethodView):
    """Terms of three members or more."""

    @blueprint.arguments(TermQuery, location="query")
    @blueprint.response(200, TermPage)
    def get(self, query: dict[str, Any]) -> Response:
        """Complete a term, commonest first."""
        limit = query["limit"]
        found = complete_terms(
            parts().loaded, access(), query["prefix"], query["facet"], limit + 1, query["cursor"]
        )
        listed: dict[str, Any] = {"items": [{"term": term, "count": count} for term, count in found[:limit]]}
        if len(found) > limit:
            term, count = found[limit - 1]
            listed["next"] = write_cursor(count, normalise(term))
        return answer(listed)
