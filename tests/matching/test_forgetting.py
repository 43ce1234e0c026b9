"""What was taken out or replaced leaves no byte behind in a compacted matcher, nor in the package."""

import dataclasses
import importlib
import pickle
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import matching
from matching import Matcher, Place, Profile, Slot, TermModel, forget, normalise
from matching.matcher import A_MONDAY
from matching.ranking import member_code
from matching.round import Group, RoundRules
from matching.round_check import check_round
from matching.segment import reach
from matching.venues import area_of
from tests.matching import strategies
from tests.matching.strategies import apply, changes

HERE = Place.at(-43.9535, -176.5597)
CANARY = Profile(
    "canary-id",
    "Canary Name",
    interests=("Canary Interests", "hiking"),
    activities=("Canary Activities",),
    goals=("Canary Goals", "hiking"),
    place=HERE,
    timezone="Pacific/Chatham",
    availability=(Slot(1, 1080, 1260),),
    languages=("canarian",),
    attributes={"canary key": "canary value", "team": "x"},
    seeks={"canary sought": ("canary accepted",), "team": ("x",)},
)
PLAIN = Profile("canary-id", "Another", interests=("hiking",))
OTHERS = [
    Profile(f"m{number}", "M", interests=("hiking",), attributes={"team": "x"}, place=Place.at(52.52, 13.4))
    for number in range(20)
]


def held(matcher: Matcher) -> bytes:
    """Return all that hangs on a matcher, as bytes without capitals."""
    return pickle.dumps(matcher).lower()


def left_by_canary(matcher: Matcher, *, but: tuple[bytes, ...] = ()) -> list[bytes]:
    """Return what of the canary is still in a matcher."""
    first_coordinate = np.float64(np.cos(np.radians(HERE.lat)) * np.cos(np.radians(HERE.lon)))
    traces = [
        b"canar",
        b"pacific/chatham",
        HERE.cell.encode(),
        np.uint64(member_code("canary-id")).tobytes().lower(),
        first_coordinate.tobytes()[2:].lower(),  # the last bits may differ
    ]
    found = held(matcher)
    for known in but:
        found = found.replace(known, b"")
    return [trace for trace in traces if trace in found]


def removed(matcher: Matcher) -> None:
    matcher.update(CANARY)
    matcher.remove("canary-id")


def removed_having_asked(matcher: Matcher) -> None:
    matcher.update(CANARY)
    for other in OTHERS[:2]:
        matcher.suggest(other, 30)
        matcher.suggest(CANARY, 30)
        matcher.introduce(other, {"canary-id": None})
    matcher.remove("canary-id")


def removed_having_been_completed(matcher: Matcher) -> None:
    matcher.update(CANARY)
    matcher.complete("canary", None, 10)
    matcher.complete("canary", "interests", 10)
    matcher.remove("canary-id")


def separated_and_removed(matcher: Matcher) -> None:
    matcher.update(CANARY)
    matcher.use(matcher.model_, separate_by=("team", "role"))
    matcher.suggest(CANARY)
    matcher.remove("canary-id")
    matcher.use(matcher.model_, separate_by=("team",))


def reweighed_and_removed(matcher: Matcher) -> None:
    matcher.update(CANARY)
    matcher.use(TermModel.of(1, [CANARY, *OTHERS]))
    matcher.remove("canary-id")
    matcher.use(TermModel.of(2, OTHERS))


def removed_among_others(matcher: Matcher) -> None:
    matcher.update(OTHERS[0], CANARY, Profile("z", "Z", interests=("opera",)))
    matcher.remove("canary-id")


def asked_from_outside(matcher: Matcher) -> None:
    matcher.suggest(CANARY)
    matcher.introduce(CANARY, {"m1": None})


@pytest.mark.parametrize(
    "history",
    [
        removed,
        removed_having_asked,
        removed_having_been_completed,
        separated_and_removed,
        reweighed_and_removed,
        removed_among_others,
        asked_from_outside,
    ],
)
def test_nothing_is_left_of_who_was_taken_out(history: Callable[[Matcher], None]) -> None:
    matcher = Matcher().fit(OTHERS)
    history(matcher)
    assert b"canar" in held(matcher)  # so there is something to forget

    matcher.compact()

    assert left_by_canary(matcher) == []
    assert [item.id for item in matcher.suggest(OTHERS[0], 1).items] != []


def test_what_separates_an_asker_is_not_kept() -> None:
    matcher = Matcher(separate_by=("canary key",)).fit(OTHERS)

    assert matcher.suggest(CANARY).items == ()

    assert matcher.index_.members.apart.values == [(None,)]


def test_a_canary_in_the_matcher_is_found_whole() -> None:
    matcher = Matcher().fit([*OTHERS, CANARY])
    matcher.suggest(OTHERS[0])

    assert len(left_by_canary(matcher)) == 5


def test_who_was_fitted_is_forgotten_like_who_came_later() -> None:
    matcher = Matcher(separate_by=("team",)).fit([CANARY, *OTHERS])

    matcher.remove("canary-id")
    matcher.compact()

    assert left_by_canary(matcher) == []


@pytest.mark.parametrize("count_terms", [False, True])
def test_nothing_is_left_of_what_was_replaced(count_terms: bool) -> None:
    matcher = Matcher().fit([CANARY, *OTHERS])
    if count_terms:
        matcher.complete("canary", None, 10)
    matcher.suggest(CANARY)

    matcher.update(PLAIN)
    assert b"canary interest" in held(matcher)
    matcher.compact()

    found = held(matcher)
    assert b"canary-id" in found
    assert not any(
        word in found for word in (b"canary ", b"canarian", b"pacific/chatham", HERE.cell.encode())
    )


def test_a_compacted_matcher_is_as_small_as_a_new_one() -> None:
    fresh, used = (Matcher().fit(OTHERS) for _ in range(2))
    for number in range(8):
        used.update(dataclasses.replace(CANARY, id=f"canary {number}", interests=(f"canary {number}",)))
        used.remove(f"canary {number}")

    for matcher in (fresh, used):
        matcher.compact()

    assert len(held(used)) == len(held(fresh))


def test_an_empty_matcher_can_be_compacted() -> None:
    matcher = Matcher().fit([CANARY])
    matcher.remove("canary-id")

    matcher.compact()

    assert left_by_canary(matcher) == []
    assert matcher.suggest(CANARY).items == ()
    matcher.update(OTHERS[1])
    assert [item.id for item in matcher.suggest(OTHERS[0]).items] == ["m1"]


@settings(max_examples=15, deadline=None)
@given(strategies.crowds, strategies.models(), changes, strategies.questions)
def test_no_answer_changes(population: list[Profile], model: TermModel, changed: Any, asked: Any) -> None:
    matcher = Matcher().fit(population, model=model)
    for change in changed:
        apply(matcher, change)

    def answers() -> list[object]:
        return [
            answer
            for asker in population[:4]
            for answer in (
                matcher.suggest(asker, asked.n, on=asked.on, mode=asked.mode, invited_by=asked.invited_by),
                matcher.introduce(asker, dict.fromkeys(strategies.IDS), on=asked.on),
                matcher.complete("", None, 20),
            )
        ]

    before = answers()
    matcher.compact()
    assert answers() == before
    matcher.compact()
    assert answers() == before


def remembering() -> dict[str, Any]:
    """Return every cache at module level."""
    modules = [
        importlib.import_module(f"matching.{module.name}")
        for module in pkgutil.iter_modules(matching.__path__)
    ]
    return {
        name if name.startswith("_") else value.__name__: value
        for module in modules
        for name, value in vars(module).items()
        if hasattr(value, "cache_info")
    }


# Zones with dates, hours of venues, the table of kindred terms, and what stands for models.
NOBODYS_OWN = {
    "local_quarters",
    "_compiled",
    "_norms",
    "_salt",
    "_midnights",
    "kin_table",
    "_spelling_of_tables",
    "_left",
    "_opening",
    "_local_times",
}


def test_the_package_forgets_every_term_and_cell() -> None:
    matcher = Matcher().fit([CANARY, *OTHERS])
    matcher.complete("canary", None, 10)
    assert HERE.accuracy_km > 0
    assert area_of([CANARY]) is not None
    pair = [CANARY, dataclasses.replace(CANARY, id="another-id")]
    assert check_round([Group(("another-id", "canary-id"), 0.0, ())], pair, RoundRules(), A_MONDAY)
    of_members = {name: cache for name, cache in remembering().items() if name not in NOBODYS_OWN}
    reach(HERE, 10.0, online=False)
    own = {"normalise", "fold", "centre_of", "accuracy_of", "_point", "_area", "_free", "_cut", "reach"}
    assert set(of_members) == own
    assert all(cache.cache_info().currsize for cache in of_members.values())

    forget()

    assert {name: cache.cache_info().currsize for name, cache in of_members.items()} == dict.fromkeys(
        of_members, 0
    )
    assert set(remembering()) >= NOBODYS_OWN


def test_forgetting_changes_no_answer() -> None:
    before = normalise("Canary Terms"), Place.at(52.52, 13.4)

    forget()

    assert (normalise("Canary Terms"), Place.at(52.52, 13.4)) == before
