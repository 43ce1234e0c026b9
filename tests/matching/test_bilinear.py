"""A form on the points answers as the members did."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from matching.arrays import FloatArray
from matching.bilinear import RIDGE, learn_form


def test_the_form_is_that_of_ridge_regression_on_the_modularity() -> None:
    chance = np.random.default_rng(0)
    points = chance.normal(size=(12, 3))
    answers = np.triu(chance.choice([-1.0, 0.0, 0.0, 1.0], (12, 12)), 1)
    answers += answers.T
    rows = np.arange(1, 11)

    form = learn_form(points, csr_array(answers), rows)

    some, asked = points[rows], answers[np.ix_(rows, rows)]
    degrees = np.abs(asked).sum(axis=1)
    modularity = asked - np.outer(degrees, degrees) / degrees.sum()
    ridge = RIDGE * (some**2).sum() / 3
    # Each side is a ridge regression by itself: their normal equations hold.
    left = some.T @ some + ridge * np.eye(3)
    assert left @ form @ left == pytest.approx(some.T @ modularity @ some)
    assert np.array_equal(form, form.T)


def test_opposites_that_attract_are_learnt() -> None:
    side = np.tile([1.0, -1.0], 20)
    points = np.stack([side, np.random.default_rng(1).normal(size=40)], axis=1)
    unlike = side[:, None] != side
    answers = np.where(unlike, 1.0, -1.0) + np.eye(40)

    form = learn_form(points, csr_array(answers), np.arange(40))

    assert form[0, 0] < 0
    assert abs(form[0, 0]) > 10 * np.abs(form[1]).max()


@pytest.mark.parametrize(
    ("points", "rows"),
    [(np.zeros((4, 3)), 4), (np.eye(4), 0), (np.eye(4), 4)],
    ids=["alike", "nobody", "mute"],
)
def test_nothing_to_learn_from_is_a_form_of_nothing(points: FloatArray, rows: int) -> None:
    form = learn_form(points, csr_array((4, 4)), np.arange(rows))

    assert form.shape == (points.shape[1],) * 2
    assert not form.any()
