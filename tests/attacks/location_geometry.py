"""Spots on the globe, and where somebody must be: in come bounds on distances, out comes a spot."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from matching.arrays import FloatArray

EARTH_KM = 6371.0088
FINEST_KM = 1e-6  # no bound counts as narrower: rounding errors would outweigh the others


@dataclass(frozen=True, slots=True)
class Spot:
    """A point in degrees."""

    lat: float
    lon: float

    def as_wire(self) -> dict[str, float]:
        """Return the location that a profile states."""
        return {"lat": self.lat, "lon": self.lon}


@dataclass(frozen=True, slots=True)
class Bound:
    """Somebody is from `low` to `high` kilometres from `at`."""

    at: Spot
    low: float
    high: float


def km(one: Spot, other: Spot) -> float:
    """Return the great-circle distance."""
    chord = math.dist(_direction(one), _direction(other))
    return 2 * EARTH_KM * math.asin(min(chord / 2, 1.0))


def away(spot: Spot, bearing: float, distance_km: float) -> Spot:
    """Return where one gets from a spot: the bearing in radians, 0 is north."""
    north, east = distance_km * math.cos(bearing), distance_km * math.sin(bearing)
    return _spot(_moved(_frame(spot), north, east))


def solve(bounds: Sequence[Bound], starts: Iterable[Spot]) -> Spot:
    """Return the spot that fits best: least squares of how far it is from the middle of each bound.

    The narrower a bound, the more it weighs; two bounds alone fit two spots, so several starts are tried.
    """
    centres = np.array([_direction(bound.at) for bound in bounds])
    middles = np.array([(bound.low + bound.high) / 2 for bound in bounds])
    halves = np.array([max((bound.high - bound.low) / 2, FINEST_KM) for bound in bounds])
    found = []
    for start in starts:
        frame = _frame(start)

        def misses(x: FloatArray, frame: FloatArray = frame) -> FloatArray:
            chords = np.linalg.norm(centres - _moved(frame, x[0], x[1]), axis=1)
            off: FloatArray = (2 * EARTH_KM * np.arcsin(np.minimum(chords / 2, 1.0)) - middles) / halves
            return off

        fit = least_squares(misses, np.zeros(2), x_scale=10.0, xtol=1e-15, ftol=1e-15, gtol=1e-15)
        found.append((float(fit.cost), _spot(_moved(frame, *fit.x))))
    return min(found, key=lambda one: one[0])[1]


def _direction(spot: Spot) -> tuple[float, float, float]:
    phi, theta = math.radians(spot.lat), math.radians(spot.lon)
    return math.cos(phi) * math.cos(theta), math.cos(phi) * math.sin(theta), math.sin(phi)


def _spot(direction: FloatArray) -> Spot:
    x, y, z = direction.tolist()
    return Spot(math.degrees(math.atan2(z, math.hypot(x, y))), math.degrees(math.atan2(y, x)))


def _frame(spot: Spot) -> FloatArray:
    """Return up, north and east of a spot as rows."""
    phi, theta = math.radians(spot.lat), math.radians(spot.lon)
    north = (-math.sin(phi) * math.cos(theta), -math.sin(phi) * math.sin(theta), math.cos(phi))
    return np.array([_direction(spot), north, (-math.sin(theta), math.cos(theta), 0.0)])


def _moved(frame: FloatArray, north: float, east: float) -> FloatArray:
    """Go so many kilometres north and east along a great circle."""
    far = math.hypot(north, east)
    angle = far / EARTH_KM
    ahead = (frame[1] * north + frame[2] * east) / max(far, FINEST_KM**2)
    moved: FloatArray = frame[0] * math.cos(angle) + ahead * math.sin(angle)
    return moved
