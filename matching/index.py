"""Everybody, ready to be compared: in come profiles one by one or all at once, out comes who is how alike.

Exact and plain: rows are appended, a change appends a new row and masks the old one, and a question
multiplies all rows with one vector per facet. What was written is seen by the next question. Not thread-safe:
the caller locks.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from .arrays import FloatArray, Growing, IntArray, SparseRows
from .features import Block, ProfileVectorizer
from .latent import Points, products
from .model import TermModel
from .profile import FACETS, Profile
from .rules import Facts, Members, Question, Verdict

SLACK = 64  # masked rows that are never worth a clean-up
ROWS_AT_ONCE = 8192  # whose points are worked out together


class PeerIndex:
    """Hold the members' rows and facts; add, replace and remove members in place.

    Parameters
    ----------
    vectorizer : ProfileVectorizer
        Fitted; it is given the terms of every member who is added.
    separate_by : tuple of str
        Attributes in which members must be equal.

    Attributes
    ----------
    members : Members
        Everybody's facts, by row.
    """

    def __init__(self, vectorizer: ProfileVectorizer, separate_by: tuple[str, ...] = ()) -> None:
        self.vectorizer = vectorizer
        self.members = Members(separate_by)
        self._profiles: list[Profile] = []
        self._row_of: dict[str, int] = {}
        self._blocks = {facet: SparseRows() for facet in FACETS}
        # How many of a row's entries are its own terms.
        self._terms = {facet: Growing(np.int64) for facet in FACETS}
        self._directions, self._lengths = Growing(np.float32), Growing(np.float64)
        self._prices: dict[str, float] = {}
        self._price = Growing(np.float64)
        self._scratch: dict[str, FloatArray] = {}

    def __len__(self) -> int:
        return len(self._row_of)

    def __contains__(self, profile_id: object) -> bool:
        return profile_id in self._row_of

    def get(self, profile_id: str) -> Profile | None:
        """Return a member's profile."""
        row = self._row_of.get(profile_id)
        return None if row is None else self._profiles[row]

    def row(self, profile_id: str) -> int | None:
        """Return a member's row."""
        return self._row_of.get(profile_id)

    @property
    def rows(self) -> int:
        """Count the rows, masked ones too."""
        return len(self._profiles)

    def profile(self, row: int) -> Profile:
        """Return the profile of a row."""
        return self._profiles[row]

    def profiles(self) -> Iterator[Profile]:
        """Yield everybody's profile."""
        return (self._profiles[row] for row in self._row_of.values())

    def update(self, profiles: Iterable[Profile]) -> None:
        """Add members, or replace those who are in; of the same id the last wins."""
        latest = {profile.id: profile for profile in profiles}
        added = [profile for profile in latest.values() if self.get(profile.id) != profile]
        first = len(self._profiles)
        self.members.extend(added)
        for facet, block in self.vectorizer.blocks(added, learn=True).items():
            self._blocks[facet].extend(block.lengths, block.columns, block.values)
            self._terms[facet].extend(block.terms)
        self._place(added)
        self._price.extend([self._prices.get(profile.id, 0.0) for profile in added])
        self._profiles += added
        for profile in added:
            self._mask(profile.id)
        self._row_of.update({profile.id: first + number for number, profile in enumerate(added)})
        self._clean_up()

    def remove(self, profile_id: str) -> None:
        """Take a member out; an unknown id is no error."""
        self._mask(profile_id)
        self._prices.pop(profile_id, None)  # who comes back under the id is a newcomer
        self._clean_up()

    def compact(self) -> None:
        """Drop masked rows, and the terms and values that only they or past questions held."""
        rows = np.array(sorted(self._row_of.values()), np.int64)
        self._profiles = [self._profiles[row] for row in rows]
        self._row_of = {profile.id: row for row, profile in enumerate(self._profiles)}
        self.members.keep(rows)
        for facet, block in self._blocks.items():
            block.keep(rows)
            self._terms[facet].replace(self._terms[facet].values[rows])
            _, columns, _ = block.parts()
            used = np.unique(columns).astype(np.int64)
            block.renumber(self.vectorizer.columns_[facet].keep(used))
        directions, lengths = self.points()
        self._directions.replace(directions[rows].ravel())
        self._lengths.replace(lengths[rows])
        self._price.replace(self._price.values[rows])

    def reweigh(self, model: TermModel) -> None:
        """Weigh every row anew under another model."""
        self.vectorizer.model_ = model
        for facet, rows in self._blocks.items():
            owner, columns = rows.first(self._terms[facet].values)
            block = self.vectorizer.columns_[facet].reweigh(model, owner, columns.astype(np.int64), len(rows))
            rows.replace(block.lengths, block.columns, block.values)
        self.place()

    def place(self) -> None:
        """Give every row its point in the latent space anew."""
        self._directions, self._lengths = Growing(np.float32), Growing(np.float64)
        for start in range(0, len(self._profiles), ROWS_AT_ONCE):
            self._place(self._profiles[start : start + ROWS_AT_ONCE])

    def charge(self, prices: Mapping[str, float]) -> None:
        """Give members other prices; who has none, or comes later, pays 0."""
        self._prices = dict(prices)
        self._price.replace(np.array([prices.get(profile.id, 0.0) for profile in self._profiles], np.float64))

    def prices(self, rows: IntArray) -> FloatArray:
        """Return the prices of some rows."""
        values: FloatArray = self._price.values[rows]
        return values

    def judge(self, facts: Facts, question: Question, own_id: str) -> Verdict:
        """Apply the hard constraints to every row, the asking member's own left out."""
        invited_by = self._rows_of(question.invited_by)
        return self.members.judge(facts, question, invited_by, self._rows_of({own_id, *question.exclude}))

    def alike(self, asked: Mapping[str, Block]) -> FloatArray:
        """Return what every row shares with one profile's blocks, by facet: shape (3, n_rows)."""
        return np.stack([self._dot(facet, asked[facet]) for facet in FACETS])

    def entries(self, facet: str, row: int) -> dict[int, float]:
        """Return the columns and values of a row in one facet."""
        columns, values = self._blocks[facet].row(row)
        return dict(zip(columns.tolist(), values.tolist(), strict=True))

    def kindred(self, asked: Points, rows: IntArray) -> FloatArray:
        """Return how near some rows are to one profile's point in the latent space: shape (len(rows),)."""
        fitted = self.vectorizer.model_.fitted
        if fitted is None:
            return np.zeros(len(rows))
        directions, lengths = self.points()
        # All rows at once where most are asked for: gathering them would cost more than multiplying.
        if 2 * len(rows) > len(lengths):
            return products(asked, (directions, lengths), fitted.signs)[rows]
        return products(asked, (directions[rows], lengths[rows]), fitted.signs)

    def stated(self, rows: IntArray) -> IntArray:
        """Count the terms of some rows, by facet: shape (3, len(rows))."""
        return np.stack([terms.values[rows] for terms in self._terms.values()])

    def points(self) -> Points:
        """Return the points of all rows in the latent space: directions and lengths."""
        shape = (len(self._lengths), self.vectorizer.dimensions)
        return self._directions.values.reshape(shape), self._lengths.values

    def point_of(self, profile: Profile) -> Points:
        """Return a profile's point in the latent space, a member's own as it stands."""
        row = self._row_of.get(profile.id)
        if row is None or self._profiles[row] != profile:
            return self.vectorizer.points([profile])
        directions, lengths = self.points()
        return directions[row : row + 1], lengths[row : row + 1]

    def _place(self, profiles: list[Profile]) -> None:
        directions, lengths = self.vectorizer.points(profiles)
        self._directions.extend(directions.ravel())
        self._lengths.extend(lengths)

    def matrix(self, facet: str) -> Any:
        """Return all rows of a facet as a csr_array, masked ones included."""
        owner, columns, values = self._blocks[facet].parts()
        shape = (len(self._profiles), len(self.vectorizer.columns_[facet]))
        return csr_array((values, (owner, columns)), shape=shape)

    def _dot(self, facet: str, block: Block) -> FloatArray:
        rows, columns = self._blocks[facet], len(self.vectorizer.columns_[facet])
        if not len(block.columns):
            return np.zeros(len(rows))
        vector = self._scratch.get(facet)
        if vector is None or len(vector) != columns:
            vector = self._scratch[facet] = np.zeros(columns)
        vector[block.columns] = block.values
        product = rows.dot(vector)
        vector[block.columns] = 0  # wiping what was written is cheaper than a new vector of all terms
        return product

    def _rows_of(self, ids: Iterable[str]) -> IntArray:
        return np.array([self._row_of[i] for i in ids if i in self._row_of], np.int64)

    def _mask(self, profile_id: str) -> None:
        row = self._row_of.pop(profile_id, None)
        if row is not None:
            self.members.kill(row)

    def _clean_up(self) -> None:
        if len(self._profiles) - len(self) > max(len(self), SLACK):
            self.compact()
