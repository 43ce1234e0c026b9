"""The app: the only place that builds things.

Reads top to bottom: settings, storage, use cases, resources, errors.
"""

from flask import Flask, Response, request

from service.resources import community, documents, keys, operations, profiles, suggestions, terms, transfers
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
from service.web.openapi import build_api
from service.web.problems import register_problems
from service.web.request_log import register_request_log
from service.web.state import EXTENSION, Parts

NOUNS = (profiles, suggestions, transfers, terms, community, keys, operations)


def create_app(settings: Settings, database: Database, cache: Cache) -> Flask:
    """Build the app on an open database and cache."""
    app = Flask("kith", static_folder=None)
    # One byte more than is allowed: werkzeug cuts a streamed body off in silence, so its length is looked at.
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY + 1
    app.url_map.redirect_defaults = False
    app.url_map.merge_slashes = False

    loaded = LoadedCommunities(database)
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

    api = build_api(app)
    for noun in NOUNS:
        api.register_blueprint(noun.blueprint)
    app.register_blueprint(documents.blueprint)
    app.extensions["kith_api"] = api
    return app


def _harden(response: Response) -> Response:
    response.headers["X-Content-Type-Options"] = "nosniff"
    # What a key may read is nobody else's to keep.
    if request.path.startswith("/v1/"):
        response.headers["Cache-Control"] = "private, no-cache"
    return response
