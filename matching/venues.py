"""Where a group can gather: in come its members' cells and the community's venues, out comes the fairest.

Ways are measured between the centres of cells, as all distances are: which venue is chosen tells nobody more
than the cells do. Where no venue is known, an area is named that is as wide as a band of distances: half way
between two, one of them could otherwise read off the other's cell.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from itertools import combinations

import h3
import numpy as np

from .arrays import BoolArray, FloatArray
from .meeting import Availability
from .profile import EARTH_KM, Place, Profile, Slot, unit_vector
from .ranking import kilometres
from .window import Interval, Window

AREA_RESOLUTION = 6  # H3; cells of about 36 km²
_PER_KM = 1000  # ways are compared in whole metres, so that no last bit decides
_SLACK = 1e-12  # of the unit sphere's chords: 6 micrometres

Point = tuple[float, float, float]  # on the unit sphere
_point = lru_cache(maxsize=65536)(unit_vector)


@dataclass(frozen=True, slots=True)
class Venue:
    """Describe a public place where the community meets.

    Parameters
    ----------
    id, name : str
    place : Place
        The cell that it lies in.
    hours : tuple of Slot
        When it is open each week; empty means any time.
    timezone : str, optional
        IANA name in which `hours` are meant; None is UTC.
    """

    id: str
    name: str
    place: Place
    hours: tuple[Slot, ...] = ()
    timezone: str | None = None
    # The zone and the hours, None for any time; one object for all venues that are open alike.
    opening: Availability = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        opening = _opening(self.timezone or "UTC", self.hours) if self.hours else None
        object.__setattr__(self, "opening", opening)

    def is_open(self, at: Interval) -> bool:
        """Tell whether the venue is open the whole time."""
        return self.opening is None or all_open(self.opening, at)


@dataclass(frozen=True, slots=True)
class Area:
    """Name where a group may look for a place: a centre in degrees, and how far around it in kilometres."""

    cell: str
    lat: float
    lon: float
    accuracy_km: float


@lru_cache(maxsize=65536)
def _opening(zone: str, hours: tuple[Slot, ...]) -> Availability:
    return zone, tuple(sorted(set(hours)))


def all_open(opening: Availability, at: Interval) -> bool:
    """Tell whether opening hours cover a time that is at most a few days long."""
    start, end = at
    window = Window(start.date(), (end - timedelta(microseconds=1)).toordinal() - start.toordinal() + 1)
    return not (window.taken([at]) & ~window.free(opening)).any()


def meet_in_person(members: Sequence[Profile]) -> bool:
    """Tell whether all of them meet in person and say where they are."""
    return all(member.place is not None and "in_person" in member.effective_modes for member in members)


def within_reach(members: Sequence[Profile], venues: Sequence[Venue]) -> list[Venue]:
    """Return the venues that no member has too far to go to, radii inclusive, the fairest first.

    The longest way counts, then the sum of all, then the id.

    Parameters
    ----------
    members : sequence of Profile
        All with a place.
    """
    ways = _ways(members, [_point(venue.place) for venue in venues])
    reached = _in_reach(members, ways)
    metres = np.rint(ways * _PER_KM)
    longest, total = metres.max(axis=1), metres.sum(axis=1)
    fair = [
        (longest[number], total[number], venues[number].id, venues[number])
        for number in np.flatnonzero(reached).tolist()
    ]
    return [venue for *_, venue in sorted(fair, key=lambda item: item[:3])]


def fairest_venue(members: Sequence[Profile], venues: Sequence[Venue], at: Interval) -> Venue | None:
    """Return the venue whose longest way is shortest, of those in everybody's reach and open at that time.

    Ties go to the smaller sum of all ways, then to the smaller id. None where a member meets nobody in
    person, or no venue will do.
    """
    if not meet_in_person(members):
        return None
    return first_open(within_reach(members, venues), at)


def first_open(venues: Sequence[Venue], at: Interval) -> Venue | None:
    """Return the first venue that is open the whole time."""
    return next((venue for venue in venues if venue.is_open(at)), None)


def area_of(members: Sequence[Profile]) -> Area | None:
    """Return the area that holds the point whose longest way is shortest, in everybody's reach.

    Where that point is out of somebody's reach, the fairest of the members' own cells is taken instead. None
    where a member meets nobody in person, or no such point is in everybody's reach.
    """
    if not meet_in_person(members):
        return None
    points = [_point(member.place) for member in members if member.place is not None]
    ways = _ways(members, points)
    own = sorted(zip(ways.max(axis=1).tolist(), points, strict=True))
    for point in (fairest_point(points), *(point for _, point in own)):
        if _in_reach(members, _ways(members, [point]))[0]:
            return _area_at(point)
    return None


def fairest_point(points: Sequence[Point]) -> Point:
    """Return the centre of the smallest cap of the sphere that holds all points.

    That cap rests on two or three of them, as Welzl's "Smallest enclosing disks" (1991) has it; with up to
    nine members, all choices are tried. The points must lie within one half of the sphere.
    """
    spread = np.array(points)
    reach = [(float(_chords(spread, centre).max()), centre) for centre in _centres(sorted(set(points)))]
    least = min(chord for chord, _ in reach)
    return next(centre for chord, centre in reach if chord <= least + _SLACK)


def _centres(points: Sequence[Point]) -> Iterator[Point]:
    yield from points
    for two in combinations(np.array(points), 2):
        yield from _unit(two[0] + two[1])
    for one, other, third in combinations(np.array(points), 3):
        normal = np.cross(other - one, third - one)
        yield from _unit(normal if normal @ one > 0 else -normal)


def _unit(vector: FloatArray) -> Iterator[Point]:
    length = float(np.sqrt(vector @ vector))
    if length > _SLACK:  # else they lie on opposite sides, and have no centre
        yield float(vector[0] / length), float(vector[1] / length), float(vector[2] / length)


def _chords(points: FloatArray, centre: Point) -> FloatArray:
    chords: FloatArray = np.sqrt(((points - np.array(centre)) ** 2).sum(axis=1))
    return chords


def _ways(members: Sequence[Profile], points: Sequence[Point]) -> FloatArray:
    """Return the kilometres to each point for each member: shape (n_points, n_members)."""
    x, y, z = np.array(points, np.float64).reshape(-1, 3).T
    ways = [kilometres(x, y, z, _point(member.place)) for member in members if member.place is not None]
    return np.stack(ways, axis=1)


def _in_reach(members: Sequence[Profile], ways: FloatArray) -> BoolArray:
    reached: BoolArray = np.all(ways <= np.array([member.radius_km for member in members]), axis=1)
    return reached


def _area_at(point: Point) -> Area:
    x, y, z = point
    lat, lon = math.degrees(math.asin(max(-1.0, min(1.0, z)))), math.degrees(math.atan2(y, x))
    return _area(h3.latlng_to_cell(lat, lon, AREA_RESOLUTION))


@lru_cache(maxsize=65536)
def _area(cell: str) -> Area:
    lat, lon = h3.cell_to_latlng(cell)
    centre = Place(cell, round(lat, 6), round(lon, 6))
    corners = [unit_vector(Place(cell, *corner)) for corner in h3.cell_to_boundary(cell)]
    chord = max(math.dist(unit_vector(centre), corner) for corner in corners)
    return Area(cell, centre.lat, centre.lon, math.ceil(20 * EARTH_KM * math.asin(chord / 2)) / 10)
