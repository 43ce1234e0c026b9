"""Reasons state facts in order of weight; openers ask about what is shared, alike from either side."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import FACETS, Slot
from matching.catalogue import AGAIN, ENGLISH, FIRST, Openers
from matching.reasons import BANDS_KM, Common, Related, Shared, band, openers, reasons

NOTHING = Common((), ())
WORDS = ("xyzzy", "plugh", "qwert")  # in no pattern
facets = st.sampled_from(FACETS)
shared = st.lists(
    st.builds(Shared, facets, st.text(max_size=3), st.text(max_size=3), st.just(1.0)), max_size=5
)
related = st.lists(st.builds(Related, st.text(max_size=3), st.text(max_size=3), st.just(1.0)), max_size=5)
commons = st.builds(lambda one, other: Common(tuple(one), tuple(other)), shared, related)


def test_reasons_run_from_terms_to_distance_to_time() -> None:
    common = Common(
        (
            Shared("interests", "hiking", "Hiking", 3.0),
            Shared("activities", "trail running", "trail running", 2.0),
            Shared("goals", "learn spanish", "learn Spanish", 1.0),
            Shared("interests", "chess", "chess", 0.5),
        ),
        (Related("jogging", "Running", 1.0), Related("cafes", "Coffee", 0.5)),
    )

    assert reasons(common, (5, 10), [Slot(1, 1080, 1200), Slot(5, 540, 660)]) == (
        "You both like Hiking",
        "You both do trail running",
        'You share the goal "learn Spanish"',
        "Your jogging and their Running go together",
        "You are 5 to 10 km apart",
        "You are both free on Tuesday evening",
        "You are both free on Saturday morning",
    )


def test_nothing_known_is_nothing_said() -> None:
    assert reasons(NOTHING, None, []) == ()


@pytest.mark.parametrize(
    ("start", "part"),
    [(0, "morning"), (705, "morning"), (720, "afternoon"), (1005, "afternoon"), (1020, "evening")],
)
def test_a_day_has_three_parts(start: int, part: str) -> None:
    assert reasons(NOTHING, None, [Slot(6, start, 1440)]) == (f"You are both free on Sunday {part}",)


def test_two_slots_in_one_part_of_a_day_are_said_once() -> None:
    slots = [Slot(0, 480, 540), Slot(0, 600, 660), Slot(1, 480, 540), Slot(2, 480, 540)]

    assert reasons(NOTHING, None, slots) == (
        "You are both free on Monday morning",
        "You are both free on Tuesday morning",
    )


@given(st.floats(0, 200))
def test_every_distance_lies_in_its_band(km: float) -> None:
    low, high = band(km)

    assert low <= km <= high
    assert (low, high) in BANDS_KM


@pytest.mark.parametrize("said", [ENGLISH.first, ENGLISH.again])
def test_there_are_three_patterns_or_more_for_everything(said: Openers) -> None:
    for patterns in (*said.shared.values(), said.related, said.general):
        assert len(set(patterns)) == len(patterns) >= 3
    assert set(said.shared) == set(ENGLISH.shared) == set(FACETS)
    assert all("{term}" in pattern for patterns in said.shared.values() for pattern in patterns)
    assert all("{mine}" in pattern and "{theirs}" in pattern for pattern in said.related)


def test_nobody_is_reproached_with_a_silence() -> None:
    again = [*AGAIN.related, *AGAIN.general, *(one for patterns in AGAIN.shared.values() for one in patterns)]

    assert [
        one
        for one in again
        if re.search(r"\b(why|never|forg[eo]t|sorry|ages|disappeared|silent)\b", one, re.IGNORECASE)
    ] == []
    assert max(map(len, again)) < 100


@given(commons, st.binary(min_size=8, max_size=8))
def test_one_to_three_openers_each_of_its_own_pattern(common: Common, pair: bytes) -> None:
    asked = openers(common, pair, FIRST)

    assert 1 <= len(asked) <= 3
    assert asked == openers(common, pair, FIRST)
    assert len(asked) == min(max(len(common.shared) + len(common.related), 1), 3)


@given(facets, st.binary(min_size=8, max_size=8))
def test_openers_are_about_the_shared_terms(facet: str, pair: bytes) -> None:
    common = Common(tuple(Shared(facet, term, term, 1.0) for term in (*WORDS, "fourth")), ())

    asked = openers(common, pair, FIRST)

    assert [term in opener for term, opener in zip(WORDS, asked, strict=True)] == [True] * 3
    patterns = [opener.replace(term, "{term}") for opener, term in zip(asked, WORDS, strict=True)]
    assert len(set(patterns)) == 3
    assert set(patterns) <= set(FIRST.shared[facet])


def test_related_terms_fill_up_and_both_are_named() -> None:
    common = Common((Shared("interests", "chess", "chess", 1.0),), (Related("jogging", "running", 1.0),))

    asked = openers(common, b"12345678", FIRST)

    assert "chess" in asked[0]
    assert "jogging" in asked[1]
    assert "running" in asked[1]


def test_pairs_are_asked_different_things() -> None:
    common = Common((Shared("interests", "chess", "chess", 1.0),), ())

    assert len({openers(common, bytes([number] * 8), FIRST) for number in range(50)}) == len(
        FIRST.shared["interests"]
    )


def test_a_term_may_hold_braces() -> None:
    common = Common((Shared("interests", "{x}", "{x}", 1.0),), ())

    assert reasons(common, None, []) == ("You both like {x}",)
    assert "{x}" in openers(common, b"12345678", FIRST)[0]
