"""The columns of one facet: in come terms, out come numbers, and what terms share by which columns.

First come the columns of kin, then the terms as they come. A member's row is the sum of what each of their
terms puts where, so that what two members share is the sum, over the terms of one, of what each has in common
with the other: an index needs to know of its members no more than who states which term.
"""

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array

from .arrays import FloatArray, Growing, IntArray, spread
from .model import TermModel
from .related import concept, kin_table
from .spelling import SPELT

# Values are rounded to multiples of this. The sum of the products of two rows is then exact in float64, hence
# the same in any order of terms, members or columns and in every process; ties are true ties. (A value is at
# most 8, and no row has more than some hundred: the sums have 46 bits.)
GRAIN = 2.0**-16
Row = Mapping[int, float]  # what one member's terms put on which columns
# What a term puts on its own column, and on which others how much.
Put = tuple[float, list[tuple[int, float]]]
_SLIP = float(np.sqrt(1 - SPELT**2))  # what a misspelt term keeps to itself


def rounded(values: FloatArray) -> FloatArray:
    """Round to multiples of GRAIN."""
    return np.rint(values / GRAIN) * GRAIN


@dataclass(frozen=True, slots=True)
class Block:
    """Hold the rows of one facet: entries per row, then column and value of every entry."""

    lengths: IntArray
    columns: IntArray
    values: FloatArray


@dataclass(frozen=True, slots=True)
class Entries:
    """Hold what some terms put on their own columns, and how much on which others."""

    own: FloatArray
    lengths: IntArray
    columns: IntArray
    values: FloatArray

    @property
    def owners(self) -> IntArray:
        """Return which term each of the others is of."""
        return np.repeat(np.arange(len(self.own)), self.lengths)

    def stressed(self, stress: float) -> "Entries":
        """Multiply with a facet's stress, and round."""
        return Entries(rounded(stress * self.own), self.lengths, self.columns, rounded(stress * self.values))


class TermEntries:
    """Keep the entries of terms that come one after another."""

    def __init__(self) -> None:
        self._own, self._ends = Growing(np.float64), Growing(np.int64)
        self._columns, self._values = Growing(np.int64), Growing(np.float64)
        self._ends.extend([0])

    def parts(self) -> dict[str, Growing]:
        """Return what it is made of."""
        return {"own": self._own, "ends": self._ends, "columns": self._columns, "values": self._values}

    def restore(self, parts: Mapping[str, Growing]) -> None:
        """Take what it was made of."""
        self._own, self._ends = parts["own"], parts["ends"]
        self._columns, self._values = parts["columns"], parts["values"]

    def extend(self, more: Entries) -> None:
        """Append terms."""
        self._own.extend(more.own)
        self._ends.extend(self._ends.values[-1] + np.cumsum(more.lengths))
        self._columns.extend(more.columns)
        self._values.extend(more.values)

    def of(self, terms: IntArray) -> Entries:
        """Return the entries of some terms, by number."""
        starts = self._ends.values[terms]
        lengths = self._ends.values[terms + 1] - starts
        at = spread(starts, lengths)
        return Entries(self._own.values[terms], lengths, self._columns.values[at], self._values.values[at])

    def own(self, term: int) -> float:
        """Return what one term puts on its own column."""
        value: float = self._own.values.item(term)
        return value

    def one(self, term: int) -> Put:
        """Return what one term puts on its own column, and on which others how much."""
        first, last = self._ends.values.item(term), self._ends.values.item(term + 1)
        if first == last:  # as of most terms
            return self.own(term), []
        others = self._columns.values[first:last].tolist(), self._values.values[first:last].tolist()
        return self.own(term), list(zip(*others, strict=True))


class Columns:
    """Number the columns of one facet."""

    def __init__(self, facet: str, model: TermModel) -> None:
        self.groups = len(kin_table().names)
        self.facet, self.model = facet, model
        self._empty()

    def _empty(self) -> None:
        self.terms: list[str] = []
        self._ids: dict[str, int] = {}
        self._misspelt: dict[str, str] = {}
        self._entries = TermEntries()
        self._put_on: dict[int, list[int]] = {}  # the terms that put something on a column not their own

    def __len__(self) -> int:
        return self.groups + len(self.terms)

    def as_dict(self) -> dict[str, Any]:
        """Return what of it JSON can hold."""
        return {"groups": self.groups, "terms": self.terms, "misspelt": self._misspelt}

    def parts(self) -> dict[str, Growing]:
        """Return what of it is arrays."""
        return self._entries.parts()

    def restore(self, kept: Mapping[str, Any], parts: Mapping[str, Growing]) -> None:
        """Take what `as_dict` and `parts` gave; the tables of kin must have been the same."""
        if kept["groups"] != self.groups:
            raise ValueError(f"expected {self.groups} columns of kin, got {kept['groups']}")
        self._empty()
        self.terms, self._misspelt = list(kept["terms"]), dict(kept["misspelt"])
        self._ids = {term: self.groups + number for number, term in enumerate(self.terms)}
        self._entries.restore(parts)
        self._note(self.groups, self._entries.of(np.arange(len(self.terms))))

    def add(self, terms: Iterable[str]) -> None:
        """Give a column to each term that has none, and to what it misspells."""
        fresh = [term for term in dict.fromkeys(terms) if term not in self._ids]
        if not fresh:  # as of most members: to describe none would take as long as all the rest
            return
        misspelt = {term: meant for term in fresh if (meant := self.meant(term)) != term}
        fresh = [term for term in dict.fromkeys([*fresh, *misspelt.values()]) if term not in self._ids]
        self._misspelt |= misspelt
        first = len(self)
        self._ids.update(zip(fresh, range(first, first + len(fresh)), strict=True))
        self.terms += fresh
        entries = self._describe(fresh, self._ids)
        self._entries.extend(entries)
        self._note(first, entries)

    def __contains__(self, term: object) -> bool:
        return term in self._ids

    def column(self, term: str) -> int:
        """Return the column of a term that has one."""
        return self._ids[term]

    def meant(self, term: str) -> str:
        """Return the known term that this one misspells, else itself."""
        if term in self._ids:
            return self._misspelt.get(term, term)
        return self.model.spelling.nearest(term) or term

    def term(self, column: int) -> str:
        """Return the term of a column that is no column of kin."""
        return self.terms[column - self.groups]

    def leaning_on(self, column: int) -> Sequence[int]:
        """Return the columns of the terms that put something on this one, which is not their own."""
        return self._put_on.get(column, ())

    def numbers(self, rows: Sequence[Iterable[str]]) -> list[list[int]]:
        """Return the columns of rows of terms that all have one, in the order of the terms."""
        return [[self._ids[term] for term in sorted(terms)] for terms in rows]

    def row(self, terms: Iterable[str], stress: float = 1.0) -> Row:
        """Weigh one member's terms in normal form; one without a column is kin to others only."""
        row: dict[int, float] = {}
        for term in terms:
            column, own, others = self._put(term)
            if column is not None:
                row[column] = row.get(column, 0.0) + _rounded(stress * own)
            for other, value in others:
                row[other] = row.get(other, 0.0) + _rounded(stress * value)
        return row

    def block_of(self, lengths: IntArray, columns: IntArray) -> Block:
        """Weigh rows given as the columns of their terms, those of one row after another."""
        return _summed(lengths, columns, self._entries.of(columns - self.groups).stressed(1.0), len(self))

    def own(self, column: int) -> float:
        """Return what a term puts on its own column."""
        return _rounded(self._entries.own(column - self.groups))

    def meeting(self, row: Row, stress: float) -> tuple[IntArray, FloatArray]:
        """Return the terms that have something in common with one row, and how much each.

        Parameters
        ----------
        row : mapping of int to float
            Weighed with the same stress.
        stress : float
            The root of what the facet counts.

        Returns
        -------
        columns : array of int, ascending
        shares : array of float
            Exact products: of whoever states these terms, the row shares their sum.
        """
        kin = {other for column in row for other in self._put_on.get(column, ())}
        terms = sorted(kin.union(column for column in row if column >= self.groups))
        shares = []
        for term in terms:
            own, others = self._entries.one(term - self.groups)
            share = _rounded(stress * own) * row.get(term, 0.0)
            for other, value in others:
                share += _rounded(stress * value) * row.get(other, 0.0)
            shares.append(share)
        return np.array(terms, np.int64), np.array(shares, np.float64)

    def shares(self, stress: float) -> Any:
        """Return what every two terms have in common, as in `meeting`: a csr_array of columns by columns."""
        terms = np.arange(len(self.terms))
        entries = self._entries.of(terms).stressed(stress)
        rows = self.groups + np.concatenate([terms, entries.owners])
        at = rows, np.concatenate([self.groups + terms, entries.columns])
        values = np.concatenate([entries.own, entries.values])
        each = csr_array(coo_array((values, at), shape=(len(self), len(self))))
        shared = csr_array(each @ each.T)
        shared.eliminate_zeros()
        return shared

    def reweigh(self, model: TermModel) -> None:
        """Weigh everything by another model; the columns stay."""
        self.model, terms = model, self.terms
        self._empty()
        self.add(terms)

    def keep(self, used: IntArray) -> IntArray:
        """Forget all terms but these and what they misspell; return each old column's new number."""
        entries = self._entries.of(used - self.groups)
        meant = np.unique(entries.columns[entries.columns >= self.groups])
        at = np.union1d(used, meant) - self.groups
        renumbered = np.full(len(self), -1, np.int64)
        renumbered[: self.groups] = np.arange(self.groups)
        renumbered[self.groups + at] = self.groups + np.arange(len(at))
        kept = self._entries.of(at)
        kept = replace(kept, columns=renumbered[kept.columns])
        self.terms = [self.terms[number] for number in at]
        self._ids = {term: self.groups + number for number, term in enumerate(self.terms)}
        self._misspelt = {term: meant for term, meant in self._misspelt.items() if term in self._ids}
        self._entries, self._put_on = TermEntries(), {}
        self._entries.extend(kept)
        self._note(self.groups, kept)
        return renumbered

    def _put(self, term: str) -> tuple[int | None, *Put]:
        """Return a term's column, if it has one, and what it puts where."""
        column = self._ids.get(term)
        if column is not None:
            return column, *self._entries.one(column - self.groups)
        entries = TermEntries()
        entries.extend(self._describe([term], ChainMap(self._ids, {self.meant(term): len(self)})))
        own, others = entries.one(0)
        return None, own, [(other, value) for other, value in others if other < len(self)]

    def _note(self, first: int, entries: Entries) -> None:
        """Note on which columns terms put something, the first of them in this column."""
        for owner, column in zip((entries.owners + first).tolist(), entries.columns.tolist(), strict=True):
            self._put_on.setdefault(column, []).append(owner)

    def _describe(self, terms: Iterable[str], ids: Mapping[str, int]) -> Entries:
        """Return what each term puts where: most on what it misspells, where it does."""
        meant = {term: self.meant(term) for term in terms}
        right = [ids[right] if right != term else -1 for term, right in meant.items()]
        weights = np.array([self.model.weight(self.facet, right) for right in meant.values()], np.float64)
        return _entries(weights, np.array(right, np.int64), [concept(right) for right in meant.values()])


def _entries(weights: FloatArray, meant: IntArray, concepts: Sequence[int]) -> Entries:
    """Return what terms put where, by their weights, what they misspell (-1: nothing) and their concepts."""
    table, slipped = kin_table(), meant >= 0
    right = np.where(slipped, SPELT, 1.0) * weights  # goes to the term that was meant and its kin
    numbers = np.array(concepts, np.int64)
    plain = right * table.own[numbers]
    kin = table.entries(numbers)
    owners = np.concatenate([kin.owner, np.flatnonzero(slipped)])
    order = np.argsort(owners, kind="stable")
    return Entries(
        own=np.where(slipped, _SLIP * weights, plain),
        lengths=np.bincount(owners, minlength=len(weights)),
        columns=np.concatenate([kin.column, meant[slipped]])[order],
        values=np.concatenate([right[kin.owner] * kin.value, plain[slipped]])[order],
    )


def _summed(lengths: IntArray, columns: IntArray, entries: Entries, width: int) -> Block:
    """Sum what terms put where into rows."""
    owner = np.repeat(np.arange(len(lengths)), lengths)
    cells = np.concatenate(
        [owner * width + columns, np.repeat(owner, entries.lengths) * width + entries.columns]
    )
    cells, at = np.unique(cells, return_inverse=True)
    rows, ids = np.divmod(cells, width)
    values = np.bincount(at, np.concatenate([entries.own, entries.values]), len(cells))
    return Block(np.bincount(rows, minlength=len(lengths)), ids, values.astype(np.float64, copy=False))


def _rounded(value: float) -> float:
    """Round as `rounded` does."""
    return round(value / GRAIN) * GRAIN
