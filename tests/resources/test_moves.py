"""Moves: a first place and a removal show at once, a second move within a day waits, by every way."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.harness import Kith, peers
from tests.tenants import TestClock

BERLIN = {"lat": 52.52, "lon": 13.405}
HAMBURG = {"lat": 53.55, "lon": 9.99}
MUNICH = {"lat": 48.137, "lon": 11.575}
CITIES = {"berlin": BERLIN, "hamburg": HAMBURG, "munich": MUNICH}


def city_of(profile: Any) -> str | None:
    if profile["location"] is None:
        return None
    return min(CITIES, key=lambda name: abs(CITIES[name]["lat"] - profile["location"]["lat"]))


def move(kith: Kith, place: Any, **more: Any) -> Any:
    changed = kith.call("PATCH", "/v1/profiles/ana", {"location": place} | more)
    assert changed.status_code == 200, changed.text
    return changed.json


@pytest.fixture
def ana(kith: Kith, clock: TestClock) -> Kith:
    """A community with somebody in each city, in which Ana has just moved from Berlin to Hamburg."""
    for city, place in CITIES.items():
        kith.post_profile(f"of-{city}", location=place, interests=["hiking"])
    kith.post_profile("ana", location=BERLIN, interests=["hiking"])
    assert city_of(move(kith, HAMBURG)) == "hamburg"
    return kith


def met(kith: Kith) -> list[str]:
    return peers(kith.suggestions("ana"))


def test_a_first_place_shows_at_once_and_so_does_a_move(kith: Kith) -> None:
    kith.post_profile("of-berlin", location=BERLIN)
    kith.post_profile("of-hamburg", location=HAMBURG)
    kith.post_profile("ana")
    assert met(kith) == []

    placed = move(kith, BERLIN)
    assert (city_of(placed), placed["moves_at"], met(kith)) == ("berlin", None, ["of-berlin"])

    moved = move(kith, HAMBURG)
    assert (city_of(moved), moved["moves_at"], met(kith)) == ("hamburg", None, ["of-hamburg"])


def test_a_second_move_within_a_day_waits(ana: Kith, clock: TestClock) -> None:
    clock.forward(hours=1)
    moved = move(ana, MUNICH)

    assert city_of(moved) == "hamburg"
    assert city_of(ana.get("/v1/profiles/ana")) == "hamburg"
    assert met(ana) == ["of-hamburg"]
    assert peers(ana.suggestions("of-munich")) == []

    clock.forward(hours=22.9)
    assert met(ana) == ["of-hamburg"]
    clock.forward(hours=0.2)

    arrived = ana.get("/v1/profiles/ana")
    assert (city_of(arrived), arrived["moves_at"]) == ("munich", None)
    assert met(ana) == ["of-munich"]
    assert peers(ana.suggestions("of-munich")) == ["ana"]
    assert peers(ana.suggestions("of-hamburg")) == []


def test_moves_at_says_when(kith: Kith, clock: TestClock) -> None:
    kith.post_profile("ana", location=BERLIN)
    move(kith, HAMBURG)
    as_of = kith.suggestions("ana")["as_of"]

    moves_at = move(kith, MUNICH)["moves_at"]

    waits = datetime.fromisoformat(moves_at) - datetime.fromisoformat(as_of)
    assert timedelta(hours=23, minutes=59) < waits <= timedelta(hours=24)
    assert kith.get("/v1/profiles")["items"][0]["moves_at"] == moves_at


def test_the_newest_wish_waits_and_no_longer(ana: Kith, clock: TestClock) -> None:
    first = move(ana, MUNICH)["moves_at"]
    clock.forward(hours=12)

    again = move(ana, BERLIN)

    assert (city_of(again), again["moves_at"]) == ("hamburg", first)
    clock.forward(hours=12.1)
    assert city_of(ana.get("/v1/profiles/ana")) == "berlin"


def test_who_stays_after_all_waits_for_nothing(ana: Kith, clock: TestClock) -> None:
    move(ana, MUNICH)

    stays = move(ana, HAMBURG)

    assert (city_of(stays), stays["moves_at"]) == ("hamburg", None)
    clock.forward(hours=25)
    assert city_of(ana.get("/v1/profiles/ana")) == "hamburg"


def test_a_change_of_another_field_leaves_a_move_waiting(ana: Kith, clock: TestClock) -> None:
    waiting = move(ana, MUNICH)
    clock.forward(hours=1)

    changed = ana.call("PATCH", "/v1/profiles/ana", {"goals": ["rest"], "name": "Anabel"}).json

    assert changed == waiting | {"goals": ["rest"], "name": "Anabel"}
    clock.forward(hours=23.1)
    assert city_of(ana.get("/v1/profiles/ana")) == "munich"


def test_a_removal_shows_at_once_and_ends_the_wait(ana: Kith, clock: TestClock) -> None:
    move(ana, MUNICH)

    removed = move(ana, None)

    assert (removed["location"], removed["moves_at"]) == (None, None)
    assert met(ana) == []
    assert peers(ana.suggestions("of-hamburg")) == []
    clock.forward(hours=25)
    assert ana.get("/v1/profiles/ana")["location"] is None


def test_a_removal_is_no_way_around_the_wait(ana: Kith, clock: TestClock) -> None:
    move(ana, None)

    back = move(ana, MUNICH)

    assert back["location"] is None
    assert back["moves_at"] is not None
    assert peers(ana.suggestions("of-munich")) == []
    clock.forward(hours=24.1)
    assert city_of(ana.get("/v1/profiles/ana")) == "munich"


def test_who_removed_a_place_may_have_it_back_at_once(ana: Kith) -> None:
    move(ana, None)

    back = move(ana, HAMBURG)

    assert (city_of(back), back["moves_at"]) == ("hamburg", None)


@pytest.mark.parametrize("way", ["PUT", "import", "CSV"])
def test_every_way_to_write_waits(ana: Kith, clock: TestClock, way: str) -> None:
    profile = {"id": "ana", "name": "Ana", "interests": ["hiking"], "location": MUNICH}
    if way == "PUT":
        ana.call("PUT", "/v1/profiles/ana", profile)
    elif way == "import":
        assert ana.import_profiles(profile)["updated"] == 1
    else:
        lines = f"id,name,interests,lat,lon\nana,Ana,hiking,{MUNICH['lat']},{MUNICH['lon']}\n".encode()
        assert ana.call("POST", "/v1/profiles/import", lines, Content_Type="text/csv").json["updated"] == 1

    waiting = ana.get("/v1/profiles/ana")
    assert (city_of(waiting), waiting["moves_at"] is None) == ("hamburg", False)
    clock.forward(hours=24.1)
    assert city_of(ana.get("/v1/profiles/ana")) == "munich"


def test_lines_of_one_import_wait_for_each_other(kith: Kith) -> None:
    kith.import_profiles(
        *({"id": "ana", "name": "Ana", "location": place} for place in (BERLIN, HAMBURG, MUNICH))
    )

    ana = kith.get("/v1/profiles/ana")
    assert (city_of(ana), ana["moves_at"] is None) == ("hamburg", False)


def test_within_one_cell_nobody_moves(kith: Kith) -> None:
    before = kith.post_profile("ana", location=BERLIN)

    for nudge in (0.0001, -0.0001, 0.0002):
        assert move(kith, {"lat": 52.52 + nudge, "lon": 13.405}) == before


def test_a_day_after_a_move_the_next_is_free(ana: Kith, clock: TestClock) -> None:
    clock.forward(hours=24.1)

    moved = move(ana, MUNICH)

    assert (city_of(moved), moved["moves_at"]) == ("munich", None)


def test_after_a_wait_the_day_begins_anew(ana: Kith, clock: TestClock) -> None:
    move(ana, MUNICH)
    clock.forward(hours=24.1)
    assert city_of(ana.get("/v1/profiles/ana")) == "munich"

    again = move(ana, BERLIN)

    assert (city_of(again), again["moves_at"] is None) == ("munich", False)


def test_a_wait_changes_the_tag_and_arriving_does(ana: Kith, clock: TestClock) -> None:
    tags = [ana.call("GET", "/v1/profiles/ana").headers["ETag"]]
    tags.append(ana.call("PATCH", "/v1/profiles/ana", {"location": MUNICH}).headers["ETag"])
    clock.forward(hours=24.1)
    tags.append(ana.call("GET", "/v1/profiles/ana").headers["ETag"])

    assert len(set(tags)) == 3


def test_the_export_of_one_member_tells_all_that_is_kept_of_a_move(ana: Kith) -> None:
    moved = move(ana, MUNICH)

    kept = ana.get("/v1/profiles/ana/export")

    assert kept["profile"] == moved
    assert city_of({"location": kept["waiting_location"]}) == "munich"
    assert city_of({"location": kept["last_location"]}) == "hamburg"
    assert kept["moved_at"] < moved["moves_at"]
