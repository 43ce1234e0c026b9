"""Hostile values in the place of every value of every body: a 4xx that names the place, and nothing done.

Bodies and values stand in `inputs.py`; `./dev drill` puts every value in every place, on both databases.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.attacks.inputs import (
    BODIES,
    HEAVY,
    IMPORTS,
    LINES,
    NEVER,
    WITH_JSON,
    WRITES,
    Both,
    Town,
    broken,
    places,
    refusal_fault,
    timed,
)
from tests.harness import NDJSON
from tests.problems import errors, problem
from tests.routes import BODILESS, Route, each, each_nth

State = dict[str, Any]


def send(route: Route, body: bytes, town: Town) -> TestResponse:
    return town.send(route, body)


def tops(body: Mapping[str, Any]) -> list[str]:
    """Name one field of each kind: a text, a number, a list, an object."""
    kinds: dict[type, str] = {}
    for name, value in body.items():
        kinds.setdefault(type(value), name)
    return list(kinds.values())


@each(WRITES)
def test_every_route_that_takes_a_body_has_a_right_one(town: Town, route: Route) -> None:
    body = BODIES.get(route.name) or LINES.get(route.name)
    assert (body is None) == (route.name in BODILESS), f"{route.name} needs a body in inputs.py"
    if body is None:
        return

    answer = town.send(
        route, json.dumps(body).encode(), **{"Content_Type": NDJSON} if route in IMPORTS else {}
    )

    assert answer.status_code in {200, 201, 202}, answer.text
    assert route not in IMPORTS or answer.get_json()["failed"] == 0


@each(WITH_JSON)
def test_a_hostile_value_anywhere_is_refused_under_its_path(
    still_town: Town, still: State, route: Route
) -> None:
    body = BODIES[route.name]

    # Every place meets a third of them, and every third a place; the drill has all in all.
    faults = [
        refusal_fault(timed(partial(send, route, broken(body, path, text)), still_town), name, path)
        for number, path in enumerate(places(body))
        for name, text in list(NEVER.items())[number % 3 :: 3]
    ]

    assert [fault for fault in faults if fault] == []
    assert still_town.state() == still


@each_nth(WITH_JSON, 4)
def test_a_huge_value_is_refused_under_its_path(still_town: Town, still: State, route: Route) -> None:
    body = BODIES[route.name]

    faults = [
        refusal_fault(timed(partial(send, route, broken(body, path, text)), still_town), name, path)
        for path in tops(body)
        for name, text in HEAVY.items()
    ]

    assert [fault for fault in faults if fault] == []
    assert still_town.state() == still


@each(WITH_JSON)
def test_both_databases_refuse_in_the_same_words(
    still_both: Both, still_states: list[State], route: Route
) -> None:
    body = BODIES[route.name]
    paths, turn = list(places(body)), WITH_JSON.index(route)

    # The routes take turns with the values; the drill has all in all.
    for number, (name, text) in list(enumerate((NEVER | HEAVY).items()))[turn % 3 :: 3]:
        path = paths[number % len(paths)]
        answer = still_both.attack(partial(send, route, broken(body, path, text)))
        assert refusal_fault(answer, name, path) == ""

    assert still_both.states() == still_states


@pytest.mark.drill
@each(WITH_JSON)
def test_every_value_in_every_place_on_both_databases(
    still_both: Both, still_states: list[State], route: Route
) -> None:
    body = BODIES[route.name]

    for path in places(body):
        for name, text in (NEVER | HEAVY).items():
            answer = still_both.attack(partial(send, route, broken(body, path, text)))
            assert refusal_fault(answer, name, path) == ""

    assert still_both.states() == still_states


@each(WITH_JSON)
def test_a_field_given_twice_is_refused(still_town: Town, still: State, route: Route) -> None:
    body = BODIES[route.name]
    once = json.dumps(body)[1:-1]

    answer = still_town.send(route, f"{{{once}, {once}}}".encode())

    assert list(errors(answer)) == ["body"]
    assert still_town.state() == still


# ---------------------------------------------------------------- codings


@each(WITH_JSON)
def test_a_body_in_another_coding_is_refused(still_town: Town, still: State, route: Route) -> None:
    text = json.dumps(BODIES[route.name])
    bomb = gzip.compress(b" " * 50_000_000)

    problem(still_town.send(route, gzip.compress(text.encode()), Content_Encoding="gzip"), 415)
    problem(timed(lambda town: town.send(route, bomb, Content_Encoding="gzip"), still_town), 415)
    problem(still_town.send(route, gzip.compress(text.encode())), 400)
    for coding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "utf-7"):
        problem(still_town.send(route, (text if coding != "utf-7" else text + "é").encode(coding)), 400)
        problem(
            still_town.send(route, text.encode(coding), Content_Type=f"application/json; charset={coding}"),
            415,
        )

    assert still_town.state() == still


# ---------------------------------------------------------------- mass assignment

# What rows, records and answers hold and no caller may set.
OURS = [
    "number", "own", "pairs", "code", "community", "introductions", "created_at", "secret", "due_at",
    "moves_at", "state", "id", "changed", "place", "cell", "last_cell", "waiting_cell", "moved_at",
    "tile_lat", "document", "digest", "key", "scopes", "admin", "model", "members", "settings_stamp",
    "change_number", "low", "high", "blocked", "blocked_at", "connected", "connected_at", "times_met",
    "score", "full", "__proto__", "_id", "__class__", "Name", "name ", "name\u200b", "",
]  # fmt: skip
# Read-only fields are ignored, so that what was read can be written back.
IGNORED = {
    "POST /v1/profiles": {"moves_at"},
    "PUT /v1/profiles/{profile_id}": {"moves_at"},
    "PATCH /v1/profiles/{profile_id}": {"moves_at"},
    "PATCH /v1/community": {"id"},
    "PATCH /v1/reports/{report_id}": {"id", "created_at"},
    "PATCH /v1/webhooks/{webhook_id}": {"id", "created_at"},
    "PUT /v1/profiles/{profile_id}/connections/{peer_id}": {"times_met"},
}


@each(WITH_JSON)
def test_nothing_of_ours_can_be_set(still_town: Town, still: State, route: Route) -> None:
    rule = route.name

    for name in OURS:
        if name not in set(BODIES[rule]) | IGNORED.get(rule, set()):
            answer = still_town.send(route, json.dumps(BODIES[rule] | {name: "7"}).encode())
            assert list(errors(answer)) == [name or "body"], name

    assert still_town.state() == still


@each([route for route in WITH_JSON if route.name in IGNORED])
def test_what_is_ignored_has_no_effect(town: Town, route: Route) -> None:
    rule = route.name
    plain = Town.of(town.kith)

    sent = town.send(route, json.dumps(BODIES[rule] | dict.fromkeys(IGNORED[rule], "7")).encode())
    expected = plain.send(route, json.dumps(BODIES[rule]).encode())

    assert sent.status_code == expected.status_code
    own = {"id": "", "created_at": "", "peer_hash": ""}  # which two communities never have in common
    assert sent.get_json() | own == expected.get_json() | own
    assert "7" not in (sent.get_json().get("id"), sent.get_json().get("created_at"))


def test_nothing_of_ours_can_be_set_inside_either(town: Town) -> None:
    route = next(route for route in WITH_JSON if route.name == "PUT /v1/profiles/{profile_id}")

    for path in ("location", "availability.0"):
        for name in ("number", "cell", "own", "accuracy", "id"):
            text = json.dumps(_at(BODIES[route.name], path) | {name: 7}).encode()
            answer = town.send(route, broken(BODIES[route.name], path, text))
            assert list(errors(answer)) == [f"{path}.{name}"]


def _at(body: Any, path: str) -> Any:
    for step in path.split("."):
        body = body[int(step)] if isinstance(body, list) else body[step]
    return body
