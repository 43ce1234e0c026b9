"""What a request can reach: the app's parts, and who asks."""

from dataclasses import dataclass
from typing import cast

from flask import current_app, g, url_for

from service.records import Access
from service.settings import Settings
from service.storage.access import AccessReader
from service.storage.cache import Cache
from service.storage.database import Database
from service.storage.limits import RateLimiter
from service.storage.loaded import LoadedCommunities
from service.storage.session import Session
from service.usecases.suggestions import Suggester

EXTENSION = "kith"


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that `create_app` built."""

    settings: Settings
    database: Database
    cache: Cache
    limiter: RateLimiter
    reader: AccessReader
    loaded: LoadedCommunities
    suggester: Suggester


def parts() -> Parts:
    """Return the app's parts."""
    return cast(Parts, current_app.extensions[EXTENSION])


def link(endpoint: str, **values: str) -> str:
    """Return a link to a route: absolute where KITH_PUBLIC_URL is set; the Host header never counts."""
    return (parts().settings.public_url or "") + url_for(endpoint, _external=False, **values)


def access() -> Access:
    """Return who asks; only within a route that needs a key."""
    return cast(Access, g.kith_access)


def session() -> Session:
    """Return this request's session in the key's community."""
    return cast(Session, g.kith_session)
