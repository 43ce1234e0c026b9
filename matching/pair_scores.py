"""The scores of many pairs at once: in come members' rows, out come scores by block or by pair.

The same formula as one question's (see `ranking.value`), to within rounding. Rows are rounded to multiples of
GRAIN, so that their products add up exactly, in any order of terms, members or blocks.
"""

from typing import Any

import numpy as np
from scipy.sparse import csr_array, hstack

from .arrays import FloatArray, IntArray
from .columns import GRAIN
from .matcher import Matcher
from .profile import FACETS
from .ranking import HALF, NEAR, length_norm, score

_COMMON = 32  # a term of one in so many members is worth a dense column


class PairScores:
    """Score pairs out of some members of a matcher.

    Parameters
    ----------
    matcher : Matcher
        Fitted.
    rows : array of int
        The members' rows in the matcher's index; pairs are named by position in it.
    """

    def __init__(self, matcher: Matcher, rows: IntArray) -> None:
        index = matcher.index_
        model, weights = matcher.model_, np.sqrt(matcher.weights_)
        scaled = [index.matrix(facet, rows) * weight for facet, weight in zip(FACETS, weights, strict=True)]
        whole = csr_array(hstack([csr_array(part) for part in scaled], format="csr"))
        whole.data = np.rint(whole.data / GRAIN) * GRAIN
        whole.eliminate_zeros()
        uses = np.bincount(whole.indices, minlength=whole.shape[1])
        common = uses > max(len(rows) / _COMMON, 2)
        self._whole = whole
        self._norms = length_norm(index.stated()[rows].astype(np.float64), model.terms)
        self._half, fitted = HALF * model.likeness, model.fitted
        self._near = fitted.near if fitted else NEAR
        directions, lengths = index.points()
        self._points: FloatArray = directions[rows] * (lengths[rows] / self._norms)[:, None]
        self._signs = fitted.signs if fitted else np.ones(self._points.shape[1])
        self._dense: FloatArray = whole[:, np.flatnonzero(common)].toarray()
        self._rare = csr_array(whole[:, np.flatnonzero(~common & (uses > 1))])

    def block(self, a: IntArray, b: IntArray, near: FloatArray) -> FloatArray:
        """Score every one of `a` with every one of `b`.

        Parameters
        ----------
        a, b : array of int
        near : array of shape (len(a), len(b))
            Nearness, 0 for those who can't meet in person.
        """
        alike: Any = (self._rare[a] @ self._rare[b].T).toarray()
        alike += self._dense[a] @ self._dense[b].T
        kindred = (self._points[a] * self._signs) @ self._points[b].T
        norms = np.multiply.outer(self._norms[a], self._norms[b])
        return score(alike / norms + kindred + self._near * near, alike > 0, self._half)

    def pairs(self, a: IntArray, b: IntArray, near: FloatArray) -> FloatArray:
        """Score pairs one by one: three arrays of one length."""
        alike = np.asarray(self._whole[a].multiply(self._whole[b]).sum(axis=1)).reshape(-1)
        kindred = np.einsum("ij,ij->i", self._points[a] * self._signs, self._points[b])
        shared = alike / (self._norms[a] * self._norms[b])
        return score(shared + kindred + self._near * near, alike > 0, self._half)
