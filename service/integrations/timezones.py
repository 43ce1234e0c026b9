"""VTIMEZONE, made from the zone's own changes: icalendar's is an hour late where the clock goes forward.

A change is stated as RFC 5545 (3.6.5) asks: the local time at which it comes by the clock before it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

STEP = timedelta(
    days=7
)  # no zone changes its clock twice within a week, but for Morocco's Ramadan in a month
_SECOND = timedelta(seconds=1)


@lru_cache(maxsize=1024)
def describe_zone(zone: str, first_year: int, last_year: int) -> Timezone:
    """Return what a calendar needs to know of a zone from the first of these years to the end of the last."""
    clock = ZoneInfo(zone)
    start, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(last_year + 1, 1, 2, tzinfo=UTC)
    described = Timezone()
    described.add("TZID", zone)
    for onset in (start, *_changes(clock, start, end)):
        described.add_component(_observance(clock, onset, onset if onset == start else onset - _SECOND))
    return described


def _observance(clock: ZoneInfo, onset: datetime, before: datetime) -> TimezoneStandard | TimezoneDaylight:
    local, old = onset.astimezone(clock), _offset(clock, before)
    kind = TimezoneDaylight if local.dst() else TimezoneStandard
    observance = kind()
    observance.add("DTSTART", (onset + old).replace(tzinfo=None))
    observance.add("TZOFFSETFROM", old)
    observance.add("TZOFFSETTO", _offset(clock, onset))
    observance.add("TZNAME", local.tzname() or clock.key)
    return observance


def _changes(clock: ZoneInfo, start: datetime, end: datetime) -> Iterator[datetime]:
    """Yield the moments in UTC, to the second, from which on the zone's clock is another."""
    moment = start
    while moment < end:
        if _offset(clock, moment) != _offset(clock, moment + STEP):
            yield _change(clock, moment, moment + STEP)
        moment += STEP


def _change(clock: ZoneInfo, before: datetime, after: datetime) -> datetime:
    old = _offset(clock, before)
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        before, after = (middle, after) if _offset(clock, middle) == old else (before, middle)
    return after


def _offset(clock: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(clock).utcoffset() or timedelta()
