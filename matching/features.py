"""Profiles as sparse rows: in come profiles, out comes per facet a block of weighted terms.

A term weighs as rare as it is, and leaves a part of its square on the columns of its concept and of wider
ones. One that misspells a known term weighs like that, and leaves most on its columns. The product of two
rows is what two members share, each term by its rarity; how much they wrote is looked at later (see
`ranking`). Beside the blocks each profile has a point in the model's latent space, once a model was fitted.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack

from .arrays import FloatArray, IntArray
from .columns import Columns, Row
from .estimator import BaseEstimator, Tags, TransformerMixin, check_is_fitted
from .latent import Bound, Points
from .model import TermModel
from .profile import FACETS, Profile
from .related import kin_table
from .terms import distinct


def weights_of_facets(facet_weights: Mapping[str, float] | None, model: TermModel) -> FloatArray:
    """Return the weight of each facet in the order of FACETS: those stated, else those learnt, else 1.

    Stated ones come out with a mean of 1: only how they compare counts.

    Raises
    ------
    ValueError
        If a facet is unknown, or a weight below 0 or not finite.
    """
    if facet_weights is None:
        learnt: FloatArray = model.fitted.facets if model.fitted else np.ones(len(FACETS))
        return learnt
    stated = dict(facet_weights)
    weights = np.array([stated.pop(facet, 1.0) for facet in FACETS], np.float64)
    if stated or not np.all(np.isfinite(weights) & (weights >= 0)):
        raise ValueError(f"expected a weight of at least 0 for each of {FACETS}, got {facet_weights}")
    largest = weights.max()
    # First by the largest, so that no sum overflows.
    scaled: FloatArray = weights / largest if largest else weights
    return scaled / (scaled.mean() or 1.0)


class ProfileVectorizer(TransformerMixin, BaseEstimator):
    """Turn profiles into rows whose scalar product says how much two members have in common.

    Parameters
    ----------
    facet_weights : mapping of str to float, optional
        The weight of each facet, 1 where one is left out; None for those of the model.

    Attributes
    ----------
    model_ : TermModel
        How common each term is, and what was fitted.
    columns_ : dict of str to Columns
        Per facet, which column stands for what.
    n_features_out_ : int
        All columns of all facets.

    Notes
    -----
    A term's weight is ``TermModel.weight``; terms of fewer than three members weigh like terms of three.

    Examples
    --------
    >>> ana = Profile("ana", "Ana", interests=("hiking", "chess"))
    >>> ben = Profile("ben", "Ben", interests=("Trekking", "Chess"))
    >>> rows = ProfileVectorizer().fit_transform([ana, ben])
    >>> bool(1 < (rows @ rows.T)[0, 1] < 2)  # chess in full, the other two by kinship
    True
    """

    def __init__(self, *, facet_weights: Mapping[str, float] | None = None) -> None:
        self.facet_weights = facet_weights

    def fit(self, profiles: Iterable[Profile], y: object = None, *, model: TermModel | None = None) -> Self:
        """Learn the columns, and the model where none is given.

        Parameters
        ----------
        profiles : iterable of Profile
        y : ignored
        model : TermModel, optional
            Counted from the profiles where it is None.
        """
        members = list(profiles)
        self.model_ = TermModel.of(0, members) if model is None else model
        weights_of_facets(self.facet_weights, self.model_)
        self.columns_ = {facet: Columns(facet, self.model_) for facet in FACETS}
        self.number(members)
        return self

    def number(self, profiles: Sequence[Profile]) -> dict[str, list[list[int]]]:
        """Give columns to the profiles' terms that have none; return each facet's rows of columns."""
        numbers = {}
        for facet, columns in self.columns_.items():
            rows = [distinct(profile.terms(facet)) for profile in profiles]
            columns.add(term for terms in rows for term in terms)
            numbers[facet] = columns.numbers(rows)
        return numbers

    def rows(
        self, terms: Mapping[str, Iterable[str]], stresses: Sequence[float] = (1, 1, 1)
    ) -> dict[str, Row]:
        """Return one member's row of each facet, multiplied with these, in the order of FACETS."""
        return {
            facet: columns.row(terms[facet], stress)
            for (facet, columns), stress in zip(self.columns_.items(), stresses, strict=True)
        }

    @property
    def dimensions(self) -> int:
        """Return how many dimensions the points have, 0 before a fit."""
        return self.model_.fitted.dimensions if self.model_.fitted else 0

    def points(self, profiles: Sequence[Profile]) -> Points:
        """Return the profiles' points in the latent space: shapes (n, dimensions) and (n,)."""
        if self.model_.fitted is None:
            return np.empty((len(profiles), 0), np.float32), np.zeros(len(profiles))
        meant = {facet: columns.meant for facet, columns in self.columns_.items()}
        rows = {
            facet: [[meant[facet](term) for term in distinct(profile.terms(facet))] for profile in profiles]
            for facet in FACETS
        }
        return self.model_.fitted.points(self.model_, rows, self._emphasis())

    def points_of(self, rows: Mapping[str, tuple[IntArray, NDArray[np.int32]]]) -> Points:
        """Return the points of members given, by facet, as how many terms each has and all their columns."""
        fitted = self.model_.fitted
        if fitted is None:
            members = len(rows[FACETS[0]][0])
            return np.empty((members, 0), np.float32), np.zeros(members)
        placed = {}
        for facet, (lengths, numbers) in rows.items():
            columns = self.columns_[facet]
            used, at = np.unique(numbers, return_inverse=True)
            known = fitted.rows_of(facet, (columns.meant(columns.term(one)) for one in used.tolist()))
            placed[facet] = lengths, known[at]
        return fitted.place(self.model_, placed, self._emphasis())

    def bound(self, length: float) -> Bound:
        """Return how kindred others can be at most to whose point is of this length."""
        fitted = self.model_.fitted
        return fitted.bound(length, self._emphasis()) if fitted else Bound()

    def _emphasis(self) -> FloatArray:
        # Learnt weights of facets are in the vectors already; stated ones are not.
        if self.facet_weights is None:
            return np.ones(len(FACETS))
        emphasis: FloatArray = np.sqrt(weights_of_facets(self.facet_weights, self.model_))
        return emphasis

    def transform(self, profiles: Iterable[Profile]) -> Any:
        """Return one row a profile.

        Returns
        -------
        csr_array of shape (n_profiles, n_features_out_)
        """
        check_is_fitted(self)
        stresses = np.sqrt(weights_of_facets(self.facet_weights, self.model_)).tolist()
        rows = [self.rows(distinct_terms(profile), stresses) for profile in profiles]
        parts = [_stacked([row[facet] for row in rows], len(of)) for facet, of in self.columns_.items()]
        return hstack(parts, format="csr")

    @property
    def n_features_out_(self) -> int:
        """Count the columns of all facets."""
        return sum(map(len, self.columns_.values()))

    def get_feature_names_out(self, input_features: object = None) -> NDArray[Any]:  # as scikit-learn has it
        """Name each column: facet and term, or facet and concept."""
        check_is_fitted(self)
        names = []
        for facet, columns in self.columns_.items():
            names += [f"{facet}: like {name}" for name in kin_table().names]
            names += [f"{facet}: {term}" for term in columns.terms]
        return np.array(names, dtype=object)

    def __sklearn_tags__(self) -> Tags:
        return takes_profiles(super().__sklearn_tags__())


def distinct_terms(profile: Profile) -> dict[str, dict[str, str]]:
    """Map each facet to a profile's terms in normal form, each with how it is written."""
    return {facet: distinct(profile.terms(facet)) for facet in FACETS}


def _stacked(rows: Sequence[Row], width: int) -> Any:
    ends = np.cumsum([0, *map(len, rows)])
    entries = sorted((number, *entry) for number, row in enumerate(rows) for entry in row.items())
    _, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
    return csr_array((np.array(values), np.array(columns, np.int64), ends), shape=(len(rows), width))


def takes_profiles(tags: Tags) -> Tags:
    """Tell scikit-learn that an estimator is fed with profiles, not with a matrix."""
    tags.input_tags.two_d_array = False
    tags.no_validation = True
    return tags
