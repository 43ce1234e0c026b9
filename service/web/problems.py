"""Errors in HTTP: one table says what each error of the domain is, one shape says it (RFC 9457)."""

import json
import logging
import math
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from service.errors import (
    Conflict,
    Forbidden,
    Invalid,
    KithError,
    NotFound,
    NotJson,
    NotReady,
    Stale,
    TooManyRequests,
    Unauthenticated,
    WrongMediaType,
)

CONTENT_TYPE = "application/problem+json"
logger = logging.getLogger(__name__)

# Error, status, the NAME in urn:kith:problem:NAME, title.
TABLE: tuple[tuple[type[KithError], int, str, str], ...] = (
    (NotJson, 400, "not-json", "Not JSON"),
    (Unauthenticated, 401, "unauthenticated", "Unauthenticated"),
    (Forbidden, 403, "forbidden", "Forbidden"),
    (NotFound, 404, "not-found", "Not found"),
    (Conflict, 409, "conflict", "Conflict"),
    (Stale, 412, "stale", "Precondition failed"),
    (WrongMediaType, 415, "wrong-media-type", "Unsupported media type"),
    (Invalid, 422, "invalid", "Invalid input"),
    (TooManyRequests, 429, "too-many-requests", "Too many requests"),
    (NotReady, 503, "not-ready", "Not ready"),
)
_OF_STATUS = {status: (name, title) for _, status, name, title in TABLE} | {
    405: ("method-not-allowed", "Method not allowed"),
    413: ("too-large", "Body too large"),
    500: ("internal", "Internal error"),
}
_DETAILS = {
    404: "Nothing is here.",
    405: "This method is not allowed here.",
    413: "The body is larger than 1 MiB.",
    500: "Something went wrong on our side; it has been logged.",
}
RETRY_SECONDS = 1


def register_problems(app: Flask) -> None:
    """Answer every error, ours and the framework's, with a problem document."""
    app.register_error_handler(KithError, problem_of)
    app.register_error_handler(HTTPException, problem_of)
    app.register_error_handler(Exception, problem_of)


def problem_of(error: Exception) -> Response:
    """Return the problem document that says this error in HTTP."""
    if isinstance(error, KithError):
        return _of_ours(error)
    if isinstance(error, HTTPException) and error.code and error.code < 500:
        return _of_http(error, error.code)
    logger.error("unhandled_error", exc_info=error)
    return problem(500, _DETAILS[500])


def _of_ours(error: KithError) -> Response:
    status = next((status for kind, status, _, _ in TABLE if isinstance(error, kind)), 500)
    extra = {"errors": error.errors} if isinstance(error, Invalid) else {}
    detail = "Some fields are not as they must be; see errors." if extra else str(error)
    response = problem(status, detail, **extra)
    if isinstance(error, TooManyRequests):
        response.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    if isinstance(error, NotReady):
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = 'Bearer realm="kith"'
    return response


def _of_http(error: HTTPException, status: int) -> Response:
    if error.response is not None or status < 400:
        # A redirect of the router's: nothing is at the address that was asked for.
        return problem(404, _DETAILS[404])
    response = problem(status, _DETAILS.get(status, error.name))
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value
    return response


def problem(status: int, detail: str, **extra: Any) -> Response:
    """Return a problem document."""
    name, title = _OF_STATUS.get(status, ("http", "Error"))
    document = {
        "type": f"urn:kith:problem:{name}",
        "title": title,
        "status": status,
        "detail": detail,
    } | extra
    body = json.dumps(document, ensure_ascii=False)
    if request.method == "HEAD":
        body = ""
    return Response(body, status, content_type=CONTENT_TYPE)
