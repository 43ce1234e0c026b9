"""Two positions in one cell, as far apart as it has room for, and places all around them."""

from __future__ import annotations

import itertools
import math

import h3

from matching import Place
from tests.attacks.location_geometry import Spot, away, km

INWARDS = 0.98  # of the way from the middle to a corner
PLACES = (
    (0.0, 0.0), (52.52, 13.405), (0.0, 179.999), (-34.6, -58.4), (60.2, 24.9), (70.0, 25.8), (0.3, -179.999),
)  # fmt: skip
RINGS_KM = (0.0, 1.0, 2.1, 3.5, 4.9, 8.0, 15.0, 30.0, 60.0, 99.0, 150.0, 220.0)


def corners(lat: float, lon: float) -> tuple[Spot, Spot]:
    """Return the two positions in the cell of a place that are farthest apart."""
    place = Place.at(lat, lon)
    middle = Spot(place.lat, place.lon)
    inner = [_inwards(middle, Spot(*corner)) for corner in h3.cell_to_boundary(place.cell)]
    one, other = max(itertools.combinations(inner, 2), key=lambda pair: km(*pair))
    assert {Place.at(spot.lat, spot.lon).cell for spot in (one, other)} == {place.cell}
    return one, other


def elsewhere(lat: float, lon: float) -> Spot:
    """Return a place some cells off."""
    return _rounded(away(_middle(lat, lon), 1.0, 12.0))


def around(lat: float, lon: float) -> list[Spot]:
    """Return places at many distances and bearings from a cell's middle."""
    middle = _middle(lat, lon)
    return [_rounded(away(middle, 2.4 * number, far)) for number, far in enumerate(RINGS_KM)]


def _middle(lat: float, lon: float) -> Spot:
    place = Place.at(lat, lon)
    return Spot(place.lat, place.lon)


def _inwards(middle: Spot, corner: Spot) -> Spot:
    bearing = math.atan2(
        math.remainder(corner.lon - middle.lon, 360) * math.cos(math.radians(middle.lat)),
        corner.lat - middle.lat,
    )
    return _rounded(away(middle, bearing, INWARDS * km(middle, corner)))


def _rounded(spot: Spot) -> Spot:
    # As a phone states it; the last digit is never 0, so that all positions are equally long as text.
    return Spot(_last_digit(spot.lat), _last_digit(spot.lon))


def _last_digit(degrees: float) -> float:
    return round(math.floor(degrees * 1e8) / 1e8 + 5e-9, 9)
