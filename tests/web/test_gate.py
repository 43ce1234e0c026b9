"""The JSON gate: only plain JSON of plain values gets to a schema, and nothing ever ends in a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.errors import Invalid, NotJson
from service.web.gate import DEEPEST, parse_json
from tests.harness import Kith
from tests.problems import errors, problem

NOT_JSON = {
    "nothing": b"",
    "a word": b"hello",
    "half an object": b'{"name": "Ana"',
    "two values": b'{"name": "Ana"} {}',
    "a comma too many": b'{"name": "Ana",}',
    "single quotes": b"{'name': 'Ana'}",
    "NaN": b'{"name": "Ana", "radius_km": NaN}',
    "Infinity": b'{"name": "Ana", "radius_km": Infinity}',
    "-Infinity": b'{"name": "Ana", "radius_km": -Infinity}',
    "a raw control character": b'{"name": "A\nna"}',
    "a raw NUL": b'{"name": "A\0na"}',
    "Latin-1": '{"name": "Inés"}'.encode("latin-1"),
    "half a surrogate in UTF-8": b'{"name": "\xed\xa0\x80"}',
    "an overlong slash": b'{"name": "\xc0\xaf"}',
    "UTF-16": '{"name": "Ana"}'.encode("utf-16"),
    "UTF-16 without a mark": '{"name": "Ana"}'.encode("utf-16-le"),
    "UTF-32": '{"name": "Ana"}'.encode("utf-32"),
    "a byte order mark": b'\xef\xbb\xbf{"name": "Ana"}',
    "100,000 brackets": b"[" * 100_000,
    "100,000 objects": b'{"a":' * 100_000,
    "closed brackets": b"[" * 100_000 + b"]" * 100_000,
    "deep in a field": b'{"name": "Ana", "seeks": ' + b'{"a":' * 500 + b"1" + b"}" * 501,
    "a leading zero": b'{"name": "Ana", "capacity": 03}',
    "a hexadecimal": b'{"name": "Ana", "capacity": 0x3}',
    "Arabic digits": '{"name": "Ana", "capacity": ٣}'.encode(),
}
# The bytes after `"name": "Ana", `, and the path that must be named.
INVALID = {
    "a key twice": (b'"capacity": 1, "capacity": 2', "body"),
    "a key twice, escaped": (b'"capacity": 1, "c\\u0061pacity": 2', "body"),
    "a key twice inside": (b'"location": {"lat": 1, "lon": 2, "lat": 3}', "location"),
    "a key twice in a list": (b'"availability": [{"day": "mon", "day": "tue"}]', "availability.0"),
    "an endless number": (b'"radius_km": 1e999', "radius_km"),
    "a negative endless number": (b'"location": {"lat": -1e999, "lon": 0}', "location.lat"),
    "2**63": (b'"capacity": 9223372036854775808', "capacity"),
    "-2**63 - 1": (b'"capacity": -9223372036854775809', "capacity"),
    "100,000 digits": (b'"capacity": ' + b"9" * 100_000, "capacity"),
    "100,000 digits for a number": (b'"radius_km": ' + b"9" * 100_000, "radius_km"),
    "a float for an integer": (b'"capacity": 1.9', "capacity"),
    "1.0 for an integer": (b'"capacity": 1.0', "capacity"),
    "1e0 for an integer": (b'"capacity": 1e0', "capacity"),
    "digits in text": (b'"capacity": "3"', "capacity"),
    "a boolean for an integer": (b'"capacity": true', "capacity"),
    "a boolean for a number": (b'"radius_km": true', "radius_km"),
    "text for a number": (b'"radius_km": "12"', "radius_km"),
    "text for a boolean": (b'"joins_rounds": "true"', "joins_rounds"),
    "1 for a boolean": (b'"joins_rounds": 1', "joins_rounds"),
    "a number for text": (b'"goals": [1]', "goals.0"),
    "half a surrogate pair": (b'"goals": ["a\\ud800b"]', "goals.0"),
    "the other half": (b'"goals": ["ok", "a\\udc00\\ud800b"]', "goals.1"),
    "an escaped NUL": (b'"interests": ["a\\u0000b"]', "interests.0"),
    "a NUL in a key": (b'"attributes": {"a\\u0000": "b"}', "attributes.key"),
}


def post(kith: Kith, body: bytes, **headers: str) -> Any:
    return kith.call("POST", "/v1/profiles", body, **({"Content_Type": "application/json"} | headers))


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_what_is_no_json_is_400(sqlite_kith: Kith, body: bytes) -> None:
    answer = post(sqlite_kith, body)

    assert problem(answer, 400)["type"] == "urn:kith:problem:not-json"


@pytest.mark.parametrize(("fields", "path"), INVALID.values(), ids=INVALID)
def test_json_that_no_field_means_is_422_and_names_its_path(
    sqlite_kith: Kith, fields: bytes, path: str
) -> None:
    answer = post(sqlite_kith, b'{"name": "Ana", ' + fields + b"}")

    assert list(errors(answer)) == [path]
    assert sqlite_kith.get("/v1/profiles")["items"] == []


def test_a_surrogate_pair_is_one_character(sqlite_kith: Kith) -> None:
    answer = post(sqlite_kith, b'{"name": "\\ud83d\\ude00"}')

    assert answer.status_code == 201
    assert answer.json["name"] == "\N{GRINNING FACE}"


def test_the_largest_integers_get_as_far_as_the_schema() -> None:
    assert parse_json(b"[9223372036854775807, -9223372036854775808]") == [2**63 - 1, -(2**63)]


@pytest.mark.parametrize(
    "digits", ["9223372036854775808", "-9223372036854775809", "1" + "0" * 24, "1" + "0" * 5000], ids=len
)
def test_larger_ones_do_not(digits: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_json(b'{"field": [%s]}' % digits.encode())

    assert list(refused.value.errors) == ["field.0"]


def test_depth_is_counted_in_levels() -> None:
    assert parse_json(b"[" * DEEPEST + b"]" * DEEPEST)
    with pytest.raises(NotJson, match="nested deeper"):
        parse_json(b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1))


def test_a_body_full_of_faults_names_a_bounded_number() -> None:
    with pytest.raises(Invalid) as refused:
        parse_json(b"[" + b",".join([b"1e999"] * 10_000) + b"]")

    assert len(refused.value.errors) == 100


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null", b"true"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/profiles"), ("PUT", "/v1/profiles/ana"),
                                              ("PATCH", "/v1/profiles/ana"), ("PATCH", "/v1/community"),
                                              ("POST", "/v1/keys")])  # fmt: skip
def test_a_body_that_is_no_object_is_422(sqlite_kith: Kith, method: str, path: str, body: bytes) -> None:
    sqlite_kith.post_profile("ana")

    answer = sqlite_kith.call(method, path, body, Content_Type="application/json")

    assert list(errors(answer)) == ["body"]


# ---------------------------------------------------------------- content types and codings

BODIES = [
    ("POST", "/v1/profiles", b'{"name": "Ana"}'),
    ("PUT", "/v1/profiles/ana", b'{"name": "Ana"}'),
    ("PATCH", "/v1/profiles/ana", b'{"name": "Ana"}'),
    ("PATCH", "/v1/community", b'{"name": "Anas"}'),
    ("POST", "/v1/keys", b'{"name": "mine", "scopes": ["read"]}'),
]
WRONG_TYPES = [
    "",
    "text/plain",
    "text/json",
    "application/jsonp",
    "application/xml",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json; charset=utf-16",
    "application/json; charset=latin-1",
    "application/x-ndjson",
    "json",
]


@pytest.mark.parametrize(("method", "path", "body"), BODIES)
@pytest.mark.parametrize("content_type", WRONG_TYPES)
def test_a_wrong_content_type_is_415(
    sqlite_kith: Kith, method: str, path: str, body: bytes, content_type: str
) -> None:
    problem(sqlite_kith.call(method, path, body, Content_Type=content_type), 415)


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_only_a_patch_may_be_called_a_merge_patch(sqlite_kith: Kith, method: str) -> None:
    path = {"POST": "/v1/profiles", "PUT": "/v1/profiles/ana"}[method]

    problem(
        sqlite_kith.call(method, path, b'{"name": "Ana"}', Content_Type="application/merge-patch+json"), 415
    )


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", 'APPLICATION/JSON;charset="UTF-8"'],
)
@pytest.mark.parametrize(("method", "path", "body"), BODIES)
def test_json_in_utf_8_is_read(
    sqlite_kith: Kith, method: str, path: str, body: bytes, content_type: str
) -> None:
    sqlite_kith.call("PUT", "/v1/profiles/ana", {"name": "Ana"})

    assert sqlite_kith.call(method, path, body, Content_Type=content_type).status_code in {200, 201}


@pytest.mark.parametrize("coding", ["gzip", "identity", "br", ""])
@pytest.mark.parametrize(
    ("method", "path", "body"), [*BODIES, ("POST", "/v1/profiles/import", b'{"id": "a", "name": "A"}')]
)
def test_any_content_coding_is_415(
    sqlite_kith: Kith, method: str, path: str, body: bytes, coding: str
) -> None:
    content_type = "application/x-ndjson" if path.endswith("import") else "application/json"

    answer = sqlite_kith.call(method, path, body, Content_Type=content_type, Content_Encoding=coding)

    problem(answer, 415)


# ---------------------------------------------------------------- anything at all

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["ana", "in_person", "2026-12-01T18:00:00Z", "18:00", "mon", "Europe/Berlin"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
NAMES = [
    "id",
    "name",
    "interests",
    "activities",
    "goals",
    "location",
    "radius_km",
    "modes",
    "timezone",
    "availability",
    "languages",
    "attributes",
    "seeks",
    "capacity",
    "joins_rounds",
    "status",
    "paused_until",
    "moves_at",
    "scopes",
    "group_size",
    "cooldown_days",
    "facet_weights",
    "support_text",
    "acquaintances",
    "admin_attributes",
    "separate_by",
]
OBJECTS = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=5).map(
    lambda fields: {"name": "Ana"} | fields
)
ROUTES = st.sampled_from([(method, path) for method, path, _ in BODIES])
RUNS = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@RUNS
@given(route=ROUTES, body=st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_no_bytes_end_in_a_500(module_sqlite_kith: Kith, route: tuple[str, str], body: bytes) -> None:
    answer = module_sqlite_kith.call(*route, body, Content_Type="application/json")

    assert answer.status_code < 500


@RUNS
@given(route=ROUTES, content=JSON | OBJECTS)
def test_no_json_value_ends_in_a_500(module_sqlite_kith: Kith, route: tuple[str, str], content: Any) -> None:
    answer = module_sqlite_kith.call(*route, json.dumps(content).encode(), Content_Type="application/json")

    assert answer.status_code < 500
    if answer.status_code >= 400:
        problem(answer, answer.status_code)
