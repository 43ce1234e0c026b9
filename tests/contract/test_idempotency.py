"""Idempotency-Key: the same call again gets its first answer again, and nothing happens twice."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from tests.harness import NDJSON, Kith
from tests.problems import errors, problem
from tests.routes import DONE, KEYED, Route, each, settle
from tests.rows import rows_of
from tests.tenants import TestClock, neighbour, with_key

ANA = {"id": "ana", "name": "Ana", "interests": ["hiking"]}
# What shows a secret is not kept.
SECRET = ("/v1/keys", "/v1/webhooks")


def post(kith: Kith, body: Any, key: str = "call-1", path: str = "/v1/profiles") -> Any:
    return kith.call("POST", path, body, Idempotency_Key=key)


def same(one: TestResponse, other: TestResponse) -> bool:
    names = ("Content-Type", "Location", "ETag")
    return (one.status_code, one.data) == (other.status_code, other.data) and all(
        one.headers.get(name) == other.headers.get(name) for name in names
    )


@each([route for route in KEYED if route.method == "POST" and not route.is_import])
def test_every_post_takes_the_key(kith: Kith, route: Route) -> None:
    ids = settle(kith, route)
    path, other = route.path(ids), json.loads(route.body(ids) or b"{}") | {"name": "Other"}

    first = route.send(kith, ids, Idempotency_Key="call-1")
    before = rows_of(kith)
    second = route.send(kith, ids, Idempotency_Key="call-1")

    assert first.status_code in DONE
    assert same(first, second) or (route.rule in SECRET and second.status_code == 409)
    assert list(errors(post(kith, other, path=path))) == ["Idempotency-Key"]
    assert list(errors(route.send(kith, ids, "?x=1", Idempotency_Key="call-1"))) in (
        ["x"],
        ["Idempotency-Key"],
    )
    assert rows_of(kith) == before


def test_the_same_call_gets_the_first_answer_again(kith: Kith) -> None:
    first = post(kith, {"name": "Ana"})
    kith.call("PATCH", first.headers["Location"], {"name": "Anabel"})

    again = post(kith, {"name": "Ana"})

    assert first.status_code == 201
    assert same(first, again)
    assert [item["name"] for item in kith.get("/v1/profiles")["items"]] == ["Anabel"]


def test_without_a_key_two_calls_are_two_calls(kith: Kith) -> None:
    assert kith.call("POST", "/v1/profiles", {"name": "Ana"}).status_code == 201
    assert kith.call("POST", "/v1/profiles", {"name": "Ana"}).status_code == 201

    assert len(kith.get("/v1/profiles")["items"]) == 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/profiles", {"name": "Bea"}),
        ("/v1/keys", {"name": "Ana"}),
        ("/v1/keys", {"name": "key", "scopes": ["read"]}),
    ],
)
def test_another_body_or_path_with_the_key_is_422(kith: Kith, path: str, body: dict[str, Any]) -> None:
    post(kith, {"name": "Ana"})

    assert list(errors(post(kith, body, path=path))) == ["Idempotency-Key"]
    assert len(kith.get("/v1/profiles")["items"]) == 1
    assert len(kith.get("/v1/keys")["items"]) == 1


def test_another_key_is_another_call(kith: Kith) -> None:
    assert post(kith, ANA, "one").status_code == 201

    problem(post(kith, ANA, "two"), 409)


def test_a_key_holds_within_its_community(kith: Kith) -> None:
    other = neighbour(kith)

    assert post(kith, ANA).status_code == 201
    assert post(other, {"name": "Quite another body"}).status_code == 201
    assert same(post(with_key(kith, "write"), ANA), post(kith, ANA))


@pytest.mark.parametrize("key", ["", " ", "a b", "a\tb", "é", "a" * 256, "\x7f"])
def test_a_key_is_1_to_255_visible_characters(sqlite_kith: Kith, key: str) -> None:
    assert list(errors(post(sqlite_kith, ANA, key))) == ["Idempotency-Key"]
    assert sqlite_kith.get("/v1/profiles")["items"] == []


@pytest.mark.parametrize("key", ["a", "~" * 255, '"quoted"', "!", "8e03978e-40d5-43e8-bc93-6894a57f9324"])
def test_any_visible_characters_are_a_key(sqlite_kith: Kith, key: str) -> None:
    assert post(sqlite_kith, ANA, key).status_code == 201
    assert post(sqlite_kith, ANA, key).status_code == 201


def test_two_keys_in_one_call_are_422(sqlite_kith: Kith) -> None:
    headers = [
        ("Authorization", f"Bearer {sqlite_kith.key}"),
        ("Idempotency-Key", "a"),
        ("Idempotency-Key", "a"),
    ]

    answer = sqlite_kith.client.post("/v1/profiles", json=ANA, headers=headers)

    assert list(errors(answer)) == ["Idempotency-Key"]


# ---------------------------------------------------------------- refusals and secrets


def test_refusals_are_kept(kith: Kith) -> None:
    kith.call("PATCH", "/v1/community", {"admin_attributes": ["role"]})
    writer = with_key(kith, "write")
    mentor = {"name": "Ana", "attributes": {"role": "mentor"}}
    refused = post(writer, mentor)
    problem(refused, 403)

    kith.call("PATCH", "/v1/community", {"admin_attributes": []})

    assert same(refused, post(writer, mentor))
    assert kith.get("/v1/profiles")["items"] == []
    assert post(writer, mentor, "call-2").status_code == 201


def test_a_taken_id_stays_refused_under_its_key(kith: Kith) -> None:
    kith.post_profile("ana")

    first, again = post(kith, ANA), post(kith, ANA)

    assert problem(first, 409) == problem(again, 409)


def test_invalid_input_is_refused_alike_again(kith: Kith) -> None:
    first, again = post(kith, {"name": ""}), post(kith, {"name": ""})

    assert errors(first) == errors(again)
    assert list(errors(post(kith, {"name": "Ana"}))) == ["Idempotency-Key"]


def test_a_failure_of_ours_is_not_kept(kith: Kith, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("service.usecases.profiles.create_profile", None)
        problem(post(kith, ANA), 500)

    assert post(kith, ANA).status_code == 201


def test_what_failed_leaves_nothing_behind(kith: Kith, monkeypatch: pytest.MonkeyPatch) -> None:
    # The answer fails after the row was written: both go, or both stay.
    with monkeypatch.context() as broken:
        broken.setattr("service.resources.profiles.profile_wire", None)
        problem(post(kith, ANA), 500)

    problem(kith.call("GET", "/v1/profiles/ana"), 404)


def test_a_secret_is_not_kept(kith: Kith) -> None:
    wanted = {"name": "new", "scopes": ["read"]}
    first = post(kith, wanted, path="/v1/keys")

    problem(post(kith, wanted, path="/v1/keys"), 409)

    assert len(kith.get("/v1/keys")["items"]) == 2
    with kith.database.read() as connection:
        rows = connection.execute(text("SELECT * FROM kept_answers")).all()
    assert not any(first.json["key"][5:60] in str(value) for row in rows for value in row)


def test_a_refused_key_is_answered_alike_again(kith: Kith) -> None:
    first = post(kith, {"name": "new", "scopes": []}, path="/v1/keys")

    assert errors(first) == errors(post(kith, {"name": "new", "scopes": []}, path="/v1/keys"))


# ---------------------------------------------------------------- time, erasure, other ways in


def test_an_answer_is_kept_for_a_day(kith: Kith, clock: TestClock) -> None:
    first = post(kith, {"name": "Ana"})
    clock.forward(hours=23.99)
    assert same(first, post(kith, {"name": "Ana"}))

    clock.forward(hours=5)

    assert not same(first, post(kith, {"name": "Ana"}))
    assert len(kith.get("/v1/profiles")["items"]) == 2


@pytest.mark.parametrize("body", [{"id": "gone", "name": "Ana"}, {"name": "Ana"}])
def test_erasing_a_member_deletes_the_answers_kept_about_them(kith: Kith, body: dict[str, Any]) -> None:
    made = post(kith, body)
    post(kith, {"name": "Ben"}, "about-ben")

    assert kith.call("DELETE", made.headers["Location"]).status_code == 204

    with kith.database.read() as connection:
        kept = connection.execute(text("SELECT body FROM kept_answers")).scalars().all()
    assert not any(made.json["id"] in answer for answer in kept)
    assert post(kith, body).status_code == 201
    assert post(kith, {"name": "Ben"}, "about-ben").status_code == 201
    assert len(kith.get("/v1/profiles")["items"]) == 2


def test_an_erasure_deletes_refusals_about_the_member_too(kith: Kith) -> None:
    kith.post_profile("ana")
    problem(post(kith, ANA), 409)

    kith.call("DELETE", "/v1/profiles/ana")

    assert post(kith, ANA).status_code == 201


def test_imports_and_exports_ignore_the_key(kith: Kith) -> None:
    for expected in ({"created": 1, "unchanged": 0}, {"created": 0, "unchanged": 1}):
        answer = kith.call(
            "POST",
            "/v1/profiles/import",
            b'{"id": "a", "name": "A"}',
            Content_Type=NDJSON,
            Idempotency_Key="k",
        )
        assert {name: answer.json[name] for name in expected} == expected
    kith.post_profile("b")
    assert len(kith.call("GET", "/v1/profiles/export", Idempotency_Key="k").data.splitlines()) == 2
    assert kith.call("GET", "/v1/profiles/export", Idempotency_Key="not valid").status_code == 200


@pytest.mark.parametrize("body", [ANA, {"name": "Ana"}], ids=["with an id", "without"])
def test_twenty_calls_at_once_are_one(kith: Kith, body: dict[str, Any]) -> None:
    def call(_: int) -> Any:
        alone = replace(kith, client=kith.client.application.test_client())
        return post(alone, body, "at-once")

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(call, range(20)))

    made = [answer for answer in answers if answer.status_code == 201]
    # Whoever comes while the first is under way may be told so.
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert made
    assert all(same(made[0], answer) for answer in made)
    assert len(kith.get("/v1/profiles")["items"]) == 1


def test_twenty_calls_with_keys_of_their_own_are_twenty(kith: Kith) -> None:
    def call(number: int) -> int:
        alone = replace(kith, client=kith.client.application.test_client())
        return int(post(alone, {"name": f"Ana {number}"}, f"call-{number}").status_code)

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(call, range(20))) == {201}

    assert len(kith.get("/v1/profiles?limit=100")["items"]) == 20


def test_a_key_is_valid_in_every_process(module_url: str, kith: Kith) -> None:
    first = post(kith, {"name": "Ana"})

    with Kith.open(module_url, like=kith) as elsewhere:
        assert same(first, post(elsewhere, {"name": "Ana"}))
