"""Common times follow real clocks: summer time, half-hour zones, the date line."""

from datetime import date

import numpy as np
import pytest

from matching import Profile, Slot
from matching.meeting import (
    Availabilities,
    any_opening,
    availability_of,
    common_slots,
    local_quarters,
    openings,
)

MON, TUE, SAT, SUN = 0, 1, 5, 6
WINTER = date(2026, 1, 5)  # Mondays, but for the last two
SPRING = date(2026, 3, 23)  # clocks in Berlin go from 2:00 to 3:00 on its Sunday
AUTUMN = date(2026, 10, 19)  # and from 3:00 to 2:00
HOWE_AUTUMN = date(2026, 3, 30)  # Lord Howe goes from 2:00 to 1:30 on its Sunday
THURSDAY = date(2026, 1, 8)


def at(day: int, start: str, end: str) -> Slot:
    def minutes(time: str) -> int:
        hour, minute = time.split(":")
        return int(hour) * 60 + int(minute)

    return Slot(day, minutes(start), minutes(end))


def member(zone: str | None, *slots: Slot) -> Profile:
    return Profile("m", "M", timezone=zone, availability=slots)


def common(mine: Profile, theirs: Profile, on: date) -> tuple[Slot, ...]:
    """Return the common slots, and check that the quick test for them says the same."""
    both = openings([availability_of(mine), availability_of(theirs)], on)
    slots = common_slots(both[0], both[1], mine.timezone or "UTC", on)
    assert bool(any_opening(both[:1] & both[1:])[0]) == bool(slots)
    return slots


def test_the_same_hours_in_two_zones_meet_on_the_asking_members_clock() -> None:
    ana, ben = (
        member("Europe/Berlin", at(TUE, "18:00", "21:00")),
        member("Europe/London", at(TUE, "18:00", "21:00")),
    )

    assert common(ana, ben, WINTER) == (at(TUE, "19:00", "21:00"),)
    assert common(ben, ana, WINTER) == (at(TUE, "18:00", "20:00"),)


def test_an_hour_that_the_clock_skips_never_comes() -> None:
    ana, anyone = member("Europe/Berlin", at(SUN, "02:00", "03:00")), member("UTC")

    assert common(ana, anyone, SPRING) == ()
    assert common(ana, anyone, WINTER) == (at(SUN, "02:00", "03:00"),)


def test_the_skipped_hour_is_not_counted_in_a_longer_slot() -> None:
    ana = member("Europe/Berlin", at(SUN, "01:15", "03:45"))  # 90 minutes that night: 0:15 to 1:45 UTC

    assert common(ana, member("UTC", at(SUN, "00:00", "01:15")), SPRING) == (at(SUN, "01:15", "03:15"),)
    assert common(ana, member("UTC", at(SUN, "01:00", "02:30")), SPRING) == ()


def test_an_hour_that_the_clock_repeats_counts_twice() -> None:
    ana = member("Europe/Berlin", at(SUN, "02:00", "03:00"))  # from 0:00 to 2:00 UTC

    assert common(ana, member("UTC", at(SUN, "00:00", "01:00")), AUTUMN) != ()
    assert common(ana, member("UTC", at(SUN, "01:00", "02:00")), AUTUMN) != ()
    assert common(ana, member("UTC"), AUTUMN) == (at(SUN, "02:00", "03:00"),)


def test_half_of_a_repeated_hour_comes_twice_but_is_no_hour() -> None:
    assert common(member("Europe/Berlin", at(SUN, "02:00", "02:30")), member("UTC"), AUTUMN) == ()


def test_a_slot_that_ends_no_later_on_the_clock_than_it_began_keeps_its_length() -> None:
    ana, ben = member("Europe/Berlin", at(SUN, "02:00", "03:00")), member("UTC", at(SUN, "00:30", "01:30"))

    assert common(ana, ben, AUTUMN) == (at(SUN, "02:30", "03:30"),)


def test_a_half_hour_repeated_at_lord_howe_makes_an_hour() -> None:
    ana = member("Australia/Lord_Howe", at(SUN, "01:30", "02:00"))

    assert common(ana, member("UTC"), HOWE_AUTUMN) == (at(SUN, "01:30", "02:00"),)
    assert common(ana, member("UTC"), WINTER) == ()


def test_quarter_hour_offsets_are_exact() -> None:
    ana, ben = member("Asia/Kathmandu", at(MON, "18:00", "19:00")), member("UTC", at(MON, "12:15", "13:15"))

    assert common(ana, ben, WINTER) == (at(MON, "18:00", "19:00"),)
    assert common(ana, member("UTC", at(MON, "12:30", "13:30")), WINTER) == ()


def test_days_differ_across_the_date_line() -> None:
    apia, honolulu = (
        member("Pacific/Apia", at(MON, "08:00", "10:00")),
        member("Pacific/Honolulu", at(SUN, "08:00", "11:00")),
    )

    assert common(apia, honolulu, WINTER) == (at(MON, "08:00", "10:00"),)
    assert common(honolulu, apia, WINTER) == (at(SUN, "09:00", "11:00"),)


def test_a_common_time_is_cut_at_midnight_and_short_pieces_fall_away() -> None:
    ana = member("UTC", at(MON, "22:00", "24:00"), at(TUE, "00:00", "00:45"))

    assert common(ana, member("UTC"), WINTER) == (at(MON, "22:00", "24:00"),)


def test_a_common_hour_is_shown_whole_where_midnight_leaves_no_piece_of_an_hour() -> None:
    ana = member("UTC", at(MON, "23:30", "24:00"), at(TUE, "00:00", "00:30"))

    assert common(ana, member("UTC"), WINTER) == (Slot(MON, 23 * 60 + 30, 30),)


def test_less_than_an_hour_in_common_is_nothing() -> None:
    ana, ben = member("UTC", at(MON, "10:00", "11:00")), member("UTC", at(MON, "10:15", "12:00"))

    assert common(ana, ben, WINTER) == ()


def test_slots_come_in_order_of_time_from_the_date_on_ten_at_most() -> None:
    hours = [at(day, f"{hour}:00", f"{hour + 1}:00") for day in range(7) for hour in (10, 14)]

    slots = common(member("UTC", *hours), member("UTC"), THURSDAY)

    assert [slot.day for slot in slots] == [3, 3, 4, 4, 5, 5, 6, 6, 0, 0]
    assert len(common(member("UTC", *hours), member("UTC"), WINTER)) == 10


def test_a_run_of_days_is_cut_off_at_the_tenth_slot_too() -> None:
    hours = [at(day, f"{hour}:00", f"{hour + 1}:00") for day in range(4) for hour in (10, 14)]
    days = [Slot(day, 0, 1440) for day in (4, 5, 6)]

    slots = common(member("UTC", *hours, *days), member("UTC"), WINTER)

    assert slots == (*hours, *days[:2])


def test_the_week_is_seven_days_in_utc() -> None:
    ana = member("Europe/Berlin", at(MON, "00:00", "02:00"))  # begins an hour before the window does

    assert common(ana, member("UTC"), WINTER) == (at(MON, "01:00", "02:00"), at(MON, "00:00", "01:00"))


def test_whoever_states_times_for_the_whole_week_is_free_on_every_day() -> None:
    always = [Slot(day, 0, 1440) for day in range(7)]

    assert common(member("UTC", *always), member("UTC"), WINTER) == tuple(always)


def test_slots_mean_the_same_in_any_order_and_without_a_zone_in_utc() -> None:
    one, two = at(MON, "10:00", "11:00"), at(TUE, "10:00", "11:00")

    assert availability_of(member("UTC", one, two)) == availability_of(member(None, two, one, two))
    assert availability_of(member("UTC")) is None


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc/passwd", "Europe"])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="expected an IANA time zone"):
        availability_of(member(zone, at(MON, "10:00", "11:00")))


def test_the_shared_clock_cannot_be_written_to() -> None:
    with pytest.raises(ValueError, match="read-only"):
        local_quarters("UTC", WINTER)[0] = 1


def test_openings_are_remembered_for_two_dates_and_extended_as_members_come() -> None:
    kept = Availabilities()
    members = [
        member("UTC", at(MON, "10:00", "11:00")),
        member("UTC"),
        member("Asia/Kathmandu", at(TUE, "00:00", "02:00")),
    ]

    for on in (WINTER, SPRING, AUTUMN, WINTER):
        for profile in members:
            kept.number_of(availability_of(profile))
            assert np.array_equal(kept.openings(on), openings(kept.values, on))

    assert np.shares_memory(kept.openings(WINTER), kept.openings(WINTER))
    kept.keep(np.array([2]))
    assert np.array_equal(kept.openings(WINTER), openings([availability_of(members[2])], WINTER))
