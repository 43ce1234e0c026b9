"""What is kindred is added to the best by all else, and to whom there are acquaintances in common with."""

from dataclasses import replace

import numpy as np
import pytest

from matching import Front, Matcher, Profile, TermModel, asking
from matching.facts import Question
from matching.matcher import A_MONDAY
from matching.ranking import length_norm
from tests.matching import strategies

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


def test_the_dense_part_comes_second(matcher: Matcher, monkeypatch: pytest.MonkeyPatch) -> None:
    asker = max(MEMBERS, key=lambda one: len(ids(matcher, one, 96)))
    everybody = ids(matcher, asker, 96)
    plain = Matcher().fit(MEMBERS, model=replace(matcher.model_, fitted=None))
    monkeypatch.setattr(asking, "DEEP", 12)

    deep = ids(matcher, asker, 96)

    assert len(deep) == 12 < len(everybody)
    assert deep != everybody[:12]
    fitted = matcher.model_.fitted
    assert fitted is not None
    nothing = {facet: np.zeros_like(vectors) for facet, vectors in fitted.vectors.items()}
    flat = replace(fitted, vectors=nothing, centre=np.zeros(6))
    without = Matcher().fit(MEMBERS, model=replace(plain.model_, fitted=flat))
    monkeypatch.setattr(asking, "DEEP", 4096)
    by_else = {item.id: item.score for item in without.suggest(asker, 96).items}
    assert min(by_else[one] for one in deep) >= sorted(by_else.values())[-13]


def test_acquaintances_are_looked_at_however_far_behind(
    matcher: Matcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker = max(MEMBERS, key=lambda one: len(ids(matcher, one, 96)))
    last = ids(matcher, asker, 96)[-1]
    monkeypatch.setattr(asking, "DEEP", 12)

    assert last not in ids(matcher, asker, 96)
    assert ids(matcher, asker, 96, acquainted={last: 2})[0] == last


def test_no_front_is_kept_where_others_are_left_out(
    matcher: Matcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker = max(MEMBERS, key=lambda one: len(ids(matcher, one, 96)))
    assert matcher.suggest(asker, 3, front=Front()).front is not None
    monkeypatch.setattr(asking, "DEEP", 12)

    assert matcher.suggest(asker, 3, front=Front()).front is None
