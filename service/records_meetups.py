"""Rounds and meetups, what a calendar may know of one (nobody's location), and where a community meets."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, slots=True)
class NewRound:
    """A round as it is asked for; None leaves it to the community, or means everybody who joins rounds."""

    name: str
    starts_on: str
    ends_on: str
    group_size: int | None = None
    cooldown_days: int | None = None
    seed: int = 0
    participants: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """A round as it is kept; days are ISO dates. No `stats` before it is planned, `error` where that failed.

    `planned_at` is the change number up to which the draft knows everybody.
    """

    number: int
    id: str
    name: str
    state: str
    group_size: int
    starts_on: str
    ends_on: str
    cooldown_days: int
    seed: int
    everyone: bool
    created_at: int
    planned_at: int = 0
    stats: Mapping[str, Any] | None = None
    error: str | None = None
    published_at: int | None = None


@dataclass(frozen=True, slots=True)
class Seat:
    """One who takes part: in a group, or in none and why; neither before it is planned."""

    member: int
    id: str
    group: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Attendee:
    """One of a meetup: `number` is their row's, `comes` tells whether they are still expected."""

    number: int
    id: str
    comes: bool = True
    reply: str | None = None
    outcome: str | None = None
    again: bool | None = None


@dataclass(frozen=True, slots=True)
class Meetup:
    """A meetup with all who were asked. No `starts_at`: no time suits all, they find one themselves."""

    number: int
    id: str
    state: str
    until: int
    created_at: int
    round: str | None = None
    starts_at: int | None = None
    ends_at: int | None = None
    place: Mapping[str, Any] | None = None
    sequence: int = 0
    changed_at: int = 0
    tried: tuple[int, ...] = ()
    due_at: int | None = None
    asked: tuple[Attendee, ...] = ()

    @property
    def attendees(self) -> tuple[Attendee, ...]:
        """Those who are still expected."""
        return tuple(one for one in self.asked if one.comes)
