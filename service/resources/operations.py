"""What the operator's machines ask: alive, ready, metrics. No key needed."""

from flask import Response
from flask.views import MethodView

from service.errors import NotReady
from service.schemas.operations import AliveAnswer, ReadyAnswer
from service.storage.migrate import is_current
from service.web.access import open_to_all
from service.web.answers import answer
from service.web.blueprint import Blueprint
from service.web.metrics import write_metrics
from service.web.state import parts

blueprint = Blueprint("operations", __name__, description="For the operator.")


@blueprint.route("/livez")
class Livez(MethodView):
    """The process."""

    @open_to_all
    @blueprint.response(200, AliveAnswer)
    def get(self) -> Response:
        """Say that the process lives."""
        return answer({"alive": True})


@blueprint.route("/readyz")
class Readyz(MethodView):
    """The process and what it needs."""

    @open_to_all
    @blueprint.response(200, ReadyAnswer)
    @blueprint.alt_response(503, schema=ReadyAnswer)
    def get(self) -> Response:
        """Say whether requests can be answered; without Redis they can."""
        redis = parts().cache.status()
        try:
            ready = is_current(parts().database)
        except NotReady:
            ready = False
        return answer({"database": "ok" if ready else "off", "redis": redis}, 200 if ready else 503)


@blueprint.route("/metrics")
class Metrics(MethodView):
    """Figures of all workers."""

    @open_to_all
    @blueprint.response(200, {"type": "string"}, content_type="text/plain")
    def get(self) -> Response:
        """Give the metrics in Prometheus' form."""
        return write_metrics()
