"""Members sorted by where they are: in comes a circle, out come ranges of rows, and the rows of each term.

The Earth is cut into strips of latitude. Members are sorted by strip and then by longitude, so that who lives
within a radius stands in one range for each strip; and for each term there are the rows of who states it, in
that order. Who can be met online comes first, sorted likewise: they are within everybody's reach who can be.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from .arrays import BoolArray, FloatArray, Growing, IntArray, Numbers, Ragged
from .profile import EARTH_KM, FACETS, Place
from .rules import Places

_STRIPS = 8  # of latitude, a degree
_LONG = 1024.0  # more than the longitudes of a strip
_OFFLINE = 2.0**22  # more than all keys of places
_NOWHERE = -1.0
_MORE = 1e-6  # degrees; more than all roundings


@dataclass(frozen=True, slots=True)
class Segment:
    """Hold a stretch of rows that are sorted.

    Attributes
    ----------
    first, last : int
        Its first row, and the one after its last.
    keys : array of float, ascending
        Its places' keys.
    starts : array of int, one longer
        The first row of each place.
    ends : mapping of str to array of int
        By facet, where each column's rows end in `postings`; with where the first begins in front.
    postings : array of int
        The rows of each column, ascending.
    """

    first: int
    last: int
    keys: FloatArray
    starts: Numbers
    ends: Mapping[str, Numbers]
    postings: Numbers

    @classmethod
    def of(
        cls, first: int, keys: FloatArray, terms: Mapping[str, Ragged], widths: Mapping[str, int]
    ) -> "Segment":
        """Index the rows from `first` on, whose keys ascend."""
        fresh = np.flatnonzero(np.diff(keys, prepend=-np.inf))
        last, ends, postings = first + len(keys), {}, []
        total = 0
        for facet, rows in terms.items():
            part = slice(rows.ends[first], rows.ends[last])
            numbers, stops = rows.numbers[part], rows.ends[first:] - rows.ends[first]
            shape = (len(keys), widths[facet])
            columns: Any = csr_array((np.ones(len(numbers), np.int8), numbers, stops), shape=shape).tocsc()
            ends[facet] = (total + columns.indptr).astype(np.int32)
            postings.append((first + columns.indices).astype(np.int32))
            total += len(numbers)
        starts = np.append(first + fresh, last).astype(np.int32)
        return cls(first, last, keys[fresh], starts, ends, np.concatenate(postings))

    def parts(self) -> dict[str, Growing]:
        """Return what of it is arrays."""
        arrays: dict[str, NDArray[Any]] = {"keys": self.keys, "starts": self.starts, **self.ends}
        arrays["postings"] = self.postings
        return {name: Growing.over(array, len(array)) for name, array in arrays.items()}

    @classmethod
    def restored(cls, first: int, last: int, parts: Mapping[str, Growing]) -> "Segment":
        """Return what `parts` was asked of."""
        ends = {facet: parts[facet].values for facet in FACETS}
        keys, starts, postings = (parts[name].values for name in ("keys", "starts", "postings"))
        return cls(first, last, keys, starts, ends, postings)

    def within(self, reach: FloatArray) -> IntArray:
        """Return the ranges of rows whose keys are within reach: shape (n, 2)."""
        ranges: IntArray = self.starts[np.searchsorted(self.keys, reach)].astype(np.int64)
        return ranges[ranges[:, 0] < ranges[:, 1]]

    def spans(self, facet: str, columns: IntArray) -> IntArray:
        """Return where the rows of some columns stand in `postings`: shape (len(columns), 2)."""
        ends = self.ends[facet]
        at = np.minimum(np.stack([columns, columns + 1], axis=1), len(ends) - 1)  # later ones have none
        spans: IntArray = ends[at].astype(np.int64)
        return spans


def sort_keys(places: Places, numbers: Numbers, online: BoolArray) -> FloatArray:
    """Return what members are sorted by: those of one strip together, from west to east."""
    used, at = np.unique(numbers, return_inverse=True)
    found = [places.values[number] for number in used.tolist()]
    values = [(0.0, 0.0) if place is None else (place.lat, place.lon) for place in found]
    lat, lon = np.array(values, np.float64).reshape(-1, 2).T
    strips = np.where([place is None for place in found], _NOWHERE, _strip(lat) * _LONG + lon + 180)
    keys: FloatArray = strips[at] + np.where(online, 0.0, _OFFLINE)
    return keys


def _strip(lat: FloatArray | float) -> FloatArray:
    strip: FloatArray = np.floor((lat + 90) * _STRIPS)
    return strip


@lru_cache(maxsize=16384)
def reach(place: Place | None, km: float, *, online: bool) -> FloatArray:
    """Return the ranges of keys that hold everybody within a radius, and who can be met online if asked.

    Returns
    -------
    array of shape (n, 2)
        The strips near the middle come first; nobody lives nowhere.
    """
    around = _circle(place, km)
    sought = [around + _OFFLINE, np.array([[-np.inf, _OFFLINE / 2]]) if online else around]
    found: FloatArray = np.concatenate(sought)
    found.flags.writeable = False  # shared by all who ask
    return found


def _circle(place: Place | None, km: float) -> FloatArray:
    """Return the ranges of keys that hold all places within a radius: shape (n, 2); none for nowhere."""
    if place is None:
        return np.empty((0, 2))
    angle = km / EARTH_KM + math.radians(_MORE)
    reach = math.degrees(angle)
    south, middle, north = (int(_strip(place.lat + by)) for by in (-reach, 0.0, reach))
    strips = range(max(south, 0), min(north, 180 * _STRIPS) + 1)
    # One number at a time: most circles cross a handful of strips, for which arrays would take longer.
    ranges = [
        (strip * _LONG + west, math.nextafter(strip * _LONG + east, math.inf))
        for strip in sorted(strips, key=lambda one: abs(one - middle))
        for west, east in _stretches(place.lon + 180, _half_width(place.lat, angle, strip) + _MORE)
    ]
    return np.array(ranges, np.float64).reshape(-1, 2)


def _stretches(middle: float, half: float) -> list[tuple[float, float]]:
    """Cut a stretch of longitudes at the date line, where they go from 360 to 0; none comes twice."""
    west, east = middle - half, middle + half
    if east - west >= 360:
        return [(0.0, 360.0)]
    turned = [(west + around, east + around) for around in (0, 360, -360)]
    return [(max(one, 0.0), min(other, 360.0)) for one, other in turned if one <= 360 and other >= 0]


def _half_width(lat: float, angle: float, strip: int) -> float:
    """Return how far a circle reaches east in a strip at most, in degrees of longitude.

    Where it is widest, the meridian touches it: sin(latitude) = sin(centre) / cos(angle).
    """
    centre = math.radians(lat)
    if abs(centre) + angle >= math.pi / 2:  # a pole is within
        return 180.0
    south, north = math.radians(strip / _STRIPS - 90), math.radians((strip + 1) / _STRIPS - 90)
    widest = math.asin(_clipped(math.sin(centre) / math.cos(angle)))
    at = min(max(min(max(widest, south), north), centre - angle), centre + angle)
    cosine = (math.cos(angle) - math.sin(centre) * math.sin(at)) / (math.cos(centre) * math.cos(at))
    return math.degrees(math.acos(_clipped(cosine)))


def _clipped(value: float) -> float:
    return min(max(value, -1.0), 1.0)  # what is more is rounding
