"""How well an order finds who people really chose: in come values and truth, out come figures a query."""

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray

_DISCOUNTS = 1 / np.log2(np.arange(2, 12))


def ndcg_at_10(values: FloatArray, relevant: BoolArray) -> FloatArray:
    """Return each row's normalised discounted cumulative gain at ten (Järvelin and Kekäläinen 2002).

    Parameters
    ----------
    values : array of shape (n_queries, n_members)
        -inf for who is no candidate.
    relevant : array of bool, of the same shape
        At least one in each row.
    """
    best = min(10, values.shape[1])
    top = np.argpartition(-values, best - 1, axis=1)[:, :best]
    order = np.argsort(-np.take_along_axis(values, top, 1), axis=1, kind="stable")
    top = np.take_along_axis(top, order, 1)
    hits = np.take_along_axis(relevant, top, 1) & np.isfinite(np.take_along_axis(values, top, 1))
    return gains(hits, relevant.sum(axis=1))


def gains(hits: BoolArray, relevant: IntArray) -> FloatArray:
    """Return the same of lists, best first.

    Parameters
    ----------
    hits : array of bool, of shape (n_queries, ten at most)
        Whether the one at each place is relevant.
    relevant : array of int, of shape (n_queries,)
        How many there were to find, one at least.
    """
    ideal = np.cumsum(_DISCOUNTS)[np.minimum(relevant, 10) - 1]
    gained: FloatArray = (hits * _DISCOUNTS[: hits.shape[1]]).sum(axis=1) / ideal
    return gained
