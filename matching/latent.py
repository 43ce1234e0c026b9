"""What a fit adds to the counts: in come terms, out come points in one space where kindred members are near.

A member's point is the sum of the vectors of their terms, from the community's centre. Some dimensions draw
together who is alike in them, some push apart: that is what declines and connections taught.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from .arrays import FloatArray, IntArray
from .profile import FACETS

if TYPE_CHECKING:
    from .model import TermModel

# Directions are rounded to multiples of this. Their products are multiples of 2**-22 and all partial sums at
# most about 1 (Cauchy and Schwarz), which float32 holds exactly: the same sum in any order of adding.
DIRECTION_GRAIN = 2.0**-11
NORM_GRAIN = 2.0**-16

Points = tuple[NDArray[np.float32], FloatArray]


class Bound(NamedTuple):
    """Hold how kindred others are to one member at most: so much for each unit of their point's length.

    By Cauchy and Schwarz; no point is longer than the longest.
    """

    a_unit: float = 0.0
    longest: float = 0.0

    @property
    def most(self) -> float:
        """Return how kindred anybody is at most."""
        return self.a_unit * self.longest


def _alone() -> dict[str, IntArray]:
    return dict.fromkeys(FACETS, np.empty((0, 2), np.int64))


@dataclass(frozen=True, eq=False)
class Fitted:
    """Hold what was fitted; two are equal only if they are one.

    Parameters
    ----------
    facets : array of shape (3,)
        What each facet weighs, in the order of FACETS.
    near : float
        What nearness of 1 adds, in the unit of a shared term of everybody's.
    rotation : float
        How far the hash of a pair moves it in the order at most, in the unit of values.
    terms : mapping of str to sequence of str
        Per facet the terms that have a vector, sorted.
    vectors : mapping of str to array of shape (n_terms, n_dimensions)
    centre, signs : array of shape (n_dimensions,)
        The members' mean point; 1 where likeness draws together, -1 where it pushes apart.
    longest : float
        Points are cut to this length, where facets weigh as they were learnt: so it is known how much anybody
        can be kindred at most.
    company : mapping of str to array of shape (n_pairs, 2)
        Per facet the rows of terms that occur in the same company.
    """

    facets: FloatArray
    near: float
    rotation: float
    terms: Mapping[str, Sequence[str]]
    vectors: Mapping[str, NDArray[np.float32]]
    centre: FloatArray
    signs: NDArray[np.float32]
    longest: float = math.inf
    company: Mapping[str, IntArray] = field(default_factory=_alone)

    @property
    def dimensions(self) -> int:
        """Return how many dimensions a point has."""
        return len(self.signs)

    @classmethod
    def flat(cls, near: float, rotation: float) -> "Fitted":
        """Return what a community is given that is too small for a latent space."""
        terms, vectors = dict.fromkeys(FACETS, ()), dict.fromkeys(FACETS, np.zeros((0, 0), np.float32))
        nothing = np.zeros(0)
        return cls(np.ones(3), near, rotation, terms, vectors, nothing, nothing.astype(np.float32))

    @cached_property
    def _rows(self) -> dict[str, dict[str, int]]:
        return {facet: {term: row for row, term in enumerate(terms)} for facet, terms in self.terms.items()}

    def akin(self, facet: str, term: str) -> Mapping[str, float]:
        """Return the terms of the same company, each with what the two add to a value, by their weights."""
        return self._akin[facet].get(term, {})

    @cached_property
    def _akin(self) -> dict[str, dict[str, dict[str, float]]]:
        akin: dict[str, dict[str, dict[str, float]]] = {facet: {} for facet in FACETS}
        for facet, of in akin.items():
            names, vectors = self.terms[facet], self.vectors[facet].astype(np.float64)
            ones, others = self.company[facet].T
            added = (vectors[ones] * self.signs * vectors[others]).sum(axis=1)
            # What was learnt from answers may push apart whom company draws together.
            for one, other, more in zip(ones.tolist(), others.tolist(), added.tolist(), strict=True):
                if more > 0:
                    of.setdefault(names[one], {})[names[other]] = more
                    of.setdefault(names[other], {})[names[one]] = more
        return akin

    def points(
        self, model: "TermModel", rows: Mapping[str, Sequence[Sequence[str]]], emphasis: FloatArray
    ) -> Points:
        """Place members, given by facet as rows of terms in normal form.

        Parameters
        ----------
        model : TermModel
            Weighs the terms.
        rows : mapping of str to sequence of sequences of str
            A member's terms stand at one number in all facets.
        emphasis : array of shape (3,)
            What each facet's terms are multiplied with.

        Returns
        -------
        (array of shape (n, n_dimensions), array of shape (n,))
            Directions in float32, and lengths.
        """
        numbers = {
            facet: (np.array([len(row) for row in some], np.int64), self.rows_of(facet, chain(*some)))
            for facet, some in rows.items()
        }
        return self.place(model, numbers, emphasis)

    def rows_of(self, facet: str, terms: Iterable[str]) -> IntArray:
        """Return the rows of terms among the vectors of a facet, -1 where one has none."""
        known = self._rows[facet]
        return np.array([known.get(term, -1) for term in terms], np.int64)

    def place(
        self, model: "TermModel", rows: Mapping[str, tuple[IntArray, IntArray]], emphasis: FloatArray
    ) -> Points:
        """Place members as `points` does, given by facet as lengths and what `rows_of` gives, in one."""
        placed = -np.tile(self.centre, (len(rows[FACETS[0]][0]), 1))
        for facet, stress in zip(FACETS, emphasis.tolist(), strict=True):
            lengths, numbers = rows[facet]
            owners, width = np.repeat(np.arange(len(lengths)), lengths), max(len(self.terms[facet]), 1)
            # Sorted, so that sums come out alike to the last bit.
            owners, columns = np.divmod(np.unique((owners * width + numbers)[numbers >= 0]), width)
            used, at = np.unique(columns, return_inverse=True)
            weights = [stress * model.weight(facet, self.terms[facet][column]) for column in used.tolist()]
            ends = np.concatenate([[0], np.cumsum(np.bincount(owners, minlength=len(lengths)))])
            known = csr_array((np.array(weights)[at], columns, ends), shape=(len(lengths), width))
            vectors = self.vectors[facet].astype(np.float64)
            placed += known[:, : len(vectors)] @ vectors
        lengths = np.sqrt((placed**2).sum(axis=1))
        directions = np.divide(
            placed, lengths[:, None], out=np.zeros_like(placed), where=lengths[:, None] > 0
        )
        rounded = np.rint(directions / DIRECTION_GRAIN) * DIRECTION_GRAIN
        lengths = np.minimum(lengths, self.reach(emphasis))
        return rounded.astype(np.float32), np.rint(lengths / NORM_GRAIN) * NORM_GRAIN

    def reach(self, emphasis: FloatArray) -> float:
        """Return how long a point is at most, where the facets' terms are multiplied with these."""
        return self.longest * max(1.0, float(emphasis.max()))

    def bound(self, length: float, emphasis: FloatArray) -> "Bound":
        """Return how near others are at most to a point of this length."""
        if not length:
            return Bound()
        rounded = 1 + math.sqrt(self.dimensions) * DIRECTION_GRAIN / 2  # as long is a direction at most
        return Bound(length * rounded**2, self.reach(emphasis) + NORM_GRAIN)

    def as_dict(self) -> dict[str, Any]:
        """Return what of it JSON can hold."""
        return {
            "facets": self.facets.tolist(),
            "near": self.near,
            "rotation": self.rotation,
            "longest": self.longest if math.isfinite(self.longest) else None,
            "terms": {facet: list(terms) for facet, terms in self.terms.items()},
        }

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what of it is arrays, by name."""
        vectors = {f"vectors_{facet}": array for facet, array in self.vectors.items()}
        company = {f"company_{facet}": array for facet, array in self.company.items()}
        return {**vectors, **company, "centre": self.centre, "signs": self.signs}

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> "Fitted":
        """Read back what `as_dict` and `arrays` gave.

        Raises
        ------
        ValueError
            If the shapes don't fit together, or a number is not finite or no row.
        """
        vectors = {facet: np.asarray(arrays[f"vectors_{facet}"], np.float32) for facet in FACETS}
        terms = {facet: tuple(map(str, kept["terms"][facet])) for facet in FACETS}
        centre, signs = np.asarray(arrays["centre"], np.float64), np.asarray(arrays["signs"], np.float32)
        facets = np.asarray(kept["facets"], np.float64)
        near, rotation = float(kept["near"]), float(kept["rotation"])
        longest = kept.get("longest")  # none where it was fitted before it was kept
        limit = math.inf if longest is None else float(longest)
        if not limit >= 0:
            raise ValueError(f"expected no negative length of the longest point, got {limit}")
        shapes = {facet: (len(terms[facet]), signs.size) for facet in FACETS}
        expected = (signs.size,), (signs.size,), (len(FACETS),), shapes
        if (signs.shape, centre.shape, facets.shape, {f: v.shape for f, v in vectors.items()}) != expected:
            raise ValueError(f"expected vectors of shapes {shapes}, as many dimensions in the rest, 3 facets")
        numbers: list[NDArray[Any]] = [*vectors.values(), signs, centre, facets, np.array([near, rotation])]
        if not all(np.isfinite(array).all() for array in numbers):
            raise ValueError("expected finite numbers only in what was fitted")
        company = {facet: _pairs(arrays, facet, len(terms[facet])) for facet in FACETS}
        return cls(facets, near, rotation, terms, vectors, centre, signs, limit, company)


def _pairs(arrays: Mapping[str, NDArray[Any]], facet: str, rows: int) -> IntArray:
    """Return the pairs of a facet; none where it was fitted before there were any."""
    pairs = np.asarray(arrays.get(f"company_{facet}", np.empty((0, 2))), np.int64)
    if pairs.shape != (len(pairs), 2) or not np.isin(pairs, np.arange(rows)).all():
        raise ValueError(f"expected pairs of {rows} terms, got an array of shape {pairs.shape}")
    return pairs


def products(one: Points, others: Points, signs: NDArray[np.float32]) -> FloatArray:
    """Multiply one member's point, the first, with others': shape (n,)."""
    alike = others[0] @ (one[0][0] * signs)
    result: FloatArray = alike.astype(np.float64) * (others[1] * one[1][0])
    return result
