"""What a client is told whose request never gets to the app: a problem document that repeats nothing of it.

gunicorn's own answer is a page of HTML that quotes the request, and its log line does so too.
"""

from __future__ import annotations

import json

from gunicorn.http.errors import (
    ExpectationFailed,
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)

OURS = (InvalidResponseHeader, InvalidResponseHeaderName)
# Error, status, title.
TABLE: tuple[tuple[type[Exception], int, str], ...] = (
    (LimitRequestLine, 414, "Address too long"),
    (LimitRequestHeaders, 431, "Header too large"),
    (ExpectationFailed, 417, "Expectation failed"),
    (ParseException, 400, "Not HTTP"),
)


def refusal_of(error: Exception) -> tuple[int, str]:
    """Return status and title for what went wrong; 500 where the client isn't to blame."""
    if not isinstance(error, OURS):
        for kind, status, title in TABLE:
            if isinstance(error, kind):
                return status, title
    return 500, "Internal error"


def as_answer(status: int, title: str) -> bytes:
    """Return a whole answer, after which the connection ends."""
    document = {"type": "urn:kith:problem:http", "title": title, "status": status, "detail": f"{title}."}
    body = json.dumps(document).encode()
    head = [
        f"HTTP/1.1 {status} {title}",
        "Connection: close",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        "X-Content-Type-Options: nosniff",
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
        "X-Frame-Options: DENY",
        "Referrer-Policy: no-referrer",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body
