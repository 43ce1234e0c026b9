"""Venues: written whole, read back as they were, imported from GeoJSON of any length."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest

from service.storage.communities import find_community
from service.storage.venues import all_venues
from service.usecases.venues import as_venue
from service.web.geojson import GEOJSON, _features, _Text, read_venues
from tests.harness import NDJSON, Kith
from tests.problems import errors, problem
from tests.tenants import neighbour, with_key
from tests.tenants import sqlite_first_url as module_url

__all__ = ["module_url"]

CAFE: dict[str, Any] = {
    "name": "Café",
    "location": {"lat": 52.5200066, "lon": 13.404954},
    "timezone": "Europe/Berlin",
    "hours": [{"day": "tue", "from": "18:00", "to": "24:00"}],
}
PATH = "/v1/venues/cafe"
IMPORT = "/v1/venues/import"


def feature(venue_id: str | None = "cafe", **properties: Any) -> dict[str, Any]:
    named = {"name": "Café"} | properties | ({"id": venue_id} if venue_id else {})
    point = {"type": "Point", "coordinates": [13.404954, 52.5200066]}
    return {"type": "Feature", "geometry": point, "properties": named}


def collection(*features: Any, **members: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection"} | members | {"features": features}).encode()


def send(kith: Kith, body: bytes, kind: str = GEOJSON) -> Any:
    return kith.call("POST", IMPORT, body, Content_Type=kind)


def counts(report: Any) -> tuple[int, int, int, int]:
    return report["created"], report["updated"], report["unchanged"], report["failed"]


# ---------------------------------------------------------------- one


def test_a_venue_is_read_back_as_it_was_written_to_the_last_digit(kith: Kith) -> None:
    made = kith.call("PUT", PATH, CAFE)

    assert (made.status_code, made.headers["Location"]) == (201, PATH)
    assert made.json == CAFE | {"id": "cafe"} == kith.get(PATH)
    again = kith.call("PUT", PATH, made.json)
    assert (again.status_code, again.headers["ETag"]) == (200, made.headers["ETag"])
    changed = kith.call("PUT", PATH, {"name": "Bar", "location": {"lat": 1, "lon": 2}})
    assert changed.json == {
        "id": "cafe",
        "name": "Bar",
        "location": {"lat": 1, "lon": 2},
        "timezone": None,
        "hours": [],
    }
    assert changed.headers["ETag"] != made.headers["ETag"]
    assert kith.call("DELETE", PATH).status_code == 204
    problem(kith.call("GET", PATH), 404)
    problem(kith.call("DELETE", PATH), 404)


def test_conditions_hold_for_a_venue(sqlite_kith: Kith) -> None:
    kith = sqlite_kith
    problem(kith.call("PUT", PATH, CAFE, If_Match="*"), 412)
    tag = kith.call("PUT", PATH, CAFE, If_None_Match="*").headers["ETag"]

    assert kith.call("GET", PATH, If_None_Match=tag).status_code == 304
    problem(kith.call("PUT", PATH, CAFE, If_None_Match="*"), 412)
    problem(kith.call("PUT", PATH, CAFE | {"name": "Bar"}, If_Match='"other"'), 412)
    problem(kith.call("DELETE", PATH, If_Match='"other"'), 412)
    assert kith.get(PATH)["name"] == "Café"
    assert kith.call("PUT", PATH, CAFE | {"name": "Bar"}, If_Match=tag).status_code == 200
    problem(kith.call("DELETE", PATH, If_Match=tag), 412)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": None}, "name"),
        ({"name": " "}, "name"),
        ({"location": None}, "location"),
        ({"location": {"lat": 91, "lon": 0}}, "location.lat"),
        ({"location": {"lat": 1}}, "location.lon"),
        ({"location": {"lat": 1, "lon": 2, "accuracy_km": 1}}, "location.accuracy_km"),
        ({"timezone": None}, "timezone"),
        ({"timezone": "Berlin"}, "timezone"),
        ({"hours": [{"day": "tue", "from": "18:00", "to": "18:00"}]}, "hours.0.to"),
        ({"hours": [{"day": "tue", "from": "18:10", "to": "19:00"}]}, "hours.0.from"),
        ({"hours": [{"day": "tue", "from": "18:00", "to": "19:00"}] * 51}, "hours"),
        ({"id": "another"}, "id"),
        ({"capacity": 9}, "capacity"),
    ],
)
def test_what_breaks_a_rule_is_named(sqlite_kith: Kith, change: dict[str, Any], path: str) -> None:
    assert list(errors(sqlite_kith.call("PUT", PATH, CAFE | change))) == [path]
    problem(sqlite_kith.call("GET", PATH), 404)


def test_a_venue_is_its_communitys_own_and_a_reader_writes_none(sqlite_kith: Kith) -> None:
    other, reader = neighbour(sqlite_kith), with_key(sqlite_kith, "read")
    sqlite_kith.call("PUT", PATH, CAFE)

    problem(other.call("GET", PATH), 404)
    problem(reader.call("PUT", PATH, CAFE), 403)
    assert other.call("PUT", PATH, CAFE | {"name": "Theirs"}).status_code == 201
    assert (reader.get(PATH)["name"], other.get(PATH)["name"]) == ("Café", "Theirs")


# ---------------------------------------------------------------- many


def test_an_import_takes_points_and_twice_changes_nothing(kith: Kith) -> None:
    kith.call("PUT", PATH, CAFE)
    beside = feature(None, name="Park", timezone="Europe/Berlin", hours=CAFE["hours"]) | {"id": "park"}
    beside["geometry"]["coordinates"].append(34.5)
    body = collection(
        feature(name="Bar"), beside, feature("hall") | {"bbox": [1, 2, 3, 4]}, bbox=[0, 0, 1, 1]
    )

    assert counts(send(kith, body).json) == (2, 1, 0, 0)
    assert counts(send(kith, body, "application/json").json) == (0, 0, 3, 0)
    assert kith.get(PATH)["name"] == "Bar"
    assert kith.get("/v1/venues/park") == CAFE | {"id": "park", "name": "Park"}


def test_features_may_come_one_a_line(kith: Kith) -> None:
    lines = [
        json.dumps(feature("a")),
        "",
        json.dumps(feature("a", name="B")),
        "oops",
        json.dumps(feature(None)),
    ]

    report = send(kith, "\n".join(lines).encode(), NDJSON).json

    assert counts(report) == (1, 1, 0, 2)
    assert [(error["line"], list(error["errors"])) for error in report["errors"]] == [
        (4, ["line"]),
        (5, ["properties.id"]),
    ]
    assert kith.get("/v1/venues/a")["name"] == "B"


def test_a_bad_feature_costs_itself_alone_and_says_where(kith: Kith) -> None:
    line = feature("line") | {"geometry": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}}
    far = feature("far") | {"geometry": {"type": "Point", "coordinates": [52.5, 113]}}
    short = feature("short") | {"geometry": {"type": "Point", "coordinates": [1]}}
    other = feature("one") | {"id": "other"}
    unknown = feature("unknown", amenity="cafe")
    closed = feature("closed", hours=CAFE["hours"])
    bad = [line, far, short, other, unknown, closed, 7, None, feature("Ü"), feature("x") | {"type": "Point"}]

    report = send(kith, collection(*bad, feature())).json

    assert counts(report) == (1, 0, 0, len(bad))
    assert [(error["line"], error["id"], sorted(error["errors"])) for error in report["errors"]] == [
        (1, "line", ["geometry.coordinates.0", "geometry.coordinates.1", "geometry.type"]),
        (2, "far", ["geometry.coordinates.1"]),
        (3, "short", ["geometry.coordinates"]),
        (4, "other", ["id"]),
        (5, "unknown", ["properties.amenity"]),
        (6, "closed", ["properties.timezone"]),
        (7, None, ["body"]),
        (8, None, ["body"]),
        (9, None, ["properties.id"]),
        (10, "x", ["type"]),
    ]


@pytest.mark.parametrize("odd", ["NaN", "[" * 20 + "]" * 20, "1e999", '{"a": 1, "a": 2}', '"\\ud800"'])
def test_what_the_gate_refuses_costs_a_feature_alone(sqlite_kith: Kith, odd: str) -> None:
    body = collection(feature("x", name="odd"), feature()).replace(b'"odd"', odd.encode())

    report = send(sqlite_kith, body).json

    assert counts(report) == (1, 0, 0, 1)
    assert report["errors"][0]["line"] == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"oops", 400),
        (b"\xff", 400),
        (b"[" * 300_000, 400),
        (b'{"type": "FeatureCollection", "features": [', 400),
        (b'{"type": "FeatureCollection", "features": [,]}', 400),
        (b'{"type": "FeatureCollection", "features": []} x', 400),
        (b'{"type": "FeatureCollection" "features": []}', 400),
        (b'{"type": "FeatureCollection", 1: []}', 400),
        (b'{"type": "FeatureCollection", "features": [' + b" " * 300_000 + b'"' + b"a" * 300_000, 400),
        (b"[]", 422),
        (b"null", 422),
        (b"{}", 422),
        (b'{"type": "FeatureCollection"}', 422),
        (b'{"features": []}', 422),
        (b'{"type": "Feature", "features": []}', 422),
        (b'{"type": "FeatureCollection", "features": {}}', 422),
        (b'{"type": "FeatureCollection", "name": "x", "features": []}', 422),
        (b'{"type": "FeatureCollection", "type": "FeatureCollection", "features": []}', 422),
        (b'{"type": "FeatureCollection", "features": []}', 200),
        (b'\xef\xbb\xbf {"features" : [ ] , "type":"FeatureCollection"}\n', 200),
    ],
)
def test_what_is_no_collection_is_refused_whole(sqlite_kith: Kith, body: bytes, status: int) -> None:
    answer = send(sqlite_kith, body)

    assert answer.status_code == status, answer.text
    assert status == 200 or problem(answer, status)


@pytest.mark.parametrize(
    "tail", [b"", b", ", b"}", b"], x", b'], "type": "Feature"}', b', {"a": "' + b"a" * 300_000, b"]} {}"]
)
def test_what_breaks_off_keeps_what_came_before(sqlite_kith: Kith, tail: bytes) -> None:
    report = send(sqlite_kith, b'{"features": [' + json.dumps(feature()).encode() + tail).json

    assert counts(report) == (1, 0, 0, 1)
    assert [(error["line"], error["id"], list(error["errors"])) for error in report["errors"]] == [
        (2, None, ["body"])
    ]
    assert sqlite_kith.get(PATH)["name"] == "Café"


def test_an_import_has_any_length_and_is_read_in_pieces(sqlite_kith: Kith) -> None:
    many = collection(*(feature(f"v{number}", name="é" * 90) for number in range(2_500)))
    assert len(many) > 2**20
    stream = BytesIO(many)

    first = next(read_venues(stream, GEOJSON))

    assert first.id == "v0"
    held = _Text(BytesIO(many))
    assert max(len(held._text) for _ in _features(held)) < 2**19
    assert stream.tell() < 2**19
    assert counts(send(sqlite_kith, many).json) == (2_500, 0, 0, 0)


# ---------------------------------------------------------------- what the matcher gets


def test_the_matcher_knows_a_venue_by_its_cell(kith: Kith) -> None:
    kith.call("PUT", PATH, CAFE)
    kith.call("PUT", "/v1/venues/bar", CAFE | {"location": {"lat": 52.5201, "lon": 13.4051}})
    with kith.database.read() as connection:
        found = all_venues(connection, find_community(connection, kith.community).number)

    bar, cafe = map(as_venue, found)
    assert (bar.id, cafe.id, cafe.name, cafe.timezone) == ("bar", "cafe", "Café", "Europe/Berlin")
    assert bar.place == cafe.place
    assert [(slot.day, slot.start, slot.end) for slot in cafe.hours] == [(1, 1080, 1440)]
