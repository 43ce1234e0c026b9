"""Idempotency-Key: the same call again gets its first answer again.

The answer is kept in the transaction that did the work, so a crash leaves both or neither. Calls with one key
take turns behind the community's lock: whoever comes second finds the first one's answer.
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Response, g, request

from service.errors import Conflict, Invalid
from service.schemas.profiles import is_profile_id
from service.storage.kept_answers import KeptAnswer, find_answer, keep_answer
from service.web.problems import problem_of
from service.web.state import session

P = ParamSpec("P")
LONGEST_KEY = 255
_ABOUT = "kith_answer_about"
_KEPT_HEADERS = ("Content-Type", "Location", "ETag")


class _NotDone(Exception):
    """Takes an error answer out of the transaction that it must undo."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def speaks_of(named: str) -> None:
    """Say of which profile or meetup the answer speaks: an erasure deletes what is kept about them."""
    setattr(g, _ABOUT, named)


def idempotent(*, secret: bool = False) -> Callable[[Callable[P, Response]], Callable[P, Response]]:
    """Let a POST be sent again under its key. A `secret` answer is not kept: its key gives 409."""

    def decorate(view: Callable[P, Response]) -> Callable[P, Response]:
        @wraps(view)
        def once(*args: P.args, **kwargs: P.kwargs) -> Response:
            key = _key()
            if key is None:
                return view(*args, **kwargs)
            return _once(key, secret, lambda: view(*args, **kwargs))

        return once

    return decorate


def _key() -> str | None:
    keys = request.headers.getlist("Idempotency-Key")
    if not keys:
        return None
    key = keys[0]
    if (
        len(keys) > 1
        or not 1 <= len(key) <= LONGEST_KEY
        or not all("!" <= character <= "~" for character in key)
    ):
        raise Invalid(
            {"Idempotency-Key": [f"Must be one header of 1 to {LONGEST_KEY} visible ASCII characters."]}
        )
    return key


def _once(key: str, secret: bool, call: Callable[[], Response]) -> Response:
    fingerprint = _fingerprint(key)
    try:
        with session().write() as write:
            kept = find_answer(write, key)
            if kept is not None:
                return _again(kept, fingerprint)
            response = _run(call)
            keep_answer(write, key, _keep(response, fingerprint, secret))
            return response
    except _NotDone as undone:
        return _keep_refusal(key, fingerprint, undone.response)


def _run(call: Callable[[], Response]) -> Response:
    try:
        return call()
    except Exception as error:
        raise _NotDone(problem_of(error)) from error


def _keep_refusal(key: str, fingerprint: str, response: Response) -> Response:
    # The work was rolled back: its answer is kept in a transaction of its own, unless another came first.
    if response.status_code >= 500:
        return response
    with session().write() as write:
        kept = find_answer(write, key)
        if kept is not None:
            return _again(kept, fingerprint)
        keep_answer(write, key, _keep(response, fingerprint, False))
    return response


def _fingerprint(key: str) -> str:
    # Under the caller's key, which is kept as a digest alone: a plain hash of a body that is known but for
    # its location would let whoever reads the database try all positions in the cell.
    called = [request.method, request.full_path, hashlib.sha256(request.get_data()).hexdigest()]
    return hmac.new(key.encode(), json.dumps(called).encode(), hashlib.sha256).hexdigest()


def _keep(response: Response, fingerprint: str, secret: bool) -> KeptAnswer:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    body = "" if secret else response.get_data(as_text=True)
    return KeptAnswer(fingerprint, response.status_code, json.dumps(headers), body, _about())


def _about() -> tuple[str, ...]:
    # Out of the request itself: a refusal speaks of them too, though the view was never called.
    try:
        sent = json.loads(request.get_data())
    except (ValueError, RecursionError):
        sent = None
    body = sent if isinstance(sent, dict) else {}
    stated = (body.get(name) for name in ("id", "peer", "profile"))
    named = [(request.view_args or {}).get("profile_id"), *stated, g.get(_ABOUT)]
    ids = [name for name in named if isinstance(name, str) and is_profile_id(name)]
    return tuple(dict.fromkeys(ids))[:2]


def _again(kept: KeptAnswer, fingerprint: str) -> Response:
    if kept.fingerprint != fingerprint:
        raise Invalid({"Idempotency-Key": ["Was sent before with another method, path or body."]})
    if not kept.body and kept.status < 400:
        raise Conflict("This call was answered before, with a secret that is shown only once.")
    return Response(kept.body, kept.status, json.loads(kept.headers))
