"""A community as matrices to learn from: in come profiles, out come terms, lengths, places, and a space.

Only terms of three members or more stand in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array, diags_array, hstack

from .arrays import BoolArray, FloatArray, IntArray, Numbers
from .columns import Columns
from .estimator import randomized_svd
from .index import PeerIndex
from .latent import Fitted
from .model import FEWEST_MEMBERS, TermModel
from .profile import FACETS, Profile, unit_vector
from .ranking import kilometres, length_norm, member_code, nearness
from .terms import distinct

FEWEST_TERMS = 32  # below that, or with fewer than FEWEST_MEMBERS, a latent space shows chance
DIMENSIONS, DIMENSIONS_OF_MANY, MANY_MEMBERS = 256, 64, 200_000
ALIKE_DIMENSIONS = 64  # those of the space in which being alike counts before anything was learnt
_AT_MOST = 50_000  # members from whom the space is found
_NOWHERE = (np.nan, np.nan, np.nan)


@dataclass(frozen=True)
class Corpus:
    """Hold a community's members by row.

    Attributes
    ----------
    terms : dict of str to tuple of str
        Per facet the counted terms, sorted: what the columns stand for.
    weighted : dict of str to sparse array of shape (n_members, n_terms)
    stated : dict of str to int
        Per facet how many terms all members state together, counted or not.
    lengths, norms : array of shape (n_members,)
        Euclidean lengths of all of a member's weighted terms, and what their number divides by.
    codes : array of uint64
    centres, radius_km, in_person, online : arrays
        Where a member is on the unit sphere, and how they meet.
    """

    model: TermModel
    terms: dict[str, tuple[str, ...]]
    weighted: dict[str, Any]
    stated: dict[str, int]
    lengths: FloatArray
    norms: FloatArray
    codes: IntArray
    centres: FloatArray
    radius_km: FloatArray
    in_person: BoolArray
    online: BoolArray

    def __len__(self) -> int:
        return len(self.norms)

    @classmethod
    def of(cls, model: TermModel, profiles: Sequence[Profile]) -> "Corpus":
        """Read a community, weighed by a model."""
        terms = {facet: tuple(sorted(model.counts[facet])) for facet in FACETS}
        stated = {facet: [distinct(profile.terms(facet)) for profile in profiles] for facet in FACETS}
        weighted = {facet: _weighted(model, facet, terms[facet], stated[facet]) for facet in FACETS}
        counts = np.array([[len(row) for row in stated[facet]] for facet in FACETS], np.float64).sum(axis=0)
        places = [_NOWHERE if profile.place is None else unit_vector(profile.place) for profile in profiles]
        modes = [profile.effective_modes for profile in profiles]
        return cls(
            model=model,
            terms=terms,
            weighted=weighted,
            stated={facet: sum(map(len, stated[facet])) for facet in FACETS},
            **_lengths(model, weighted, counts),
            codes=np.array([member_code(profile.id) >> 1 for profile in profiles], np.int64),
            centres=np.array(places, np.float64).reshape(-1, 3),
            radius_km=np.array([profile.radius_km for profile in profiles]),
            in_person=np.array(["in_person" in some for some in modes], np.bool_),
            online=np.array(["online" in some for some in modes], np.bool_),
        )

    @classmethod
    def of_index(cls, model: TermModel, index: PeerIndex) -> "Corpus":
        """Read the members of an index, in the order of their codes: it doesn't matter who came when."""
        rows, table = index.roster.taken, index.members.table
        rows = rows[np.argsort(index.roster.codes[rows], kind="stable")]
        terms = {facet: tuple(sorted(model.counts[facet])) for facet in FACETS}
        stated = {facet: index.terms[facet].of(rows) for facet in FACETS}
        weighted = {
            facet: _of_numbers(model, index.vectorizer.columns_[facet], terms[facet], *stated[facet])
            for facet in FACETS
        }
        return cls(
            model=model,
            terms=terms,
            weighted=weighted,
            stated={facet: len(numbers) for facet, (_, numbers) in stated.items()},
            **_lengths(model, weighted, index.stated()[rows].astype(np.float64)),
            codes=(index.roster.codes[rows] >> np.uint64(1)).astype(np.int64),
            centres=index.members.place.points[table["place"][rows]].reshape(-1, 3),
            radius_km=table["radius_km"][rows],
            in_person=table["in_person"][rows],
            online=table["online"][rows],
        )

    def rows_of(self, ids: Iterable[str]) -> IntArray:
        """Return the rows of some members, -1 for who isn't among them."""
        codes = np.array([member_code(one) >> 1 for one in ids], np.int64)
        if not len(self):
            return np.full(len(codes), -1)
        order = np.argsort(self.codes, kind="stable")
        at = order[np.minimum(np.searchsorted(self.codes, codes, sorter=order), len(order) - 1)]
        return np.where(self.codes[at] == codes, at, -1)

    def specificity(self) -> dict[str, float]:
        """Return what each facet weighs before anything was learnt.

        The fourth root of how many terms it has in effect (the perplexity of what is stated), so that a place
        or a group says more than a broad kind of them; 1 on average over all weighted terms, and where nobody
        states any.
        """
        squares = np.array([self.weighted[facet].power(2).sum() for facet in FACETS])
        weights = (
            np.array([_perplexity(self.weighted[facet], self.stated[facet]) for facet in FACETS]) ** 0.25
        )
        mean = squares @ weights / (squares.sum() or 1.0) or 1.0
        even = weights / mean
        return {facet: float(even[at]) if self.stated[facet] else 1.0 for at, facet in enumerate(FACETS)}

    def near(self, row: int, others: IntArray) -> tuple[FloatArray, BoolArray]:
        """Return the nearness of others to a member, and whether the two could meet at all."""
        x, y, z = self.centres[others].T
        km = kilometres(x, y, z, (self.centres[row, 0], self.centres[row, 1], self.centres[row, 2]))
        both = self.in_person[others] & self.in_person[row]
        reach = both & (km <= np.minimum(self.radius_km[others], self.radius_km[row]))
        could_meet = (reach | (self.online[others] & self.online[row])) & (others != row)
        return np.where(both, nearness(km), 0.0), could_meet

    def placed(self, fitted: Fitted, rows: IntArray) -> FloatArray:
        """Return some members' points in the space of another model, divided by their norms."""
        total = np.zeros((len(rows), fitted.dimensions)) - fitted.centre
        for facet in FACETS:
            vectors = np.zeros((len(self.terms[facet]), fitted.dimensions))
            row_of = {term: row for row, term in enumerate(fitted.terms[facet])}
            known = [(at, row_of[term]) for at, term in enumerate(self.terms[facet]) if term in row_of]
            ours, theirs = np.array(known, np.int64).reshape(-1, 2).T
            vectors[ours] = fitted.vectors[facet][theirs]
            total += self.weighted[facet][rows] @ vectors
        return total / self.norms[rows][:, None]


def count(number: int, index: PeerIndex, fitted: Fitted | None = None) -> TermModel:
    """Count a model from the members of an index."""
    rows, seen = index.roster.taken, {}
    for facet, columns in index.vectorizer.columns_.items():
        _, numbers = index.terms[facet].of(rows)
        counts = np.bincount(numbers, minlength=len(columns))[columns.groups :]
        seen[facet] = dict(zip(columns.terms, counts.tolist(), strict=True))
    return TermModel.of_counts(number, len(rows), seen, fitted)


def _lengths(model: TermModel, weighted: Mapping[str, Any], counts: FloatArray) -> dict[str, FloatArray]:
    """Return members' lengths and norms; `counts` are of all terms that they state."""
    squares = sum(matrix.power(2).sum(axis=1) for matrix in weighted.values())
    unknown = counts - sum(np.diff(matrix.indptr) for matrix in weighted.values())
    lengths = np.sqrt(squares + unknown * model.weight("", "") ** 2)
    return {"lengths": lengths, "norms": length_norm(counts, model.terms)}


def _of_numbers(
    model: TermModel, columns: Columns, terms: Sequence[str], lengths: IntArray, numbers: Numbers
) -> Any:
    """Weigh rows of an index's columns; only counted terms stand in the matrix."""
    column_of = {term: column for column, term in enumerate(terms)}
    known = [-1] * columns.groups + [column_of.get(term, -1) for term in columns.terms]
    found = np.array(known, np.int32)[numbers]
    owners = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)[found >= 0]
    found = found[found >= 0]
    weights = np.array([model.weight(columns.facet, term) for term in terms])
    ends = np.append(0, np.cumsum(np.bincount(owners, minlength=len(lengths)))).astype(np.int32)
    rows = csr_array((weights[found], found, ends), shape=(len(lengths), len(terms)))
    rows.sort_indices()
    return rows


def _perplexity(weighted: Any, stated: int) -> float:
    """Return how many terms a facet has in effect; those that don't stand in it count as one a mention."""
    counts = np.bincount(weighted.indices, minlength=1)
    entropy = np.log(max(stated, 1)) - (counts @ np.log(np.maximum(counts, 1))) / max(stated, 1)
    return float(np.exp(entropy))


def _weighted(model: TermModel, facet: str, terms: Sequence[str], stated: Sequence[dict[str, str]]) -> Any:
    column_of = {term: column for column, term in enumerate(terms)}
    rows = [sorted(column_of[term] for term in row if term in column_of) for row in stated]
    columns = np.array([column for row in rows for column in row], np.int64)
    weights = np.array([model.weight(facet, term) for term in terms])
    ends = np.cumsum([0, *map(len, rows)])
    return csr_array((weights[columns], columns, ends), shape=(len(rows), len(terms)))


@dataclass(frozen=True)
class Space:
    """Hold a latent space: the terms' axes, and the members in it.

    Attributes
    ----------
    axes : array of shape (n_terms of all facets, n_dimensions)
        Orthonormal columns, strongest first.
    centre : array of shape (n_dimensions,)
    points : array of shape (n_members, n_dimensions)
        From the centre, divided by the members' norms.
    """

    axes: FloatArray
    centre: FloatArray
    points: FloatArray

    @cached_property
    def strengths(self) -> FloatArray:
        """Return what each dimension counts in which being alike counts: the root of how far members differ.

        With as many dimensions as terms, each term would lie on its own.
        """
        first = min(ALIKE_DIMENSIONS, len(self.axes) // 4)
        spreads = self.points[:, :first].std(axis=0)
        strengths: FloatArray = np.sqrt(spreads / (spreads.mean() or 1.0))
        return strengths

    @classmethod
    def of(cls, corpus: Corpus) -> "Space | None":
        """Find the space in which members differ most (LSA); None where there are too few of them."""
        joined = csr_array(hstack([corpus.weighted[facet] for facet in FACETS], format="csr"))
        if len(corpus) < FEWEST_MEMBERS or joined.shape[1] < FEWEST_TERMS:
            return None
        step = -(-len(corpus) // _AT_MOST)
        # By half of their lengths: between who wrote most and who wrote what.
        halved = diags_array(np.maximum(corpus.lengths[::step], 1e-9) ** -0.5) @ joined[::step]
        most = DIMENSIONS if len(corpus) <= MANY_MEMBERS else DIMENSIONS_OF_MANY
        _, _, axes = randomized_svd(halved, min(most, joined.shape[1] - 1), n_iter=3, random_state=0)
        points = joined @ axes.T
        centre = points.mean(axis=0)
        points -= centre  # in place: of a million members they take half a gigabyte
        points /= corpus.norms[:, None]
        return cls(axes.T, centre, points)
