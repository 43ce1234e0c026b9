"""What a calendar may know of a meetup, with nobody's location in it; and where a community meets."""

from dataclasses import dataclass

from matching import Slot


@dataclass(frozen=True, slots=True)
class MeetupPlace:
    """Where a meetup is: a venue with name and exact point, or an area without a name. Never a member's cell.

    `accuracy_km` is how far the area goes around its point in degrees; None for a venue.
    """

    name: str | None
    lat: float
    lon: float
    accuracy_km: float | None = None


@dataclass(frozen=True, slots=True)
class MeetupView:
    """One meetup as one member's calendar shows it, or as a calendar shows it that is nobody's in particular.

    Times are milliseconds since 1970. `zone` is the viewer's own, None for UTC; `names` are those of the
    others (of all where there is no viewer), as peers are shown them. `sequence` rises by one with every
    change of time, place or state, and `changed_at` says when the last one was.
    """

    id: str
    names: tuple[str, ...]
    starts_at: int
    ends_at: int
    changed_at: int
    sequence: int = 0
    cancelled: bool = False
    zone: str | None = None
    place: MeetupPlace | None = None
    reasons: tuple[str, ...] = ()
    openers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VenueRecord:
    """A public place where a community meets, as the platform states it: its point is kept as it is."""

    id: str
    name: str
    lat: float
    lon: float
    timezone: str | None = None
    hours: tuple[Slot, ...] = ()
