"""Who of a round's participants may meet whom, for many pairs at once: members in, scores out.

A pair is named by two positions among the participants, who are sorted, so that nothing depends on the order
in which they came. A score of NO means that a hard rule keeps the two apart.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, Protocol

import numpy as np
from scipy.sparse import coo_array, csr_array

from .arrays import BoolArray, FloatArray, IntArray, WordArray
from .facts import Facts
from .interned import Interned
from .matcher import Matcher
from .pair_scores import PairScores
from .profile import EARTH_KM, Profile, unit_vector
from .ranking import nearness
from .round import RoundRules
from .window_bits import window_openings

NO = -1.0
SMALL = 1_000  # members whose pairs, 8 MB, are all kept
_NOWHERE = (np.nan, np.nan, np.nan)


class Meetable(Protocol):
    """What planning needs to know of a community or a graph."""

    ids: tuple[str, ...]

    def row(self, member: int) -> FloatArray:
        """Score one member with everybody, NO for themself."""
        ...

    def rows(self, members: IntArray) -> FloatArray:
        """Score some members, in ascending order, with everybody."""
        ...

    def pairs(self, a: IntArray, b: IntArray) -> FloatArray:
        """Score pairs one by one."""
        ...

    def share_time(self, groups: IntArray) -> BoolArray:
        """Tell which groups have a common slot: rows of members, -1 for nobody."""
        ...


class Forbidden:
    """Hold the pairs that a round's rules keep apart, by position."""

    def __init__(self, ids: Sequence[str], rules: RoundRules) -> None:
        at = {profile_id: number for number, profile_id in enumerate(ids)}
        self.size = len(ids)
        self.never = codes_of(rules.never, at)
        sets = [sorted(at[one] for one in apart if one in at) for apart in rules.apart]
        owners = np.array([member for one in sets for member in one], np.int64)
        columns = np.repeat(np.arange(len(sets)), [len(one) for one in sets]).astype(np.int64)
        shape = (len(ids), len(sets))
        self._sets = csr_array(coo_array((np.ones(len(owners), np.int64), (owners, columns)), shape=shape))

    def pairs(self, a: IntArray, b: IntArray) -> BoolArray:
        """Tell which pairs are kept apart."""
        found = has_codes(self.never, a, b, self.size)
        if self._sets.nnz:
            found |= np.asarray(self._sets[a].multiply(self._sets[b]).sum(axis=1)).reshape(-1) > 0
        return found

    def block(self, a: IntArray, b: IntArray) -> BoolArray:
        """Tell which of `a` and which of `b`, each in ascending order, are kept apart."""
        found: BoolArray = np.zeros((len(a), len(b)), np.bool_)
        if self._sets.nnz:
            found |= (self._sets[a] @ self._sets[b].T).toarray() > 0
        for x, y in ((a, b), (b, a)):
            part = self.never[np.searchsorted(self.never, x[0] * self.size) :]
            part = part[: np.searchsorted(part, (x[-1] + 1) * self.size)]
            low, high = np.divmod(part, self.size)
            inside = np.isin(low, x) & np.isin(high, y)
            at, other = np.searchsorted(x, low[inside]), np.searchsorted(y, high[inside])
            found[(at, other) if x is a else (other, at)] = True
        return found


def codes_of(pairs: Iterable[frozenset[str]], at: dict[str, int]) -> IntArray:
    """Return a sorted number for each pair of participants; others fall away."""
    known = [sorted(at[one] for one in pair) for pair in pairs if all(one in at for one in pair)]
    return np.unique(np.array([low * len(at) + high for low, high in known], np.int64))


def has_codes(codes: IntArray, a: IntArray, b: IntArray, size: int) -> BoolArray:
    """Tell which pairs are among some codes."""
    if not len(codes):
        return np.zeros(len(a), np.bool_)
    asked = np.minimum(a, b) * size + np.maximum(a, b)
    found: BoolArray = codes[np.minimum(np.searchsorted(codes, asked), len(codes) - 1)] == asked
    return found


class Community:
    """Judge and score pairs of a matcher's members.

    Parameters
    ----------
    matcher : Matcher
        Fitted.
    ids : sequence of str
        The participants, all known to the matcher.
    rules : RoundRules
    on : date
    days : int
    """

    def __init__(self, matcher: Matcher, ids: Sequence[str], rules: RoundRules, on: date, days: int) -> None:
        index = matcher.index_
        found = [index.profile(row) for row in map(index.row, ids) if row is not None]
        profiles = sorted(found, key=lambda one: _whereabouts(one, matcher.separate_by))
        facts = [Facts.of(profile) for profile in profiles]
        rows = np.array([index.row(profile.id) for profile in profiles], np.int64)
        table = index.members.table
        self.ids = tuple(profile.id for profile in profiles)
        self.forbidden = Forbidden(self.ids, rules)
        self._paused = np.array([profile.paused for profile in profiles], np.bool_)
        self._column = {name: table[name][rows] for name in ("radius_km", "online")}
        self._apart = table["apart"][rows]
        self._place, places = _numbered(
            profile.place if "in_person" in profile.effective_modes else None for profile in profiles
        )
        points = [_NOWHERE if place is None else unit_vector(place) for place in places]
        self._points: list[FloatArray] = list(np.array(points, np.float64).reshape(-1, 3).T)
        self._languages = _language_words([one.languages for one in facts])
        self._seeks, self._attributes, self._content = _contentment(facts)
        numbers, known = _numbered(one.availability for one in facts)
        self._open: WordArray = window_openings(known, on, days)[:, numbers]
        self._scores = PairScores(matcher, rows)
        self._every: FloatArray | None = None  # all scores of a small community, once somebody asks

    def block(self, a: IntArray, b: IntArray) -> FloatArray:
        """Score every one of `a` with every one of `b`, both ascending, without a look at times."""
        km, near = self._kilometres_and_nearness(a, b)
        fits = self._fits(a[:, None], b[None, :], km) & ~self.forbidden.block(a, b)
        return np.where(fits & (a[:, None] != b[None, :]), self._scores.block(a, b, near), NO)

    def free_together(self, a: IntArray, b: IntArray) -> BoolArray:
        """Tell which pairs have a common slot."""
        return self.share_time(np.stack([a, b], axis=1))

    def row(self, member: int) -> FloatArray:
        """Score one member with everybody, NO for themself."""
        one: FloatArray = self.rows(np.array([member]))[0]
        return one

    def rows(self, members: IntArray) -> FloatArray:
        """Score some members, in ascending order, with everybody."""
        if len(self.ids) > SMALL:
            return self._rows(members)
        if self._every is None:
            self._every = self._rows(np.arange(len(self.ids)))
        known: FloatArray = self._every[members]
        return known

    def pairs(self, a: IntArray, b: IntArray) -> FloatArray:
        """Score pairs one by one."""
        if self._every is not None:
            known: FloatArray = self._every[a, b]
            return known
        km = self._kilometres(self._place[a], self._place[b])
        fits = self._fits(a, b, km) & ~self.forbidden.pairs(a, b) & (a != b)
        fits[fits] = self.free_together(a[fits], b[fits])
        scores = np.full(len(a), NO)
        scores[fits] = self._scores.pairs(a[fits], b[fits], nearness(km[fits]))
        return scores

    def share_time(self, groups: IntArray) -> BoolArray:
        """Tell which groups have a common slot: rows of members, -1 for nobody."""
        found: BoolArray = np.zeros(len(groups), np.bool_)
        for words in self._open:
            common = words[groups[:, 0]]
            for member in groups.T[1:]:
                common = np.where(member < 0, common, common & words[member])
            found |= common != 0
        return found

    def _rows(self, members: IntArray) -> FloatArray:
        scores = self.block(members, np.arange(len(self.ids)))
        at, peer = np.nonzero(scores > NO)
        scores[at, peer] = np.where(self.free_together(members[at], peer), scores[at, peer], NO)
        return scores

    def _kilometres(self, a: IntArray, b: IntArray) -> FloatArray:
        """Return distances between places, by their numbers; NaN for nowhere."""
        chord = np.sqrt(sum((axis[a] - axis[b]) ** 2 for axis in self._points))
        km: FloatArray = 2 * EARTH_KM * np.arcsin(np.minimum(chord / 2, 1.0))
        return km

    def _kilometres_and_nearness(self, a: IntArray, b: IntArray) -> tuple[FloatArray, FloatArray]:
        """Return both for every one of `a` and `b`; worked out once for each pair of places."""
        mine, row = np.unique(self._place[a], return_inverse=True)
        theirs, column = np.unique(self._place[b], return_inverse=True)
        km = self._kilometres(mine[:, None], theirs[None, :])
        return km[:, column][row], nearness(km)[:, column][row]

    def _fits(self, a: IntArray, b: IntArray, km: FloatArray) -> BoolArray:
        """Tell who may meet, but for forbidden pairs and times."""
        c = self._column
        near = km <= np.minimum(c["radius_km"][a], c["radius_km"][b])
        meets = near | (c["online"][a] & c["online"][b])
        fits: BoolArray = meets & (self._apart[a] == self._apart[b]) & ~(self._paused[a] | self._paused[b])
        if self._content.size > 1:
            fits &= self._content[self._seeks[a], self._attributes[b]]
            fits &= self._content[self._seeks[b], self._attributes[a]]
        if len(self._languages):
            silent: BoolArray = np.all(self._languages == 0, axis=0)
            speak = silent[a] | silent[b]
            for words in self._languages:
                speak |= (words[a] & words[b]) != 0
            fits &= speak
        return fits


def _whereabouts(profile: Profile, separate_by: Sequence[str]) -> tuple[Any, ...]:
    """Return what sorts members: what they are separated by, then their cell, whose names nest, then id.

    Neighbours in this order are neighbours, so that a block has few places, and a shard is a part of town.
    """
    stated = tuple(
        (profile.attributes.get(name) is None, profile.attributes.get(name, "")) for name in separate_by
    )
    return (stated, profile.place.cell if profile.place else "", profile.id)


def _numbered(values: Iterable[Any]) -> tuple[IntArray, list[Any]]:
    """Return the number of each value, and the distinct values."""
    interned: Interned[Any] = Interned()
    numbers = np.array([interned.number_of(value) for value in values], np.int64)
    return numbers, interned.values


def _language_words(spoken: Sequence[frozenset[str]]) -> WordArray:
    """Give each language a bit: shape (n_words, n_members)."""
    languages = sorted(frozenset().union(*spoken))
    at = {language: number for number, language in enumerate(languages)}
    words = np.zeros((-(-len(languages) // 64), len(spoken)), np.uint64)
    for member, mine in enumerate(spoken):
        for language in mine:
            words[at[language] // 64, member] |= np.uint64(1 << at[language] % 64)
    return words


def _contentment(facts: Sequence[Facts]) -> tuple[IntArray, IntArray, BoolArray]:
    """Return who is content with whom, by numbers for what they seek and what they are.

    Returns
    -------
    seeks, attributes : array of int, shape (n_members,)
        Of the attributes only what somebody seeks is looked at.
    content : array of bool, shape (n_seeks, n_attributes)
    """
    seeks, distinct_seeks = _numbered(one.seeks for one in facts)
    sought = sorted(frozenset().union(*(clause for one in distinct_seeks for clause in one)))
    at = {pair: number for number, pair in enumerate(sought)}
    attributes, distinct = _numbered(one.attributes.intersection(at) for one in facts)
    has: BoolArray = np.zeros((len(distinct), len(sought)), np.bool_)
    for number, pairs in enumerate(distinct):
        has[number, [at[pair] for pair in pairs]] = True
    content: BoolArray = np.ones((len(distinct_seeks), len(distinct)), np.bool_)
    for number, clauses in enumerate(distinct_seeks):
        for clause in clauses:
            content[number] &= has[:, [at[pair] for pair in clause]].any(axis=1)
    return seeks, attributes, content
