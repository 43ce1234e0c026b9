"""A group gathers when all are free by their own clocks, when it suits them, and where it is fair."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import Place, Profile, Slot
from matching.gathering import Gathering, Interval, Venue, best_time, common_times, gather
from tests.matching.strategies import slots

QUARTER = timedelta(minutes=15)
MONDAY = date(2026, 3, 23)  # clocks in Berlin go from 2:00 to 3:00 on the Sunday of this week
AUTUMN = date(2026, 10, 19)  # and from 3:00 to 2:00
# Both hemispheres, half an hour in Lord Howe, two hours in Troll, and those that do as they please.
ZONES = ("Europe/Berlin", "Australia/Lord_Howe", "Antarctica/Troll", "Africa/Casablanca", "America/Santiago")
TUESDAY_EVENING = Slot(1, 18 * 60, 21 * 60)
TOWN = Place.at(52.52, 13.405)


def member(name: str, *free: Slot, zone: str | None = "Europe/Berlin", place: Place | None = TOWN) -> Profile:
    return Profile(name, name, timezone=zone, availability=free, place=place)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def quarters(interval: Interval) -> Iterator[datetime]:
    start, end = interval
    while start < end:
        yield start
        start += QUARTER


def is_free(profile: Profile, moment: datetime) -> bool:
    """Look at the wall clock at a moment, and at nothing else."""
    local = moment.astimezone(ZoneInfo(profile.timezone or "UTC"))
    minute = local.hour * 60 + local.minute
    told = profile.availability
    return not told or any(slot.day == local.weekday() and slot.start <= minute < slot.end for slot in told)


def free_times(members: Sequence[Profile], on: date, days: int, busy: Sequence[Interval]) -> list[Interval]:
    """Find the common times the slow way."""
    start = datetime(on.year, on.month, on.day, tzinfo=UTC)
    moments = [start + number * QUARTER for number in range(days * 96)]
    free = [
        all(is_free(one, moment) for one in members)
        and not any(first < moment + QUARTER and moment < past for first, past in busy)
        for moment in moments
    ]
    runs = [
        [moment for _, moment in run]
        for yes, run in groupby(zip(free, moments, strict=True), lambda item: item[0])
        if yes
    ]
    return [(run[0], run[-1] + QUARTER) for run in runs if len(run) >= 4]


# ---------------------------------------------------------------- common times

zones = st.sampled_from(ZONES) | st.sampled_from(sorted(available_timezones()))
dates = st.dates(date(2024, 1, 1), date(2031, 12, 31)) | st.sampled_from(
    (MONDAY, AUTUMN, date(2026, 4, 1), date(2026, 12, 30))
)
groups = st.lists(
    st.builds(
        Profile,
        id=st.sampled_from("abcde"),
        name=st.just("N"),
        timezone=zones,
        availability=st.lists(slots(), max_size=12).map(tuple),
    ),
    min_size=1,
    max_size=3,
)
spans = st.tuples(st.integers(-500, 1500), st.integers(1, 700))


@settings(max_examples=60, deadline=None)
@given(groups, dates, st.integers(1, 9), st.lists(spans, max_size=2))
def test_common_times_are_those_on_everybodys_own_clock(
    group: list[Profile], on: date, days: int, minutes: list[tuple[int, int]]
) -> None:
    start = datetime(on.year, on.month, on.day, tzinfo=UTC)
    busy = [(start + timedelta(minutes=m), start + timedelta(minutes=m + length)) for m, length in minutes]

    expected = free_times(group, on, days, busy)

    assert common_times(group, on, days, busy) == expected
    best = best_time(group, on, days, busy=busy)
    assert (best is None) == (expected == [])
    if best:
        assert timedelta(hours=1) <= best[1] - best[0] <= timedelta(minutes=90)
        assert any(first <= best[0] and best[1] <= past for first, past in expected)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(ZONES), st.integers(0, 1460), slots())
def test_through_a_change_of_the_clock_the_local_time_is_never_wrong(zone: str, day: int, slot: Slot) -> None:
    """Each day of four years and more comes up, and with it every gap and overlap of these zones."""
    one = Profile("a", "A", timezone=zone, availability=(slot,))

    for start, end in common_times([one], date(2025, 1, 1) + timedelta(days=day), 8):
        assert all(is_free(one, moment) for moment in quarters((start, end)))
        for moment in (start - QUARTER, end):
            edge = abs((moment.date() - date(2025, 1, 1)).days - day) % 8 in {0, 7, 1}
            assert edge or not is_free(one, moment)


def test_an_hour_that_the_clock_repeats_is_there_twice_and_one_that_it_skips_never() -> None:
    night = member("a", Slot(6, 120, 180))

    assert common_times([night], MONDAY, 7) == []
    assert common_times([night], AUTUMN, 7) == [(utc("2026-10-25T00:00"), utc("2026-10-25T02:00"))]


# ---------------------------------------------------------------- the best time


def test_whoever_is_free_any_time_meets_in_the_evening_or_at_the_weekend() -> None:
    anyone = [member("a"), member("b")]

    found = [best_time(anyone, MONDAY, 14, seed=seed) for seed in range(200)]

    local = [(start.astimezone(ZoneInfo("Europe/Berlin")), end - start) for start, end in filter(None, found)]
    assert len(local) == 200
    assert {length for _, length in local} == {timedelta(minutes=90)}
    assert {moment.minute for moment, _ in local} == {0}
    assert all((17 if moment.weekday() < 5 else 9) <= moment.hour < 20 for moment, _ in local)
    days = Counter(moment.date() for moment, _ in local)
    assert len(days) == 14
    assert max(days.values()) < 40  # of 200 over 14 days


def test_it_is_the_same_for_any_order_and_another_for_another_seed() -> None:
    group = [member("a"), member("b", zone="Europe/London"), member("c")]

    first = best_time(group, MONDAY, 14, seed=1)

    assert first == best_time(group[::-1], MONDAY, 14, seed=1)
    assert len({best_time(group, MONDAY, 14, seed=seed) for seed in range(10)}) > 3


@pytest.mark.parametrize(
    ("slot", "start", "end"),
    [
        (Slot(1, 18 * 60, 19 * 60), "2026-03-24T17:00", "2026-03-24T18:00"),  # cut to the slot
        (Slot(1, 18 * 60 + 15, 19 * 60 + 30), "2026-03-24T17:15", "2026-03-24T18:30"),
        (Slot(1, 18 * 60 + 15, 20 * 60), "2026-03-24T17:30", "2026-03-24T19:00"),  # a rounder start
        (Slot(1, 3 * 60, 4 * 60 + 30), "2026-03-24T02:00", "2026-03-24T03:30"),  # a night, if they say so
    ],
)
def test_what_is_stated_is_kept_to(slot: Slot, start: str, end: str) -> None:
    assert best_time([member("a", slot), member("b")], MONDAY, 7) == (utc(start), utc(end))


def test_it_suits_the_member_whom_it_suits_least() -> None:
    """Between Berlin and Los Angeles no hour is evening for both, but at the weekend one is day for both."""
    far = [member("a"), member("b", zone="America/Los_Angeles")]

    start, _ = best_time(far, date(2026, 6, 1), 7) or pytest.fail("they have a time")

    assert start.weekday() >= 5
    assert start.astimezone(ZoneInfo("Europe/Berlin")).hour in {18, 19}


def test_all_of_a_day_hardly_means_its_night() -> None:
    whole = [member("a", Slot(5, 0, 1440)), member("b", Slot(5, 0, 1440))]

    found = [best_time(whole, MONDAY, 7, seed=seed) for seed in range(50)]

    hours = {moment.astimezone(ZoneInfo("Europe/Berlin")).hour for moment, _ in filter(None, found)}
    assert min(hours) >= 7
    assert max(hours) <= 21


def test_where_it_suits_one_as_little_the_others_count() -> None:
    """Early and late are alike in UTC; an hour to the west the one is as early, the other an evening."""
    pair = [member("a", zone="UTC"), member("b", zone="Etc/GMT+1")]
    hours = [utc(f"2026-03-24T{hour:02}:00") for hour in (0, 8, 9, 21, 22)]
    busy = [(hours[0], hours[1]), (hours[2], hours[3]), (hours[4], hours[4] + timedelta(hours=2))]

    found = {best_time(pair, date(2026, 3, 24), 1, busy=busy, seed=seed) for seed in range(8)}

    assert found == {(hours[3], hours[4])}


def test_who_states_working_hours_likes_them_as_much_as_the_weekend() -> None:
    group = [member("a", Slot(2, 600, 690), Slot(5, 600, 690))]

    found = [best_time(group, MONDAY, 7, seed=seed) for seed in range(20)]

    assert {start.weekday() for start, _ in filter(None, found)} == {2, 5}


def test_nobody_is_in_two_places_at_once() -> None:
    group = [member("a", TUESDAY_EVENING)]
    whole = utc("2026-03-24T17:00"), utc("2026-03-24T20:00")

    assert best_time(group, MONDAY, 7, busy=[whole]) is None
    assert best_time(group, MONDAY, 7, busy=[(whole[0], utc("2026-03-24T18:50"))]) == (
        utc("2026-03-24T19:00"),
        whole[1],
    )


@pytest.mark.parametrize("minutes", [45, 0, 61, -60])
def test_a_length_that_is_none_is_refused(minutes: int) -> None:
    with pytest.raises(ValueError, match="expected 60 or more minutes in quarter hours"):
        best_time([member("a")], MONDAY, 7, minutes=minutes)


# ---------------------------------------------------------------- time and place together

CAFE = Venue("cafe", "Café", TOWN, (Slot(1, 19 * 60, 21 * 60),), "Europe/Berlin")


def test_a_group_gathers_while_the_venue_is_open() -> None:
    group = [member("a"), member("b")]

    found = gather(group, [CAFE], MONDAY, 7)

    assert found is not None
    assert found.venue == CAFE
    assert found.area is None
    assert utc("2026-03-24T18:00") <= found.start < found.end <= utc("2026-03-24T20:00")


def test_where_no_venue_is_open_in_time_there_is_an_area_and_online_none() -> None:
    sunday = [member("a", Slot(6, 600, 720)), member("b")]
    online = [replace(one, modes=frozenset({"online"})) for one in sunday]

    found, nearby, remote = (
        gather(sunday, [CAFE], MONDAY, 7),
        gather(sunday, [], MONDAY, 7),
        gather(online, [CAFE], MONDAY, 7),
    )

    assert found == nearby
    assert found is not None
    assert (found.venue, found.area is None) == (None, False)
    assert remote == Gathering(found.start, found.end)


def test_without_a_common_hour_nothing_comes_about() -> None:
    assert gather([member("a", TUESDAY_EVENING), member("b", Slot(2, 0, 600))], [CAFE], MONDAY, 7) is None
