"""The app: the only place that builds things.

Reads top to bottom: settings, storage, use cases, resources, errors.
"""

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from service.resources import (
    blocks,
    calendars,
    community,
    connections,
    documents,
    keys,
    meetups,
    operations,
    profiles,
    reports,
    responses,
    rounds,
    suggestions,
    terms,
    transfers,
    venues,
    webhooks,
)
from service.settings import Settings
from service.storage.access import AccessReader
from service.storage.cache import Cache
from service.storage.database import Database
from service.storage.limits import RateLimiter
from service.storage.loaded import LoadedCommunities
from service.usecases.suggestions import Suggester
from service.web.access import register_access
from service.web.blueprint import LARGEST_BODY
from service.web.converters import register_converters
from service.web.metrics import register_metrics
from service.web.problems import register_problems
from service.web.request_log import register_request_log
from service.web.state import EXTENSION, Parts

NOUNS = (
    profiles,
    suggestions,
    responses,
    connections,
    blocks,
    reports,
    rounds,
    meetups,
    transfers,
    terms,
    venues,
    calendars,
    community,
    keys,
    webhooks,
    operations,
)


def create_app(
    settings: Settings, database: Database, cache: Cache, loaded: LoadedCommunities | None = None
) -> Flask:
    """Build the app on an open database and cache."""
    app = Flask("kith", static_folder=None)
    # One byte more than is allowed: werkzeug cuts a streamed body off in silence, so its length is looked at.
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY + 1
    app.url_map.redirect_defaults = False
    app.url_map.merge_slashes = False
    # Only the client's address is taken from a proxy, never the host, scheme or prefix that links would show.
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.proxies, x_proto=0)  # type: ignore[method-assign]

    loaded = loaded or LoadedCommunities(database)
    app.extensions[EXTENSION] = Parts(
        settings=settings,
        database=database,
        cache=cache,
        limiter=RateLimiter(settings.rate_limit, cache.link),
        reader=AccessReader(database),
        loaded=loaded,
        suggester=Suggester(cache, loaded),
    )

    register_converters(app)
    register_metrics(app)
    register_request_log(app)
    register_access(app)
    register_problems(app)
    app.after_request(_harden)

    for noun in NOUNS:
        app.register_blueprint(noun.blueprint)
    app.register_blueprint(documents.blueprint)
    app.register_blueprint(calendars.feeds)
    return app


# Nothing that we answer is a page, but for /docs, which has a policy of its own.
_GUARDS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
}


def _harden(response: Response) -> Response:
    # Looked through once: `setdefault` would do so for each.
    own = {name for name, _ in response.headers}
    response.headers.extend([guard for guard in _GUARDS.items() if guard[0] not in own])
    # What a key may read is nobody else's to keep.
    if request.path.startswith("/v1/"):
        response.headers["Cache-Control"] = "private, no-cache"
    return response
