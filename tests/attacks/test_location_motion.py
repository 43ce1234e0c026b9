"""Motion: moves within a cell show nowhere, and a change of cell shows at most once in 24 hours.

Fails where a write within a cell stamps anything, where an entity tag holds more than content, where a way to
state a location goes around the wait, or where a removal makes the wait begin anew.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.location_corners import PLACES, around, corners
from tests.attacks.location_geometry import Spot, away
from tests.attacks.transcripts import CSV, MEMBER, PATH, wire
from tests.harness import NDJSON, Kith, peers
from tests.tenants import TestClock

TIME = re.compile(r'"as_of":"[^"]+"')
BERLIN = PLACES[1]
TOWNS = {name: away(Spot(*BERLIN), 1.5 * number, 40.0 * number) for number, name in enumerate("abcd")}
TABLE = (
    "id,name,interests,activities,lat,lon,radius_km,modes,timezone,availability,languages,attributes.role\n"
)
ROW = "{},Vic,hiking;board games,trail running,{:.9f},{:.9f},60,{},Europe/Berlin,{},en;de,mentee\n"
TIES = ("invitations", "connections", "reconnects")
Way = Callable[[Kith, Spot], Any]


def patch(kith: Kith, at: Spot) -> Any:
    return kith.call("PATCH", PATH, {"location": at.as_wire()})


def patch_with_a_tag(kith: Kith, at: Spot) -> Any:
    tag = kith.call("GET", PATH).headers["ETag"]
    return kith.call("PATCH", PATH, {"location": at.as_wire() | {"accuracy_km": 1.5}}, If_Match=tag)


def put(kith: Kith, at: Spot) -> Any:
    return kith.call("PUT", PATH, wire(at))


def import_a_line(kith: Kith, at: Spot) -> Any:
    return kith.call("POST", "/v1/profiles/import", json.dumps(wire(at)).encode(), Content_Type=NDJSON)


def import_a_row(kith: Kith, at: Spot) -> Any:
    row = ROW.format(MEMBER, at.lat, at.lon, "in_person;online", "tue 18:00-21:00")
    return kith.call("POST", "/v1/profiles/import", (TABLE + row).encode(), Content_Type=CSV)


def import_many_lines(kith: Kith, at: Spot) -> Any:
    # Of one id the last line wins; the places before it must leave no trace.
    lines = [wire(spot) for spot in (*TOWNS.values(), at)]
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    return kith.call("POST", "/v1/profiles/import", body, Content_Type=NDJSON)


def removal_and_return(kith: Kith, at: Spot) -> Any:
    kith.call("PATCH", PATH, {"location": None})
    return patch(kith, at)


def put_without_and_with(kith: Kith, at: Spot) -> Any:
    kith.call("PUT", PATH, wire(at, location=None))
    return put(kith, at)


WITHIN: tuple[Way, ...] = (patch, patch_with_a_tag, put, import_a_line, import_a_row)
WAYS: tuple[Way, ...] = (*WITHIN, import_many_lines, removal_and_return, put_without_and_with)


def seen_by_others(kith: Kith) -> Mapping[str, str]:
    """Ask everything that anybody but the member is answered: after a first time, out of the cache."""
    askers = [
        member["id"] for member in kith.get("/v1/profiles?limit=100")["items"] if member["id"] != MEMBER
    ]
    paths = [f"/v1/profiles/{asker}{what}" for asker in askers for what in ("", "/suggestions", "/export")]
    paths += [f"/v1/profiles/asker-{number}/{noun}" for number in range(3) for noun in TIES]
    seen = {path: kith.call("GET", path) for path in (*paths, "/v1/terms")}
    return {path: f"{answer.headers.get('ETag')} {_timeless(answer)}" for path, answer in seen.items()}


def seen_by_themself(kith: Kith) -> Mapping[str, str]:
    """Ask what the member's own platform is answered of them."""
    paths = (PATH, f"{PATH}/export", f"{PATH}/suggestions", "/v1/profiles", "/v1/profiles/export")
    seen = {path: kith.call("GET", path) for path in paths}
    return {path: f"{answer.headers.get('ETag')} {_timeless(answer)}" for path, answer in seen.items()}


def _timeless(answer: Any) -> str:
    assert answer.status_code == 200, answer.text
    return TIME.sub("", answer.text)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.drill)])
def either_kith(request: pytest.FixtureRequest, clock_file: Path) -> Iterator[Kith]:
    """A community on SQLite, and on PostgreSQL where there is time for it."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_kith")
        return
    url = request.getfixturevalue("fresh_postgres_url")
    with Kith.open(url, KITH_CLOCK_FILE=str(clock_file), KITH_TESTING="1") as kith:
        yield kith


@pytest.fixture
def stage(either_kith: Kith, clock: TestClock) -> Kith:
    """A member in one corner of a cell, with others all around, and every answer in the cache, at noon."""
    kith = either_kith
    # Not near midnight: the date is in an answer's key.
    now = datetime.now(UTC)
    clock.forward(seconds=(timedelta(hours=36) - (now - now.replace(hour=0))).total_seconds())
    for number, spot in enumerate(around(*BERLIN)[:8]):
        kith.post_profile(f"asker-{number}", location=spot.as_wire(), interests=["hiking"])
    kith.post_profile("online", modes=["online"], interests=["hiking"])
    assert put(kith, corners(*BERLIN)[0]).status_code == 201
    kith.call("POST", f"{PATH}/responses", {"peer": "asker-1", "response": "accept"})
    met = {"since": "2025-01-01T00:00:00Z", "last_met": "2025-01-02T00:00:00Z"}
    assert kith.call("PUT", f"{PATH}/connections/asker-2", met).status_code == 200
    seen_by_others(kith), seen_by_themself(kith)
    return kith


def test_moves_within_a_cell_change_nothing_that_anyone_sees(stage: Kith) -> None:
    one, other = corners(*BERLIN)
    before = seen_by_others(stage), seen_by_themself(stage)
    assert '"cache":"hit"' in before[0]["/v1/profiles/asker-1/suggestions"]
    for what in ("asker-1/suggestions", "asker-1/invitations", "asker-2/connections", "asker-2/reconnects"):
        assert MEMBER in before[0][f"/v1/profiles/{what}"], what

    for way, at in zip(WITHIN, cycle((other, one)), strict=False):
        assert way(stage, at).status_code == 200, way
        assert (seen_by_others(stage), seen_by_themself(stage)) == before, way


def test_an_entity_tag_from_before_a_move_within_the_cell_still_holds(stage: Kith) -> None:
    tag = stage.call("GET", PATH).headers["ETag"]

    patch(stage, corners(*BERLIN)[1])

    assert stage.call("GET", PATH, If_None_Match=tag).status_code == 304
    assert stage.call("PATCH", PATH, {"capacity": 3}, If_Match=tag).status_code == 200


def test_a_move_that_waits_changes_nothing_that_others_see(stage: Kith) -> None:
    patch(stage, TOWNS["b"])
    seen_by_others(stage)
    before = seen_by_others(stage)

    for way, town in ((patch, "c"), (put, "d"), (patch_with_a_tag, "c"), (put, "b"), (patch, "a")):
        assert way(stage, TOWNS[town]).status_code == 200
        assert seen_by_others(stage) == before, way


def changes(kith: Kith, clock: TestClock, days: int, chance: random.Random) -> list[int]:
    """Move all the time, by every way, and return the hours at which others saw the member somewhere else."""
    hours: list[int] = []
    last = "a"
    for hour in range(24 * days):
        # Looked at before and after every call: a place that shows for a moment counts, too.
        for way in (None, *chance.choices(WAYS, k=chance.choice((0, 1, 1, 2)))):
            if way:
                answer = way(kith, TOWNS[chance.choice("abcd")])
                assert answer.status_code == 200, answer.text
            for town in seen_in(kith):
                hours += [hour] * (town != last)
                last = town
        clock.forward(hours=1)
    return hours


def seen_in(kith: Kith) -> list[str]:
    """Return the towns in which somebody is suggested the member as a peer to meet there."""
    query = "?radius_km=5&mode=in_person"
    return [town for town in TOWNS if MEMBER in peers(kith.suggestions(f"of-{town}", query))]


@pytest.fixture
def towns(either_kith: Kith, clock: TestClock) -> Kith:
    """A member in the first of four towns, and somebody in each who sees who is there."""
    kith = either_kith
    for town, spot in TOWNS.items():
        kith.post_profile(f"of-{town}", location=spot.as_wire(), interests=["hiking"])
    assert put(kith, TOWNS["a"]).status_code == 201
    assert seen_in(kith) == ["a"]
    return kith


def check_once_a_day(hours: list[int], days: int) -> None:
    assert len(hours) >= days - 1, "the member was held back, or hardly moved"
    assert all(later - earlier >= 24 for earlier, later in pairwise(hours)), hours


def test_a_change_of_cell_is_seen_at_most_once_in_24_hours(towns: Kith, clock: TestClock) -> None:
    check_once_a_day(changes(towns, clock, 2, random.Random(5)), 2)


@pytest.mark.drill
@pytest.mark.parametrize("seed", range(3))
def test_a_change_of_cell_is_seen_at_most_once_a_day_for_long(
    towns: Kith, clock: TestClock, seed: int
) -> None:
    check_once_a_day(changes(towns, clock, 8, random.Random(seed)), 8)
