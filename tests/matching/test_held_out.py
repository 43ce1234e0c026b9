"""The measure is scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from matching.held_out import ndcg_at_10


@pytest.mark.parametrize("width", [2, 7, 10, 11, 60])
def test_gains_are_those_of_scikit_learn(width: int) -> None:
    chance = np.random.default_rng(width)
    values = chance.normal(size=(20, width))
    relevant = chance.random((20, width)) < 0.3
    relevant[:, 0] |= ~relevant.any(axis=1)

    gains = ndcg_at_10(values, relevant)

    expected = [ndcg_score([truth], [row], k=10) for truth, row in zip(relevant, values, strict=True)]
    assert gains == pytest.approx(expected)


def test_who_is_no_candidate_gains_nothing() -> None:
    values = np.array([[-np.inf, 1.0, -np.inf], [3.0, 1.0, 2.0]])

    assert ndcg_at_10(values, np.array([[True, False, True], [True, False, False]])).tolist() == [0, 1]
