"""One log line a request: the route's template, never the path; numbers, never names."""

import time

import structlog
from flask import Flask, Response, g, request

from service.web.metrics import route_template

log = structlog.get_logger(__name__)


def register_request_log(app: Flask) -> None:
    """Log every request."""
    app.after_request(_log)


def _log(response: Response) -> Response:
    access = g.get("kith_access")
    tenant = {"community": access.community.number} if access else {}
    log.info(
        "request",
        method=request.method if request.url_rule else "other",
        route=route_template(),
        status=response.status_code,
        milliseconds=round((time.perf_counter() - g.kith_began) * 1000, 2),
        **tenant,
    )
    return response
