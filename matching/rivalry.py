"""Who could be on whose list in a large community: in comes a matcher, out come lists under prices.

What `exposure` else does with NumPy: here pairs stand in twelve bytes each, and are never sorted all at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import BoolArray, FloatArray, IntArray, Numbers
from .everybody import Crowd
from .index import Prices
from .matcher import Matcher
from .ranking import UNMOVED

AT_ONCE = 4096  # members asked for in one call
Lists = NDArray[Any]  # everybody's, as the one or the other kind of rivals has them
_INDICES = 2**22  # used as such at once: they take eight bytes each


@dataclass(frozen=True, slots=True)
class ManyRivals:
    """Hold members by number, each with those who could be on their list.

    Attributes
    ----------
    rows : array of int
        Of everybody who has a list.
    firsts : array of int, shape (n, 5)
        Whom each sees first whatever the prices, -1 for nobody.
    ends, others, turned : arrays
        Where each one's pairs end, with whom they are, and what they rank by but for prices.
    """

    rows: IntArray
    firsts: Numbers
    ends: IntArray
    others: Numbers
    turned: FloatArray

    @classmethod
    def of(
        cls,
        matcher: Matcher,
        rows: IntArray,
        n: int,
        hidden: Mapping[int, IntArray],
        progress: Callable[[float], None],
        prices: Prices,
        known: Any = None,
    ) -> "ManyRivals":
        """Ask for the n best rivals of each under some prices, given by row; add what is known already."""
        from .compiled_lists import NOBODY, gathered

        number_of = np.full(matcher.index_.rows, NOBODY, np.int32)
        number_of[rows] = np.arange(len(rows))
        crowd, firsts = Crowd(matcher), np.full((len(rows), UNMOVED), NOBODY, np.int32)
        counts, others, turned = [np.zeros(1, np.int64)], [np.empty(0, np.int32)], [np.empty(0)]
        for start in range(0, len(rows), AT_ONCE):
            found = crowd.ask(rows[start : start + AT_ONCE], n, prices, hidden)
            counts.append(found.counts)
            others.append(number_of[found.others])
            turned.append(found.turned)
            starts = np.cumsum(found.counts) - found.counts
            for place in range(UNMOVED):
                some = np.flatnonzero(found.counts > place)
                firsts[start + some, place] = others[-1][starts[some] + place]
            progress(min(1.0, (start + AT_ONCE) / len(rows)))
        fresh = np.cumsum(np.concatenate(counts)), np.concatenate(others), np.concatenate(turned)
        nothing = np.zeros(len(rows) + 1, np.int64), others[0], turned[0]
        del others, turned
        before = nothing if known is None else (known.ends, known.others, known.turned)
        table = matcher.index_.members.table
        graph = cls(rows, firsts, *gathered(before, fresh, (table["suggestible"] & ~table["full"])[rows]))
        graph._part(number_of, hidden)
        return graph

    def _part(self, number_of: Numbers, hidden: Mapping[int, IntArray]) -> None:
        """Let nobody be listed for those from whom they are hidden: of two, one may be seen by the other."""
        for row, unseen in hidden.items():
            owner = number_of[row]
            if owner >= 0:
                first, last = self.ends[owner : owner + 2].tolist()
                self.turned[first:last][np.isin(self.others[first:last], number_of[unseen])] = -np.inf

    @property
    def seen(self) -> BoolArray:
        """Tell who could be on any list."""
        found = np.zeros(len(self.rows), np.bool_)
        for first in range(0, len(self.others), _INDICES):
            part = slice(first, first + _INDICES)
            found[self.others[part][self.turned[part] > -np.inf]] = True
        return found

    def lists(self, prices: FloatArray, length: int) -> Lists:
        """Return everybody's first few under these prices by number: shape (n, length), -1 for nobody."""
        from .compiled_lists import listed

        lists = np.empty((len(self.rows), length), np.int32)
        listed((self.ends, self.others, self.turned), self.firsts, prices, lists)
        return lists

    def lists_again(self, _lists: Lists, prices: FloatArray, _cheaper: BoolArray, length: int) -> Lists:
        """Return the lists anew once some members' prices have fallen."""
        return self.lists(prices, length)

    def shown(self, lists: Lists) -> IntArray:
        """Count on how many of these lists each is."""
        return np.bincount(lists[lists >= 0], minlength=len(self.rows))

    def by_number(self, lists: Lists, _length: int) -> Lists:
        """Return lists as they are."""
        return lists
