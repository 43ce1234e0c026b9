"""Who stands in front for one question: in come peers as they are ordered, out comes whom to look at next.

A list can hold nobody but those who stood in front and those who have changed since, as long as enough of
them stand before the marks behind which all others are.
"""

from dataclasses import dataclass

import numpy as np

from .answer import Front, Mark
from .arrays import BoolArray, FloatArray, IntArray, WordArray
from .index import PeerIndex
from .ranking import FIRST, UNMOVED, listed, needed

AHEAD = 2  # times as many are kept as are listed


@dataclass(frozen=True, slots=True)
class Standing:
    """Hold how some peers stand: their rows, scores, what they are ordered by, and the codes of the pairs."""

    rows: IntArray
    scores: FloatArray
    ranks: FloatArray
    moves: FloatArray
    codes: WordArray

    @property
    def moved(self) -> FloatArray:
        """Return what orders the fifth to the tenth place of a list: ranks with prices and turns."""
        return self.ranks + self.moves

    def listed(self, n: int) -> list[int]:
        """Return the positions of the n on a list."""
        return listed(self.ranks, self.moves, self.codes, n)

    def fill(self, front: Front, n: int, order: list[int]) -> bool:
        """Tell whether these positions make a whole list, whoever else there is who hasn't changed."""
        moved, before = order[UNMOVED:FIRST], self._before(self.ranks, front.by_rank)
        before[moved] = self._before(self.moved, front.by_moved)[moved]
        return len(order) == n and bool(before[order].all())

    def front(self, before: Front, index: PeerIndex, n: int) -> Front:
        """Return who stands in front of a list of n; before the marks of `before` nobody is missing here."""
        few, moved = needed(n)
        by_rank, rank_mark = self._foremost(self.ranks, AHEAD * few, before.by_rank)
        by_moved, moved_mark = self._foremost(self.moved, AHEAD * moved, before.by_moved)
        rows = self.rows[np.union1d(by_rank, by_moved)]
        return Front(tuple(index.roster.ids(rows)), rank_mark, moved_mark)

    def _before(self, values: FloatArray, mark: Mark | None) -> BoolArray:
        """Tell who stands before a mark, or at it."""
        if mark is None:
            return np.ones(len(values), np.bool_)
        value, code = mark
        before: BoolArray = (values > value) | ((values == value) & (self.codes <= np.uint64(code)))
        return before

    def _foremost(self, values: FloatArray, most: int, mark: Mark | None) -> tuple[IntArray, Mark | None]:
        """Return the first positions, those before the mark at most, and the mark behind them."""
        known = np.flatnonzero(self._before(values, mark))
        if len(known) <= most:
            return known, mark
        least = np.partition(values[known], -most)[-most]
        known = known[values[known] >= least]
        known = known[np.lexsort((self.codes[known], -values[known]))][:most]
        return known, (float(values[known[-1]]), int(self.codes[known[-1]]))
