"""Keys over HTTP: shown once, listed without their secret, and never the last admin key taken away."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from tests.harness import Kith
from tests.problems import errors, problem
from tests.tenants import with_key


def make(kith: Kith, **fields: Any) -> Any:
    return kith.call("POST", "/v1/keys", {"name": "mine", "scopes": ["read"]} | fields)


def test_a_key_is_shown_once(kith: Kith) -> None:
    made = make(kith, name="reader")

    assert made.status_code == 201
    assert set(made.json) == {"id", "name", "scopes", "key", "created_at"}
    assert (made.json["name"], made.json["scopes"]) == ("reader", ["read"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z", made.json["created_at"])
    listed = {key["id"]: key for key in kith.get("/v1/keys")["items"]}
    assert listed[made.json["id"]] == {
        name: made.json[name] for name in ("id", "name", "scopes", "created_at")
    }
    assert made.json["key"] not in kith.call("GET", "/v1/keys").text


def test_a_key_has_32_random_bytes_a_prefix_and_a_checksum(kith: Kith) -> None:
    secrets = [make(kith).json["key"] for _ in range(3)]

    assert all(re.fullmatch(r"kith_[0-9a-f]{72}", secret) for secret in secrets)
    assert len({secret[5:20] for secret in secrets}) == 3


def test_no_table_holds_a_key(kith: Kith) -> None:
    secret = make(kith).json["key"]

    with kith.database.read() as connection:
        rows = connection.execute(text("SELECT * FROM api_keys")).all()

    assert not any(secret[5:69] in str(value) for row in rows for value in row)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"name": ""}, "name"),
        ({"name": "a" * 101}, "name"),
        ({"name": 1}, "name"),
        ({"name": None}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": "read"}, "scopes"),
        ({"scopes": ["owner"]}, "scopes.0"),
        ({"scopes": ["read", 1]}, "scopes.1"),
        ({"scopes": ["read", "write", "admin", "read"]}, "scopes"),
        ({"surprise": 1}, "surprise"),
        ({"key": "kith_mine"}, "key"),
    ],
)
def test_a_key_that_breaks_a_rule_is_422(sqlite_kith: Kith, fields: dict[str, Any], path: str) -> None:
    assert list(errors(make(sqlite_kith, **fields))) == [path]
    assert len(sqlite_kith.get("/v1/keys")["items"]) == 1


@pytest.mark.parametrize("left_out", ["name", "scopes"])
def test_a_key_needs_a_name_and_scopes(sqlite_kith: Kith, left_out: str) -> None:
    fields = {"name": "mine", "scopes": ["read"]}
    del fields[left_out]

    assert list(errors(sqlite_kith.call("POST", "/v1/keys", fields))) == [left_out]


def test_keys_are_listed_in_pages_by_their_ids(kith: Kith) -> None:
    for _ in range(4):
        make(kith)
    everything = kith.get("/v1/keys")
    assert "next" not in everything

    first = kith.get("/v1/keys?limit=2")
    second = kith.get(f"/v1/keys?limit=2&cursor={first['next']}")
    third = kith.get(f"/v1/keys?limit=2&cursor={second['next']}")

    listed = first["items"] + second["items"] + third["items"]
    assert listed == everything["items"]
    assert [key["id"] for key in listed] == sorted(key["id"] for key in listed)
    assert len(listed) == 5
    assert "next" not in third


def test_the_last_admin_key_stays(kith: Kith) -> None:
    only = kith.get("/v1/keys")["items"][0]["id"]
    make(kith, scopes=["read", "write"])

    problem(kith.call("DELETE", f"/v1/keys/{only}"), 409)

    other = make(kith, scopes=["admin"]).json
    assert kith.call("DELETE", f"/v1/keys/{only}").status_code == 204
    problem(kith.call("GET", "/v1/keys"), 401)
    problem(replace(kith, key=other["key"]).call("DELETE", f"/v1/keys/{other['id']}"), 409)


def test_two_admin_keys_that_revoke_each_other_leave_one(kith: Kith) -> None:
    mine = kith.get("/v1/keys")["items"][0]["id"]
    made = make(kith, scopes=["admin"]).json
    other = replace(kith, key=made["key"], client=kith.client.application.test_client())

    with ThreadPoolExecutor(2) as pool:
        answers = [
            pool.submit(kith.call, "DELETE", f"/v1/keys/{made['id']}"),
            pool.submit(other.call, "DELETE", f"/v1/keys/{mine}"),
        ]
        statuses = sorted(answer.result().status_code for answer in answers)

    # The other one was too late, or its key was already out of force.
    assert statuses[0] == 204
    assert statuses[1] in {401, 409}


def test_a_key_says_nothing_to_a_reader(kith: Kith) -> None:
    problem(with_key(kith, "write").call("GET", "/v1/keys"), 403)
