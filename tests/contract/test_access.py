"""Keys: every route asks for one that is in force, of the right scope."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace

import pytest
from werkzeug.test import TestResponse

from tests.harness import NDJSON, Kith
from tests.problems import problem
from tests.routes import DONE, IDS, KEYED, ROUTES, Route, each, settle
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


def send(kith: Kith, route: Route, headers: dict[str, str], ids: Mapping[str, str] = IDS) -> TestResponse:
    """Send what the route takes when the key is right, under these headers alone."""
    body = route.body()
    kind = {"Content-Type": NDJSON if route.is_import else "application/json"} if body else {}
    return kith.client.open(route.path(ids), method=route.method, data=body, headers=kind | headers)


def test_the_unknown_key_of_these_tests_has_a_right_checksum(sqlite_kith: Kith) -> None:
    answer = sqlite_kith.client.get("/v1/community", headers=written("Bearer {unknown}", sqlite_kith.key))

    assert problem(answer, 401)["detail"] == "This key is not in force."


@pytest.mark.parametrize("text", ["Bearer {short}", "Bearer {swapped}", "Bearer {key}0"])
def test_a_key_that_was_mistyped_is_told_so(sqlite_kith: Kith, text: str) -> None:
    answer = sqlite_kith.client.get("/v1/community", headers=written(text, sqlite_kith.key))

    assert "not a Kith key" in problem(answer, 401)["detail"]


@each(KEYED)
def test_without_a_key_in_force_it_is_401(module_sqlite_kith: Kith, route: Route) -> None:
    for name, text in WRONG_KEYS.items():
        answer = send(module_sqlite_kith, route, written(text, module_sqlite_kith.key))

        assert answer.status_code == 401, name
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.content_type == "application/problem+json"
        assert route.method == "HEAD" or problem(answer, 401)["type"] == "urn:kith:problem:unauthenticated"


@each([route for route in ROUTES if route.is_open])
def test_what_is_open_needs_no_key(module_sqlite_kith: Kith, route: Route) -> None:
    answer = send(module_sqlite_kith, route, {}, settle(module_sqlite_kith, route))
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


@each(KEYED)
def test_a_scope_includes_the_lower_and_nothing_more(sqlite_kith: Kith, route: Route) -> None:
    kith, ids = sqlite_kith, settle(sqlite_kith, route)
    needed = SCOPES.index(route.scope)

    for scope in SCOPES[:needed]:
        answer = route.send(with_key(kith, scope), ids)
        assert answer.status_code == 403, scope
        assert route.method == "HEAD" or route.scope in problem(answer, 403)["detail"]

    for scope in SCOPES[needed:]:
        if scope != route.scope and route.method not in {"GET", "HEAD"}:  # it may work once only
            kith = neighbour(kith)
            ids = settle(kith, route)
        assert route.send(with_key(kith, scope), ids).status_code in DONE, scope


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


def test_a_revoked_key_is_refused_at_the_next_request(kith: Kith) -> None:
    made = kith.call("POST", "/v1/keys", {"name": "short-lived", "scopes": ["read"]}).json
    guest = replace(kith, key=made["key"])
    assert guest.call("GET", "/v1/community").status_code == 200

    assert kith.call("DELETE", f"/v1/keys/{made['id']}").status_code == 204

    assert problem(guest.call("GET", "/v1/community"), 401)["detail"] == "This key is not in force."
    problem(kith.call("DELETE", f"/v1/keys/{made['id']}"), 404)
