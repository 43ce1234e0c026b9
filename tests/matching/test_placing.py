"""A new model places nobody at once: each point is worked out when it is asked for, and is the same then."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from matching import FACETS, Matcher, Profile, TermModel
from matching.latent import Points

from .test_latent import fitted

TERMS = tuple(f"t{number:02}" for number in range(40))


def member(number: int) -> Profile:
    chosen = np.random.default_rng(number).choice(TERMS, 4, replace=False).tolist()
    return Profile(f"m{number:03}", "M", interests=tuple(chosen[:3]), goals=(chosen[3],))


MEMBERS = [member(number) for number in range(120)]
COUNTED = TermModel.of(1, MEMBERS)
LEARNT = replace(COUNTED, number=2, fitted=fitted(16))
OTHERWISE = replace(LEARNT, number=3, fitted=replace(fitted(16), centre=np.ones(16)))


def changed_in_every_way(matcher: Matcher, model: TermModel) -> None:
    """Give a matcher another model between changes, and sort its rows anew before anybody is asked about."""
    matcher.use(model)
    matcher.update(replace(MEMBERS[3], interests=("t01", "unheard of")), member(500))
    matcher.remove("m007")
    matcher.compact()


@pytest.mark.parametrize("model", [LEARNT, OTHERWISE], ids=["learnt first", "learnt again"])
def test_points_are_those_of_who_is_placed_at_once(model: TermModel) -> None:
    late = Matcher().fit(MEMBERS, model=COUNTED if model is LEARNT else LEARNT)
    changed_in_every_way(late, model)
    at_once = Matcher().fit([late.index_.profile(row) for row in range(late.index_.rows)], model=model)

    directions, lengths = late.index_.points()
    expected = at_once.index_.points()
    assert directions.tobytes() == expected[0].tobytes()
    assert lengths.tobytes() == expected[1].tobytes()


def test_few_are_placed_when_few_are_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    matcher = Matcher().fit(MEMBERS, model=LEARNT)
    index, placed = matcher.index_, list[int]()
    points_of = index.vectorizer.points_of
    matcher.use(OTHERWISE)
    expected = Matcher().fit(MEMBERS, model=OTHERWISE).index_

    def counted(rows: Any) -> Points:
        placed.append(len(rows[FACETS[0]][0]))
        return points_of(rows)

    monkeypatch.setattr(index.vectorizer, "points_of", counted)
    asked, rows = index.point_of(MEMBERS[5]), np.array([9, 5, 30])
    first, again = index.kindred(asked, rows), index.kindred(asked, rows)

    assert first.tolist() == again.tolist() == expected.kindred(asked, rows).tolist()
    assert placed == [1, 2]  # who asks, and two of the others
    index.points()
    assert placed == [1, 2, len(MEMBERS) - 3]
