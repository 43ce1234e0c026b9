"""The place is the fairest to reach, from cells alone; an area says no more than a band of distances."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import h3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import Place, Profile, Slot
from matching.gathering import Interval, Venue, area_of, fairest_venue
from matching.profile import EARTH_KM, unit_vector
from matching.venues import Point, fairest_point

NOON = datetime(2026, 3, 24, 12, tzinfo=UTC), datetime(2026, 3, 24, 13, 30, tzinfo=UTC)
WEST, MIDDLE, EAST = Place.at(52.5, 13.2), Place.at(52.5, 13.4), Place.at(52.5, 13.6)


def member(place: Place | None, radius_km: float = 25, mode: str = "in_person") -> Profile:
    return Profile("m", "M", place=place, radius_km=radius_km, modes=frozenset({mode}))


def venue(name: str, place: Place, *hours: Slot, zone: str | None = None) -> Venue:
    return Venue(name, name.title(), place, hours, zone)


def km(one: Point, other: Point) -> float:
    return 2 * EARTH_KM * math.asin(min(1.0, math.dist(one, other) / 2))


# Around Berlin, and across the date line near a pole, where degrees say least.
points = st.tuples(st.floats(52.3, 52.7), st.floats(13.0, 13.8)) | st.tuples(
    st.floats(80.0, 80.4), st.floats(178.0, 182.0).map(lambda lon: lon - 360 * (lon > 180))
)
places = points.map(lambda point: Place.at(*point))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.builds(member, places, st.sampled_from((3.0, 12.0, 30.0, 200.0))), min_size=1, max_size=4),
    st.lists(places, max_size=6),
)
def test_the_longest_way_is_the_shortest_that_all_would_go(group: list[Profile], where: list[Place]) -> None:
    venues = [venue(f"v{number}", place) for number, place in enumerate(where)]

    def ways(place: Place) -> list[float]:
        return [km(unit_vector(place), unit_vector(one.place)) for one in group if one.place]

    near = [
        place for place in where if all(w <= one.radius_km for w, one in zip(ways(place), group, strict=True))
    ]
    chosen = fairest_venue(group, venues, NOON)

    assert (chosen is None) == (near == [])
    if chosen:
        assert chosen.place in near
        assert max(ways(chosen.place)) <= min(max(ways(place)) for place in near) + 0.001
    assert chosen == fairest_venue(group[::-1], venues[::-1], NOON)


def test_of_two_alike_the_sum_decides_and_then_the_id() -> None:
    two = [member(WEST, 50), member(EAST, 50)]
    three = [*two, member(MIDDLE)]
    same = [venue(name, MIDDLE) for name in "cab"]

    assert fairest_venue(two, [venue("e", EAST), *same, venue("w", WEST)], NOON) == same[1]
    # From its end the way is as long as from the other: only the one in the middle makes a difference.
    ends = [venue("a", WEST), venue("b", EAST)]
    alone, nearer = fairest_venue(two, ends, NOON), fairest_venue([*two, member(EAST, 50)], ends, NOON)
    assert (alone, nearer) == (ends[0], ends[1])
    assert fairest_venue(three, [*ends, *same], NOON) == same[1]


def test_a_venue_must_be_in_everybodys_reach_to_the_last_metre() -> None:
    way = km(unit_vector(WEST), unit_vector(MIDDLE))
    only = [venue("v", MIDDLE)]

    assert fairest_venue([member(WEST, way + 1e-9), member(EAST)], only, NOON) == only[0]
    assert fairest_venue([member(WEST, way - 0.001), member(EAST)], only, NOON) is None


HOURS = Slot(1, 12 * 60, 15 * 60)


def minutes(start: int, end: int, day: int = 24) -> Interval:
    moments = [datetime(2026, 3, day, *divmod(minute, 60), tzinfo=UTC) for minute in (start, end)]
    return moments[0], moments[1]


@pytest.mark.parametrize(
    ("hours", "zone", "at", "is_open"),
    [
        ((), None, minutes(60, 120), True),
        ((HOURS,), None, minutes(720, 900), True),
        ((HOURS,), "UTC", minutes(719, 810), False),
        ((HOURS,), "UTC", minutes(810, 901), False),
        ((HOURS,), "Europe/Berlin", minutes(660, 840), True),
        ((HOURS,), "Europe/Berlin", minutes(645, 720), False),
        ((HOURS, Slot(1, 15 * 60, 16 * 60)), None, minutes(870, 930), True),
        ((HOURS,), None, minutes(720, 810, day=25), False),
        # Past midnight in UTC, as in Auckland's afternoon.
        (
            (Slot(2, 12 * 60, 15 * 60),),
            "Pacific/Auckland",
            (minutes(1425, 0)[0], minutes(0, 60, 25)[1]),
            True,
        ),
    ],
)
def test_it_is_open_the_whole_time_by_its_own_clock(
    hours: tuple[Slot, ...], zone: str | None, at: Interval, is_open: bool
) -> None:
    place = venue("v", MIDDLE, *hours, zone=zone)

    assert place.is_open(at) is is_open
    assert (fairest_venue([member(WEST)], [place], at) == place) is is_open


def test_online_there_is_no_place() -> None:
    here, anywhere = member(MIDDLE), [venue("v", MIDDLE)]

    for other in (member(None), member(MIDDLE, mode="online")):
        assert fairest_venue([here, other], anywhere, NOON) is None
        assert area_of([here, other]) is None


# ---------------------------------------------------------------- areas


@settings(max_examples=40, deadline=None)
@given(st.lists(places.filter(lambda place: place.lat < 60), min_size=1, max_size=5))
def test_the_fairest_point_is_the_centre_of_the_smallest_cap(where: list[Place]) -> None:
    group = [unit_vector(place) for place in where]

    best = fairest_point(group)

    longest = max(km(best, point) for point in group)
    for east, north in [(-1, 0), (1, 0), (0, -1), (0, 1), (0.3, 0.1), (-0.01, 0.02)]:
        moved = np.array(best) + np.array([-best[1], best[0], north]) * 0.001 * np.array([east, east, 1])
        other = tuple((moved / np.linalg.norm(moved)).tolist())
        assert max(km(other, point) for point in group) >= longest - 1e-6
    assert best == fairest_point(group[::-1])


def test_those_on_opposite_sides_of_the_earth_have_no_area() -> None:
    pole, opposite = Place("", 90, 0), Place("", -90, 0)

    assert fairest_point([(1, 0, 0), (-1, 0, 0)]) in {(1, 0, 0), (-1, 0, 0)}
    assert area_of([member(pole), member(opposite)]) is None


@settings(max_examples=40, deadline=None)
@given(st.lists(st.builds(member, places, st.just(200.0)), min_size=1, max_size=4))
def test_an_area_is_wider_than_a_cell_and_holds_the_fairest_point(group: list[Profile]) -> None:
    area = area_of(group)
    if area is None:  # one near Berlin, another near the pole
        assert len({(one.place or MIDDLE).lat > 60 for one in group}) == 2
        return

    point = fairest_point([unit_vector(one.place) for one in group if one.place])
    centre = unit_vector(Place(area.cell, area.lat, area.lon))
    assert h3.get_resolution(area.cell) == 6
    assert 2.5 < area.accuracy_km < 5
    assert km(centre, point) <= area.accuracy_km


def test_where_the_fairest_point_is_too_far_for_one_it_is_where_all_can_come() -> None:
    """The middle of a triangle of 10 km is 5.8 km from each corner, more than one of the three goes."""
    south, north = Place.at(52.45, 13.4), Place.at(52.54, 13.4)
    side = Place.at(52.495, 13.52)
    usual = area_of([member(south, 12), member(north, 12), member(side, 12)])

    homely = area_of([member(south, 12), member(north, 12), member(side, 4)])

    assert usual is not None
    assert usual.cell != h3.cell_to_parent(side.cell, 6)
    assert homely is not None
    assert homely.cell == h3.cell_to_parent(side.cell, 6)
    assert area_of([member(south, 4), member(north, 4)]) is None
