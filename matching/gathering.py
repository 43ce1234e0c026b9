"""When and where a group gathers: in come its members, a window of days and venues, out come time and place.

A time is one at which every member is free by their own clock, through changes of the clock. Of all those,
the one is taken that suits the member whom it suits least: evenings and weekends before working hours, those
before early mornings, nights last. Who states when they are free has said what suits them. Ties are spread
over the days by a hash of the seed and the members, so that not all meet on the first evening.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import blake2b

import numpy as np

from .arrays import BoolArray, IntArray
from .meeting import A_DAY, DAYS, QUARTERS, SHORTEST, availability_of, zone_of
from .profile import QUARTER, Profile
from .venues import Area, Venue, area_of, fairest_venue, first_open, meet_in_person, within_reach
from .window import Interval, Window, run_left, runs

__all__ = [
    "Area",
    "Gathering",
    "Interval",
    "Venue",
    "area_of",
    "best_time",
    "common_times",
    "fairest_venue",
    "gather",
]

MINUTES = 90
_SUITS, _WORK, _EARLY_OR_LATE, _NIGHT = range(4)


@dataclass(frozen=True, slots=True)
class Gathering:
    """Say when a group gathers and where: at a venue, or somewhere in an area; online where both are None."""

    start: datetime
    end: datetime
    venue: Venue | None = None
    area: Area | None = None


def gather(
    members: Sequence[Profile],
    venues: Sequence[Venue],
    on: date,
    days: int,
    *,
    busy: Iterable[Interval] = (),
    seed: int = 0,
) -> Gathering | None:
    """Choose a time and a place for a group; None where it has no common hour.

    Parameters
    ----------
    members : sequence of Profile
        One or more.
    venues : sequence of Venue
        Where one of them is in everybody's reach, the time is one at which it is open, if there is any.
    on : date
        First day of the window, in UTC.
    days : int
    busy : iterable of (datetime, datetime)
        Times that are taken for any member.
    seed : int

    Raises
    ------
    ValueError
        If a time zone is unknown, or the window has no or too many days.
    """
    taken = tuple(busy)
    near = within_reach(members, venues) if meet_in_person(members) else []
    time = best_time(members, on, days, busy=taken, seed=seed, venues=near) if near else None
    if time:
        return Gathering(*time, venue=first_open(near, time))
    time = best_time(members, on, days, busy=taken, seed=seed)
    return Gathering(*time, area=area_of(members)) if time else None


def common_times(
    members: Sequence[Profile], on: date, days: int, busy: Iterable[Interval] = ()
) -> list[Interval]:
    """Return all times of an hour or more at which every member is free, in UTC and in order.

    Parameters
    ----------
    members : sequence of Profile
        One or more.
    on : date
        First day of the window, in UTC; no time crosses the window's ends.
    days : int
    busy : iterable of (datetime, datetime)
        Times that are taken for any member.

    Examples
    --------
    >>> from matching import Profile, Slot
    >>> ana = Profile("ana", "Ana", timezone="Europe/Berlin", availability=(Slot(6, 18 * 60, 21 * 60),))
    >>> [(start.isoformat(), end.isoformat()) for start, end in common_times([ana], date(2026, 3, 23), 7)]
    [('2026-03-29T16:00:00+00:00', '2026-03-29T19:00:00+00:00')]
    """
    window = Window(on, days)
    found = runs(_common(members, window, busy)).tolist()
    return [(window.moment(first), window.moment(past)) for first, past in found if past - first >= SHORTEST]


def best_time(
    members: Sequence[Profile],
    on: date,
    days: int,
    *,
    busy: Iterable[Interval] = (),
    seed: int = 0,
    minutes: int = MINUTES,
    venues: Sequence[Venue] = (),
) -> Interval | None:
    """Return the time that suits every member best, in UTC; None where they have no common hour.

    The same members, in any order, window, times and seed give the same time.

    Parameters
    ----------
    minutes : int
        How long to meet, in whole quarter hours, 60 or more. It is cut to an hour where that suits better or
        the common time is shorter.
    venues : sequence of Venue
        Where some are given, one of them is open the whole time.

    Raises
    ------
    ValueError
        If the length is not as above, a time zone is unknown, or the window has no or too many days.
    """
    longest, odd = divmod(minutes, QUARTER)
    if odd or longest < SHORTEST:
        raise ValueError(f"expected 60 or more minutes in quarter hours, got {minutes}")
    window = Window(on, days)
    free = _common(members, window, busy)
    # By identity: many venues share few openings, and to compare these takes longer than all the rest.
    openings = {id(venue.opening): venue.opening for venue in venues} or {0: None}
    left = np.max([run_left(free & window.free(opening)) for opening in openings.values()], axis=0)
    starts, lengths = _choices(left, longest)
    if not len(starts):
        return None
    best = _most_suitable(members, window, starts, lengths)
    length = int(lengths[best[0]])
    first = _drawn(members, window, seed, starts[best].tolist())
    return window.moment(first), window.moment(first + length)


def _common(members: Sequence[Profile], window: Window, busy: Iterable[Interval]) -> BoolArray:
    free = ~window.taken(busy)
    for availability in {availability_of(member) for member in members}:
        free &= window.free(availability)
    return free


def _choices(left: IntArray, longest: int) -> tuple[IntArray, IntArray]:
    """Return every start and length in quarters that the time left allows."""
    starts = [np.flatnonzero(left >= length) for length in range(SHORTEST, longest + 1)]
    lengths = np.repeat(np.arange(SHORTEST, longest + 1), [len(some) for some in starts])
    return np.concatenate(starts), lengths


def _most_suitable(
    members: Sequence[Profile], window: Window, starts: IntArray, lengths: IntArray
) -> IntArray:
    """Return the numbers of the choices that tie for the best.

    What counts, in this order: the worst quarter hour for anybody; the sum over all members and quarters, per
    quarter; the length; a start on everybody's full or half hour.
    """
    burdens = np.stack([_burden(member, window) for member in members])
    ranks = np.zeros((4, len(starts)))
    for length in np.unique(lengths).tolist():
        chosen = lengths == length
        spans = starts[chosen][:, None] + np.arange(length)
        ranks[0, chosen] = burdens.max(axis=0)[spans].max(axis=1)
        ranks[1, chosen] = burdens.sum(axis=0)[spans].sum(axis=1) / length
        ranks[2, chosen] = -length
    ranks[3] = sum(_ODDNESS[window.local(zone_of(member))[starts] % 4] for member in members)
    best = np.arange(len(starts))
    for rank in ranks:
        best = best[rank[best] == rank[best].min()]
    return best


def _burden(member: Profile, window: Window) -> IntArray:
    """Return how little each quarter suits a member."""
    burden = _BURDENS[window.local(zone_of(member))]
    # Who said when has chosen; but "all of Saturday" hardly means its night.
    return (burden == _NIGHT).astype(np.int64) if member.availability else burden


def _drawn(members: Sequence[Profile], window: Window, seed: int, starts: Sequence[int]) -> int:
    """Draw one of the starts by a hash that takes as little notice as can be of which others there are."""
    names = "\n".join([str(seed), *sorted(member.id for member in members)])

    def mixed(number: int) -> bytes:
        return blake2b(f"{names}\n{window.moment(number).isoformat()}".encode(), digest_size=8).digest()

    # First the day, so that one with many hours to choose from isn't drawn more often for that.
    day = min({start // A_DAY for start in starts}, key=lambda number: mixed(number * A_DAY))
    return min((start for start in starts if start // A_DAY == day), key=mixed)


def _burdens() -> IntArray:
    """Return how little each quarter of a local week suits somebody who is free at any time: shape (672,)."""
    day = np.full((DAYS, A_DAY), _NIGHT, np.int64)
    hour = A_DAY // 24
    day[:, 7 * hour : 23 * hour] = _EARLY_OR_LATE
    day[:5, 9 * hour : 21 * hour] = _WORK
    day[:5, 17 * hour : 21 * hour] = _SUITS
    day[5:, 9 * hour : 21 * hour] = _SUITS
    return day.reshape(QUARTERS)


_BURDENS = _burdens()
_ODDNESS = np.array([0, 2, 1, 2])  # of starting at :00, :15, :30 and :45
