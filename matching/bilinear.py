"""What connections teach of the latent space: in come who connected or declined, out comes a symmetric form.

The ridge regression of the matrix of answers on the members' points, Z B Z' ~ A, has a closed form. What is
to be expected from how many connections each has is taken out first (the modularity matrix of Newman 2006):
it learns who goes with whom, not who is popular.
"""

from typing import Any

import numpy as np

from .arrays import FloatArray, IntArray

RIDGE = 0.5  # of the mean variance of a dimension


def learn_form(points: FloatArray, answers: Any, rows: IntArray) -> FloatArray:
    """Learn a form from the answers between some members.

    Parameters
    ----------
    points : array of shape (n_members, n_dimensions)
    answers : sparse array of shape (n_members, n_members)
        Symmetric; above 0 for connections, below for declines.
    rows : array of int
        The members from whom to learn: an answer that is missing between two of them speaks against the two.

    Returns
    -------
    array of shape (n_dimensions, n_dimensions)
        Symmetric.
    """
    some, asked = points[rows], answers[rows][:, rows]
    dimensions = points.shape[1]
    energy = some.T @ some
    ridge = RIDGE * np.trace(energy) / dimensions
    if not ridge:  # nobody answered, or nobody who differs
        return np.zeros((dimensions, dimensions))
    shrink = np.linalg.inv(energy + ridge * np.eye(dimensions))
    degrees = np.asarray(abs(asked).sum(axis=1)).ravel()
    weighted = some.T @ degrees
    seen = some.T @ (asked @ some) - np.outer(weighted, weighted) / max(degrees.sum(), 1.0)
    form = shrink @ seen @ shrink
    symmetric: FloatArray = (form + form.T) / 2
    return symmetric
