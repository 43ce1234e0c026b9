"""Keys: every route asks for one, of the right scope; another community's things don't exist."""

from __future__ import annotations

import zlib
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.harness import NDJSON, Kith
from tests.problems import problem
from tests.routes import KEYED, ROUTES, Route, each
from tests.tenants import neighbour, with_key

NO_SECRET = "0" * 64
WRONG_KEYS = {
    "none": None,
    "empty": "",
    "the word alone": "Bearer",
    "no key": "Bearer ",
    "no word": "{key}",
    "another scheme": "Basic {key}",
    "a token": "Token {key}",
    "cut short": "Bearer {short}",
    "longer": "Bearer {key}0",
    "a wrong checksum": "Bearer {swapped}",
    "never made": "Bearer {unknown}",
    "no prefix": "Bearer {bare}",
    "upper case": "Bearer {upper}",
    "two keys": "Bearer {key} {key}",
    "not ASCII": "Bearer kith_\xe9\xe9",
    "10 kB": "Bearer " + "a" * 10_000,
}


def written(text: str | None, key: str) -> dict[str, str]:
    if text is None:
        return {}
    swapped = key[:10] + ("0" if key[10] != "0" else "1") + key[11:]
    unknown = f"kith_{NO_SECRET}{zlib.crc32(NO_SECRET.encode()):08x}"
    parts = {"key": key, "short": key[:-1], "swapped": swapped, "unknown": unknown}
    return {"Authorization": text.format(**parts, bare=key.removeprefix("kith_"), upper=key.upper())}


def send(kith: Kith, route: Route, headers: dict[str, str], **ids: str) -> TestResponse:
    """Send what the route takes when the key is right."""
    bodies: dict[str, Any] = {
        "/v1/keys": {"name": "new", "scopes": ["read"]},
        "/v1/community": {"name": "New"},
    }
    path = route.path({"profile_id": "ana", "key_id": "key_0123456789abcdef", "name": "index.css"} | ids)
    if route.rule.endswith("/import"):
        lines = b'{"id": "bea", "name": "Bea"}'
        return kith.client.open(path, method="POST", data=lines, headers=headers | {"Content-Type": NDJSON})
    body = bodies.get(route.rule, {"name": "Ana"}) if route.method in {"POST", "PUT", "PATCH"} else None
    return kith.client.open(path, method=route.method, json=body, headers=headers)


def test_the_unknown_key_of_these_tests_has_a_right_checksum(sqlite_kith: Kith) -> None:
    answer = sqlite_kith.client.get("/v1/community", headers=written("Bearer {unknown}", sqlite_kith.key))

    assert problem(answer, 401)["detail"] == "This key is not in force."


@pytest.mark.parametrize("text", ["Bearer {short}", "Bearer {swapped}", "Bearer {key}0"])
def test_a_key_that_was_mistyped_is_told_so(sqlite_kith: Kith, text: str) -> None:
    answer = sqlite_kith.client.get("/v1/community", headers=written(text, sqlite_kith.key))

    assert "not a Kith key" in problem(answer, 401)["detail"]


@pytest.mark.parametrize("text", WRONG_KEYS.values(), ids=WRONG_KEYS)
@each(KEYED)
def test_without_a_key_in_force_it_is_401(module_sqlite_kith: Kith, route: Route, text: str | None) -> None:
    answer = send(module_sqlite_kith, route, written(text, module_sqlite_kith.key))

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.content_type == "application/problem+json"
    assert route.method == "HEAD" or problem(answer, 401)["type"] == "urn:kith:problem:unauthenticated"


@each([route for route in ROUTES if route.is_open])
def test_what_is_open_needs_no_key(module_sqlite_kith: Kith, route: Route) -> None:
    answer = send(module_sqlite_kith, route, {})
    answer.close()

    assert answer.status_code == 200


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_has_no_case(sqlite_kith: Kith, scheme: str) -> None:
    answer = sqlite_kith.client.get("/v1/community", headers={"Authorization": f"{scheme} {sqlite_kith.key}"})

    assert answer.status_code == 200


def test_a_key_in_the_address_is_no_key(sqlite_kith: Kith) -> None:
    answer = sqlite_kith.client.get(f"/v1/community?key={sqlite_kith.key}")

    problem(answer, 401)
    assert sqlite_kith.key not in answer.text


# ---------------------------------------------------------------- scopes

SCOPES = ("read", "write", "admin")


@pytest.fixture(scope="module")
def keys(module_sqlite_kith: Kith) -> dict[str, Kith]:
    """The same community under a key of each scope."""
    return {scope: with_key(module_sqlite_kith, scope) for scope in SCOPES}


@pytest.mark.parametrize("scope", SCOPES)
@each(KEYED)
def test_a_scope_includes_the_lower_and_nothing_more(keys: dict[str, Kith], route: Route, scope: str) -> None:
    kith = keys[scope]
    keys["admin"].call("PUT", "/v1/profiles/ana", {"name": "Ana"})

    answer = send(kith, route, {"Authorization": f"Bearer {kith.key}"})

    if SCOPES.index(scope) < SCOPES.index(route.scope):
        assert answer.status_code == 403
        assert route.method == "HEAD" or route.scope in problem(answer, 403)["detail"]
    else:
        # Only the key that nobody has is missing.
        expected = {404} if "key_id" in route.rule else {200, 201, 204}
        assert answer.status_code in expected


@pytest.mark.parametrize("scopes", [["write", "read"], ["admin"], ["admin", "read"]])
def test_the_highest_scope_of_a_key_counts(sqlite_kith: Kith, scopes: list[str]) -> None:
    kith = with_key(sqlite_kith, *scopes)

    assert kith.call("POST", "/v1/profiles", {"name": "Ana"}).status_code == 201


def test_a_refused_call_changes_nothing(kith: Kith) -> None:
    before = kith.post_profile("ana")
    reader = with_key(kith, "read")

    problem(reader.call("DELETE", "/v1/profiles/ana"), 403)
    problem(reader.call("PATCH", "/v1/profiles/ana", {"name": "Eve"}), 403)
    problem(reader.call("POST", "/v1/profiles", {"name": "Eve"}), 403)

    assert kith.get("/v1/profiles")["items"] == [before]


# ---------------------------------------------------------------- communities

WITH_ID = [route for route in KEYED if "<" in route.rule and route.method != "PUT"]


def same(answer: TestResponse) -> tuple[int, bytes, list[tuple[str, str]]]:
    return answer.status_code, answer.data, sorted(answer.headers)


@each(WITH_ID)
def test_another_communitys_id_answers_as_an_unknown_one(kith: Kith, route: Route) -> None:
    other = neighbour(kith)
    other.post_profile("theirs", interests=["hiking"])
    their_key = other.get("/v1/keys")["items"][0]["id"]
    headers = {"Authorization": f"Bearer {kith.key}"}

    theirs = send(kith, route, headers, profile_id="theirs", key_id=their_key)
    nobodys = send(kith, route, headers, profile_id="nobody", key_id="key_0123456789abcdef")

    assert theirs.status_code == 404
    assert same(theirs) == same(nobodys)
    assert other.get("/v1/profiles/theirs")["interests"] == ["hiking"]
    assert len(other.get("/v1/keys")["items"]) == 1


def test_one_id_in_two_communities_is_two_members(kith: Kith) -> None:
    other = neighbour(kith)
    kith.post_profile("ana", interests=["hiking"])
    other.post_profile("ana", interests=["chess"])
    other.post_profile("ben", interests=["hiking"])

    assert kith.get("/v1/profiles/ana")["interests"] == ["hiking"]
    assert [item["id"] for item in kith.get("/v1/profiles")["items"]] == ["ana"]
    assert kith.suggestions("ana")["items"] == []
    assert kith.call("DELETE", "/v1/profiles/ana").status_code == 204
    assert other.get("/v1/profiles/ana")["interests"] == ["chess"]


def test_lists_exports_and_terms_hold_one_communitys_own(kith: Kith) -> None:
    other = neighbour(kith)
    for name in ("ana", "ben", "cem"):
        other.post_profile(name, interests=["hiking"])

    assert kith.get("/v1/profiles") == {"items": []}
    assert [item["id"] for item in other.get("/v1/profiles")["items"]] == ["ana", "ben", "cem"]
    assert kith.call("GET", "/v1/profiles/export").data == b""
    assert kith.get("/v1/terms") == {"items": []}
    assert [item["term"] for item in other.get("/v1/terms")["items"]] == ["hiking"]
    assert kith.get("/v1/community")["id"] != other.get("/v1/community")["id"]


def test_a_revoked_key_is_refused_at_the_next_request(kith: Kith) -> None:
    made = kith.call("POST", "/v1/keys", {"name": "short-lived", "scopes": ["read"]}).json
    guest = replace(kith, key=made["key"])
    assert guest.call("GET", "/v1/community").status_code == 200

    assert kith.call("DELETE", f"/v1/keys/{made['id']}").status_code == 204

    assert problem(guest.call("GET", "/v1/community"), 401)["detail"] == "This key is not in force."
    problem(kith.call("DELETE", f"/v1/keys/{made['id']}"), 404)
