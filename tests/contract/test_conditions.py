"""Entity tags: a reader learns that nothing changed, a writer that something did."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import Kith
from tests.problems import problem
from tests.tenants import sqlite_first_url as module_url

__all__ = ["module_url"]

SINGLE = [
    "/v1/profiles/ana",
    "/v1/profiles/ana/export",
    "/v1/community",
    "/v1/community/stats",
    "/v1/community/model",
]
ANA: dict[str, Any] = {
    "interests": ["hiking", "Board Games"],
    "location": {"lat": 52.52, "lon": 13.405},
    "timezone": "Europe/Berlin",
    "availability": [{"day": "tue", "from": "18:00", "to": "24:00"}],
    "languages": ["de"],
    "attributes": {"role": "mentee"},
    "seeks": {"role": ["mentor"]},
    "status": "paused",
    "paused_until": "2099-01-01T00:00:00Z",
}


@pytest.fixture
def ana(kith: Kith) -> Kith:
    """A community in which Ana is."""
    kith.post_profile("ana", **ANA)
    return kith


def etag(kith: Kith, path: str = "/v1/profiles/ana") -> str:
    return str(kith.call("GET", path).headers["ETag"])


@pytest.mark.parametrize("path", SINGLE)
def test_a_single_resource_has_a_strong_tag(ana: Kith, path: str) -> None:
    one, other = etag(ana, path), etag(ana, path)

    assert one == other
    assert one.startswith('"')
    assert one.endswith('"')


@pytest.mark.parametrize("path", SINGLE)
@pytest.mark.parametrize("form", ["{tag}", "W/{tag}", '"other", {tag}', "*"])
def test_who_has_it_already_gets_304(ana: Kith, path: str, form: str) -> None:
    tag = etag(ana, path)

    for method in ("GET", "HEAD"):
        answer = ana.call(method, path, If_None_Match=form.format(tag=tag))
        assert answer.status_code == 304
        assert answer.data == b""
        assert answer.headers["ETag"] == tag
        assert "Content-Type" not in answer.headers


@pytest.mark.parametrize("path", SINGLE)
@pytest.mark.parametrize("tag", ['"other"', '""', "other"])
def test_who_has_another_gets_it_whole(ana: Kith, path: str, tag: str) -> None:
    assert ana.call("GET", path, If_None_Match=tag).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Bea"},
        {"goals": ["rest"]},
        {"capacity": 1},
        {"location": None},
        {"radius_km": 3},
        {"modes": ["online"]},
        {"joins_rounds": True},
        {"status": None, "paused_until": None},
        {"attributes": {"role": None}},
    ],
)
def test_a_change_of_what_is_read_changes_the_tag(ana: Kith, change: dict[str, Any]) -> None:
    before = etag(ana)

    answer = ana.call("PATCH", "/v1/profiles/ana", change, If_Match=before)

    assert answer.status_code == 200
    assert answer.headers["ETag"] == etag(ana) != before
    assert ana.call("GET", "/v1/profiles/ana", If_None_Match=before).status_code == 200


def test_what_was_read_can_be_written_back_and_changes_nothing(ana: Kith) -> None:
    read = ana.call("GET", "/v1/profiles/ana")

    written = ana.call("PUT", "/v1/profiles/ana", read.json, If_Match=read.headers["ETag"])

    assert written.status_code == 200
    assert written.headers["ETag"] == read.headers["ETag"]
    assert written.json == read.json
    assert ana.call("PATCH", "/v1/profiles/ana", read.json).headers["ETag"] == read.headers["ETag"]


@pytest.mark.parametrize(
    "fields", [{}, {"location": {"lat": 52.52, "lon": 13.405}}, {"radius_km": 4, "modes": ["online"]}]
)
def test_defaults_written_back_stay_defaults(kith: Kith, fields: dict[str, Any]) -> None:
    kith.post_profile("bea", **fields)
    read = kith.call("GET", "/v1/profiles/bea")

    written = kith.call("PUT", "/v1/profiles/bea", read.json)

    assert written.headers["ETag"] == read.headers["ETag"]
    assert kith.import_profiles(read.json)["unchanged"] == 1


def test_a_tag_is_of_the_radius_that_is_read_not_of_who_stated_it(kith: Kith) -> None:
    kith.post_profile("bea")
    read = kith.call("GET", "/v1/profiles/bea")
    kith.call("PATCH", "/v1/community", {"radius_km": 60})

    written = kith.call("PUT", "/v1/profiles/bea", read.json)
    assert (written.json["radius_km"], written.headers["ETag"]) == (25, read.headers["ETag"])

    widened = kith.call("PATCH", "/v1/profiles/bea", {"radius_km": None})
    assert (widened.json["radius_km"], widened.headers["ETag"] == read.headers["ETag"]) == (60, False)


def test_a_default_mode_follows_the_location_after_a_round_trip(kith: Kith) -> None:
    kith.post_profile("bea")
    read = kith.get("/v1/profiles/bea")
    assert read["modes"] == ["online"]
    kith.call("PUT", "/v1/profiles/bea", read)

    moved = kith.call("PATCH", "/v1/profiles/bea", {"location": {"lat": 52.52, "lon": 13.405}})

    assert moved.json["modes"] == ["in_person"]


def test_a_stated_mode_never_follows_the_location(kith: Kith) -> None:
    kith.post_profile("bea", location={"lat": 52.52, "lon": 13.405}, modes=["in_person"])
    kith.call("PUT", "/v1/profiles/bea", kith.get("/v1/profiles/bea"))

    assert kith.call("PATCH", "/v1/profiles/bea", {"location": None}).json["modes"] == ["in_person"]


def test_what_others_do_never_changes_the_tag(ana: Kith) -> None:
    before = etag(ana)

    ana.post_profile("ben", interests=["hiking"], location=ANA["location"])
    ana.suggestions("ben")
    ana.call("PATCH", "/v1/community", {"radius_km": 50})
    ana.call("DELETE", "/v1/profiles/ben")

    assert etag(ana) == before


@pytest.mark.parametrize("path", ["/v1/profiles/ana", "/v1/profiles/ana/export"])
def test_what_others_do_to_a_member_never_changes_their_tag(ana: Kith, path: str) -> None:
    ana.post_profile("ben")
    before = etag(ana, path)

    for method, name, body in (
        ("POST", "responses", {"peer": "ana", "response": "accept"}),
        ("POST", "responses", {"peer": "ana", "response": "later"}),
        ("POST", "responses", {"peer": "ana", "response": "decline"}),
        ("PUT", "blocks/ana", None),
        ("DELETE", "blocks/ana", None),
        ("POST", "reports", {"peer": "ana", "reason": "spam", "detail": "Sells."}),
    ):
        assert ana.call(method, f"/v1/profiles/ben/{name}", body).status_code < 300
        assert etag(ana, path) == before, name
    assert ana.call("GET", path, If_None_Match=before).status_code == 304


def test_two_positions_in_one_cell_have_one_tag(ana: Kith) -> None:
    before = etag(ana)

    for lat in (52.5201, 52.5199):
        answer = ana.call("PATCH", "/v1/profiles/ana", {"location": {"lat": lat, "lon": 13.4049}})
        assert answer.headers["ETag"] == before


def test_a_key_s_tag_is_of_the_content_in_every_community(ana: Kith) -> None:
    made = ana.call("POST", "/v1/profiles", {"id": "bea", "name": "Bea"})
    assert made.headers["ETag"] == etag(ana, "/v1/profiles/bea")

    put = ana.call("PUT", "/v1/profiles/cem", {"name": "Cem"})
    assert (put.status_code, put.headers["ETag"]) == (201, etag(ana, "/v1/profiles/cem"))


# ---------------------------------------------------------------- writes under a condition

WRITES = [("PUT", {"name": "Bea"}), ("PATCH", {"name": "Bea"}), ("DELETE", None)]


@pytest.mark.parametrize(("method", "body"), WRITES)
@pytest.mark.parametrize("condition", ['"stale"', "W/{tag}", '"a", "b"', '""', ""])
def test_a_stale_writer_gets_412(ana: Kith, method: str, body: Any, condition: str) -> None:
    tag = etag(ana)

    answer = ana.call(method, "/v1/profiles/ana", body, If_Match=condition.format(tag=tag))

    assert problem(answer, 412)["type"] == "urn:kith:problem:stale"
    assert etag(ana) == tag


@pytest.mark.parametrize(("method", "body"), WRITES)
@pytest.mark.parametrize("condition", ["{tag}", '"other", {tag}', "*"])
def test_who_knows_the_newest_may_write(ana: Kith, method: str, body: Any, condition: str) -> None:
    answer = ana.call(method, "/v1/profiles/ana", body, If_Match=condition.format(tag=etag(ana)))

    assert answer.status_code == (204 if method == "DELETE" else 200)


def test_the_second_of_two_writers_gets_412(ana: Kith) -> None:
    tag = etag(ana)

    assert ana.call("PATCH", "/v1/profiles/ana", {"name": "One"}, If_Match=tag).status_code == 200
    problem(ana.call("PATCH", "/v1/profiles/ana", {"name": "Two"}, If_Match=tag), 412)

    assert ana.get("/v1/profiles/ana")["name"] == "One"


def test_a_put_may_ask_that_nothing_is_there(ana: Kith) -> None:
    body = {"name": "Bea"}

    problem(ana.call("PUT", "/v1/profiles/ana", body, If_None_Match="*"), 412)
    assert ana.call("PUT", "/v1/profiles/bea", body, If_None_Match="*").status_code == 201


def test_a_put_may_ask_that_something_is_there(ana: Kith) -> None:
    problem(ana.call("PUT", "/v1/profiles/bea", {"name": "Bea"}, If_Match="*"), 412)

    problem(ana.call("GET", "/v1/profiles/bea"), 404)


@pytest.mark.parametrize(("method", "body"), WRITES[1:])
def test_where_nobody_is_it_is_404_whatever_the_condition(kith: Kith, method: str, body: Any) -> None:
    problem(kith.call(method, "/v1/profiles/nobody", body, If_Match='"a"'), 404)


def test_the_community_is_guarded_alike(ana: Kith) -> None:
    tag = etag(ana, "/v1/community")

    first = ana.call("PATCH", "/v1/community", {"name": "One"}, If_Match=tag)
    assert first.status_code == 200
    assert first.headers["ETag"] == etag(ana, "/v1/community") != tag
    problem(ana.call("PATCH", "/v1/community", {"name": "Two"}, If_Match=tag), 412)
    assert ana.get("/v1/community")["name"] == "One"
    again = ana.call("PATCH", "/v1/community", {"name": "One"})
    assert again.headers["ETag"] == first.headers["ETag"]


def test_a_report_is_guarded_alike(ana: Kith) -> None:
    report = {"peer": "somebody", "reason": "unsafe"}
    made = ana.call("POST", "/v1/profiles/ana/reports", report)
    path = f"/v1/reports/{made.json['id']}"

    first = ana.call("PATCH", path, {"state": "resolved"}, If_Match="*")
    assert first.status_code == 200
    assert first.headers["ETag"].startswith('"')
    problem(ana.call("PATCH", path, {"state": "open"}, If_Match='"stale"'), 412)
    assert ana.get("/v1/reports")["items"][0]["state"] == "resolved"
    second = ana.call("PATCH", path, {"state": "open"}, If_Match=first.headers["ETag"])
    assert (second.status_code, second.json["state"]) == (200, "open")
    assert second.headers["ETag"] != first.headers["ETag"]
    problem(ana.call("PATCH", path, {"state": "resolved"}, If_Match=first.headers["ETag"]), 412)
    again = ana.call("PATCH", path, {"state": "resolved"})
    assert again.headers["ETag"] == first.headers["ETag"]
