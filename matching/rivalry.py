"""Who could be on whose list: in comes a matcher, out come pairs of members, each from both sides.

With compiled code thousands are asked at once, and pairs are never sorted all at once; without it one is
asked after the other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from .arrays import FloatArray, IntArray, Numbers
from .auction import NOBODY, SEEN, SEES, Graph, hide
from .everybody import Crowd
from .index import Prices
from .matcher import Matcher
from .ranking import LEVEL, UNMOVED, chosen, turns

AT_ONCE = 4096  # members asked for in one call
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Rivals:
    """Hold members by number, each with those who could be on their list, or they on theirs.

    Attributes
    ----------
    firsts : array of int, shape (n, 4)
        Whom each sees first whatever the prices, -1 for nobody.
    ends, others, turned : arrays
        Where each one's pairs end, with whom they are, ascending, and what they rank by but for prices.
    """

    firsts: Numbers
    ends: IntArray
    others: Numbers
    turned: FloatArray

    @property
    def pairs(self) -> tuple[IntArray, Numbers, FloatArray]:
        """Return all but whom each sees first."""
        return self.ends, self.others, self.turned


@dataclass(frozen=True, slots=True)
class Asking:
    """Ask for members' rivals.

    Parameters
    ----------
    matcher : Matcher
    rows : array of int
        Of everybody who has a list: a member's number is their place in it.
    hidden : mapping of int to array of int
        Who is not to be suggested to whom, by rows.
    """

    matcher: Matcher
    rows: IntArray
    hidden: Mapping[int, IntArray]

    def one_by_one(self, n: int, prices: Prices, known: Rivals | None, progress: Progress) -> Rivals:
        """Ask for the n best rivals of each under some prices, given by row; add what is known already."""
        index, rotation = self.matcher.index_, self.matcher.model_.rotation
        numbers, nothing, members = self._numbers(), self._nothing(), len(self.rows)
        before, firsts = known or nothing, nothing.firsts
        owners, others, turned = [np.empty(0, np.int64)], [np.empty(0, np.int32)], [np.empty(0)]
        for number, row in enumerate(self.rows.tolist()):
            unseen = [index.profile(one).id for one in self.hidden.get(row, self.rows[:0]).tolist()]
            found, ranks, codes = self.matcher.rivals(index.profile(row), n, prices=prices, exclude=unseen)
            owners.append(np.full(len(found), number))
            others.append(numbers[found])
            turned.append(ranks + turns(codes, rotation or -LEVEL))  # before a fit nobody takes turns
            first = chosen(ranks, codes, UNMOVED)
            firsts[number, : len(first)] = others[-1][first]
            if number % 256 == 0:
                progress(number / members)
        mine, theirs, worth = np.concatenate(owners), np.concatenate(others), np.concatenate(turned)
        # Values are the same from either side, and so is who could be whose rival.
        of = np.concatenate([np.repeat(np.arange(members), np.diff(before.ends)), mine, theirs])
        peers = np.concatenate([before.others, theirs, mine])
        worth = np.concatenate([before.turned, worth, worth])
        _, once = np.unique(of * members + peers, return_index=True)
        ends = np.append(0, np.cumsum(np.bincount(of[once], minlength=members)))
        return Rivals(firsts, ends, peers[once].astype(np.int32), worth[once])

    def at_once(self, n: int, prices: Prices, known: Rivals | None, progress: Progress) -> Rivals:
        """Ask as `one_by_one` does, of thousands of members in one call."""
        from .compiled_pairs import gathered

        numbers, nothing, members = self._numbers(), self._nothing(), len(self.rows)
        before, firsts, crowd = known or nothing, nothing.firsts, Crowd(self.matcher)
        counts, others, turned = [np.zeros(1, np.int64)], [np.empty(0, np.int32)], [np.empty(0)]
        for start in range(0, members, AT_ONCE):
            found = crowd.ask(self.rows[start : start + AT_ONCE], n, prices, self.hidden)
            counts.append(found.counts)
            others.append(numbers[found.others])
            turned.append(found.turned)
            starts = np.cumsum(found.counts) - found.counts
            for place in range(UNMOVED):
                some = np.flatnonzero(found.counts > place)
                firsts[start + some, place] = others[-1][starts[some] + place]
            progress(min(1.0, (start + AT_ONCE) / members))
        fresh = np.cumsum(np.concatenate(counts)), np.concatenate(others), np.concatenate(turned)
        del others, turned
        return Rivals(firsts, *gathered(before.pairs, fresh))

    def graph(self, rivals: Rivals) -> Graph:
        """Return pairs marked with who may see whom."""
        table = self.matcher.index_.members.table
        shown = (table["suggestible"] & ~table["full"])[self.rows]
        marks = np.where(shown[rivals.others], np.uint8(SEES), np.uint8(0))
        marks |= np.repeat(np.where(shown, np.uint8(SEEN), np.uint8(0)), np.diff(rivals.ends))
        graph = *rivals.pairs, marks, rivals.firsts
        pairs = [np.stack([np.full(len(unseen), row), unseen]) for row, unseen in self.hidden.items()]
        hidden = np.concatenate([np.empty((2, 0), np.int64), *pairs], axis=1)
        owners, others = self._numbers()[hidden].astype(np.int64)
        known = (owners >= 0) & (others >= 0)
        hide(graph, owners[known], others[known])
        return graph

    def _numbers(self) -> Numbers:
        """Return the number of each row, -1 of who has no list."""
        numbers = np.full(self.matcher.index_.rows, NOBODY, np.int32)
        numbers[self.rows] = np.arange(len(self.rows))
        return numbers

    def _nothing(self) -> Rivals:
        """Return what is known before anybody was asked for."""
        firsts = np.full((len(self.rows), UNMOVED), NOBODY, np.int32)
        return Rivals(firsts, np.zeros(len(self.rows) + 1, np.int64), np.empty(0, np.int32), np.empty(0))
