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
    rows : array of int
        Of everybody who has a list.
    firsts : array of int, shape (n, 4)
        Whom each sees first whatever the prices, -1 for nobody.
    ends, others, turned : arrays
        Where each one's pairs end, with whom they are, ascending, and what they rank by but for prices.
    """

    rows: IntArray
    firsts: Numbers
    ends: IntArray
    others: Numbers
    turned: FloatArray

    def graph(self, matcher: Matcher, hidden: Mapping[int, IntArray]) -> Graph:
        """Return the pairs marked with who may see whom; `hidden`: from whom whom, by rows."""
        table = matcher.index_.members.table
        shown = (table["suggestible"] & ~table["full"])[self.rows]
        marks = np.where(shown[self.others], np.uint8(SEES), np.uint8(0))
        marks |= np.repeat(np.where(shown, np.uint8(SEEN), np.uint8(0)), np.diff(self.ends))
        graph = self.ends, self.others, self.turned, marks, self.firsts
        numbers = _numbers(matcher, self.rows)
        pairs = [np.stack([np.full(len(unseen), row), unseen]) for row, unseen in hidden.items()]
        owners, others = numbers[np.concatenate([np.empty((2, 0), np.int64), *pairs], axis=1)].astype(
            np.int64
        )
        known = (owners >= 0) & (others >= 0)
        hide(graph, owners[known], others[known])
        return graph


def ask_one_by_one(
    matcher: Matcher,
    rows: IntArray,
    n: int,
    hidden: Mapping[int, IntArray],
    progress: Progress,
    prices: Prices,
    known: Rivals | None = None,
) -> Rivals:
    """Ask for the n best rivals of each under some prices, given by row; add what is known already."""
    index, rotation = matcher.index_, matcher.model_.rotation
    numbers, firsts = _numbers(matcher, rows), np.full((len(rows), UNMOVED), NOBODY, np.int32)
    owners, others, turned = [np.empty(0, np.int64)], [np.empty(0, np.int32)], [np.empty(0)]
    for number, row in enumerate(rows.tolist()):
        unseen = [index.profile(one).id for one in hidden.get(row, rows[:0]).tolist()]
        found, ranks, codes = matcher.rivals(index.profile(row), n, prices=prices, exclude=unseen)
        owners.append(np.full(len(found), number))
        others.append(numbers[found])
        turned.append(ranks + turns(codes, rotation or -LEVEL))  # before a fit nobody takes turns
        first = chosen(ranks, codes, UNMOVED)
        firsts[number, : len(first)] = others[-1][first]
        if number % 256 == 0:
            progress(number / len(rows))
    mine, theirs, worth = np.concatenate(owners), np.concatenate(others), np.concatenate(turned)
    # Values are the same from either side, and so is who could be whose rival.
    before = known or Rivals(rows, firsts, np.zeros(len(rows) + 1, np.int64), theirs[:0], worth[:0])
    of = np.concatenate([np.repeat(np.arange(len(rows)), np.diff(before.ends)), mine, theirs])
    peers, worth = (
        np.concatenate([before.others, theirs, mine]),
        np.concatenate([before.turned, worth, worth]),
    )
    _, once = np.unique(of * len(rows) + peers, return_index=True)
    ends = np.append(0, np.cumsum(np.bincount(of[once], minlength=len(rows))))
    return Rivals(rows, firsts, ends, peers[once].astype(np.int32), worth[once])


def ask_at_once(
    matcher: Matcher,
    rows: IntArray,
    n: int,
    hidden: Mapping[int, IntArray],
    progress: Progress,
    prices: Prices,
    known: Rivals | None = None,
) -> Rivals:
    """Ask as `ask_one_by_one` does, of thousands of members in one call."""
    from .compiled_pairs import gathered

    numbers, firsts = _numbers(matcher, rows), np.full((len(rows), UNMOVED), NOBODY, np.int32)
    crowd, counts = Crowd(matcher), [np.zeros(1, np.int64)]
    others, turned = [np.empty(0, np.int32)], [np.empty(0)]
    for start in range(0, len(rows), AT_ONCE):
        found = crowd.ask(rows[start : start + AT_ONCE], n, prices, hidden)
        counts.append(found.counts)
        others.append(numbers[found.others])
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
    return Rivals(rows, firsts, *gathered(before, fresh))


def _numbers(matcher: Matcher, rows: IntArray) -> Numbers:
    """Return the number of each row, -1 of who has no list."""
    numbers = np.full(matcher.index_.rows, NOBODY, np.int32)
    numbers[rows] = np.arange(len(rows))
    return numbers
