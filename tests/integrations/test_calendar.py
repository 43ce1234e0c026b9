"""Calendars say when and where on the reader's own clock, and nothing of where anybody lives."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from matching import Profile, Slot
from matching.gathering import common_times
from service.integrations.calendar import calendar_feed, meetup_file
from service.integrations.timezones import describe_zone
from service.records_meetups import MeetupPlace, MeetupView

ZONES = ("Europe/Berlin", "Australia/Lord_Howe", "Antarctica/Troll", "Africa/Casablanca", "Asia/Kathmandu")
zones = st.sampled_from(ZONES) | st.sampled_from(sorted(available_timezones() - {"UTC", "localtime"}))


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


CAFE = MeetupPlace("Café; Mitte, upstairs", 52.5201, 13.4049)
MEETUP = MeetupView(
    id="mee_1",
    names=("Ben", "Cem"),
    starts_at=at("2026-12-01T18:00"),
    ends_at=at("2026-12-01T19:30"),
    changed_at=at("2026-11-20T09:00"),
    zone="Europe/Berlin",
    place=CAFE,
    reasons=("You all like hiking", "You are all free on Tuesday evening"),
    openers=("Which trail would you walk again tomorrow?",),
)


def parsed(content: bytes) -> Any:
    assert max(len(line) for line in content.split(b"\r\n")) <= 75
    return Calendar.from_ical(content)


def event(content: bytes) -> Any:
    (found,) = parsed(content).walk("VEVENT")
    return found


# ---------------------------------------------------------------- what is said


def test_an_invitation_says_who_when_where_and_why() -> None:
    calendar = parsed(meetup_file(MEETUP, "com_1", 'The "Chess" Club'))

    (found,) = calendar.walk("VEVENT")
    assert calendar["METHOD"] == "REQUEST"
    assert [zone["TZID"] for zone in calendar.walk("VTIMEZONE")] == ["Europe/Berlin"]
    assert (found["UID"], found["SEQUENCE"], found["STATUS"]) == ("mee_1@kith", 0, "CONFIRMED")
    assert found["SUMMARY"] == "Meet Ben and Cem"
    assert found["DTSTART"].dt.isoformat() == "2026-12-01T19:00:00+01:00"
    assert found["DTSTART"].params["TZID"] == "Europe/Berlin"
    assert found["DTEND"].dt - found["DTSTART"].dt == timedelta(minutes=90)
    assert found["DTSTAMP"].dt == datetime(2026, 11, 20, 9, tzinfo=UTC)
    assert found["LOCATION"] == CAFE.name
    assert (found["GEO"].latitude, found["GEO"].longitude) == (CAFE.lat, CAFE.lon)
    assert found["DESCRIPTION"] == "\n".join((*MEETUP.reasons, "", *MEETUP.openers))
    assert found["ORGANIZER"].params["CN"] == "The 'Chess' Club"
    assert [person.params["CN"] for person in found["ATTENDEE"]] == ["Ben", "Cem"]


def test_a_cancellation_takes_the_same_meetup_away() -> None:
    cancelled = replace(MEETUP, cancelled=True, sequence=3)

    calendar = parsed(meetup_file(cancelled, "com_1", "Club"))

    (found,) = calendar.walk("VEVENT")
    assert calendar["METHOD"] == "CANCEL"
    assert (found["UID"], found["SEQUENCE"], found["STATUS"]) == ("mee_1@kith", 3, "CANCELLED")
    assert found["TRANSP"] == "TRANSPARENT"


def test_a_feed_holds_all_in_the_order_of_time_and_names_nobody_s_seat() -> None:
    later = replace(MEETUP, id="mee_0", starts_at=at("2026-12-08T18:00"), ends_at=at("2026-12-08T19:00"))
    gone = replace(MEETUP, id="mee_2", cancelled=True, zone="Asia/Tokyo", names=())

    content = calendar_feed([later, gone, MEETUP], "Club")

    calendar = parsed(content)
    assert (calendar["METHOD"], str(calendar["X-WR-CALNAME"])) == ("PUBLISH", "Meetups of Club")
    events = calendar.walk("VEVENT")
    assert [found["UID"] for found in events] == ["mee_1@kith", "mee_2@kith", "mee_0@kith"]
    assert [found["STATUS"] for found in events] == ["CONFIRMED", "CANCELLED", "CONFIRMED"]
    assert not any("ATTENDEE" in found or "ORGANIZER" in found for found in events)
    assert {zone["TZID"] for zone in calendar.walk("VTIMEZONE")} == {"Europe/Berlin", "Asia/Tokyo"}
    assert content == calendar_feed([MEETUP, gone, later], "Club")


def test_an_empty_feed_is_a_calendar_too() -> None:
    assert parsed(calendar_feed([], "Club")).walk("VEVENT") == []


def test_an_area_is_words_without_a_point_and_online_has_neither() -> None:
    area = event(meetup_file(replace(MEETUP, place=MeetupPlace(None, 52.51, 13.4, 4.1)), "com_1", "Club"))
    online = event(meetup_file(replace(MEETUP, place=None, reasons=(), openers=()), "com_1", "Club"))
    nameless = event(meetup_file(replace(MEETUP, place=replace(CAFE, name=None)), "com_1", "Club"))

    assert area["LOCATION"] == "Within 4.1 km of 52.510, 13.400"
    assert "GEO" not in area
    assert not {"LOCATION", "GEO", "DESCRIPTION"} & set(online)
    assert ("GEO" in nameless, "LOCATION" in nameless) == (True, False)


@pytest.mark.parametrize(
    "name", ['A "b" c', "A\\nb", "ÄÖ" * 49, "日本" * 50, "a;b,c:d=e", "END:VEVENT", "🎲" * 60]
)
def test_no_name_breaks_out_of_its_line(name: str) -> None:
    place = MeetupPlace(name, 0.0, 0.0)

    found = event(meetup_file(replace(MEETUP, names=(name,), place=place), "com_1", name))

    assert found["SUMMARY"] == f"Meet {name}"
    assert found["LOCATION"] == name
    assert found["ATTENDEE"].params["CN"] == name.replace('"', "'")


# ---------------------------------------------------------------- when it is


def by_the_rules(described: Any, local: datetime) -> datetime:
    """Read a local time as RFC 5545 (3.6.5) tells: by the observance with the latest onset up to it."""
    reached = [part for part in described.subcomponents if part["DTSTART"].dt <= local]
    latest = max(reached, key=lambda part: part["DTSTART"].dt)
    offset: timedelta = latest["TZOFFSETTO"].td
    return (local - offset).replace(tzinfo=UTC)


def moment_of(content: bytes, name: str) -> datetime:
    """Read a time of the only event by nothing but what the calendar itself says."""
    calendar: Any = Calendar.from_ical(content)
    (found,), described = calendar.walk("VEVENT"), calendar.walk("VTIMEZONE")
    value = found[name]
    if "TZID" not in value.params:
        assert value.to_ical().endswith(b"Z")
        in_utc: datetime = value.dt
        return in_utc
    (zone,) = [one for one in described if one["TZID"] == value.params["TZID"]]
    return by_the_rules(zone, datetime.strptime(value.to_ical().decode(), "%Y%m%dT%H%M%S"))  # noqa: DTZ007


@settings(max_examples=60, deadline=None)
@given(zones, st.dates(date(2025, 1, 1), date(2031, 12, 31)), st.integers(0, 95))
def test_a_calendar_and_the_clock_agree_about_every_quarter_hour(zone: str, on: date, number: int) -> None:
    start = datetime(on.year, on.month, on.day, tzinfo=UTC) + number * timedelta(minutes=15)
    meetup = replace(
        MEETUP,
        zone=zone,
        starts_at=int(start.timestamp() * 1000),
        ends_at=int(start.timestamp() * 1000) + 5_400_000,
    )

    content = calendar_feed([meetup], "Club")

    assert moment_of(content, "DTSTART") == start
    assert moment_of(content, "DTEND") == start + timedelta(minutes=90)


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Europe/Berlin", date(2026, 3, 29)),
        ("Europe/Berlin", date(2026, 10, 25)),
        ("Australia/Lord_Howe", date(2026, 4, 4)),
        ("Australia/Lord_Howe", date(2026, 10, 3)),
        ("America/New_York", date(2026, 11, 1)),
        ("Africa/Casablanca", date(2026, 2, 15)),
        ("Antarctica/Troll", date(2026, 3, 29)),
    ],
)
def test_a_slot_through_a_change_of_the_clock_is_read_back_as_it_was_meant(zone: str, day: date) -> None:
    """From what a member states to what their calendar reads, each hour of that day is on their own clock."""
    for hour in range(24):
        slot = Slot(day.weekday(), hour * 60, hour * 60 + 60)
        member = Profile("a", "A", timezone=zone, availability=(slot,))
        for start, end in common_times([member], day - timedelta(days=1), 3):
            view = replace(
                MEETUP,
                zone=zone,
                starts_at=int(start.timestamp() * 1000),
                ends_at=int(end.timestamp() * 1000),
            )
            read = moment_of(calendar_feed([view], "Club"), "DTSTART")
            local = read.astimezone(ZoneInfo(zone))
            assert (read, local.weekday(), local.hour) == (start, slot.day, hour)


def test_a_time_that_comes_twice_is_written_in_utc() -> None:
    twice = replace(MEETUP, starts_at=at("2026-10-25T01:00"), ends_at=at("2026-10-25T02:00"))
    first = replace(MEETUP, starts_at=at("2026-10-24T23:00"), ends_at=at("2026-10-25T00:30"))

    assert event(calendar_feed([twice], "Club"))["DTSTART"].to_ical() == b"20261025T010000Z"
    assert event(calendar_feed([first], "Club"))["DTEND"].to_ical() == b"20261025T023000"


def test_a_zone_without_changes_is_one_observance_and_utc_needs_none() -> None:
    assert len(describe_zone("Asia/Kathmandu", 2026, 2026).subcomponents) == 1
    assert len(describe_zone("Europe/Berlin", 2026, 2026).subcomponents) == 3
    utc = parsed(calendar_feed([replace(MEETUP, zone=None)], "Club"))
    assert utc.walk("VTIMEZONE") == []
    assert utc.walk("VEVENT")[0]["DTSTART"].to_ical() == b"20261201T180000Z"
