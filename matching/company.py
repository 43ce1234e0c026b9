"""Terms of the same company: in come terms as axes of a latent space, out come pairs that are clearly kin.

Two terms occur in the same company where those who state the one state the same others as those who state
the other, whether or not anybody states both. In the latent space they then lie in one direction, and add to
the value of two members of whom one states this and the other that.
"""

import numpy as np

from .arrays import FloatArray, IntArray

CLOSE = 0.9  # cosine of two terms; of fifty such pairs of groups on Meetup, two would puzzle a reader
FEWEST = 8  # members who use a term: fewer have their company by chance
EACH = 5  # of a term, the closest
_COMPARED = 20_000  # the commonest terms, each of them with all
_AT_ONCE = 1000


def pairs_in_company(axes: FloatArray, counts: IntArray) -> IntArray:
    """Return the pairs of terms that occur in the same company.

    Parameters
    ----------
    axes : array of shape (n_terms, n_dimensions)
        The terms of one facet, each dimension by what it weighs.
    counts : array of shape (n_terms,)
        How many members use each.

    Returns
    -------
    array of shape (n_pairs, 2)
        Rows of `axes`, the lower one first, sorted.
    """
    common = np.argsort(-counts, kind="stable")[:_COMPARED]
    common = np.sort(common[counts[common] >= FEWEST])
    some = axes[common].astype(np.float32)
    directions = some / np.maximum(np.linalg.norm(some, axis=1, keepdims=True), np.float32(1e-12))
    found = [np.empty((0, 2), np.int64)]
    for start in range(0, len(common), _AT_ONCE):
        alike = directions[start : start + _AT_ONCE] @ directions.T
        at = np.arange(len(alike))
        alike[at, start + at] = 0.0  # nobody's kin is themself
        closest = np.argsort(-alike, axis=1, kind="stable")[:, :EACH]
        one, place = np.nonzero(np.take_along_axis(alike, closest, 1) >= CLOSE)
        found.append(np.column_stack([start + one, closest[one, place]]))
    pairs: IntArray = np.unique(np.sort(common[np.concatenate(found)], axis=1), axis=0)
    return pairs
