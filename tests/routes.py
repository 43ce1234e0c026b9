"""Every route of the app, found in its url_map, so that no test of all routes can forget a new one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from flask import Flask

from service.app import create_app
from service.settings import read_settings
from service.storage.cache import open_cache
from service.storage.database import Database

ADMIN = re.compile(
    r"GET /v1/profiles(/<profile>)?/export|\w+ /v1/(keys|reports|webhooks)(/.*)?|PATCH /v1/community"
    r"|POST /v1/rounds/<[a-z_]+>/(publish|cancel)"
)
NO_KEY = re.compile(r"/(livez|readyz|metrics|openapi\.json|docs(/.*)?)|/v1/calendars/.*")
IDS = {"profile_id": "somebody", "key_id": "key_0123456789abcdef", "name": "swagger-ui.css"}


@dataclass(frozen=True, slots=True)
class Route:
    """One method of one rule."""

    method: str
    rule: str

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"

    def path(self, ids: Mapping[str, str] = IDS) -> str:
        """Return the rule with ids in it."""
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: ids[found[1]], self.rule)

    @property
    def template(self) -> str:
        """The rule as OpenAPI writes it."""
        return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", self.rule)

    @property
    def is_open(self) -> bool:
        """Whether the contract asks for no key here."""
        return NO_KEY.fullmatch(self.rule) is not None

    @property
    def scope(self) -> str:
        """The scope that the contract asks for here."""
        said = re.sub(r"<(?:\w+:)?profile_id>", "<profile>", self.rule)
        if ADMIN.fullmatch(f"{'GET' if self.method == 'HEAD' else self.method} {said}"):
            return "admin"
        return "read" if self.method in {"GET", "HEAD"} else "write"


def routes_of(app: Flask) -> list[Route]:
    """Return every route, without OPTIONS, which Flask adds."""
    return [
        Route(method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"OPTIONS"})
    ]


def _all_routes() -> list[Route]:
    # Nothing is opened: SQLAlchemy connects at the first statement.
    database = Database("postgresql:///nowhere")
    cache = open_cache("local")
    try:
        return routes_of(create_app(read_settings({}), database, cache))
    finally:
        cache.close()
        database.close()


ROUTES = _all_routes()
KEYED = [route for route in ROUTES if not route.is_open]


def each(routes: list[Route]) -> pytest.MarkDecorator:
    """Run a test for each of these routes."""
    return pytest.mark.parametrize("route", routes, ids=str)
