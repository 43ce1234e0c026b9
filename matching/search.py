"""Who is best for one member: in come an index and a question, out come rows with what speaks for each.

What two share is known at once for everybody within reach, from the rows of each term; the rules and the
distance are looked at only for those who share enough to be among the best. Exact: whoever is left out can't
be among them, however near they are.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray, WordArray, spread
from .columns import GRAIN
from .facts import Facts, Question
from .index import PeerIndex, Prices
from .latent import Bound
from .profile import EARTH_KM, FACETS, Profile
from .ranking import FAR_KM, TIER, length_norm, moves, nearness, pair_codes, pair_key, rank, value
from .scanned import Asked, Heaps, Rows, Stated, Stretch
from .segment import Segment, reach

COMPILED = find_spec("numba") is not None
_FEWEST = 64  # judged at once: fewer cost as much
_NOTHING = np.empty(0, np.int64), np.empty(0)
_ROUNDING = 1e-6  # more than what roundings come to


@dataclass(frozen=True, slots=True)
class Found:
    """Hold some who fit, by row.

    Attributes
    ----------
    rows : array of int
    shared : array of float
        What of their terms the asking member shares.
    worth : array of float
        What speaks for them, as `ranking.value` gives it; by a search alone, without what is kindred.
    """

    rows: IntArray
    shared: FloatArray
    worth: FloatArray

    @property
    def ranks(self) -> FloatArray:
        """Return what they are ordered by where nobody is acquainted."""
        return rank(self.worth, self.shared > 0, np.zeros(len(self.rows), np.int64), 0.0)

    def among(self, kept: IntArray | BoolArray) -> "Found":
        """Keep some."""
        return Found(self.rows[kept], self.shared[kept], self.worth[kept])

    def joined(self, more: "Found") -> "Found":
        """Add more."""
        parts = zip((self.rows, self.shared, self.worth), (more.rows, more.shared, more.worth), strict=True)
        return Found(*(np.concatenate(part) for part in parts))


@dataclass(frozen=True, slots=True)
class Order:
    """Say who is wanted: so few by rank alone, and so many by rank, turns and prices."""

    few: int
    moved: int
    rotation: float
    prices: Prices


@dataclass(frozen=True)
class Search:
    """Hold one member's question to an index.

    Attributes
    ----------
    index : PeerIndex
    profile, facts, question
        Who asks, and for what.
    offered : mapping of str to (array of int, array of float)
        By facet, the columns of the terms that have something in common with the member's, ascending, and how
        much each.
    facet : str or None
        The only one that counts.
    norm : float
        What the member's own number of terms divides by.
    mean_terms : float
    near : float
        What nearness of 1 adds.
    """

    index: PeerIndex
    profile: Profile
    facts: Facts
    question: Question
    offered: Mapping[str, tuple[IntArray, FloatArray]]
    facet: str | None
    norm: float
    mean_terms: float
    near: float

    def of(self, rows: IntArray) -> Found:
        """Return those of some rows who fit."""
        return self._judged(rows, self.index.shared(self.offered, rows))

    def everybody(self) -> Found:
        """Return everybody who fits."""
        return self._judged(*self._candidates())

    def best(self, order: Order) -> Found:
        """Return some who fit, the best among them."""
        if not self._is_compiled:
            return self._sifted(order)
        return self._scanned(order, (_heap(order.few), _heap(order.moved)), None)

    def beyond(self, order: Order, last: tuple[float, float], bound: Bound) -> Found:
        """Return those who fit and may come, with what is kindred, to what the last in either order do."""
        by_rank, by_moved = (value - _ROUNDING for value in last)
        if self._is_compiled:
            return self._scanned(order, (np.array([by_rank]), np.array([by_moved])), bound)
        found, most = self.everybody(), bound.most / self._least_norm
        return found.among((found.ranks >= by_rank - most) | (self.moved(found, order) >= by_moved - most))

    @property
    def _is_compiled(self) -> bool:
        return COMPILED and bool(self.index.segments)

    def _sifted(self, order: Order) -> Found:
        """Return the best with NumPy."""
        rows, shared = self._candidates()
        wanted = max(order.few, order.moved)
        first = _largest(shared, max(_FEWEST, 4 * wanted))
        found = self._judged(rows[first], shared[first])
        if len(first) == len(rows):
            return found
        if np.count_nonzero(found.shared) < wanted:
            return self._judged(rows, shared)
        left = shared >= self._least(found, order)
        left[first] = False
        return found.joined(self._judged(rows[left], shared[left]))

    def _scanned(self, order: Order, heaps: Heaps, bound: Bound | None) -> Found:
        """Return the best with compiled code, or within a bound all who may come to what the heaps hold."""
        scans, index = _compiled(), self.index
        rows, asked, around = self._rows(order.prices.values), self._asked(order, bound), self._reach()
        offered = tuple(self.offered.get(facet, _NOTHING) for facet in FACETS)
        stretches = [
            Stretch(one.keys, one.starts, one.postings, tuple(one.ends.values())) for one in index.segments
        ]
        parts = []
        for some in (True, False):
            for one in stretches:
                part = scans.best_of_segment(rows, asked, offered, around, one, some, heaps)
                parts.append(part)
            if index.tail < index.rows:
                part = scans.best_of_tail(rows, asked, offered, index.tail, some, heaps)
                parts.append(part)
            if min(heaps[0][0], heaps[1][0]) > TIER / 2:  # to which nobody comes who shares nothing
                break
        return Found(*(np.concatenate([part[at][: part[3]] for part in parts]) for at in range(3)))

    def _least(self, found: Found, order: Order) -> float:
        """Return what somebody must share at least to be better than the best of some who fit."""
        reach = order.rotation / 2 - order.prices.least
        by_rank, by_moved = self.last(found, order)
        least = min(by_rank, by_moved - reach)
        smallest = self.norm * length_norm(np.ones(1), self.mean_terms)[0]
        return float((least - TIER - self.near) * smallest) - _ROUNDING

    def last(self, found: Found, order: Order) -> tuple[float, float]:
        """Return what the last of those wanted comes to by rank, and by rank, turns and prices."""
        return _last(found.ranks, order.few), _last(self.moved(found, order), order.moved)

    def moved(self, found: Found, order: Order) -> FloatArray:
        """Return what some are ordered by with turns and prices."""
        return found.ranks + moves(self.codes(found.rows), order.rotation, order.prices.values[found.rows])

    def codes(self, rows: IntArray) -> WordArray:
        """Return what stands for the pairs of the member with some others."""
        number = self.index.vectorizer.model_.number
        return pair_codes(self.facts.code, self.index.roster.codes[rows], number)

    @property
    def _least_norm(self) -> float:
        """Return the least that is divided by: for the member with whoever stated nothing."""
        return float(self.norm * _norms(0, self.mean_terms)[0])

    def norms(self, rows: IntArray) -> FloatArray:
        """Return what is divided by, for the member with each of some others."""
        counts = self.index.stated(self.facet)[rows].astype(np.float64)
        return self.norm * length_norm(counts, self.mean_terms)

    def _judged(self, rows: IntArray, shared: FloatArray) -> Found:
        """Return those who fit."""
        verdict = self.index.judge(self.facts, self.question, rows)
        fits = np.flatnonzero(verdict.fits)
        rows, shared = rows[fits], shared[fits]
        meet = verdict.peer_in_person[fits] & ("in_person" in self.facts.modes)
        near = self.near * np.where(meet, nearness(verdict.km[fits]), 0.0)
        return Found(rows, shared, value(shared, self.norms(rows), np.zeros(len(rows)), near))

    def _candidates(self) -> tuple[IntArray, FloatArray]:
        """Return rows among which is everybody who fits, and what they share."""
        around = self._reach()
        parts = [self._of_segment(one, one.within(around)) for one in self.index.segments]
        tail = np.arange(self.index.tail, self.index.rows)
        parts.append((tail, self.index.shared(self.offered, tail)))
        rows, shared = zip(*parts, strict=True)
        return np.concatenate(rows), np.concatenate(shared)

    def _reach(self) -> FloatArray:
        """Return the keys of who lives within reach, and who can be met online if the member can."""
        modes = self.question.modes_of(self.facts)
        place = self.facts.place if "in_person" in modes else None
        return reach(place, self.question.reach_of(self.facts.radius_km), online="online" in modes)

    def _rows(self, prices: FloatArray) -> Rows:
        index, members = self.index, self.index.members
        terms = [index.terms[facet] for facet in FACETS]
        return Rows(
            codes=index.roster.codes,
            stated=index.stated(self.facet),
            terms=Stated(tuple(one.numbers for one in terms), tuple(one.ends for one in terms)),
            prices=prices,
            facts=members.table.rows,
            points=members.place.points,
            lengths=index.lengths,
        )

    def _asked(self, order: Order, bound: Bound | None) -> Asked:
        one = Bound() if bound is None else bound
        facts, members, modes = self.facts, self.index.members, self.question.modes_of(self.facts)
        x, y, z = facts.centre
        return Asked(
            x=x,
            y=y,
            z=z,
            reach_km=float(self.question.reach_of(facts.radius_km)),
            in_person="in_person" in modes,
            online="online" in modes,
            meets="in_person" in facts.modes,
            apart=members.apart_from(facts),
            language=members.languages.of(facts.languages),
            mine=members.attributes.of(facts.seeks),
            theirs=members.seeks.of(facts.attributes),
            openings=members.availability.openings(self.question.on),
            free=members.availability.openings_of(facts.availability, self.question.on),
            own=np.uint64(facts.code),
            seen=self.question.seen,
            absent=self.question.absent,
            near=float(self.near),
            norms=self.norm * _norms(self.index.most_terms, self.mean_terms),
            code=pair_key(facts.code, self.index.vectorizer.model_.number),
            rotation=float(order.rotation),
            cheapest=order.prices.least,
            fixed=bound is not None,
            kindred=one.a_unit,
            longest=one.longest,
            most_kindred=one.most / self._least_norm,
            earth_km=EARTH_KM,
            far=math.log1p(FAR_KM),
            grain=GRAIN,
            tier=TIER,
        )

    def _spans(self, segment: Segment) -> IntArray:
        """Return where the rows of all terms stand in a segment."""
        spans = [segment.spans(facet, columns) for facet, (columns, _) in self.offered.items()]
        return np.concatenate([np.empty((0, 2), np.int64), *spans])  # no facet may count

    def _of_segment(self, segment: Segment, ranges: IntArray) -> tuple[IntArray, FloatArray]:
        """Return the rows of some ranges and what they share, from the rows of each term."""
        starts, lengths = ranges[:, 0], ranges[:, 1] - ranges[:, 0]
        offsets = np.cumsum(lengths) - lengths
        wanted, postings = ranges.astype(np.int32), segment.postings  # of another type, all would be copied
        spans = self._spans(segment)
        found = [postings[first:last].searchsorted(wanted) for first, last in spans.tolist()]
        edges = np.array(found, np.int64).reshape(len(spans), len(ranges), 2) + spans[:, :1, None]
        sizes = np.diff(edges).ravel()
        shares = np.concatenate([np.empty(0), *(shares for _, shares in self.offered.values())])
        rows = postings[spread(edges[..., 0].ravel(), sizes)]
        rows = rows + np.repeat(np.tile(offsets - starts, len(spans)), sizes)
        worth = np.repeat(np.repeat(shares, len(ranges)), sizes)
        shared = np.bincount(rows, worth, int(lengths.sum())).astype(np.float64, copy=False)
        return spread(starts, lengths), shared


@lru_cache(maxsize=1)
def _compiled() -> Any:
    """Load what numba compiles, which takes a second: only where there are segments."""
    return import_module(".compiled", __package__)


@lru_cache(maxsize=64)
def _norms(most_terms: int, mean_terms: float) -> FloatArray:
    """Return what each number of terms divides by."""
    return length_norm(np.arange(most_terms + 1.0), mean_terms)


def _last(values: FloatArray, n: int) -> float:
    """Return the n-th largest, or that nothing is too little where there are fewer."""
    if not n:
        return math.inf
    return float(np.partition(values, -n)[-n]) if n <= len(values) else -math.inf


def _heap(size: int) -> FloatArray:
    """Return so many of the lowest values to begin with; where nobody is wanted, one that nothing exceeds."""
    return np.full(size, -np.inf) if size else np.full(1, np.inf)


def _largest(values: FloatArray, n: int) -> IntArray:
    """Return where the n largest stand, in no order."""
    if len(values) <= n:
        return np.arange(len(values))
    return np.argpartition(values, -n)[-n:]
