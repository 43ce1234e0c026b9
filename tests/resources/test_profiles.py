"""Profiles over HTTP: create, replace, change, read, list, erase."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import Kith
from tests.problems import errors, problem
from tests.tenants import TestClock, neighbour, with_key

BERLIN = {"lat": 52.52, "lon": 13.405}
WHOLE: dict[str, Any] = {
    "id": "ana",
    "name": "Ana",
    "interests": ["hiking", "board games"],
    "activities": ["trail running"],
    "goals": ["learn Spanish"],
    "location": BERLIN,
    "radius_km": 15,
    "modes": ["in_person", "online"],
    "timezone": "Europe/Berlin",
    "availability": [{"day": "tue", "from": "18:00", "to": "21:00"}],
    "languages": ["de", "en"],
    "attributes": {"age_band": "30-39", "role": "mentee"},
    "seeks": {"role": ["mentor"]},
    "capacity": 5,
    "joins_rounds": True,
    "status": "paused",
    "paused_until": "2099-12-01T18:00:00Z",
}
DEFAULTS: dict[str, Any] = {
    "interests": [], "activities": [], "goals": [], "location": None, "radius_km": 25, "modes": ["online"],
    "timezone": None, "availability": [], "languages": [], "attributes": {}, "seeks": {}, "capacity": 3,
    "joins_rounds": False, "status": "active", "paused_until": None, "moves_at": None,
}  # fmt: skip
READ_ONLY = {"location": {"lat": 52.525748, "lon": 13.409062, "accuracy_km": 1.4}, "moves_at": None}


def test_a_profile_is_read_as_it_was_created(kith: Kith) -> None:
    made = kith.call("POST", "/v1/profiles", WHOLE)

    assert made.status_code == 201
    assert made.headers["Location"] == "/v1/profiles/ana"
    assert made.json == WHOLE | READ_ONLY
    assert kith.get("/v1/profiles/ana") == made.json


def test_only_the_name_is_required(kith: Kith) -> None:
    made = kith.call("POST", "/v1/profiles", {"name": "Ana"})

    assert made.status_code == 201
    assert made.headers["Location"] == f"/v1/profiles/{made.json['id']}"
    assert kith.get(made.headers["Location"]) == {"id": made.json["id"], "name": "Ana"} | DEFAULTS


def test_made_ids_are_in_the_grammar_and_differ(kith: Kith) -> None:
    made = {kith.call("POST", "/v1/profiles", {"name": "Ana"}).json["id"] for _ in range(5)}

    assert len(made) == 5
    assert all(name.isascii() and name.isalnum() for name in made)


def test_an_id_that_is_taken_is_409(kith: Kith) -> None:
    before = kith.post_profile("ana")

    problem(kith.call("POST", "/v1/profiles", {"id": "ana", "name": "Other"}), 409)

    assert kith.get("/v1/profiles/ana") == before


def test_put_creates_then_replaces_whole(kith: Kith) -> None:
    created = kith.call("PUT", "/v1/profiles/ana", WHOLE)
    replaced = kith.call("PUT", "/v1/profiles/ana", {"name": "Anabel"})

    assert (created.status_code, replaced.status_code) == (201, 200)
    assert created.headers["Location"] == "/v1/profiles/ana"
    assert "Location" not in replaced.headers
    assert kith.get("/v1/profiles/ana") == {"id": "ana", "name": "Anabel"} | DEFAULTS


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_the_id_in_the_body_is_the_one_in_the_path(kith: Kith, method: str) -> None:
    kith.post_profile("ana")

    assert kith.call(method, "/v1/profiles/ana", {"id": "ana", "name": "Ana"}).status_code == 200
    assert list(errors(kith.call(method, "/v1/profiles/ana", {"id": "bea", "name": "Ana"}))) == ["id"]
    problem(kith.call("GET", "/v1/profiles/bea"), 404)


def test_what_was_read_can_be_written_back(kith: Kith) -> None:
    read = kith.call("POST", "/v1/profiles", WHOLE).json
    other = neighbour(kith)

    assert kith.call("PUT", "/v1/profiles/ana", read).json == read
    assert other.call("POST", "/v1/profiles", read).json == read
    assert other.call("PATCH", "/v1/profiles/ana", read).json == read


def test_nothing_finer_than_the_cell_is_known(kith: Kith) -> None:
    one = kith.post_profile("ana", location=BERLIN)["location"]
    other = kith.post_profile("ben", location={"lat": 52.5201, "lon": 13.4049})["location"]

    assert one == other == READ_ONLY["location"]
    again = kith.post_profile("cem", location=one)["location"]
    assert again == one


@pytest.mark.parametrize(
    "place", [{"lat": 90, "lon": 0}, {"lat": -90, "lon": 0}, {"lat": 0, "lon": 180}, {"lat": 0, "lon": -180}]
)
def test_the_ends_of_the_world_are_places(kith: Kith, place: dict[str, float]) -> None:
    location = kith.post_profile("ana", location=place)["location"]

    assert kith.call("PATCH", "/v1/profiles/ana", {"location": location}).json["location"] == location


# ---------------------------------------------------------------- merge patch


@pytest.fixture
def whole(kith: Kith) -> Kith:
    """A community in which Ana stated everything."""
    assert kith.call("POST", "/v1/profiles", WHOLE).status_code == 201
    return kith


@pytest.mark.parametrize("content_type", ["application/json", "application/merge-patch+json"])
def test_a_patch_changes_what_it_names(whole: Kith, content_type: str) -> None:
    before = whole.get("/v1/profiles/ana")

    changed = whole.call("PATCH", "/v1/profiles/ana", b'{"capacity": 1}', Content_Type=content_type)

    assert changed.json == before | {"capacity": 1} == whole.get("/v1/profiles/ana")


@pytest.mark.parametrize("field", sorted(set(WHOLE) - {"id", "name", "timezone", "status", "location"}))
def test_null_sets_the_default(whole: Kith, field: str) -> None:
    default = ["in_person"] if field == "modes" else DEFAULTS[field]

    changed = whole.call("PATCH", "/v1/profiles/ana", {field: None})

    assert changed.status_code == 200
    assert changed.json[field] == default


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"location": None}, {"location": None}),
        ({"timezone": None, "availability": None}, {"timezone": None, "availability": []}),
        ({"status": None, "paused_until": None}, {"status": "active", "paused_until": None}),
        ({"attributes": {"role": None}}, {"attributes": {"age_band": "30-39"}}),
        ({"attributes": {"role": "mentor", "team": "red"}},
         {"attributes": {"age_band": "30-39", "role": "mentor", "team": "red"}}),
        ({"seeks": {"role": ["friend"]}}, {"seeks": {"role": ["friend"]}}),
        ({"seeks": {"role": None}}, {"seeks": {}}),
        ({"interests": ["chess"]}, {"interests": ["chess"]}),
        ({"moves_at": "2020-01-01T00:00:00Z"}, {"moves_at": None}),
        ({"moves_at": None}, {"moves_at": None}),
        ({"location": {"accuracy_km": 99}}, {"location": READ_ONLY["location"]}),
        ({}, {}),
    ],
)  # fmt: skip
def test_a_patch_merges(whole: Kith, patch: dict[str, Any], expected: dict[str, Any]) -> None:
    before = whole.get("/v1/profiles/ana")

    assert whole.call("PATCH", "/v1/profiles/ana", patch).json == before | expected


def test_a_patch_merges_within_the_location(kith: Kith) -> None:
    kith.post_profile("ana", location=BERLIN)

    moved = kith.call("PATCH", "/v1/profiles/ana", {"location": {"lat": 48.1}}).json

    assert moved["location"]["lat"] == pytest.approx(48.1, abs=0.02)
    assert moved["location"]["lon"] == pytest.approx(13.405, abs=0.03)


@pytest.mark.parametrize(
    ("patch", "path"),
    [
        ({"id": None}, "id"),
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"capacity": 21}, "capacity"),
        ({"surprise": None}, "surprise"),
        ({"surprise": 1}, "surprise"),
        ({"location": {"lat": None}}, "location.lat"),
        ({"location": {"lat": 91}}, "location.lat"),
        ({"timezone": None}, "timezone"),
        ({"interests": {"0": "chess"}}, "interests"),
        ({"attributes": {"role": 1}}, "attributes.role"),
    ],
)
def test_a_patch_that_breaks_a_rule_changes_nothing(whole: Kith, patch: dict[str, Any], path: str) -> None:
    before = whole.get("/v1/profiles/ana")

    assert list(errors(whole.call("PATCH", "/v1/profiles/ana", patch))) == [path]
    assert whole.get("/v1/profiles/ana") == before


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("PATCH", {"name": "Ana"}), ("DELETE", None)])
def test_nobody_is_404(kith: Kith, method: str, body: Any) -> None:
    problem(kith.call(method, "/v1/profiles/nobody", body), 404)


# ---------------------------------------------------------------- pause, community defaults, admin attributes


def test_a_pause_ends_by_itself(kith: Kith, clock: TestClock) -> None:
    kith.post_profile("ben", interests=["hiking"])
    kith.post_profile("ana", status="paused", paused_until="2099-12-01T00:00:00Z", interests=["hiking"])
    assert kith.suggestions("ben")["items"] == []
    before = kith.call("GET", "/v1/profiles/ana").headers["ETag"]

    clock.forward(hours=24 * 366 * 80)

    after = kith.call("GET", "/v1/profiles/ana")
    assert (after.json["status"], after.json["paused_until"]) == ("active", None)
    assert after.headers["ETag"] != before
    assert [item["peer"]["id"] for item in kith.suggestions("ben")["items"]] == ["ana"]
    assert kith.get("/v1/profiles")["items"][0]["status"] == "active"


@pytest.mark.parametrize("status", ["active", None])
def test_who_comes_back_early_need_not_take_the_end_back(kith: Kith, status: str | None) -> None:
    kith.post_profile("ana", status="paused", paused_until="2099-12-01T00:00:00Z")

    back = kith.call("PATCH", "/v1/profiles/ana", {"status": status})

    assert (back.status_code, back.json["status"], back.json["paused_until"]) == (200, "active", None)


def test_a_pause_without_an_end_goes_on(kith: Kith, clock: TestClock) -> None:
    kith.post_profile("ana", status="paused")

    clock.forward(hours=24 * 366 * 80)

    assert kith.get("/v1/profiles/ana")["status"] == "paused"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_pause_ends_in_the_future(kith: Kith, method: str) -> None:
    kith.post_profile("ana")
    path = "/v1/profiles" if method == "POST" else "/v1/profiles/ana"

    answer = kith.call(
        method, path, {"name": "Ana", "status": "paused", "paused_until": "2020-01-01T00:00:00Z"}
    )

    assert list(errors(answer)) == ["paused_until"]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2099-12-01T18:00:00+02:00", "2099-12-01T16:00:00Z"),
        ("2099-12-01t18:00:00z", "2099-12-01T18:00:00Z"),
        ("2099-12-01T18:00:00.25Z", "2099-12-01T18:00:00.250Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
    ],
)
def test_times_are_read_back_in_utc(kith: Kith, sent: str, read: str) -> None:
    assert kith.post_profile("ana", status="paused", paused_until=sent)["paused_until"] == read


def test_a_default_radius_holds_for_profiles_written_later(kith: Kith) -> None:
    kith.post_profile("early")
    kith.post_profile("stated", radius_km=7)

    kith.call("PATCH", "/v1/community", {"radius_km": 60})
    kith.post_profile("late")

    radius = {item["id"]: item["radius_km"] for item in kith.get("/v1/profiles")["items"]}
    assert radius == {"early": 25, "stated": 7, "late": 60}
    assert kith.call("PATCH", "/v1/profiles/early", {"name": "Early"}).json["radius_km"] == 60
    assert kith.call("PATCH", "/v1/profiles/stated", {"radius_km": None}).json["radius_km"] == 60


def test_an_admin_attribute_is_changed_by_admins_alone(kith: Kith) -> None:
    kith.call("PATCH", "/v1/community", {"admin_attributes": ["verified"]})
    writer = with_key(kith, "write")
    kith.post_profile("ana", attributes={"verified": "yes", "team": "red"})

    def write(method: str, attributes: Any) -> Any:
        return writer.call(method, "/v1/profiles/ana", {"name": "Ana", "attributes": attributes})

    for attributes in ({"verified": "no"}, {"verified": "no", "team": "blue"}):
        for method in ("PUT", "PATCH"):
            assert "verified" in problem(write(method, attributes), 403)["detail"]
    assert "verified" in problem(write("PATCH", {"verified": None}), 403)["detail"]
    assert "verified" in problem(write("PATCH", None), 403)["detail"]
    assert kith.get("/v1/profiles/ana")["attributes"] == {"verified": "yes", "team": "red"}

    assert write("PUT", {"team": "blue"}).json["attributes"] == {"verified": "yes", "team": "blue"}
    assert write("PUT", {"verified": "yes"}).json["attributes"] == {"verified": "yes"}
    assert write("PATCH", {"team": "green"}).json["attributes"] == {"verified": "yes", "team": "green"}
    assert writer.call("PUT", "/v1/profiles/ana", {"name": "Ana"}).json["attributes"] == {"verified": "yes"}


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_write_key_states_no_admin_attribute_of_a_new_member(kith: Kith, method: str) -> None:
    kith.call("PATCH", "/v1/community", {"admin_attributes": ["verified"]})
    path = "/v1/profiles" if method == "POST" else "/v1/profiles/ana"

    answer = with_key(kith, "write").call(method, path, {"name": "Ana", "attributes": {"verified": "yes"}})

    assert "verified" in problem(answer, 403)["detail"]
    assert kith.get("/v1/profiles")["items"] == []


def test_an_admin_changes_and_removes_admin_attributes(kith: Kith) -> None:
    kith.call("PATCH", "/v1/community", {"admin_attributes": ["verified"]})
    kith.post_profile("ana", attributes={"verified": "yes"})

    assert kith.call("PATCH", "/v1/profiles/ana", {"attributes": {"verified": None}}).json["attributes"] == {}


# ---------------------------------------------------------------- lists and erasure

IN_BYTE_ORDER = [
    "0",
    "10",
    "9",
    "A",
    "B",
    "Z",
    "Z-z",
    "Z.z",
    "Z0",
    "Z:z",
    "Z@z",
    "Z_z",
    "Za",
    "Z~z",
    "a",
    "a0",
    "b",
]


def test_a_list_is_in_the_order_of_bytes_whatever_the_page(kith: Kith) -> None:
    kith.import_profiles(*({"id": name, "name": "N"} for name in sorted(IN_BYTE_ORDER, key=str.casefold)))

    for limit in (1, 2, 7, 17, 100):
        listed: list[str] = []
        path = f"/v1/profiles?limit={limit}"
        answer = kith.get(path)
        listed += [item["id"] for item in answer["items"]]
        while "next" in answer:
            assert len(answer["items"]) == limit
            answer = kith.get(f"{path}&cursor={answer['next']}")
            listed += [item["id"] for item in answer["items"]]
        assert listed == IN_BYTE_ORDER


def test_a_page_holds_twenty_unless_told(kith: Kith) -> None:
    kith.import_profiles(*({"id": f"m{number:03}", "name": "M"} for number in range(101)))

    assert len(kith.get("/v1/profiles")["items"]) == 20
    assert len(kith.get("/v1/profiles?limit=100")["items"]) == 100
    assert set(kith.get("/v1/profiles?limit=100")) == {"items", "next"}


def test_a_list_goes_on_though_its_last_member_is_gone(kith: Kith) -> None:
    for name in "abcd":
        kith.post_profile(name)
    first = kith.get("/v1/profiles?limit=2")

    kith.call("DELETE", "/v1/profiles/b")

    assert [item["id"] for item in kith.get(f"/v1/profiles?cursor={first['next']}")["items"]] == ["c", "d"]


def test_an_erased_member_is_nowhere(kith: Kith) -> None:
    for name in ("ana", "ben", "cem"):
        kith.post_profile(name, interests=["hiking"])
    assert len(kith.suggestions("ben")["items"]) == 2

    gone = kith.call("DELETE", "/v1/profiles/ana")

    assert (gone.status_code, gone.data) == (204, b"")
    assert "Content-Type" not in gone.headers
    for path in ("", "/suggestions", "/export"):
        problem(kith.call("GET", f"/v1/profiles/ana{path}"), 404)
    problem(kith.call("DELETE", "/v1/profiles/ana"), 404)
    assert [item["peer"]["id"] for item in kith.suggestions("ben")["items"]] == ["cem"]
    assert b"ana" not in kith.call("GET", "/v1/profiles/export").data
    assert kith.get("/v1/terms") == {"items": []}


def test_an_erased_id_can_be_had_again(kith: Kith) -> None:
    kith.post_profile("ana", interests=["hiking"], attributes={"role": "mentor"})
    kith.call("DELETE", "/v1/profiles/ana")

    assert kith.post_profile("ana") == {"id": "ana", "name": "Ana"} | DEFAULTS
