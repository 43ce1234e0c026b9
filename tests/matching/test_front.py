"""Who stood in front and who has changed since answer like everybody, or everybody is looked at."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import Answer, Front, Matcher, Place, Profile, TermModel, index, search
from tests.matching import strategies

PARTS = 8  # of twelve members each
# Who asks may meet most of them.
OPEN: dict[str, Any] = {
    "interests": strategies.TERMS[:3],
    "place": Place.at(*strategies.POINTS[0]),
    "radius_km": 200.0,
    "modes": strategies.BOTH,
    "availability": (),
    "languages": (),
    "seeks": {},
}


def people(seed: int, parts: int = PARTS) -> list[Profile]:
    """Return members with ids of their own, of whom every second one meets online too."""
    return [
        replace(profile, id=f"{part}{profile.id}", modes=strategies.BOTH if part % 2 else profile.modes)
        for part in range(parts)
        for profile in strategies.crowd(seed + part)
    ]


def matcher_of(population: list[Profile], seed: int) -> Matcher:
    """Return a matcher whose prices and turns reach far, every other one with nothing fitted."""
    chance = random.Random(seed)
    model = TermModel.of(seed, population)
    fitted = replace(model, fitted=strategies.fitted(seed)) if seed % 2 else model
    prices = {profile.id: chance.choice((-0.5, 0.5, 2.0)) for profile in population if chance.random() < 0.4}
    return Matcher().fit(population, model=fitted, prices=prices)


@dataclass(frozen=True, slots=True)
class Step:
    """What a change left: an answer out of who stood in front, and the one of everybody."""

    kept: Answer
    whole: Answer


def walk(seed: int, n: int, steps: int, **asked: Any) -> Iterator[Step]:
    """Change members, come and go, and ask after each change, handing on who stood in front."""
    chance, population = random.Random(f"{seed} {n}"), people(seed)
    matcher, spare = matcher_of(population, seed), people(seed + 100)
    asker = replace(population[0], **OPEN)
    here = [profile.id for profile in population[1:]]
    asked |= {"acquainted": {here[3]: 1, here[9]: 2}, "invited_by": here[:20], "exclude": here[20:23]}
    front: Front = matcher.suggest(asker, n, front=Front(), **asked).front or Front()
    for step in range(steps):
        for gone in chance.sample(here, chance.randint(0, 1)):
            here.remove(gone)
            matcher.remove(gone)
        come = [replace(chance.choice(spare), id=f"new{step}")] if chance.random() < 0.3 else []
        here += [one.id for one in come]
        others = [replace(chance.choice(spare), id=one) for one in chance.sample(here, chance.randint(0, 3))]
        # Now and then most of those in front fall far behind, but stay.
        fallen = [one for one in front.ids if one in here and chance.random() < 0.7] if step % 4 == 3 else []
        changed = [*come, *others, *(Profile(one, "N", **OPEN | {"interests": ()}) for one in fallen)]
        matcher.update(*changed)
        known = replace(front, changed={one.id for one in changed})
        kept = matcher.suggest(asker, n, front=known, **asked)
        yield Step(kept, matcher.suggest(asker, n, **asked))
        front = kept.front or Front()


def agree(step: Step) -> None:
    """Hold an answer to the one of everybody."""
    assert step.kept.items == step.whole.items
    assert step.kept.shortfall == step.whole.shortfall
    assert step.whole.scanned
    assert step.whole.front is None


@pytest.mark.parametrize("n", [1, 3, 8, 30])
@pytest.mark.parametrize("seed", [1, 2])
def test_who_stood_in_front_and_who_changed_answer_like_everybody(seed: int, n: int) -> None:
    found = list(walk(seed, n, 30))

    for step in found:
        agree(step)
    kept = [not step.kept.scanned for step in found]
    assert 12 <= sum(kept) < 30 + (n == 1), kept
    # The first of all may stay where they are.
    assert len({tuple(item.id for item in step.whole.items) for step in found}) > (n > 1)


@pytest.mark.filterwarnings("ignore:overflow encountered")  # as compiled, words wrap around
@pytest.mark.parametrize("n", [1, 12])
def test_so_they_do_with_compiled_code(monkeypatch: pytest.MonkeyPatch, n: int) -> None:
    monkeypatch.setattr(search, "COMPILED", True)
    monkeypatch.setattr(index, "TAIL", 16)
    found = list(walk(3, n, 24))

    for step in found:
        agree(step)
    assert sum(not step.kept.scanned for step in found) > 8


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.integers(1, 40),
    st.sampled_from((None, "interests")),
    st.sampled_from((None, "in_person", "online")),
    st.sampled_from((None, 3.0, 60.0)),
)
def test_so_they_do_whatever_is_asked(
    seed: int, n: int, facet: str | None, mode: str | None, radius_km: float | None
) -> None:
    for step in walk(seed, n, 6, facet=facet, mode=mode, radius_km=radius_km):
        agree(step)


def alike(count: int) -> list[Profile]:
    """Return members who differ in nothing but their ids."""
    return [Profile(f"m{number}", "N", interests=("chess",)) for number in range(count)]


def test_everybody_is_looked_at_when_too_few_are_left_in_front() -> None:
    members = alike(40)
    matcher = Matcher().fit(members)
    first = matcher.suggest(members[0], 4, front=Front())
    assert first.front is not None
    assert len(first.front.ids) < 15

    for gone in first.front.ids[:-3]:
        matcher.remove(gone)
    second = matcher.suggest(members[0], 4, front=first.front)

    assert second.scanned
    assert second.items == matcher.suggest(members[0], 4).items
    assert second.front is not None
    assert set(second.front.ids) > set(first.front.ids[-3:])


def test_everybody_is_looked_at_when_only_the_first_ten_are_left() -> None:
    members = alike(60)
    matcher = Matcher().fit(members)
    first = matcher.suggest(members[0], 12, front=Front())
    assert first.front is not None
    fallen = set(first.front.ids) - {item.id for item in first.items[:10]}

    matcher.update(*(Profile(one, "N", interests=("opera",)) for one in fallen))
    second = matcher.suggest(members[0], 12, front=replace(first.front, changed=fallen))

    assert second.scanned
    assert second.items == matcher.suggest(members[0], 12).items


def test_where_all_stand_in_front_there_is_nobody_behind() -> None:
    members = alike(9)
    matcher = Matcher().fit(members)
    first = matcher.suggest(members[0], 4, front=Front())
    assert first.front == Front(tuple(member.id for member in members[1:]))

    for member in members[1:5]:
        matcher.remove(member.id)
    second = matcher.suggest(members[0], 4, front=first.front)

    assert not second.scanned
    assert second.items == matcher.suggest(members[0], 4).items


def test_a_short_list_keeps_nobody_and_is_explained_by_everybody() -> None:
    members = alike(6)
    matcher = Matcher().fit(members)
    first = matcher.suggest(members[0], 5, front=Front())
    matcher.update(replace(members[1], languages=("fi",)), replace(members[0], languages=("de",)))

    second = matcher.suggest(replace(members[0], languages=("de",)), 5, front=first.front)

    assert second.scanned
    assert second.front is None
    assert second.shortfall is not None
    assert second.shortfall.reasons == ("no_shared_language",)


def test_who_comes_in_front_is_kept_and_those_behind_are_let_go() -> None:
    members = alike(60)
    matcher = Matcher().fit(members)
    asker = replace(members[0], interests=("chess", "opera", "hiking"))
    front = matcher.suggest(asker, 2, front=Front()).front
    for number in range(1, 30):
        better = Profile(f"new{number}", "N", interests=("chess", "opera", "hiking"))
        matcher.update(better)
        answer = matcher.suggest(asker, 2, front=replace(front or Front(), changed={better.id}))
        assert not answer.scanned
        assert answer.items == matcher.suggest(asker, 2).items
        front = answer.front

    assert front is not None
    assert len(front.ids) <= 8
    assert all(one.startswith("new") for one in front.ids)
