"""The judge of rounds catches every rule that is broken, and a window is what the clock makes it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import Group, Place, Profile, RoundRules, Slot, check_round
from matching.meeting import availability_of
from matching.round_check import _common_hour
from matching.window_bits import window_openings
from tests.matching.strategies import DATES, profiles

A_DAY = date(2026, 11, 30)
BERLIN = Place.at(52.52, 13.405)
ANA = Profile("ana", "N", place=BERLIN, attributes={"role": "x"})
BEN = Profile("ben", "N", place=BERLIN, attributes={"role": "x"})
CEM = Profile("cem", "N", place=BERLIN, attributes={"role": "x"})
PAIR = Group(("ana", "ben"), 0.5)
ALL = (ANA, BEN, CEM)


def test_a_fine_round_passes() -> None:
    assert check_round([PAIR], ALL, RoundRules(), A_DAY, participants=["ana", "ben", "cem"]) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"paused": True}, "paused"),
        ({"place": Place.at(53.55, 10.0)}, "out of reach"),
        ({"place": None}, "out of reach"),
        ({"modes": frozenset({"online"})}, "out of reach"),
        ({"seeks": {"role": ("y",)}}, "not sought"),
        ({"attributes": {}}, "separated"),
        ({"availability": (Slot(0, 600, 645),)}, "share no hour"),
    ],
)
def test_a_group_that_can_not_meet_is_caught(change: Mapping[str, Any], words: str) -> None:
    ben = replace(BEN, **change)

    found = check_round([PAIR], [ANA, ben], RoundRules(), A_DAY, separate_by=("role",))

    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize(
    ("groups", "rules", "words"),
    [
        ([PAIR, PAIR], {}, "ana is in 2 groups"),
        ([Group(("ben", "ana"), 0.5)], {}, "not sorted"),
        ([Group(("ana", "zoe"), 0.5)], {}, "zoe have no profile"),
        ([Group(("ana",), 0.5)], {}, "expected 2 to 3"),
        ([PAIR], {"never": frozenset({frozenset({"ana", "ben"})})}, "never"),
        ([PAIR], {"apart": (frozenset({"ana", "ben"}),)}, "apart"),
        ([PAIR], {"recent": frozenset({frozenset({"ana", "ben"})})}, "met lately"),
        ([replace(PAIR, relaxed=("repeat",))], {}, "did not meet lately"),
        ([PAIR], {"group_size": 4}, "are 2 where 4 were asked for"),
        ([PAIR], {"together": (frozenset({"ana", "cem"}),)}, "ana, cem are not together"),
    ],
)
def test_a_broken_rule_is_caught(groups: list[Group], rules: Mapping[str, Any], words: str) -> None:
    found = check_round(groups, ALL, RoundRules(**rules), A_DAY)

    assert any(words in problem for problem in found)


def test_languages_are_compared_by_first_subtag() -> None:
    ana, ben = replace(ANA, languages=("de-AT",)), replace(BEN, languages=("de",))

    assert check_round([PAIR], [ana, ben], RoundRules(), A_DAY) == []
    problems = check_round([PAIR], [ana, replace(ben, languages=("en",))], RoundRules(), A_DAY)
    assert problems == ["ana and ben can't meet: no common language"]


def test_who_does_not_take_part_and_who_was_missed_is_told() -> None:
    found = check_round([], ALL, RoundRules(), A_DAY, participants=["ana", "ben", "gone"])

    assert found == ["ana and ben are left out and may meet"]
    assert check_round([PAIR], ALL, RoundRules(), A_DAY, participants=["ana"]) == ["ben does not take part"]


@settings(max_examples=30, deadline=None)
@given(profiles, profiles, st.sampled_from(DATES), st.sampled_from((1, 2, 7, 8, 14)))
def test_windows_hold_the_hours_that_plain_clocks_do(a: Profile, b: Profile, on: date, days: int) -> None:
    mine, theirs = window_openings([availability_of(a), availability_of(b)], on, days).T

    assert bool(np.any(mine & theirs)) == _common_hour([a, b], on, days)


def test_an_hour_may_run_into_the_next_week() -> None:
    late = Profile("late", "N", timezone="UTC", availability=(Slot(6, 1410, 1440), Slot(0, 0, 30)))

    found = [bool(window_openings([availability_of(late)], A_DAY, days).any()) for days in (7, 8)]

    assert found == [False, True]


def test_a_window_has_a_day() -> None:
    with pytest.raises(ValueError, match="at least 1 day, got 0"):
        window_openings([], A_DAY, 0)


def test_a_clock_that_changes_within_the_window_counts() -> None:
    """New York goes back on 1 November 2026, Kathmandu never."""
    a = Profile("a", "N", timezone="America/New_York", availability=(Slot(0, 600, 660),))
    b = Profile("b", "N", timezone="Asia/Kathmandu", availability=(Slot(0, 1245, 1305),))
    both = [availability_of(a), availability_of(b)]

    found = [
        np.bitwise_and.reduce(window_openings(both, date(2026, 10, 26), days), axis=1).any()
        for days in (7, 14)
    ]

    assert [bool(one) for one in found] == [False, True]


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"group_size": 9}, "size of 2 to 8, got 9"),
        ({"never": frozenset({frozenset("a")})}, r"pairs of two members, got \['a'\]"),
        ({"together": (frozenset("ab"), frozenset("bcd"))}, "at most 3 members together"),
        ({"together": (frozenset("ab"),), "apart": (frozenset("abc"),)}, "who may meet"),
        ({"together": (frozenset("ab"),), "never": frozenset({frozenset("ab")})}, "who may meet"),
    ],
)
def test_rules_that_can_not_be_kept_are_refused(rules: Mapping[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        RoundRules(**rules)
