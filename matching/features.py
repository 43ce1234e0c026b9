"""Profiles as sparse rows: in come profiles, out comes per facet a block of weighted terms.

A term weighs as rare as it is, and leaves a part of its square on the columns of its concept and of wider
ones. One that misspells a known term weighs like that, and leaves most on its columns. The product of two
rows is what two members share, each term by its rarity; how much they wrote is looked at later (see
`ranking`). Beside the blocks each profile has a point in the model's latent space, once a model was fitted.
"""

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, hstack
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from .arrays import FloatArray, IntArray, Table
from .latent import Points
from .model import TermModel
from .profile import FACETS, Profile
from .related import concept, kin_table
from .spelling import SPELT
from .terms import distinct

# Values are rounded to multiples of this. The sum of the products of two rows is then exact in float64, hence
# the same in any order of terms, members or columns and in every process; ties are true ties. (A value is at
# most 8, and no row has more than some hundred: the sums have 46 bits.)
GRAIN = 2.0**-16


@dataclass(frozen=True, slots=True)
class Block:
    """Hold the rows of one facet: terms and entries per row, then column and value of every entry.

    The entries of a row begin with those of its own terms that have columns, in the order of the terms.
    """

    terms: IntArray
    lengths: IntArray
    columns: IntArray
    values: FloatArray


class Columns:
    """Number the columns of one facet: first those of kin, then the terms as they come."""

    def __init__(self, facet: str, model: TermModel) -> None:
        self.groups = len(kin_table().names)
        self.facet, self.model = facet, model
        self._empty()

    def _empty(self) -> None:
        self.terms: list[str] = []
        self._ids: dict[str, int] = {}
        self._misspelt: dict[str, str] = {}
        self._worth = Table({"weight": np.float64, "concept": np.int64, "meant": np.int64})

    def __len__(self) -> int:
        return self.groups + len(self.terms)

    def add(self, terms: Iterable[str]) -> None:
        """Give a column to each term that has none, and to what it misspells."""
        fresh = [term for term in dict.fromkeys(terms) if term not in self._ids]
        misspelt = {term: meant for term in fresh if (meant := self.meant(term)) != term}
        fresh = [term for term in dict.fromkeys([*fresh, *misspelt.values()]) if term not in self._ids]
        self._misspelt |= misspelt
        self._ids.update(zip(fresh, range(len(self), len(self) + len(fresh)), strict=True))
        self.terms += fresh
        self._worth.extend(self._describe(fresh, self._ids))

    def column(self, term: str) -> int:
        """Return the column of a term that has one."""
        return self._ids[term]

    def meant(self, term: str) -> str:
        """Return the known term that this one misspells, else itself."""
        if term in self._ids:
            return self._misspelt.get(term, term)
        return self.model.spelling.nearest(term) or term

    def block(self, rows: Sequence[Sequence[str]]) -> Block:
        """Weigh rows of terms in normal form; one without a column counts in the length, but has no entry."""
        unseen: dict[str, int] = {}

        def number(term: str) -> int:
            return self._ids[term] if term in self._ids else unseen.setdefault(term, len(self) + len(unseen))

        # One order for one set of terms: sums come out alike to the last bit.
        columns = np.array([number(term) for terms in rows for term in sorted(terms)], np.int64)
        for term in list(unseen):
            number(self.meant(term))
        more = self._describe(unseen, ChainMap(self._ids, unseen))
        owner = np.repeat(np.arange(len(rows)), np.array([len(terms) for terms in rows], np.int64))
        worth = {name: np.concatenate([self._worth[name], more[name]]) for name in more}
        return _mix(len(rows), owner, columns, self._at(columns, worth), len(self))

    def reweigh(self, model: TermModel, owner: IntArray, columns: IntArray, rows: int) -> Block:
        """Take another model, and weigh anew the rows whose own terms are given."""
        self.model, terms = model, self.terms
        self._empty()
        self.add(terms)  # in the same columns
        return _mix(rows, owner, columns, self._at(columns, self._worth), len(self))

    def keep(self, used: IntArray) -> IntArray:
        """Forget all terms but those in these columns; return each old column's new number."""
        at = used[used >= self.groups] - self.groups
        renumbered = np.full(len(self), -1, np.int64)
        renumbered[: self.groups] = np.arange(self.groups)
        renumbered[self.groups + at] = self.groups + np.arange(len(at))
        self.terms = [self.terms[number] for number in at]
        self._ids = {term: self.groups + number for number, term in enumerate(self.terms)}
        self._misspelt = {term: meant for term, meant in self._misspelt.items() if term in self._ids}
        self._worth.keep(at)
        meant = self._worth["meant"]
        self._worth.replace("meant", np.where(meant < 0, meant, renumbered[meant]))
        return renumbered

    def _at(self, columns: IntArray, worth: Mapping[str, Any] | Table) -> "Worth":
        at = columns - self.groups
        return Worth(worth["weight"][at], worth["concept"][at], worth["meant"][at])

    def _describe(self, terms: Iterable[str], ids: Mapping[str, int]) -> dict[str, NDArray[Any]]:
        """Return of each term the weight, the concept, and the column of what it misspells (or -1)."""
        meant = {term: self.meant(term) for term in terms}
        return {
            "weight": np.array([self.model.weight(self.facet, r) for r in meant.values()], np.float64),
            "concept": np.array([concept(right) for right in meant.values()], np.int64),
            "meant": np.array([-1 if right == at else ids[right] for at, right in meant.items()], np.int64),
        }


@dataclass(frozen=True, slots=True)
class Worth:
    """Hold of each term its weight, its concept, and the column of what it misspells; -1 for none."""

    weight: FloatArray
    concept: IntArray
    meant: IntArray


def _mix(rows: int, owner: IntArray, columns: IntArray, worth: Worth, width: int) -> Block:
    """Share weights with kin and round; entries beyond the width fall away."""
    table, slipped = kin_table(), worth.meant >= 0
    right = np.where(slipped, SPELT, 1.0) * worth.weight  # what goes to the term that was meant and its kin
    plain = right * table.own[worth.concept]
    own = np.where(slipped, np.sqrt(1 - SPELT**2) * worth.weight, plain)
    kin = table.entries(worth.concept)
    owners = np.concatenate([owner, owner[kin.owner], owner[slipped]])
    ids = np.concatenate([columns, kin.column, worth.meant[slipped]])
    parts = np.concatenate([own, right[kin.owner] * kin.value, plain[slipped]])
    span = max(width, int(ids.max(initial=0)) + 1)
    cells, first, place = np.unique(owners * span + ids, return_index=True, return_inverse=True)
    values = np.bincount(place, weights=parts, minlength=len(cells))
    order = np.lexsort((first, cells // span))  # not by column: those are numbered as members come
    owners, ids, values = cells[order] // span, cells[order] % span, values[order]
    seen = ids < width
    terms, entries = (np.bincount(of, minlength=rows) for of in (owner, owners[seen]))
    return Block(terms, entries, ids[seen], np.rint(values[seen] / GRAIN) * GRAIN)


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
        self.blocks(members, learn=True)
        return self

    def blocks(self, profiles: Sequence[Profile], *, learn: bool = False) -> dict[str, Block]:
        """Return each facet's rows by themselves, before facets are weighted.

        With `learn`, terms that have no column are given one first; the model stays.
        """
        blocks = {}
        for facet, columns in self.columns_.items():
            rows = [tuple(distinct(profile.terms(facet))) for profile in profiles]
            if learn:
                columns.add(term for terms in rows for term in terms)
            blocks[facet] = columns.block(rows)
        return blocks

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
        # Learnt weights of facets are in the vectors already; stated ones are not.
        stated = self.facet_weights is not None
        emphasis = np.sqrt(weights_of_facets(self.facet_weights, self.model_)) if stated else np.ones(3)
        return self.model_.fitted.points(self.model_, rows, emphasis)

    def transform(self, profiles: Iterable[Profile]) -> Any:
        """Return one row a profile.

        Returns
        -------
        csr_array of shape (n_profiles, n_features_out_)
        """
        check_is_fitted(self)
        members = list(profiles)
        weights = np.sqrt(weights_of_facets(self.facet_weights, self.model_))
        parts = []
        for weight, (facet, block) in zip(weights, self.blocks(members).items(), strict=True):
            ends = np.concatenate([[0], np.cumsum(block.lengths)])
            shape = (len(members), len(self.columns_[facet]))
            parts.append(csr_array((block.values * weight, block.columns, ends), shape=shape))
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


def takes_profiles(tags: Tags) -> Tags:
    """Tell scikit-learn that an estimator is fed with profiles, not with a matrix."""
    tags.input_tags.two_d_array = False
    tags.no_validation = True
    return tags
