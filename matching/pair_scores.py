"""The scores of many pairs at once: in come members' rows, out come scores by block or by pair.

The same formula as one question's (see `ranking.score`). Rows are rounded to multiples of GRAIN, so that
their products add up exactly, in any order of terms, members or blocks.
"""

from typing import Any

import numpy as np
from scipy.sparse import csr_array, hstack

from .arrays import FloatArray, IntArray
from .features import GRAIN, facet_shares, facet_weights_or_ones
from .matcher import Matcher
from .profile import FACETS
from .ranking import score

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
        shares = facet_shares(index.stated(rows), facet_weights_or_ones(matcher.facet_weights))
        scaled = [index.matrix(facet)[rows] * shares[:, [at]] for at, facet in enumerate(FACETS)]
        whole = csr_array(hstack([csr_array(part) for part in scaled], format="csr"))
        whole.data = np.rint(whole.data / GRAIN) * GRAIN
        whole.eliminate_zeros()
        uses = np.bincount(whole.indices, minlength=whole.shape[1])
        common = uses > max(len(rows) / _COMMON, 2)
        self._whole = whole
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
        return score(np.clip(alike, 0, 1), near)

    def pairs(self, a: IntArray, b: IntArray, near: FloatArray) -> FloatArray:
        """Score pairs one by one: three arrays of one length."""
        alike = np.asarray(self._whole[a].multiply(self._whole[b]).sum(axis=1)).reshape(-1)
        return score(np.clip(alike, 0, 1), near)
