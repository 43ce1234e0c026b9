"""Whatever a matcher has been through, it answers like the judge."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import FACETS, Answer, Matcher, Profile, TermModel, index, normalise
from matching.reasons import band
from tests.matching import reference, strategies
from tests.matching.reference import Asked, Expected

NEAR = 1e-6
tails = st.sampled_from((0, 3, 2048))  # how many rows may be unsorted


def ask(matcher: Matcher, profile: Profile, asked: Asked) -> Answer:
    return matcher.suggest(
        profile,
        asked.n,
        on=asked.on,
        radius_km=asked.radius_km,
        mode=asked.mode,
        facet=asked.facet,
        exclude=asked.exclude,
        invited_by=asked.invited_by,
        acquainted=asked.acquainted,
    )


def in_order(listed: list[float], left: list[float]) -> None:
    """Check that a part of a list falls, and that nobody who was left is above its last."""
    assert all(first >= second - NEAR for first, second in pairwise(listed))
    assert not left or not listed or min(listed) >= max(left) - NEAR


def agree(answer: Answer, expected: Expected, asked: Asked) -> None:
    """Compare an answer with the judge's: the same people in the same order but for ties, the same words."""
    assert len(answer.items) == min(asked.n, len(expected.peers))
    ids = [item.id for item in answer.items]
    assert len(set(ids)) == len(ids)
    for item in answer.items:
        peer = expected.peers[item.id]
        assert abs(item.score - peer.score) <= 0.5e-4 + NEAR
        assert item.modes == peer.modes
        assert item.slots == peer.slots
        assert item.distance == (band(peer.km) if "in_person" in peer.modes else None)
        assert {facet: set(map(normalise, item.shared[facet])) for facet in FACETS} == peer.shared
    for begin, end, order in ((0, 4, "rank"), (4, 10, "moved"), (10, None, "rank")):
        part, left = ids[begin:end], expected.peers.keys() - ids[:end]
        in_order(*([getattr(expected.peers[one], order) for one in some] for some in (part, left)))
    if expected.missing:
        assert answer.shortfall is not None
        shortfall = answer.shortfall
        assert (shortfall.missing, shortfall.reasons, shortfall.relax) == (
            expected.missing,
            expected.reasons,
            expected.relax,
        )
    else:
        assert answer.shortfall is None


# Six have every mix of weights, prices and a fitted model; the drill has more communities.
@pytest.mark.parametrize(
    "seed", [*range(6), *(pytest.param(n, marks=pytest.mark.drill) for n in range(6, 12))]
)
@pytest.mark.unmeasured  # all of it is reached elsewhere
def test_a_learnt_matcher_answers_like_the_judge(seed: int) -> None:
    population = strategies.crowd(seed)
    weights = {"interests": 0.25, "goals": 3.0} if seed % 3 == 0 else None
    prices = {"a": 2.0, "c": 0.5, "f": -8.0} if seed % 2 else None
    model = TermModel.of(seed, population * 2)
    if seed % 4:
        model = replace(model, fitted=strategies.fitted(seed))

    with patch.object(index, "TAIL", 0 if seed % 2 else index.TAIL):
        matcher = Matcher(facet_weights=weights).fit(population, model=model, prices=prices)
    assert len(matcher.index_.segments) == seed % 2

    members = {profile.id: profile for profile in population}
    for number, asker in enumerate(population):
        facet = "interests" if number == 0 else None
        asked = Asked(n=(1, 3, 20)[number % 3], facet=facet, acquainted={"b": 1, "d": 2, "e": 3, "nobody": 2})
        expected = reference.answer(members, asker, asked, model, weights, (), prices or {})
        agree(ask(matcher, asker, asked), expected, asked)


@settings(max_examples=25, deadline=None)
@given(
    strategies.crowds,
    strategies.profiles | st.sampled_from(strategies.IDS),
    strategies.questions,
    strategies.facet_weights,
    strategies.separations,
    tails,
)
def test_a_fitted_matcher_answers_like_the_judge(
    population: list[Profile],
    who: Profile | str,
    asked: Asked,
    weights: Mapping[str, float] | None,
    separate_by: tuple[str, ...],
    tail: int,
) -> None:
    with patch.object(index, "TAIL", tail):
        matcher = Matcher(facet_weights=weights, separate_by=separate_by).fit(population)

    members = {profile.id: profile for profile in population}
    asker = members[who] if isinstance(who, str) else who
    model = TermModel.of(0, members.values())
    expected = reference.answer(members, asker, asked, model, weights, separate_by)
    agree(ask(matcher, asker, asked), expected, asked)


@settings(max_examples=25, deadline=None)
@given(
    strategies.crowds,
    strategies.models(),
    strategies.changes,
    strategies.profiles,
    strategies.questions,
    tails,
)
def test_a_changed_matcher_answers_like_the_judge(
    population: list[Profile],
    model: TermModel,
    changed: list[tuple[str, Any]],
    asker: Profile,
    asked: Asked,
    tail: int,
) -> None:
    members = {profile.id: profile for profile in population}
    used_last: list[Any] = [model, None, ()]
    prices: dict[str, float] = {}
    with patch.object(index, "TAIL", tail), patch.object(index, "SLACK", tail):
        matcher = Matcher().fit(population, model=model)
        for verb, what in changed:
            strategies.apply(matcher, (verb, what))
            if verb == "update":
                members[what.id] = what
            elif verb == "remove":
                members.pop(what, None)
                prices.pop(what, None)
            elif verb == "use":
                *used_last, charged = what
                prices = {one: price for one, price in (charged or {}).items() if one in members}

    assert len(matcher) == len(members)
    assert all((profile_id in matcher) == (profile_id in members) for profile_id in strategies.IDS)
    used, weights, separate_by = used_last
    expected = reference.answer(members, asker, asked, used, weights, separate_by, prices)
    agree(ask(matcher, asker, asked), expected, asked)
