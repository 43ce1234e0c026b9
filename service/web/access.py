"""Who may: every route but the open ones needs a key, in force, with the scope that the route asks for.

The scope follows from the method (read for GET, write for the rest) unless the view says admin.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from flask import Flask, current_app, g, request

from service.errors import Forbidden, Unauthenticated
from service.records import Access
from service.storage.session import Session
from service.usecases.due import settle_due
from service.usecases.keys import digest_of
from service.web.blueprint import check_query
from service.web.fairness import check_address, check_limits
from service.web.state import parts

P = ParamSpec("P")
R = TypeVar("R")
MOST_SETTLINGS = 100
_OPEN = "_kith_open"
_SCOPE = "_kith_scope"
_PROFILE = "_kith_profile"
_NEVER = "_kith_never_limited"


def open_to_all(view: Callable[P, R]) -> Callable[P, R]:
    """Let a view be called without a key."""
    setattr(view, _OPEN, True)
    return view


def needs_admin(view: Callable[P, R]) -> Callable[P, R]:
    """Ask a view's callers for the admin scope."""
    setattr(view, _SCOPE, "admin")
    return view


def reads_profile(view: Callable[P, R]) -> Callable[P, R]:
    """Read the profile in the path, and the stamps in its reach, in the statement that finds the key."""
    setattr(view, _PROFILE, True)
    return view


def never_limited(view: Callable[P, R]) -> Callable[P, R]:
    """Let a view be called however much its key and its community have asked: a block can't wait."""
    setattr(view, _NEVER, True)
    return view


def register_access(app: Flask) -> None:
    """Check the key before every request that a view answers."""
    app.before_request(check_access)


def check_access() -> None:
    """Find who asks, or raise; then carry out what is due in their community."""
    if request.routing_exception is not None or request.endpoint is None:
        return
    view = _view()
    if request.method == "OPTIONS":
        return
    if getattr(view, _OPEN, False):
        check_query()
        return
    try:
        found = find_access(view)
    except Unauthenticated:
        check_address()
        raise
    scope = getattr(view, _SCOPE, "read" if request.method in {"GET", "HEAD"} else "write")
    if not found.allows(scope):
        raise Forbidden(f"This needs a key with the scope {scope}.")
    if not _reads_query(view):
        check_query()
    g.kith_access = found
    g.kith_session = Session(parts().database, found.community.number)


def find_access(view: Any) -> Access:
    """Return who asks, once nothing in their community is due any more."""
    digest = digest_of(_bearer())
    profile_id, radius_km = None, None
    if getattr(view, _PROFILE, False) and request.view_args:
        profile_id, radius_km = request.view_args["profile_id"], request.args.get("radius_km", type=float)
    for settled in range(MOST_SETTLINGS):
        found = parts().reader.find(digest, profile_id, radius_km)
        if found is None:
            raise Unauthenticated("This key is not in force.")
        access, something_due = found
        if not settled:  # before any work
            check_limits(access, refuse=not getattr(view, _NEVER, False))
        if not something_due:
            break
        settle_due(Session(parts().database, access.community.number))
    return access


def _reads_query(view: Any) -> bool:
    documented = getattr(view, "_apidoc", {}).get("arguments", {}).get("parameters", ())
    return any(parameter["in"] == "query" for parameter in documented)


def _bearer() -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme.casefold() != "bearer" or not key.strip():
        raise Unauthenticated("Send Authorization: Bearer and a key of your community.")
    return key.strip()


def _view() -> Any:
    view: Any = current_app.view_functions[request.endpoint or ""]
    methods = getattr(view, "view_class", None)
    method = "get" if request.method == "HEAD" else request.method.lower()
    return getattr(methods, method, view) if methods else view
