"""Meetups as iCalendar (RFC 5545): views come in, bytes go out.

A meetup keeps its UID for good; a calendar takes what has the higher SEQUENCE. Every time is stated on the
viewer's own clock with that zone's rules beside it, or in UTC where that clock shows it twice. The same views
give the same bytes.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vCalAddress, vDuration, vGeo, vText

from service.integrations.timezones import describe_zone
from service.records_meetups import MeetupPlace, MeetupView

PRODUCT = "-//Kith//Kith//EN"
READ_AGAIN = timedelta(hours=1)
AND = " and "


def meetup_file(meetup: MeetupView, community: str, community_name: str) -> bytes:
    """Return one meetup as an invitation, or as its cancellation (RFC 5546).

    Kith knows nobody's address: whoever takes part has the name that peers are shown, and a URN to hold it.
    """
    calendar = _calendar("CANCEL" if meetup.cancelled else "REQUEST", [meetup])
    event = _event(meetup)
    event.add("ORGANIZER", _person(f"urn:kith:{community}", community_name))
    for seat, name in enumerate(meetup.names, 1):
        event.add("ATTENDEE", _person(f"urn:kith:{meetup.id}:{seat}", name))
    calendar.add_component(event)
    return _written(calendar)


def calendar_feed(meetups: Iterable[MeetupView], community_name: str) -> bytes:
    """Return all meetups of one member, to be read again and again."""
    listed = sorted(meetups, key=lambda meetup: (meetup.starts_at, meetup.id))
    calendar = _calendar("PUBLISH", listed)
    for name in ("NAME", "X-WR-CALNAME"):
        calendar.add(name, vText(f"Meetups of {community_name}"))
    calendar.add("REFRESH-INTERVAL", vDuration(READ_AGAIN), parameters={"VALUE": "DURATION"})
    calendar.add("X-PUBLISHED-TTL", vDuration(READ_AGAIN))
    for meetup in listed:
        calendar.add_component(_event(meetup))
    return _written(calendar)


def _written(calendar: Calendar) -> bytes:
    written: bytes = calendar.to_ical()
    return written


def _calendar(method: str, meetups: Sequence[MeetupView]) -> Calendar:
    calendar = Calendar()
    calendar.add("PRODID", PRODUCT)
    calendar.add("VERSION", "2.0")
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", method)
    for zone in sorted({meetup.zone for meetup in meetups if meetup.zone}):
        years = [
            _moment(at).year for one in meetups if one.zone == zone for at in (one.starts_at, one.ends_at)
        ]
        # A year more on both sides: at its turn the local year may be another.
        calendar.add_component(describe_zone(zone, min(years) - 1, max(years) + 1))
    return calendar


def _event(meetup: MeetupView) -> Event:
    event = Event()
    event.add("UID", f"{meetup.id}@kith")
    event.add("SEQUENCE", meetup.sequence)
    for name in ("DTSTAMP", "LAST-MODIFIED"):
        event.add(name, _moment(meetup.changed_at))
    for name, moment in zip(("DTSTART", "DTEND"), _times(meetup), strict=True):
        event.add(name, moment)
    event.add("SUMMARY", f"Meet {_joined(meetup.names)}" if meetup.names else "Meetup")
    event.add("STATUS", "CANCELLED" if meetup.cancelled else "CONFIRMED")
    event.add("TRANSP", "TRANSPARENT" if meetup.cancelled else "OPAQUE")
    description = "\n\n".join("\n".join(lines) for lines in (meetup.reasons, meetup.openers) if lines)
    if description:
        event.add("DESCRIPTION", description)
    if meetup.place:
        _add_place(event, meetup.place)
    return event


def _add_place(event: Event, place: MeetupPlace) -> None:
    if place.accuracy_km is not None:  # no GEO: a map would show a point where only an area is meant
        around = f"Within {place.accuracy_km:g} km of {place.lat:.3f}, {place.lon:.3f}"
        event.add("LOCATION", around)
        return
    event.add("GEO", vGeo((place.lat, place.lon)))
    if place.name:
        event.add("LOCATION", place.name)


def _person(address: str, name: str) -> vCalAddress:
    # A parameter can hold no quotation mark: RFC 6868 would write ^' for it, which many readers don't know.
    return vCalAddress(address, params={"CN": name.replace('"', "'")})


def _times(meetup: MeetupView) -> tuple[datetime, datetime]:
    start, end = _moment(meetup.starts_at), _moment(meetup.ends_at)
    if meetup.zone is None:
        return start, end
    clock = ZoneInfo(meetup.zone)
    local = start.astimezone(clock), end.astimezone(clock)
    # A local time that comes twice means the first of the two.
    return local if not any(moment.fold for moment in local) else (start, end)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, UTC)


def _joined(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)}{AND}{last}" if most else last
