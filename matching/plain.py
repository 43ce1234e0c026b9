"""What a first program would do, to compare with: in come profiles, out comes the cosine of their terms."""

from collections.abc import Iterable, Sequence

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.preprocessing import normalize

from .arrays import FloatArray
from .profile import FACETS, Profile


class PlainCosine:
    """Compare members by the cosine of their terms, all facets joined.

    Parameters
    ----------
    profiles : sequence of Profile
    rarity : bool
        Whether rare terms weigh more (TF-IDF, as scikit-learn has it) or all alike.

    Examples
    --------
    >>> ana, ben, cem = (Profile(i, i, interests=t) for i, t in (("a", ("x", "y")), ("b", ("X",)), ("c", ())))
    >>> [f"{value:.3f}" for value in PlainCosine([ana, ben, cem], rarity=False).values(0)]
    ['1.000', '0.707', '0.000']
    """

    def __init__(self, profiles: Sequence[Profile], *, rarity: bool) -> None:
        counted = CountVectorizer(analyzer=_terms, binary=True, dtype=np.float64).fit_transform(profiles)
        self._rows = normalize(TfidfTransformer().fit_transform(counted) if rarity else counted)

    def values(self, row: int) -> FloatArray:
        """Return the likeness of everybody to one member: shape (n_members,)."""
        likeness: FloatArray = (self._rows @ self._rows[row].T).toarray().ravel()
        return likeness


def _terms(profile: Profile) -> Iterable[tuple[str, str]]:
    return [(facet, term.casefold()) for facet in FACETS for term in profile.terms(facet)]
