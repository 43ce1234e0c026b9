"""Answers: finished JSON, entity tags, and the conditions that come with a request."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from flask import Response, request
from werkzeug.datastructures import ETags

from service.schemas.queries import write_cursor

T = TypeVar("T")
CONTENT_TYPE = "application/json"
_in_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def as_json(content: Any) -> bytes:
    """Return content as JSON in UTF-8."""
    return _in_json(content).encode()


def answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    return Response(as_json(content), status, headers, content_type=CONTENT_TYPE)


def page(
    found: Sequence[T], limit: int, wire: Callable[[T], Any], place: Callable[[T], Sequence[Any]]
) -> Response:
    """Return a page of a list, of which one item more than fits was looked for.

    `place` says where an item stands in the list's order: the cursor holds it.
    """
    listed: dict[str, Any] = {"items": [wire(item) for item in found[:limit]]}
    if len(found) > limit:
        listed["next"] = write_cursor(*place(found[limit - 1]))
    return answer(listed)


def tagged(content: Any, etag: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer with a strong entity tag, or 304 where a reader has it already."""
    return unless_known(etag, lambda: answer(content, status, headers))


def unless_known(etag: str, whole: Callable[[], Response]) -> Response:
    """Return a whole answer with a strong entity tag, or 304 where a reader has it already."""
    known = request.method in {"GET", "HEAD"} and _matches(request.if_none_match, etag)
    response = Response(status=304) if known else whole()
    response.set_etag(etag)
    return response


def nothing() -> Response:
    """Return an answer without content."""
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


def condition() -> Callable[[str | None], bool]:
    """Return what If-Match and If-None-Match ask of the tag that is there (None: nothing is)."""
    sent, wanted, unwanted = request.headers, request.if_match, request.if_none_match

    def holds(etag: str | None) -> bool:
        # One that is there but empty names no tag: nothing fits it.
        if "If-Match" in sent and (etag is None or not (wanted.star_tag or wanted.is_strong(etag))):
            return False
        return etag is None or not _matches(unwanted, etag)

    return holds


def _matches(tags: ETags, etag: str) -> bool:
    return bool(tags) and (tags.star_tag or tags.contains_weak(etag))
