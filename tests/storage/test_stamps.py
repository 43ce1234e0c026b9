"""Stamps sort as their numbers do; nobody within twice the radius is outside the tiles that are looked at."""

from __future__ import annotations

import math
from dataclasses import dataclass

import h3
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from matching import Place, Profile
from service.storage.access import AccessReader
from service.storage.stamps import (
    ALL_LONGITUDES,
    ONLINE,
    Tile,
    new_stamp,
    number_of,
    reach_in_tiles,
    seen_in,
    tile_of,
    touched,
)
from service.storage.tables import tiles
from service.usecases.keys import digest_of
from tests.harness import Kith

EARTH_KM = 6371.0088
NUMBERS = st.integers(0, 2**53)


@settings(deadline=None)
@given(NUMBERS, NUMBERS)
def test_stamps_sort_as_their_numbers_do(one: int, other: int) -> None:
    first, second = new_stamp(one), new_stamp(other)
    assert (first < second) == (one < other) or one == other
    assert number_of(first) == one


def test_two_stamps_of_one_number_differ() -> None:
    assert len({new_stamp(7) for _ in range(1000)}) == 1000


def test_no_stamp_is_older_than_any() -> None:
    assert new_stamp(0) > ""
    assert number_of("") == 0


@dataclass(frozen=True, slots=True)
class Pair:
    """A member, the radius they ask with, and somebody else."""

    here: Place
    there: Place
    radius_km: float

    @property
    def apart_km(self) -> float:
        """The distance, as the matcher has it."""
        lat, lon, lat2, lon2 = (
            math.radians(x) for x in (self.here.lat, self.here.lon, self.there.lat, self.there.lon)
        )
        half = math.sin((lat2 - lat) / 2) ** 2
        half += math.cos(lat) * math.cos(lat2) * math.sin((lon2 - lon) / 2) ** 2
        return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, half)))


def _walk_from(lat: float, lon: float, bearing: float, km: float) -> tuple[float, float]:
    phi, angle, course = math.radians(lat), km / EARTH_KM, math.radians(bearing)
    there = math.asin(math.sin(phi) * math.cos(angle) + math.cos(phi) * math.sin(angle) * math.cos(course))
    east = math.atan2(
        math.sin(course) * math.sin(angle) * math.cos(phi), math.cos(angle) - math.sin(phi) * math.sin(there)
    )
    return math.degrees(there), (lon + math.degrees(east) + 540) % 360 - 180


def _pair(lat: float, lon: float, bearing: float, radius_km: float, share: float) -> Pair:
    far = _walk_from(lat, lon, bearing, 2 * radius_km * share)
    return Pair(Place.at(lat, lon), Place.at(*far), radius_km)


# Where a degree of longitude is short, where longitudes end, and where tiles do.
LATITUDES = st.one_of(
    st.floats(-90, 90),
    st.floats(84, 90),
    st.floats(-90, -84),
    st.integers(-90, 90).flatmap(lambda edge: st.floats(max(-90, edge - 0.02), min(90, edge + 0.02))),
)
LONGITUDES = st.one_of(
    st.floats(-180, 180),
    st.floats(179.9, 180),
    st.floats(-180, -179.9),
    st.integers(-180, 179).map(lambda edge: edge + 0.001),
)
PAIRS = st.builds(
    _pair,
    LATITUDES,
    LONGITUDES,
    st.one_of(st.floats(0, 360), st.sampled_from((0.0, 90.0, 180.0, 270.0, 80.0, 280.0))),
    st.one_of(st.floats(1, 200), st.sampled_from((1.0, 200.0))),
    st.one_of(st.floats(0.9, 1.0), st.floats(0, 1)),
)


def _in_box(pair: Pair) -> bool:
    lat, lon = tile_of(pair.here)
    other_lat, other_lon = tile_of(pair.there)
    north_south, east_west = reach_in_tiles(pair.here.lat, pair.radius_km)
    apart = abs(lon - other_lon)
    return abs(lat - other_lat) <= north_south and (apart <= east_west or apart >= 360 - east_west)


@settings(max_examples=400, deadline=None)
@given(PAIRS)
@example(_pair(0.0, 179.999, 90, 200, 1.0))
@example(_pair(89.0, 0.0, 0, 200, 1.0))
@example(_pair(-89.0, 179.999, 180, 200, 1.0))
@example(_pair(85.3, 10.999, 85, 200, 1.0))
def test_whoever_is_within_twice_the_radius_is_in_the_box(pair: Pair) -> None:
    assume(pair.apart_km <= 2 * pair.radius_km)
    assert _in_box(pair), (pair, pair.apart_km)


def test_the_box_is_not_the_whole_world() -> None:
    assert reach_in_tiles(52.5, 25) == (1, 2)
    assert reach_in_tiles(0, 200) == (4, 5)
    assert not _in_box(Pair(Place.at(52.5, 13.4), Place.at(48.1, 11.6), 100))


@pytest.mark.parametrize("lat", [-90.0, -88.9, 88.9, 89.999])
def test_near_a_pole_every_longitude_counts(lat: float) -> None:
    assert reach_in_tiles(lat, 1)[1] == ALL_LONGITUDES


SQL_PAIRS = [
    _pair(lat, lon, bearing, radius, share)
    for lat, lon in (
        (52.5, 13.4),
        (0.01, 179.999),
        (-16.9, -179.999),
        (89.0, 1.0),
        (-89.0, 179.9),
        (70.9, 179.5),
    )
    for bearing in (80, 180, 280)
    for radius, share in ((1.0, 0.99), (200.0, 0.999))
]


def test_the_statement_that_reads_the_profile_sees_every_tile_within_twice_the_radius(kith: Kith) -> None:
    reader, digest = AccessReader(kith.database), digest_of(kith.key)
    for number, pair in enumerate(SQL_PAIRS):
        if pair.apart_km > 2 * pair.radius_km:
            continue
        # Every second one asks with the radius, the others have it of their own.
        own = pair.radius_km if number // 2 % 2 else 1
        kith.post_profile(f"m{number}", location={"lat": pair.here.lat, "lon": pair.here.lon}, radius_km=own)
        stamp = _leave_one_tile(kith, tile_of(pair.there))
        found = reader.find(digest, f"m{number}", pair.radius_km if own == 1 else None)
        assert found is not None
        assert found[0].standing().tiles == stamp, (pair, pair.apart_km, own)


def test_the_statement_sees_no_tile_far_away_but_the_one_of_who_meets_online(kith: Kith) -> None:
    reader, digest = AccessReader(kith.database), digest_of(kith.key)
    kith.post_profile("ana", location={"lat": 52.5, "lon": 13.4}, radius_km=25)
    kith.post_profile("nowhere")
    for tile in ((52, 17), (49, 13), (-53, 13), (52, -167)):
        stamp = _leave_one_tile(kith, tile)
        here, nowhere = reader.find(digest, "ana"), reader.find(digest, "nowhere")
        assert here is not None
        assert nowhere is not None
        assert (here[0].standing().tiles, nowhere[0].standing().tiles) == ("", stamp)
    stamp = _leave_one_tile(kith, ONLINE)
    here = reader.find(digest, "ana")
    assert here is not None
    assert here[0].standing().tiles == stamp


def _leave_one_tile(kith: Kith, tile: Tile) -> str:
    found = AccessReader(kith.database).find(digest_of(kith.key))
    assert found is not None
    number, stamp = found[0].community.number, new_stamp(found[0].community.change_number)
    with kith.database.write() as connection:
        connection.execute(delete(tiles).where(tiles.c.community == number))
        connection.execute(insert(tiles).values(community=number, lat=tile[0], lon=tile[1], stamp=stamp))
    return stamp


HERE, THERE = Place.at(52.5, 13.4), Place.at(53.5, 13.4)


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (Profile("a", "A", place=HERE), {(52, 13)}),
        (Profile("a", "A"), {ONLINE}),
        (Profile("a", "A", place=HERE, modes=frozenset({"in_person", "online"})), {(52, 13), ONLINE}),
        (Profile("a", "A", place=HERE, modes=frozenset({"online"})), {ONLINE}),
        (Profile("a", "A", modes=frozenset({"in_person"})), set()),
        (Profile("a", "A", place=HERE, suggestible=False), set()),
    ],
)
def test_a_member_is_seen_where_others_may_meet_them(profile: Profile, expected: set[Tile]) -> None:
    assert seen_in(profile) == expected
    assert touched(None, profile) == touched(profile, None) == expected


def test_a_move_touches_both_tiles() -> None:
    assert touched(Profile("a", "A", place=HERE), Profile("a", "A", place=THERE)) == {(52, 13), (53, 13)}


def test_what_nobody_sees_touches_nothing() -> None:
    stated = Profile("a", "A", place=HERE, modes=frozenset({"in_person"}))
    assert touched(Profile("a", "A", place=HERE), stated) == set()
    assert touched(stated, stated) == set()


def test_every_cell_lies_in_one_tile_of_the_world() -> None:
    cells = {h3.latlng_to_cell(lat, lon, 7) for lat in (-90, -45.5, 0, 90) for lon in (-180, -0.0001, 0, 180)}
    for cell in cells:
        lat, lon = tile_of(Place.of(cell))
        assert -90 <= lat <= 90
        assert -180 <= lon <= 180
