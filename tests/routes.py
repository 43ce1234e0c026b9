"""Every route of the app, found in its url_map, so that no test of all routes can forget a new one.

`BODIES` and `LINES` hold what each route takes, `settle` makes what its path and body name. A new route that
writes fails `tests/contract/test_walk.py` until it stands here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from service.app import create_app
from service.settings import read_settings
from service.storage.cache import open_cache
from service.storage.database import Database
from tests.gatherings import days, work
from tests.harness import NDJSON, Kith

ADMIN = re.compile(
    r"GET /v1/profiles(/<profile>)?/export|\w+ /v1/(keys|reports|webhooks)(/.*)?|PATCH /v1/community"
    r"|POST /v1/rounds/<[a-z_:]+>/(publish|cancel)"
)
NO_KEY = re.compile(r"/(livez|readyz|metrics|openapi\.json|docs(/.*)?)|/calendars/.*")
# Ids of every kind that a path or a body names; nothing has these of a key, a report, a round and a meetup.
IDS = {
    "profile_id": "somebody",
    "peer_id": "acquaintance",
    "other_id": "newcomer",
    "key_id": "key_0123456789abcdef",
    "report_id": "rep_0123456789abcdef01234567",
    "round_id": "rnd_0123456789abcdef01234567",
    "meetup_id": "mtg_0123456789abcdef01234567",
    "venue_id": "cafe",
    "secret": "0" * 64,
    "webhook_id": "whk_0123456789abcdef",
    "delivery_id": "dlv_0123456789abcdef01234567",
    "name": "swagger-ui.css",
}
# What each route takes that reads JSON; `<peer_id>` and the like stand for ids.
BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/profiles": {"name": "New"},
    "PUT /v1/profiles/{profile_id}": {"name": "New"},
    "PATCH /v1/profiles/{profile_id}": {"name": "New"},
    "POST /v1/profiles/{profile_id}/responses": {"peer": "<other_id>", "response": "accept"},
    "PUT /v1/profiles/{profile_id}/connections/{peer_id}": {"last_met": "2026-01-01T18:00:00Z"},
    "POST /v1/profiles/{profile_id}/reports": {"peer": "<other_id>", "reason": "spam", "detail": "Sells."},
    "PATCH /v1/reports/{report_id}": {"state": "resolved"},
    "PATCH /v1/community": {"name": "New"},
    "POST /v1/keys": {"name": "new", "scopes": ["read"]},
    "POST /v1/rounds": {"name": "New", "participants": ["<profile_id>", "<other_id>"]} | days(),
    "POST /v1/rounds/{round_id}/replan": {"apart": [["<profile_id>", "<other_id>"]]},
    "POST /v1/meetups": {"members": ["<profile_id>", "<peer_id>"]},
    "POST /v1/meetups/{meetup_id}/replies": {"profile": "<profile_id>", "reply": "yes"},
    "POST /v1/meetups/{meetup_id}/outcomes": {"profile": "<profile_id>", "outcome": "met", "again": True},
    "PUT /v1/venues/{venue_id}": {"name": "New", "location": {"lat": 52.52, "lon": 13.405}},
    "POST /v1/webhooks": {"url": "https://example.org/new", "events": ["profile.erased"]},
    "PATCH /v1/webhooks/{webhook_id}": {"url": "https://example.org/changed"},
}
# A line that each import takes.
LINES: dict[str, dict[str, Any]] = {
    "POST /v1/profiles/import": {"id": "<profile_id>", "name": "New"},
    "POST /v1/connections/import": {"a": "<profile_id>", "b": "<other_id>"},
    "POST /v1/venues/import": {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [13.405, 52.52]},
        "properties": {"id": "<venue_id>", "name": "New"},
    },
}
# Those that write without a body.
BODILESS = {
    "PUT /v1/profiles/{profile_id}/blocks/{peer_id}",
    "POST /v1/rounds/{round_id}/publish",
    "POST /v1/rounds/{round_id}/cancel",
    "POST /v1/webhooks/{webhook_id}/test",
    "POST /v1/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver",
}
# How a call is answered that is right.
DONE = {200, 201, 202, 204}


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
    def name(self) -> str:
        """What the tables of bodies call it."""
        return f"{self.method} {self.template}"

    @property
    def is_import(self) -> bool:
        """Whether it takes a stream of lines."""
        return self.name in LINES

    def body(self, ids: Mapping[str, str] = IDS) -> bytes | None:
        """Return what it takes, naming these ids; None where it takes nothing."""
        taken = LINES.get(self.name) or BODIES.get(self.name)
        if taken is None:
            return None
        return re.sub(r"<(\w+)>", lambda found: ids[found[1]], json.dumps(taken)).encode()

    def send(self, kith: Kith, ids: Mapping[str, str] = IDS, query: str = "", **headers: str) -> TestResponse:
        """Send what it takes, under the key of `kith` or whatever the headers say."""
        body = self.body(ids)
        kind = {"Content_Type": NDJSON if self.is_import else "application/json"} if body else {}
        answer: TestResponse = kith.call(self.method, self.path(ids) + query, body, **(kind | headers))
        return answer

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


def settle(kith: Kith, route: Route | None = None) -> dict[str, str]:
    """Make what this route's path and body name, such as members, a report, a draft; return the ids.

    Without a route everything but rounds and meetups. What no call names is not made: most tests settle for
    each route.
    """
    kith.import_profiles(*({"id": IDS[who], "name": who} for who in ("profile_id", "peer_id", "other_id")))
    kith.call("PUT", f"/v1/profiles/{IDS['profile_id']}/connections/{IDS['peer_id']}", {})
    if route is not None and route.name == "DELETE /v1/profiles/{profile_id}/blocks/{peer_id}":
        kith.call("PUT", route.path())  # which ends the connection
    made: dict[str, str] = {}
    for name, make in MAKERS.items():
        if route is None or f"{{{name}}}" in route.template:
            made |= make(kith)
    return IDS | made | (gathered(kith, route.template) if route else {})


def _report(kith: Kith) -> dict[str, str]:
    report = {"peer": "stranger", "reason": "other"}
    reported = kith.call("POST", f"/v1/profiles/{IDS['peer_id']}/reports", report)
    return {"report_id": reported.json["id"]}


def _key(kith: Kith) -> dict[str, str]:
    made = kith.call("POST", "/v1/keys", {"name": "spare", "scopes": ["read"]})
    return {"key_id": made.json["id"]}


def _venue(kith: Kith) -> dict[str, str]:
    kith.call("PUT", f"/v1/venues/{IDS['venue_id']}", {"name": "Old", "location": {"lat": 48.1, "lon": 11.6}})
    return {"venue_id": IDS["venue_id"]}


def _secret(kith: Kith) -> dict[str, str]:
    address = kith.get(f"/v1/profiles/{IDS['profile_id']}/calendar")["url"]
    return {"secret": address.removeprefix("/calendars/").removesuffix(".ics")}


def gathered(kith: Kith, template: str = "{round_id} {meetup_id}") -> dict[str, str]:
    """Make the round and the meetup that a path names."""
    found = {}
    if "{round_id}" in template:
        body = json.loads(Route("POST", "/v1/rounds").body() or b"")
        found["round_id"] = kith.call("POST", "/v1/rounds", body).json["id"]
    if template.endswith("/publish"):
        work(kith)
    if "{meetup_id}" in template:
        body = json.loads(Route("POST", "/v1/meetups").body() or b"")
        found["meetup_id"] = kith.call("POST", "/v1/meetups", body).json["id"]
    return found


def _webhook(kith: Kith) -> dict[str, str]:
    # A community has only so many: one that is there will do.
    listed = kith.get("/v1/webhooks")["items"]
    wanted = {"url": "https://example.org/kith", "events": ["report.filed"]}
    webhook = listed[0]["id"] if listed else kith.call("POST", "/v1/webhooks", wanted).json["id"]
    tried = kith.call("POST", f"/v1/webhooks/{webhook}/test")
    return {"webhook_id": webhook, "delivery_id": tried.json["id"]}


# What makes each id that a path may name, beside members, rounds and meetups.
MAKERS = {
    "report_id": _report,
    "key_id": _key,
    "venue_id": _venue,
    "secret": _secret,
    "webhook_id": _webhook,
}


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


def each_nth(routes: list[Route], step: int) -> pytest.MarkDecorator:
    """Run a test for every so many-th of these routes, and for the others in the drill."""
    found = [
        pytest.param(route, marks=pytest.mark.drill if number % step else ())
        for number, route in enumerate(routes)
    ]
    return pytest.mark.parametrize("route", found, ids=[str(route) for route in routes])


def each(routes: list[Route]) -> pytest.MarkDecorator:
    """Run a test for each of these routes."""
    return pytest.mark.parametrize("route", routes, ids=str)
