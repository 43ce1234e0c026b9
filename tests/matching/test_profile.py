"""Profiles hold only what the contract allows, and no place is finer than its cell."""

import math

import h3
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from matching import Place, Profile, Slot
from matching.profile import EARTH_KM, RESOLUTION, unit_vector

BERLIN = Place.at(52.52, 13.405)


@given(st.floats(-90, 90), st.floats(-180, 180))
@example(90, 0)
@example(-90, 180)
@example(0, 180)
@example(0, -180)
@example(-17, 179.99999)
def test_snapping_a_centre_again_gives_the_same_place(lat: float, lon: float) -> None:
    place = Place.at(lat, lon)

    assert Place.at(place.lat, place.lon) == place == Place.of(place.cell)
    assert h3.get_resolution(place.cell) == RESOLUTION
    assert (place.lat, place.lon) == (round(place.lat, 6), round(place.lon, 6))


@given(st.floats(-90, 90), st.floats(-180, 180))
@example(89.9999, 12)
@example(12, 180)
def test_no_point_lies_farther_from_its_place_than_the_accuracy_says(lat: float, lon: float) -> None:
    place = Place.at(lat, lon)

    centre = unit_vector(place)
    phi, theta = math.radians(lat), math.radians(lon)
    point = math.cos(phi) * math.cos(theta), math.cos(phi) * math.sin(theta), math.sin(phi)
    assert 2 * EARTH_KM * math.asin(math.dist(centre, point) / 2) <= place.accuracy_km


def test_accuracy_is_the_distance_to_the_farthest_corner_rounded_up() -> None:
    corners = h3.cell_to_boundary(BERLIN.cell)

    farthest = max(h3.great_circle_distance((BERLIN.lat, BERLIN.lon), corner) for corner in corners)

    assert farthest <= BERLIN.accuracy_km < farthest + 0.1
    assert BERLIN.accuracy_km == round(BERLIN.accuracy_km, 1)


@pytest.mark.parametrize(("lat", "lon"), [(90.1, 0), (-91, 0), (0, 180.5), (math.nan, 0), (0, math.inf)])
def test_a_point_off_the_globe_is_refused(lat: float, lon: float) -> None:
    with pytest.raises(ValueError, match="expected a latitude"):
        Place.at(lat, lon)


@pytest.mark.parametrize("cell", ["", "nonsense", h3.latlng_to_cell(52.52, 13.405, 8)])
def test_a_cell_of_another_kind_is_refused(cell: str) -> None:
    with pytest.raises(ValueError, match="expected an H3 cell of resolution 7"):
        Place.of(cell)


@pytest.mark.parametrize(
    ("day", "start", "end"),
    [
        (-1, 0, 60),
        (7, 0, 60),
        (0, -15, 60),
        (0, 0, 0),
        (0, 60, 60),
        (0, 1440, 15),
        (0, 0, 1455),
        (0, 7, 60),
        (0, 0, 61),
    ],
)
def test_a_slot_off_the_week_or_the_quarter_hour_is_refused(day: int, start: int, end: int) -> None:
    with pytest.raises(ValueError, match="expected a day of 0 to 6"):
        Slot(day, start, end)


def test_only_an_answer_may_hold_a_slot_past_midnight() -> None:
    with pytest.raises(ValueError, match="end on the day they start"):
        Profile("a", "A", availability=(Slot(0, 1410, 30),))


@pytest.mark.parametrize("radius_km", [0, -1, 200.1, math.nan, math.inf])
def test_a_radius_that_no_band_covers_is_refused(radius_km: float) -> None:
    with pytest.raises(ValueError, match="expected a radius"):
        Profile("a", "A", radius_km=radius_km)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="expected modes out of"):
        Profile("a", "A", modes=frozenset({"by_mail"}))


def test_an_unknown_facet_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a facet out of"):
        Profile("a", "A").terms("hobbies")


@pytest.mark.parametrize(
    ("place", "modes", "effective"),
    [
        (None, None, {"online"}),
        (BERLIN, None, {"in_person"}),
        (None, frozenset({"in_person"}), {"in_person"}),
        (BERLIN, frozenset({"online"}), {"online"}),
        (BERLIN, frozenset(), set()),
    ],
)
def test_modes_follow_from_the_place_only_where_none_are_stated(
    place: Place | None, modes: frozenset[str] | None, effective: set[str]
) -> None:
    assert Profile("a", "A", place=place, modes=modes).effective_modes == effective
