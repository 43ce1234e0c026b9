"""Whom a question finds where what is kindred counts, and where there are acquaintances in common."""

from dataclasses import replace

import numpy as np
import pytest

from matching import Front, Matcher, Profile, TermModel, search
from matching.facts import Question
from matching.matcher import A_MONDAY
from matching.ranking import length_norm
from matching.search import Order
from tests.matching import strategies
from tests.matching.test_search import best_of, matcher_of, town

# Uncompiled, the mixing of codes tells of what it does on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in scalar")

MEMBERS = [
    replace(profile, id=f"{profile.id}{seed}") for seed in range(8) for profile in strategies.crowd(seed)
]


@pytest.fixture
def matcher() -> Matcher:
    model = replace(TermModel.of(1, MEMBERS), fitted=strategies.fitted(5))
    return Matcher().fit(MEMBERS, model=model)


def ids(matcher: Matcher, asker: Profile, n: int, **asked: object) -> list[str]:
    return [item.id for item in matcher.suggest(asker, n, **asked).items]  # type: ignore[arg-type]


def test_terms_that_nobody_stated_count_in_the_length(matcher: Matcher) -> None:
    asker = Profile("late", "L", interests=("never heard", "nor that", "chess"))
    question = Question(A_MONDAY)

    searches = [matcher._asking().put(asker, question, facet)[1] for facet in (None, "interests", "goals")]

    lengths = length_norm(np.array([3.0, 3.0, 0.0]), matcher.model_.terms).tolist()
    assert [search.norm for search in searches] == lengths


@pytest.fixture(params=[False, True], ids=["numpy", "compiled"])
def compiled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "COMPILED", request.param)


def fitted_town(seed: int, longest: float) -> Matcher:
    """Return a town in which what is kindred counts much, and some are at prices."""
    members = town(300)
    prices = {f"m{number}": number % 7 / 5 - 0.6 for number in range(0, 300, 3)}
    return matcher_of(members, 40, prices, strategies.much_kindred(members, seed, longest))


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("placed", [True, False])
@pytest.mark.parametrize("longest", [0.7, 3.0, np.inf])
def test_whoever_is_best_with_what_is_kindred_is_found_however_far_behind_without(
    longest: float, placed: bool
) -> None:
    matcher, risen = fitted_town(1, longest), 0
    for number in range(0, 300, 20):
        asker = matcher.index_.get(f"m{number}")
        assert asker is not None
        asking, question, nobody = matcher._asking(), Question(A_MONDAY), np.empty(0, np.int64)
        one, order = asking.put(asker, question, None)[1], Order(5, 9, 0.4, matcher.index_.prices)
        if not placed:
            matcher.index_.place()  # from now on nobody's point is known
        found = asking.found(one, order, nobody)

        everybody = asking.found(one, order, nobody, np.arange(matcher.index_.rows))
        expected = best_of(everybody, one, order)
        assert best_of(found, one, order) == expected
        without = {row for some in best_of(one.everybody(), one, order) for row, _, _ in some}
        risen += not {row for some in expected for row, _, _ in some} <= without
    assert risen > 5


@pytest.mark.usefixtures("compiled")
def test_who_is_too_far_behind_to_be_the_best_is_passed_over() -> None:
    matcher = fitted_town(1, 0.2)
    order = Order(2, 0, 0.4, matcher.index_.prices)
    one = matcher._asking().put(matcher.index_.profile(0), Question(A_MONDAY), None)[1]

    found = matcher._asking().found(one, order, np.empty(0, np.int64))

    assert 2 <= len(found.rows) < len(one.everybody().rows) / 2


def test_acquaintances_are_looked_at_however_far_behind(matcher: Matcher) -> None:
    asker = max(MEMBERS, key=lambda one: len(ids(matcher, one, 96)))
    last = ids(matcher, asker, 96)[-1]

    assert last not in ids(matcher, asker, 12)
    assert ids(matcher, asker, 12, acquainted={last: 2})[0] == last


@pytest.mark.usefixtures("compiled")
def test_a_front_is_gone_on_from_where_what_is_kindred_counts() -> None:
    matcher = fitted_town(2, 3.0)
    asker = matcher.index_.get("m0")
    assert asker is not None
    front = matcher.suggest(asker, 5, front=Front()).front
    assert front is not None
    moved = replace(matcher.index_.profile(7), interests=asker.interests, id="m7")
    matcher.update(moved)

    mended = matcher.suggest(asker, 5, front=replace(front, changed={"m7"}))

    assert not mended.scanned
    assert mended.items == matcher.suggest(asker, 5).items
