"""What the matcher may know of a member: in comes what the platform stated, out go values that never change.

Nothing here needs numpy or scikit-learn, so that a service can build profiles before the matcher is loaded.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import h3

FACETS = ("interests", "activities", "goals")
MODES = ("in_person", "online")
RESOLUTION = 7  # H3; cells of about 5 km², one grid for every community
EARTH_KM = 6371.0088
MAX_RADIUS_KM = 200.0
QUARTER = 15  # minutes
DAY = 24 * 60  # minutes


@dataclass(frozen=True, slots=True)
class Place:
    """Name the centre of a cell; nothing finer than the cell is ever known.

    Parameters
    ----------
    cell : str
        The H3 cell at resolution 7.
    lat, lon : float
        Its centre in degrees, rounded to 6 decimals.

    Examples
    --------
    >>> Place.at(52.5201, 13.4049) == Place.at(52.52, 13.405)
    True
    """

    cell: str
    lat: float
    lon: float

    @staticmethod
    def at(lat: float, lon: float) -> "Place":
        """Move a point to the centre of its cell.

        Raises
        ------
        ValueError
            If the point is not on the globe.
        """
        if not (-90 <= lat <= 90 and -180 <= lon <= 180):
            raise ValueError(
                f"expected a latitude in [-90, 90] and a longitude in [-180, 180], got {lat}, {lon}"
            )
        return centre_of(h3.latlng_to_cell(lat, lon, RESOLUTION))

    @staticmethod
    def of(cell: str) -> "Place":
        """Return the place of a cell.

        Raises
        ------
        ValueError
            If this is no cell of resolution 7.
        """
        return centre_of(cell)

    @property
    def accuracy_km(self) -> float:
        """Tell how far the stated point may lie from the centre: kilometres, rounded up to 0.1."""
        return accuracy_of(self.cell)


@lru_cache(maxsize=65536)
def centre_of(cell: str) -> Place:
    """Return the centre of a cell, or raise ValueError."""
    if not h3.is_valid_cell(cell) or h3.get_resolution(cell) != RESOLUTION:
        raise ValueError(f"expected an H3 cell of resolution {RESOLUTION}, got {cell!r}")
    lat, lon = h3.cell_to_latlng(cell)
    return Place(cell, round(lat, 6), round(lon, 6))


@lru_cache(maxsize=65536)
def accuracy_of(cell: str) -> float:
    """Return how far a point of a cell may lie from its centre: kilometres, rounded up to 0.1."""
    x, y, z = unit_vector(centre_of(cell))
    corners = [_direction(lat, lon) for lat, lon in h3.cell_to_boundary(cell)]
    chord = max(math.dist((x, y, z), corner) for corner in corners)
    return math.ceil(20 * EARTH_KM * math.asin(chord / 2)) / 10


def unit_vector(place: Place) -> tuple[float, float, float]:
    """Return a place as a point on the unit sphere, with the origin in the Earth's centre."""
    return _direction(place.lat, place.lon)


def _direction(lat: float, lon: float) -> tuple[float, float, float]:
    phi, theta = math.radians(lat), math.radians(lon)
    return math.cos(phi) * math.cos(theta), math.cos(phi) * math.sin(theta), math.sin(phi)


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """State a weekly time on the quarter hour.

    Parameters
    ----------
    day : int
        0 (Monday) to 6 (Sunday).
    start, end : int
        Minutes of that day, 0 to 1425 and 15 to 1440. Only a common slot that an answer shows may end before
        it starts: it runs past midnight.

    Raises
    ------
    ValueError
        If a number is out of range or off the quarter hour.
    """

    day: int
    start: int
    end: int

    def __post_init__(self) -> None:
        on_grid = self.start % QUARTER == 0 and self.end % QUARTER == 0 and self.start != self.end
        if not (0 <= self.day <= 6 and 0 <= self.start < DAY and 0 < self.end <= DAY and on_grid):
            raise ValueError(f"expected a day of 0 to 6 and quarter hours of one day, got {self}")


@dataclass(frozen=True, slots=True)
class Profile:
    """Describe one member as the matcher sees them.

    Parameters
    ----------
    id, name : str
        The platform's own id, and what peers are shown.
    interests, activities, goals : tuple of str
        Terms as the member wrote them.
    place : Place, optional
        Without one nobody is met in person.
    radius_km : float
        How far the member will travel, above 0 and up to 200.
    modes : frozenset of str, optional
        Of ``in_person`` and ``online``; None means in person with a place and online without.
    timezone : str, optional
        IANA name in which `availability` is meant; None is UTC.
    availability : tuple of Slot
        Empty means any time.
    languages : tuple of str
        BCP 47 tags.
    attributes : mapping of str to str
    seeks : mapping of str to tuple of str
        The values of an attribute that are accepted in a peer.
    suggestible : bool
        False keeps the member out of everybody's list.
    full : bool
        True says that the member has no room for another introduction: suggested to nobody but an asking
        member whom they have accepted and who has yet to answer.
    paused : bool
        True gives the member themself nothing but the reason ``paused``.

    Raises
    ------
    ValueError
        If the radius, a mode or a slot is not as above.
    """

    id: str
    name: str
    interests: tuple[str, ...] = ()
    activities: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    place: Place | None = None
    radius_km: float = 25.0
    modes: frozenset[str] | None = None
    timezone: str | None = None
    availability: tuple[Slot, ...] = ()
    languages: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    seeks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    suggestible: bool = True
    full: bool = False
    paused: bool = False

    def __post_init__(self) -> None:
        check_radius(self.radius_km)
        if self.modes is not None and not self.modes.issubset(MODES):
            raise ValueError(f"expected modes out of {MODES}, got {sorted(self.modes)}")
        for slot in self.availability:
            if slot.end < slot.start:
                raise ValueError(f"expected slots that end on the day they start, got {slot}")

    @property
    def effective_modes(self) -> frozenset[str]:
        """Return the stated modes, or the one that a member with or without a place has by default."""
        if self.modes is not None:
            return self.modes
        return frozenset(("online",) if self.place is None else ("in_person",))

    def terms(self, facet: str) -> tuple[str, ...]:
        """Return the terms of a facet as written."""
        check_facet(facet)
        written: tuple[str, ...] = getattr(self, facet)
        return written


def check_radius(radius_km: float) -> None:
    """Refuse a radius that no band of distances would cover."""
    if not 0 < radius_km <= MAX_RADIUS_KM:
        raise ValueError(f"expected a radius above 0 and up to {MAX_RADIUS_KM:g} km, got {radius_km}")


def check_facet(facet: str) -> None:
    """Refuse a facet that profiles don't have."""
    if facet not in FACETS:
        raise ValueError(f"expected a facet out of {FACETS}, got {facet!r}")


def check_question(n: int, radius_km: float | None, mode: str | None, facet: str | None) -> None:
    """Refuse a question that nobody can answer."""
    if n < 1:
        raise ValueError(f"expected to be asked for at least 1, got {n}")
    if radius_km is not None:
        check_radius(radius_km)
    if mode is not None and mode not in MODES:
        raise ValueError(f"expected a mode out of {MODES}, got {mode!r}")
    if facet is not None:
        check_facet(facet)
