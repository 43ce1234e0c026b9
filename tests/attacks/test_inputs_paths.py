"""Hostile ids and parameters, on every route that has any: 404 or a 422 that names the parameter, on both."""

from __future__ import annotations

import base64
import json
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from service.app import create_app
from service.settings import read_settings
from service.storage.cache import open_cache
from service.storage.database import Database
from tests.attacks.inputs import BODIES, IMPORTS, LINES, Both, Town
from tests.harness import NDJSON
from tests.problems import errors
from tests.routes import BODILESS, IDS, KEYED, Route, each

State = dict[str, Any]


def ask(route: Route, path: str, town: Town) -> TestResponse:
    """Send what is right but for its path."""
    body = BODIES.get(route.name) or LINES.get(route.name)
    sent = None if body is None or route.name in BODILESS else json.dumps(body).encode()
    kind = NDJSON if route in IMPORTS else "application/json"
    answer: TestResponse = town.kith.call(
        route.method, path, sent, **{"Content_Type": kind} if sent is not None else {}
    )
    return answer


# ---------------------------------------------------------------- ids

WRONG_IDS = [
    "%00", "ana%00", "%00ana", "..", ".", "%2e%2e", "%2e", "..%2f..", "%2F", "a%2fb", ":", ":ana",
    "%3Aana", "ana%0a", "ana%0d%0aX-Evil:%201", "%1b%5b31m", "%c0%af", "%c0%ae%c0%ae", "%e0%80%af",
    "%f0%80%80%af", "%ed%a0%80", "%ff", "%", "%zz", "%u0061na", "an%C3%A1", "%EF%BD%81na",
    "%E2%80%AEana", "ana%20", "%20ana", "+ana", "*", "ana*", "ana;x=1", "ana,ben", "ana'--",
    "ana%27%20OR%201=1", "ana%22", "ana%5C", "$ne", "{id}", "<script>", "ana%09", "ana%7F", "import",
    "export", "_", "%25", "ana%25", "-1", "ana%EF%BB%BF", "a" * 10_000, "%61" * 3_000,
]  # fmt: skip
# These are other routes, or routes of their own.
ELSEWHERE = {"import", "export"}


@each([route for route in KEYED if "<" in route.rule])
def test_a_hostile_id_names_nothing(still_both: Both, still_states: list[State], route: Route) -> None:
    held = [
        name for name in still_both.towns[0].ids if f":{name}>" in route.rule or f"<{name}>" in route.rule
    ]
    assert held

    # Each route on both databases, the ids in turns: all of them on every twentieth route.
    turn = KEYED.index(route)
    for name in held:
        for wrong in WRONG_IDS if turn % 20 == 0 else WRONG_IDS[turn % 8 :: 8]:
            path = route.path(still_both.towns[0].ids | {name: wrong})
            if wrong in ELSEWHERE and path.endswith(wrong):
                continue
            answer = still_both.attack(partial(ask, route, path))
            # A revoked key's place and a well-formed key of nobody are the same 404.
            assert answer.status_code == 404, (path, answer.text)
            assert "X-Evil" not in answer.headers

    assert still_both.states() == still_states


# ---------------------------------------------------------------- parameters


def parameters() -> dict[str, list[str]]:
    """Return each route's query parameters, as the served document tells them."""
    database, cache = Database("postgresql:///nowhere"), open_cache("local")
    try:
        app = create_app(read_settings({}), database, cache)
        document = app.test_client().get("/openapi.json").get_json()
    finally:
        cache.close()
        database.close()
    return {
        f"{method.upper()} {path}": [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict)
    }


PARAMETERS = parameters()
ASKED = [(route, name) for route in KEYED for name in PARAMETERS.get(f"{route.method} {route.template}", ())]
LIMITS = [
    "-1", "1e3", "%E0%A5%A7%E0%A5%A6", "0", "101", "2147483648", "9223372036854775808", "1.0", "+1",
    "%201", "1%20", "0x1", "1_0", "NaN", "Infinity", "true", "null", "[]", "%00", "%ff", "%EF%BC%91",
    "1,2", "1;2", "%2D1", "1%0a", "%D9%A1", "", "9" * 5_000,
]  # fmt: skip
TEXTS = [
    "%00", "a%00b", "%ff", "%c0%af", "%ed%a0%80", "a%0ab", "a%0d%0aX-Evil:%201", "%1b%5b31m",
    "%e2%80%a8", "a" * 5_000, "%EF%B7%BA" * 900,
]  # fmt: skip
# Right for some parameters.
FINE = {"prefix": {""}, "radius_km": {"", "101", "1.0"}, "mode": {""}, "facet": {""}}


@pytest.mark.parametrize(("route", "name"), ASKED, ids=str)
def test_a_hostile_parameter_is_refused_by_its_name(still_both: Both, route: Route, name: str) -> None:
    values = TEXTS if name == "prefix" else LIMITS + TEXTS
    path = still_both.towns[0].path(route)

    for value in values:
        if value not in FINE.get(name, ()):
            query = f"{name}={value}"
            answer = still_both.attack(partial(ask, route, f"{path}?{query}"))
            assert answer.status_code == 422, (query[:80], answer.status_code)
            assert route.method == "HEAD" or list(errors(answer)) == [name], query[:80]


@pytest.mark.parametrize(("route", "name"), ASKED, ids=str)
def test_a_repeated_parameter_is_refused(still_town: Town, route: Route, name: str) -> None:
    path = still_town.path(route)
    spelt = f"%{ord(name[0]):02x}{name[1:]}"

    for query in (f"{name}=1&{name}=2", f"{name}=1&{spelt}=1", f"{name}&{name}", f"{name}=1&&{name}=1"):
        answer = ask(route, f"{path}?{query}", still_town)
        assert answer.status_code == 422
        assert route.method == "HEAD" or list(errors(answer)) == [name]


def test_lists_are_there_to_be_attacked() -> None:
    assert {name for _, name in ASKED} >= {"limit", "cursor", "prefix", "facet", "radius_km", "mode"}


# ---------------------------------------------------------------- wildcards

MEMBERS = sorted(IDS[name] for name in ("profile_id", "peer_id", "other_id"))
TERMS = [
    "100% cotton", "100 percent", "snake_case", "snakes case", "back\\slash", "backXslash", "[a]bc", "*bc",
]  # fmt: skip
FOUND: dict[str, set[str]] = {
    "100%": {"100% cotton"},
    "snake_": {"snake_case"},
    "back\\": {"back\\slash"},
    "[a]": {"[a]bc"},
    "*": {"*bc"},
}
NOTHING = ["100_", "%", "_", "\\", "back_", "[ab]", "?bc", "%%", "back\\\\", "' OR '1'='1", "hik%' ESCAPE '"]


def test_wildcards_in_a_prefix_mean_themselves(both: Both) -> None:
    for town in both.towns:
        for number in range(3):
            town.kith.post_profile(f"m{number}", interests=TERMS)

    for prefix in [*FOUND, *NOTHING]:
        path = f"/v1/terms?prefix={quote(prefix)}"
        answer = both.attack(partial(_get, path))
        assert {item["term"] for item in answer.get_json()["items"]} == FOUND.get(prefix, set()), prefix


def _get(path: str, town: Town) -> TestResponse:
    answer: TestResponse = town.kith.call("GET", path)
    return answer


@pytest.mark.parametrize("route", [route for route, name in ASKED if name == "cursor"], ids=str)
def test_wildcards_in_a_cursor_mean_themselves(still_both: Both, route: Route) -> None:
    def with_cursor(cursor: str, town: Town) -> TestResponse:
        return ask(route, f"{town.path(route)}?cursor={cursor}", town)

    for text in ("%", "_", "a%", "\\", "ana' OR '1'='1", "'; DROP TABLE profiles; --", "%x"):
        for parts in ([text], [3, text], [text, text], [2**62, text], [1, text, text]):
            cursor = base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()
            answer = still_both.attack(partial(with_cursor, cursor))
            # Another list's cursor is refused; this list's goes on behind a text that nobody has.
            assert answer.status_code in {200, 422}
            if answer.status_code == 200 and route.rule == "/v1/profiles" and route.method == "GET":
                later = [name for name in MEMBERS if name.encode() > text.encode()]
                assert [item["id"] for item in answer.get_json()["items"]] == later

    assert all(len(state["GET /v1/profiles"][1]["items"]) == 3 for state in still_both.states())
