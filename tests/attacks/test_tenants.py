"""Tenants are islands: what belongs to another community answers as what nobody has, in the same bytes.

Every id that a path or a body names is tried, as `tests/routes.py` has them; a new route that names one fails
until it stands there. Where an id that nobody has is taken (a block, an import), it may be shown again: then
it is masked, with times and made ids. The statements sent to SQL are compared as well: the same work takes
the same time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import event
from werkzeug.test import TestResponse

from tests.harness import Kith
from tests.routes import BODIES, DONE, IDS, KEYED, LINES, Route, each, gathered, settle
from tests.rows import rows_of
from tests.tenants import neighbour, with_key

THEIRS = {
    "profile_id": "their-somebody",
    "peer_id": "their-friend",
    "other_id": "their-other",
    "venue_id": "their-place",
}
NOBODYS = {
    "profile_id": "nobodys-person",
    "peer_id": "nobodys-peer",
    "other_id": "nobodys-one",
    "venue_id": "nobody-spot",
}
MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z"), "TIME"),
    (re.compile(r"\b(?:[a-z]{3,4}_)?[0-9a-f]{16,}\b"), "MADE"),
    (re.compile(r"\bwhsec_[A-Za-z0-9+/=]+"), "SECRET"),
    (re.compile(r'"seconds":[0-9.]+'), "SECONDS"),
)


def named_in(route: Route) -> list[str]:
    """Return which ids a route's path and body name."""
    body = json.dumps(LINES.get(route.name) or BODIES.get(route.name) or {})
    return sorted(
        {*re.findall(r"{(\w+)}", route.template), *re.findall(r"<(\w+)>", body)} & {*IDS} - {"name"}
    )


# The routes that name an id which nobody has without refusing it: anybody may be blocked, reported, imported.
STRANGERS = {
    ("PUT /v1/profiles/{profile_id}", "profile_id"),
    ("POST /v1/profiles/import", "profile_id"),
    ("PUT /v1/profiles/{profile_id}/blocks/{peer_id}", "peer_id"),
    ("DELETE /v1/profiles/{profile_id}/blocks/{peer_id}", "peer_id"),
    ("POST /v1/profiles/{profile_id}/reports", "other_id"),
    ("POST /v1/connections/import", "profile_id"),
    ("POST /v1/connections/import", "other_id"),
    ("PUT /v1/venues/{venue_id}", "venue_id"),
    ("POST /v1/venues/import", "venue_id"),
}
# What names members of a group: who is none is told by the field.
LISTED = {
    "POST /v1/rounds",
    "POST /v1/rounds/{round_id}/replan",
    "POST /v1/meetups",
    "POST /v1/meetups/{meetup_id}/replies",
    "POST /v1/meetups/{meetup_id}/outcomes",
}
# Fields of a body that name members.
MEMBER_FIELDS = {"id", "peer", "a", "b", "profile", "members", "participants"}
CASES = [(route, name) for route in KEYED for name in named_in(route)]


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, masked, and what was asked of SQL on the way."""

    status: int
    headers: list[tuple[str, str]]
    body: str
    statements: list[str]


@contextmanager
def statements_of(kith: Kith) -> Iterator[list[str]]:
    """Note the statements that reach the database."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(kith.database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(kith.database.engine, "before_cursor_execute", note)


def ask(kith: Kith, route: Route, ids: dict[str, str], sent: str, **headers: str) -> Answer:
    """Send a request that names an id, and return the answer with that id masked."""
    with statements_of(kith) as statements:
        answer = route.send(kith, ids, **headers)
    return Answer(
        answer.status_code, shown(answer, sent), masked(answer.get_data(as_text=True), sent), statements
    )


def shown(answer: TestResponse, sent: str) -> list[tuple[str, str]]:
    # A tag is a hash of what is shown, the id among it.
    return sorted((name, "TAG" if name == "ETag" else masked(text, sent)) for name, text in answer.headers)


def masked(text: str, sent: str) -> str:
    for pattern, word in MASKS:
        text = pattern.sub(word, text)
    return text.replace(sent, "SENT")


@pytest.fixture(scope="module")
def other(module_kith: Kith) -> Kith:
    """Another community of the same service, in which the ids of `THEIRS` are members."""
    return people(neighbour(module_kith))


@pytest.fixture(scope="module")
def there(other: Kith) -> dict[str, str]:
    """One of everything that a path or a body may name in that community."""
    return settle(other) | gathered(other) | THEIRS


@pytest.fixture(scope="module")
def twins(module_kith: Kith) -> list[tuple[Kith, dict[str, str]]]:
    """Two communities alike, and what there is in each, for what changes nothing in them."""
    both = [neighbour(module_kith), neighbour(module_kith)]
    return [(kith, settle(kith) | gathered(kith)) for kith in both]


def people(kith: Kith) -> Kith:
    """Let the members of `THEIRS` be in this community, with everything that there can be between them."""
    who = {"interests": ["hiking"], "location": {"lat": 52.52, "lon": 13.405}}
    kith.import_profiles(*({"id": name, "name": "Theirs"} | who for name in THEIRS.values()))
    one, friend, third, venue = THEIRS.values()
    kith.call("PUT", f"/v1/venues/{venue}", {"name": "Theirs", "location": who["location"]})
    kith.call("PUT", f"/v1/profiles/{one}/connections/{friend}", {})
    kith.call("POST", f"/v1/profiles/{one}/responses", {"peer": third, "response": "accept"})
    kith.call("PUT", f"/v1/profiles/{friend}/blocks/{third}")
    return kith


def test_every_route_that_names_an_id_is_tried() -> None:
    tried = {(route.name, name) for route, name in CASES}

    for route in KEYED:
        for name in re.findall(r"<(?:\w+:)?(\w+)>", route.rule):
            assert (route.name, name) in tried
    for name, body in (BODIES | LINES).items():
        for field in MEMBER_FIELDS & set(body):
            stated = body[field] if isinstance(body[field], list) else [body[field]]
            assert all(one.startswith("<") for one in stated), (name, field)
    assert tried >= STRANGERS
    assert len(tried) > 30


@pytest.mark.parametrize(("route", "name"), CASES, ids=[f"{route} {name}" for route, name in CASES])
def test_another_communitys_id_answers_as_one_that_nobody_has(
    other: Kith,
    there: dict[str, str],
    twins: list[tuple[Kith, dict[str, str]]],
    route: Route,
    name: str,
) -> None:
    strange = (route.name, name) in STRANGERS
    if strange:  # which is taken, and so must not be there already
        twins = [(kith, settle(kith, route)) for kith in (neighbour(other), neighbour(other))]
    (ours, own), (fresh, fresh_own) = twins
    theirs = there[name]
    nobodys = {**IDS, **NOBODYS}[name]
    unknown = 422 if route.name in LISTED and name in THEIRS else 404
    assert len(theirs) == len(nobodys)
    before = [rows_of(kith) for kith in (other, ours)]

    if not strange:
        answers = [route.send(ours, own | {name: sent}) for sent in (theirs, nobodys)]
        assert answers[0].status_code == unknown
        assert same_bytes(*answers)
    # Two alike communities of ours: what the first writes must not help the second.
    first = ask(ours, route, own | {name: theirs}, theirs)
    second = ask(fresh, route, fresh_own | {name: nobodys}, nobodys)

    assert first == second
    assert first.statements
    assert first.status in (DONE if strange else {unknown})
    assert rows_of(other) == before[0]
    assert strange or rows_of(ours) == before[1]


def same_bytes(one: TestResponse, two: TestResponse) -> bool:
    """Tell whether two answers are equal to the last byte, headers too."""
    return (one.status_code, sorted(one.headers), one.data) == (
        two.status_code,
        sorted(two.headers),
        two.data,
    )


def test_an_id_of_another_community_may_be_used_for_a_new_member(kith: Kith, other: Kith) -> None:
    before = rows_of(other)

    answers = [
        kith.call("POST", "/v1/profiles", {"id": sent, "name": "New"})
        for sent in (THEIRS["profile_id"], NOBODYS["profile_id"])
    ]

    assert [answer.status_code for answer in answers] == [201, 201]
    shown_as = [
        masked(answer.text, answer.get_json()["id"]) for answer in answers if answer.get_json() is not None
    ]
    assert shown_as[0] == shown_as[1]
    assert rows_of(other) == before


@each([route for route in KEYED if route.method == "POST" and not route.is_import])
def test_an_idempotency_key_of_another_community_says_nothing(kith: Kith, route: Route) -> None:
    other = neighbour(kith)  # one in which no other test has sent a key
    first = route.send(other, settle(other, route), Idempotency_Key="k")
    before = rows_of(other)

    fresh = neighbour(kith)
    used = route.send(kith, settle(kith, route), Idempotency_Key="k")
    unused = route.send(fresh, settle(fresh, route), Idempotency_Key="never-sent")

    assert first.status_code in DONE
    assert (used.status_code, masked(used.text, "?")) == (unused.status_code, masked(unused.text, "?"))
    assert how_many(kith) == how_many(fresh)
    assert rows_of(other) == before


def how_many(kith: Kith) -> dict[str, int]:
    """Return how many rows of each kind a community has."""
    return {name: len(rows) for name, rows in rows_of(kith).items()}


def test_lists_exports_and_terms_hold_one_communitys_own(kith: Kith, other: Kith) -> None:
    for route in KEYED:
        if route.method == "GET" and not named_in(route):
            answer = route.send(kith)
            assert answer.status_code == 200
            assert "their-" not in answer.text, route
            assert other.community not in answer.text, route
    assert [item["term"] for item in other.get("/v1/terms")["items"]] == ["hiking"]
    assert kith.get("/v1/profiles") == {"items": []}


def test_a_key_of_no_scope_says_no_more_of_others(kith: Kith, other: Kith) -> None:
    """403 comes before 404: a key that may not ask learns of nobody, whoever's the id."""
    reader = with_key(kith, "read")
    writes = [route for route in KEYED if route.scope != "read" and named_in(route)]
    assert writes
    for route in writes:
        answers = [route.send(reader, IDS | ids) for ids in (THEIRS, NOBODYS)]
        assert [answer.status_code for answer in answers] == [403, 403]
        assert answers[0].data == answers[1].data
