"""Metrics in Prometheus' form: requests by route template, and where suggestions came from."""

import os
import time

from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Counter("kith_requests_total", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram("kith_request_seconds", "Time to answer.", ["route"])
SUGGESTIONS = Counter("kith_suggestions_total", "Suggestions answered, by where they came from.", ["cache"])
LOOKED_AT = Counter(
    "kith_suggestions_looked_at_total",
    "Suggestions by who was looked at for them: nobody, who stood in front or has changed, or everybody.",
    ["how"],
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def register_metrics(app: Flask) -> None:
    """Count and time every request."""
    app.before_request(_begin)
    app.after_request(_count)


def _begin() -> None:
    g.kith_began = time.perf_counter()


def _count(response: Response) -> Response:
    route = route_template()
    # Only methods that are known: what a caller makes up must not make up series.
    method = request.method if request.method in _METHODS else "other"
    REQUESTS.labels(method, route, str(response.status_code)).inc()
    SECONDS.labels(route).observe(time.perf_counter() - g.get("kith_began", time.perf_counter()))
    return response


def route_template() -> str:
    """Return the route that answered, never the path that was asked for: paths hold people's ids."""
    return request.url_rule.rule if request.url_rule else "none"


def write_metrics() -> Response:
    """Return the metrics of all workers."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)
