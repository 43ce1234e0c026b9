"""Introductions tell of a pair what a suggestion would, and how the two know each other."""

import dataclasses
from collections.abc import Mapping
from datetime import date
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import FACETS, Acquaintance, Introduction, Matcher, Place, Profile, Slot, normalise
from matching.catalogue import AGAIN, ENGLISH, FIRST
from matching.reasons import band, how_known
from tests.matching import reference, strategies

MAY, MARCH = date(2025, 5, 17), date(2026, 3, 1)
HERE = Place.at(52.52, 13.405)
ANA = Profile("ana", "Ana", interests=("Hiking", "chess"), activities=("jogging",), place=HERE)
BEN = Profile("ben", "Ben", interests=("HIKING",), activities=("Running",), place=HERE)
STRANGER = dict.fromkeys(["ben"])


def introduce(
    one: Profile, other: Profile, acquaintance: Acquaintance | None = None, **kwargs: Any
) -> Introduction:
    """Introduce the second to the first."""
    return Matcher().fit([one, other]).introduce(one, {other.id: acquaintance}, **kwargs)[other.id]


acquaintances = st.none() | st.builds(
    Acquaintance, st.sampled_from((MAY, MARCH)), st.none() | st.just(MARCH), st.integers(0, 4)
)


@settings(max_examples=80, deadline=None)
@given(
    strategies.crowds,
    strategies.profiles | st.sampled_from(strategies.IDS),
    st.dictionaries(st.sampled_from((*strategies.IDS, "nobody")), acquaintances),
    st.sampled_from(strategies.DATES),
    strategies.separations,
)
def test_introductions_are_the_judges(
    population: list[Profile],
    who: Profile | str,
    peers: dict[str, Acquaintance | None],
    on: date,
    separate_by: tuple[str, ...],
) -> None:
    members = {profile.id: profile for profile in population}
    asker = members[who] if isinstance(who, str) else who

    given_out = Matcher(separate_by=separate_by).fit(population).introduce(asker, peers, on=on)

    expected = reference.introduced(members, asker, peers, on, separate_by)
    assert list(given_out) == list(expected)
    for profile_id, introduction in given_out.items():
        agree(introduction, expected[profile_id], peers[profile_id], asker)


def agree(
    introduction: Introduction, peer: reference.Peer, acquaintance: Acquaintance | None, asker: Profile
) -> None:
    """Compare an introduction with what the judge says of the two."""
    assert {facet: set(map(normalise, introduction.shared[facet])) for facet in FACETS} == peer.shared
    assert all(set(introduction.shared[facet]) <= set(asker.terms(facet)) for facet in FACETS)
    said = list(introduction.reasons)
    if acquaintance is not None:
        assert said.pop(0) == how_known(acquaintance)
    first, last = band(peer.km) if peer.modes else (0, 0)
    near = [f"You are {f'{first} to' if first else 'less than'} {last} km apart"] if peer.modes else []
    free = dict.fromkeys(f"You are both free on {ENGLISH.days[slot.day]} {part(slot)}" for slot in peer.slots)
    told = [*near, *islice(free, 2)]
    assert said[len(said) - len(told) :] == told
    shared = [
        ENGLISH.shared[facet].format(term=term) for facet in FACETS for term in introduction.shared[facet]
    ]
    of_terms = said[: len(said) - len(told)]
    assert len([reason for reason in of_terms if reason in shared]) == min(len(shared), 3)
    assert len([reason for reason in of_terms if reason not in shared]) <= 1


def part(slot: Slot) -> str:
    return ENGLISH.parts[(slot.start >= 12 * 60) + (slot.start >= 17 * 60)]


@settings(max_examples=20, deadline=None)
@given(strategies.crowds, st.sampled_from(strategies.DATES))
def test_a_stranger_is_introduced_as_suggested(population: list[Profile], on: date) -> None:
    matcher = Matcher().fit(population)

    for asker in population:
        items = matcher.suggest(asker, 20, on=on).items
        introduced = matcher.introduce(asker, dict.fromkeys(item.id for item in items), on=on)
        assert list(introduced) == [item.id for item in items]
        for item in items:
            told = Introduction(item.shared, item.reasons, item.openers)
            assert introduced[item.id] == told


@pytest.mark.parametrize(
    "hidden",
    [
        {"suggestible": False},
        {"full": True},
        {"paused": True},
        {"modes": frozenset()},
        {"languages": ("fr",)},
        {"seeks": {"role": ("mentor",)}},
    ],
)
def test_who_may_not_be_suggested_is_introduced_all_the_same(hidden: dict[str, Any]) -> None:
    ana = dataclasses.replace(ANA, languages=("de",))
    ben = dataclasses.replace(BEN, **hidden)
    matcher = Matcher().fit([ana, ben])

    assert matcher.suggest(ana).items == ()
    assert matcher.introduce(ana, STRANGER)["ben"].shared["interests"] == ("Hiking",)


def test_a_paused_member_is_told_of_others() -> None:
    assert introduce(dataclasses.replace(ANA, paused=True), BEN).shared["interests"] == ("Hiking",)


def test_unknown_ids_oneself_and_who_is_set_apart_are_left_out() -> None:
    child = dataclasses.replace(BEN, id="child", attributes={"age_band": "under 18"})
    matcher = Matcher(separate_by=("age_band",)).fit([ANA, BEN, child])
    asked = dict.fromkeys(["nobody", "child", "ana", "ben"])

    assert list(matcher.introduce(ANA, asked)) == ["ben"]
    assert list(matcher.introduce(child, asked)) == []
    matcher.remove("ben")
    assert list(matcher.introduce(ANA, asked)) == []


def test_the_order_is_the_askers() -> None:
    peers = [dataclasses.replace(BEN, id=profile_id) for profile_id in "cab"]

    assert list(Matcher().fit(peers).introduce(ANA, dict.fromkeys("bac"))) == ["b", "a", "c"]


def test_all_that_is_known_is_said_in_order() -> None:
    met = Acquaintance(MAY, MARCH, 3)

    introduction = introduce(ANA, BEN, met)

    assert introduction.shared == {"interests": ("Hiking",), "activities": (), "goals": ()}
    assert introduction.reasons == (
        "You met 3 times, last in March 2026",
        "You both like Hiking",
        "Your jogging and their Running go together",
        "You are less than 2 km apart",
    )
    assert "Hiking" in introduction.openers[0]
    assert "Running" in introduction.openers[1]


def test_no_distance_is_said_where_one_could_not_come() -> None:
    homebody = dataclasses.replace(BEN, place=Place.at(52.4, 13.1), radius_km=1.0)

    assert not any("km" in reason for reason in introduce(ANA, homebody).reasons)


def test_common_slots_are_those_of_the_week_asked_about() -> None:
    night = dataclasses.replace(BEN, timezone="Europe/Berlin", availability=(Slot(6, 120, 180),))

    told = [
        "You are both free on Sunday morning" in introduce(ANA, night, on=on).reasons
        for on in (
            date(2026, 3, 23),  # that hour of its Sunday is skipped
            date(2026, 3, 30),
        )
    ]

    assert told == [False, True]


@pytest.mark.parametrize(
    ("acquaintance", "said"),
    [
        (Acquaintance(MAY, MARCH, 3), "You met 3 times, last in March 2026"),
        (Acquaintance(MAY, MARCH, 2), "You met 2 times, last in March 2026"),
        (Acquaintance(MAY, MAY, 1), "You last met in May 2025"),
        (Acquaintance(MAY, MARCH, 0), "You last met in March 2026"),
        (Acquaintance(MAY, None, 0), "You have been connected since May 2025"),
    ],
)
def test_how_two_know_each_other_is_said_first(acquaintance: Acquaintance, said: str) -> None:
    assert how_known(acquaintance) == said
    assert introduce(ANA, BEN, acquaintance).reasons[0] == said


def test_every_month_has_its_name() -> None:
    said = [how_known(Acquaintance(date(2025, month, 1), None, 0)).split()[-2] for month in range(1, 13)]

    assert said == [date(2025, month, 1).strftime("%B") for month in range(1, 13)]


def patterns(said: Mapping[str, tuple[str, ...]], terms: tuple[str, str, str]) -> set[str]:
    return {
        pattern.format(term=term)
        for term, facet in zip(terms, FACETS, strict=True)
        for pattern in said[facet]
    }


def test_who_knows_each_other_is_given_openers_of_their_own() -> None:
    one = Profile("one", "O", interests=("xyzzy",), activities=("plugh",), goals=("qwert",))
    other = dataclasses.replace(one, id="other")
    words = ("xyzzy", "plugh", "qwert")

    again = introduce(one, other, Acquaintance(MAY, None, 0)).openers
    first = introduce(one, other).openers

    assert len(again) == len(first) == 3
    assert set(again) <= patterns(AGAIN.shared, words)
    assert set(first) <= patterns(FIRST.shared, words)


def test_nothing_in_common_is_no_obstacle() -> None:
    one, other = Profile("one", "O"), Profile("other", "O")

    (opener,) = introduce(one, other, Acquaintance(MAY, None, 0)).openers

    assert opener in AGAIN.general
    assert introduce(one, other).openers[0] in FIRST.general


def test_no_pattern_is_for_both() -> None:
    first, again = (
        {*said.related, *said.general, *(one for facet in FACETS for one in said.shared[facet])}
        for said in (FIRST, AGAIN)
    )

    assert first.isdisjoint(again)
