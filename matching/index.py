"""Everybody, ready to be compared: in come profiles, one or many, out comes who is near and alike.

Exact. Most rows stand in segments, sorted by place and with the rows of each term; what was written since
stands behind them, and is sorted in when there is enough of it. A change appends a row and masks the old one,
so that what was written is seen by the next question. Rows change when more is written: they are good for one
question. Not thread-safe: the caller locks.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from .arrays import FloatArray, Growing, IntArray, Ragged, WordArray, spread
from .facts import Facts, Question
from .features import ProfileVectorizer
from .latent import Points, products
from .model import TermModel
from .profile import FACETS, Place, Profile
from .ranking import member_code
from .roster import Roster, pack
from .rules import Members, Verdict
from .segment import Segment, reach, sort_keys

SLACK = 64  # masked rows that are never worth a clean-up
TAIL = 2048  # rows behind the segments that a question reads one by one
MERGED = 32_768  # rows that a segment is put together of at most: to sort more would keep others waiting
_PLACED_AT_ONCE = 32_768  # rows
_MOST_TERMS = 2**16 - 1


@dataclass(frozen=True, slots=True)
class Prices:
    """Hold the prices of all rows, and the least, or 0."""

    values: FloatArray
    least: float

    @classmethod
    def of(cls, values: FloatArray) -> "Prices":
        """Look for the least."""
        return cls(values, float(values.min(initial=0.0)))


@dataclass(frozen=True, slots=True)
class PriceList:
    """Hold what members cost, by the codes that stand for their ids."""

    codes: WordArray
    values: FloatArray

    @classmethod
    def of(cls, prices: Mapping[str, float]) -> "PriceList":
        """Look the codes up."""
        codes = np.array([member_code(one) for one in prices], np.uint64)
        return cls(codes, np.array(list(prices.values()), np.float64))


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
    roster : Roster
        Everybody's profiles, by row.
    terms : dict of str to Ragged
        By facet, the columns of each row's terms.
    segments : list of Segment
        The rows that are sorted, one stretch after another.
    """

    def __init__(self, vectorizer: ProfileVectorizer, separate_by: tuple[str, ...] = ()) -> None:
        self.vectorizer = vectorizer
        self.members = Members(separate_by)
        self.roster = Roster()
        self.terms = {facet: Ragged() for facet in FACETS}
        self.segments: list[Segment] = []
        self._stated = Growing(np.uint16)
        self.most_terms = 1  # of any row that there was
        self._directions, self._lengths = Growing(np.float32), Growing(np.float64)
        self._price, self._least_price = Growing(np.float64), 0.0

    def __len__(self) -> int:
        return len(self.roster)

    def __contains__(self, profile_id: object) -> bool:
        return isinstance(profile_id, str) and self.row(profile_id) is not None

    def get(self, profile_id: str) -> Profile | None:
        """Return a member's profile."""
        row = self.row(profile_id)
        return None if row is None else self.profile(row)

    def row(self, profile_id: str) -> int | None:
        """Return a member's row."""
        return self.roster.find([profile_id]).get(profile_id)

    @property
    def rows(self) -> int:
        """Count the rows, masked ones too."""
        return self.roster.rows

    @property
    def tail(self) -> int:
        """Return the first row behind all segments."""
        return self.segments[-1].last if self.segments else 0

    @property
    def is_sorted(self) -> bool:
        """Tell whether all rows stand in one segment, and each is somebody's."""
        return len(self.segments) == 1 and self.tail == self.rows == len(self)

    def profile(self, row: int) -> Profile:
        """Return the profile of a row."""
        return self.roster.profile(row)

    def profiles(self) -> Iterator[Profile]:
        """Yield everybody's profile."""
        return (self.profile(row) for row in self.roster.taken.tolist())

    def update(self, profiles: Iterable[Profile]) -> None:
        """Add members, or replace those who are in; of the same id the last wins."""
        latest = {profile.id: profile for profile in profiles}
        packed = {one: pack(profile) for one, profile in latest.items()}
        before = self.roster.find(latest)
        added = [
            profile
            for one, profile in latest.items()
            if one not in before or not self.roster.holds(before[one], packed[one])
        ]
        self.members.extend(added)
        numbers = self.vectorizer.number(added)
        for facet, rows in numbers.items():
            self.terms[facet].extend(rows)
        counts = np.array([[len(row) for row in rows] for rows in numbers.values()], np.int64).sum(axis=0)
        self._stated.extend(np.minimum(counts, _MOST_TERMS))
        self.most_terms = max(self.most_terms, int(counts.max(initial=0)))
        self._append(self.vectorizer.points(added))
        ids = [profile.id for profile in added]
        # Who changes keeps their price; who comes back under an id is a newcomer.
        self._price.extend([self._price.values[before[one]] if one in before else 0.0 for one in ids])
        self.roster.extend(ids, [packed[one] for one in ids])
        for one in ids:
            self._mask(one, before.get(one))
        self._clean_up()

    def remove(self, profile_id: str) -> None:
        """Take a member out; an unknown id is no error."""
        self._mask(profile_id, self.row(profile_id))
        self._clean_up()

    def compact(self) -> None:
        """Drop masked rows, and the terms and values that only they or past questions held."""
        self.segments = []
        keys = self._sort(0, self.roster.taken)
        self.members.tidy()
        for facet, rows in self.terms.items():
            used = np.unique(rows.numbers).astype(np.int64)
            rows.renumber(self.vectorizer.columns_[facet].keep(used))
        self._index(0, keys)

    def reweigh(self, model: TermModel) -> None:
        """Weigh every term anew by another model, and place every row."""
        self.vectorizer.model_ = model
        for columns in self.vectorizer.columns_.values():
            columns.reweigh(model)
        self.place()

    def place(self) -> None:
        """Forget the points of all rows in the latent space: each is worked out when it is first asked for.

        To work out a million takes seconds, in which nobody would be answered.
        """
        size = self.rows * self.vectorizer.dimensions
        # With room for who comes next, lest all be copied then: zeros take no memory until they are written.
        self._directions = Growing.over(np.zeros(2 * size, np.float32), size)
        self._lengths = Growing.over(np.full(self.rows, np.nan), self.rows)

    def charge(self, prices: PriceList) -> None:
        """Give members other prices; who has none, or comes later, pays 0."""
        charged, rows = np.zeros(self.rows), self.roster.rows_of(prices.codes)
        charged[rows[rows >= 0]] = prices.values[rows >= 0]
        self._price.replace(charged)
        self._least_price = float(charged.min(initial=0.0))

    @property
    def prices(self) -> Prices:
        """Return the prices of all rows."""
        return Prices(self._price.values, self._least_price)

    def as_dict(self) -> dict[str, Any]:
        """Return what of it JSON can hold."""
        return {
            "most_terms": self.most_terms,
            "least_price": self._least_price,
            "members": self.members.as_dict(),
            "columns": {facet: columns.as_dict() for facet, columns in self.vectorizer.columns_.items()},
            "segments": [(one.first, one.last) for one in self.segments],
        }

    def parts(self) -> dict[str, Growing]:
        """Return what of it is arrays, by name; it must have been compacted."""
        self.points()  # who has none yet would be kept without
        named: dict[str, Mapping[str, Growing]] = {"roster": self.roster.parts()}
        named["members"] = self.members.table.parts()
        for facet in FACETS:
            named[f"terms_{facet}"] = self.terms[facet].parts()
            named[f"columns_{facet}"] = self.vectorizer.columns_[facet].parts()
        for number, segment in enumerate(self.segments):
            named[f"segment_{number}"] = segment.parts()
        own = {"stated": self._stated, "price": self._price}
        named["index"] = own | {"directions": self._directions, "lengths": self._lengths}
        return {f"{name}.{part}": value for name, parts in named.items() for part, value in parts.items()}

    def restore(self, kept: Mapping[str, Any], parts: Mapping[str, Growing]) -> None:
        """Take what `as_dict` and `parts` gave of an index with the same model and options.

        Raises
        ------
        KeyError, TypeError, ValueError
            If something is missing or of another kind.
        """
        named: dict[str, dict[str, Growing]] = {}
        for name, value in parts.items():
            first, _, second = name.partition(".")
            named.setdefault(first, {})[second] = value
        self.members.restore(kept["members"], named["members"])
        self.roster.restore(named["roster"])
        for facet in FACETS:
            self.terms[facet].restore(named[f"terms_{facet}"])
            self.vectorizer.columns_[facet].restore(kept["columns"][facet], named[f"columns_{facet}"])
        self.segments = [
            Segment.restored(first, last, named[f"segment_{number}"])
            for number, (first, last) in enumerate(kept["segments"])
        ]
        self.most_terms, self._least_price = int(kept["most_terms"]), float(kept["least_price"])
        own = named["index"]
        self._stated, self._price = own["stated"], own["price"]
        self._directions, self._lengths = own["directions"], own["lengths"]

    def judge(self, facts: Facts, question: Question, rows: IntArray | None = None) -> Verdict:
        """Apply the hard constraints to some rows or all, the asking member's own left out."""
        asked = np.arange(self.rows) if rows is None else rows
        return self.members.judge(facts, question, asked, self.roster.codes[asked])

    def within(self, place: Place | None, km: float, *, online: bool) -> IntArray:
        """Return rows among which is everybody within a radius, and who can be met online if asked."""
        around = reach(place, km, online=online)
        ranges = [one.within(around) for one in self.segments]
        late = np.arange(self.tail, self.rows)
        return np.concatenate([*(spread(part[:, 0], part[:, 1] - part[:, 0]) for part in ranges), late])

    def shared(self, offered: Mapping[str, tuple[IntArray, FloatArray]], rows: IntArray) -> FloatArray:
        """Sum what rows have of some terms, given by facet as ascending columns and what each is worth."""
        total = np.zeros(len(rows))
        for facet, (columns, shares) in offered.items():
            if len(columns):
                lengths, numbers = self.terms[facet].of(rows)
                at = np.minimum(np.searchsorted(columns, numbers), len(columns) - 1)
                worth = np.where(columns[at] == numbers, shares[at], 0.0)
                total += np.bincount(np.repeat(np.arange(len(rows)), lengths), worth, len(rows))
        return total

    def kindred(self, asked: Points, rows: IntArray) -> FloatArray:
        """Return how near some rows are to one profile's point in the latent space: shape (len(rows),)."""
        fitted = self.vectorizer.model_.fitted
        signs = np.zeros(0, np.float32) if fitted is None else fitted.signs
        # All rows at once where most are asked for: gathering them would cost more than multiplying.
        if 2 * len(rows) > self.rows:
            return products(asked, self.points(), signs)[rows]
        return products(asked, self._points_of(rows), signs)

    def stated(self, facet: str | None = None) -> NDArray[np.uint16]:
        """Count the terms of all rows, in one facet or all."""
        if facet is None:
            return self._stated.values
        # Of the same type, for which the scans are compiled already.
        return np.minimum(self.terms[facet].lengths, _MOST_TERMS).astype(np.uint16)

    @property
    def lengths(self) -> FloatArray:
        """Return the lengths of all rows' points as far as they are worked out, else NaN."""
        return self._lengths.values

    def points(self) -> Points:
        """Return the points of all rows in the latent space: directions and lengths."""
        self._work_out(np.arange(self.rows))
        return self._directions_by_row, self._lengths.values

    def point_of(self, profile: Profile) -> Points:
        """Return a profile's point in the latent space, a member's own as it stands."""
        row = self.row(profile.id)
        if row is None or not self.roster.holds(row, pack(profile)):
            return self.vectorizer.points([profile])
        return self._points_of(np.array([row]))

    def matrix(self, facet: str, rows: IntArray) -> Any:
        """Return some rows of a facet as a csr_array."""
        columns = self.vectorizer.columns_[facet]
        lengths, numbers = self.terms[facet].of(rows)
        block = columns.block_of(lengths, numbers.astype(np.int64))
        ends = np.concatenate([[0], np.cumsum(block.lengths)])
        return csr_array((block.values, block.columns, ends), shape=(len(rows), len(columns)))

    def rows_of(self, ids: Collection[str]) -> IntArray:
        """Return the rows of those of these members who are in, ascending."""
        return np.array(sorted(self.roster.find(ids).values()), np.int64)

    @property
    def _directions_by_row(self) -> NDArray[np.float32]:
        return self._directions.values.reshape(len(self._lengths), self.vectorizer.dimensions)

    def _points_of(self, rows: IntArray) -> Points:
        self._work_out(rows)
        return self._directions_by_row[rows], self._lengths.values[rows]

    def _work_out(self, rows: IntArray) -> None:
        """Place those of some rows that have no point yet."""
        unknown = rows[np.isnan(self._lengths.values[rows])]
        for first in range(0, len(unknown), _PLACED_AT_ONCE):
            some = unknown[first : first + _PLACED_AT_ONCE]
            found = self.vectorizer.points_of({facet: of.of(some) for facet, of in self.terms.items()})
            self._directions_by_row[some], self._lengths.values[some] = found

    def _append(self, points: Points) -> None:
        directions, lengths = points
        self._directions.extend(directions.ravel())
        self._lengths.extend(lengths)

    def _mask(self, profile_id: str, row: int | None) -> None:
        if row is not None:
            self.roster.take_out(profile_id, row)
            self.members.kill(row)

    def _clean_up(self) -> None:
        if self.rows - len(self) > max(len(self), SLACK):
            self.compact()
        elif self.rows - self.tail > TAIL:
            self._seal()

    def _seal(self) -> None:
        """Sort the tail, with the segments before it that are not much longer than what follows them."""
        while self.segments and self._is_worth_merging(self.segments[-1]):
            self.segments.pop()
        first = self.tail
        self._index(first, self._sort(first, np.arange(self.rows - first)))

    def _is_worth_merging(self, last: Segment) -> bool:
        merged, length = self.rows - last.first, last.last - last.first
        return merged <= MERGED and merged > 1.5 * length

    def _index(self, first: int, keys: FloatArray) -> None:
        """Make a segment of the rows from `first` on, which are sorted by these keys, unless they are few."""
        if len(keys) > TAIL:
            widths = {facet: len(columns) for facet, columns in self.vectorizer.columns_.items()}
            self.segments.append(Segment.of(first, keys, self.terms, widths))

    def _sort(self, first: int, kept: IntArray) -> FloatArray:
        """Sort the rows from `first` on by place; keep only these, counted from there; return their keys."""
        table = self.members.table
        keys = sort_keys(self.members.place, table["place"][first:][kept], table["online"][first:][kept])
        at = np.argsort(keys, kind="stable")
        order, directions = kept[at], self._directions_by_row
        self._directions.splice(first * directions.shape[1], directions[first:][order].ravel())
        table.reorder(first, order)
        self.roster.reorder(first, order)
        for column in (self._stated, self._lengths, self._price):
            column.reorder(first, order)
        for rows in self.terms.values():
            rows.reorder(first, order)
        return keys[at]
