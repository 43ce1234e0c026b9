"""Term completion over HTTP."""

from typing import Any

from flask import Response
from flask.views import MethodView

from matching import normalise
from service.schemas.queries import TermQuery
from service.schemas.terms import TermPage
from service.usecases.terms import complete_terms
from service.web.answers import page
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
        return page(
            found,
            limit,
            lambda item: {"term": item[0], "count": item[1]},
            lambda last: [last[1], normalise(last[0])],
        )
