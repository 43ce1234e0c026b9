"""Changing places: in come groups, out come groups of the same sizes and more weight.

Each member looks at the few groups that hold most of their best peers, and at everybody there whose place
they could take. The best exchanges are made, each group taking part in one at a time, until none is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray
from .meetable import NO
from .odd_ones import Groups, padded
from .pair_graph import PairGraph
from .pairs import Asked

_LOOKED_AT = 4  # groups that one member might move to
_SWEEPS = 30
_LEAST = 1e-9  # weight worth an exchange


def weights_between(asked: Asked, a: IntArray, b: IntArray) -> FloatArray:
    """Return the roots of the scores of pairs, NO where two may not meet or met within the cool-down."""
    scores = asked.members.pairs(a, b)
    able = (scores > NO / 2) & ~asked.repeats(a, b)
    return np.where(able, np.sqrt(np.maximum(scores, 0)), NO)


def weights_of(asked: Asked, groups: Sequence[Sequence[int]]) -> FloatArray:
    """Return the weight of each group, pairs that met before or may not meet counting nothing."""
    rows = padded(groups)
    weights = np.zeros(len(rows))
    for x in range(rows.shape[1]):
        for y in range(x):
            there = np.flatnonzero((rows[:, x] >= 0) & (rows[:, y] >= 0))
            weights[there] += np.maximum(weights_between(asked, rows[there, x], rows[there, y]), 0)
    return weights


@dataclass(frozen=True, slots=True)
class _Exchange:
    """Hold possible exchanges: whose place is whose, by row and column of the groups, and what they add."""

    row: IntArray
    column: IntArray
    other_row: IntArray
    other_column: IntArray
    gain: FloatArray

    def of(self, kept: IntArray) -> "_Exchange":
        """Return some of them."""
        return _Exchange(
            self.row[kept],
            self.column[kept],
            self.other_row[kept],
            self.other_column[kept],
            self.gain[kept],
        )


def better_groups(asked: Asked, graph: PairGraph, groups: Groups) -> Groups:
    """Exchange free members between groups as long as that adds weight."""
    rows = padded(groups)
    for _ in range(_SWEEPS if len(groups) > 1 else 0):
        made = _sweep(asked, graph, rows)
        if not made:
            break
    return [tuple(row[row >= 0].tolist()) for row in rows]


def _sweep(asked: Asked, graph: PairGraph, rows: IntArray) -> int:
    """Make the best exchanges that don't touch each other, in place; return how many."""
    found = _exchanges(asked, rows, *_moves(asked, graph, rows))
    found = found.of(np.flatnonzero(found.gain > _LEAST))
    found = found.of(np.argsort(-found.gain, kind="stable"))
    found = found.of(np.flatnonzero(_have_time(asked, rows, found)))
    touched: set[int] = set()
    made = 0
    for at in range(len(found.gain)):
        row, other = int(found.row[at]), int(found.other_row[at])
        if row in touched or other in touched:
            continue
        touched |= {row, other}
        made += 1
        here, there = (row, found.column[at]), (other, found.other_column[at])
        rows[here], rows[there] = rows[there], rows[here]
    return made


def _moves(asked: Asked, graph: PairGraph, rows: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return who might move where: row and column of a free member, and the row of a group."""
    owner = np.full((asked.size, 2), -1, np.int64)
    at, place = np.nonzero(rows >= 0)
    owner[rows[at, place]] = np.stack([at, place], axis=1)
    member = np.concatenate([graph.low, graph.high])
    target = owner[np.concatenate([graph.high, graph.low]), 0]
    good = (owner[member, 0] >= 0) & (target >= 0) & (owner[member, 0] != target) & asked.free[member]
    codes = member[good] * len(rows) + target[good]
    distinct, place = np.unique(codes, return_inverse=True)
    drawn = np.bincount(place, weights=np.tile(graph.weights, 2)[good], minlength=len(distinct))
    member, target = np.divmod(distinct, len(rows))
    order = np.lexsort((target, -drawn, member))
    rank = np.arange(len(order)) - np.searchsorted(member[order], member[order])
    kept = order[rank < _LOOKED_AT]
    return owner[member[kept], 0], owner[member[kept], 1], target[kept]


def _exchanges(asked: Asked, rows: IntArray, row: IntArray, column: IntArray, other: IntArray) -> _Exchange:
    """Weigh a place in the other group for each member, whoever there comes back in exchange."""
    width = rows.shape[1]
    inside = _inside(asked, rows)
    mine = rows[row, column]
    coming = _between(asked, mine, rows[other])
    parts = []
    for place in range(width):
        back = rows[other, place]
        able = np.flatnonzero(back >= 0)
        able = able[asked.free[back[able]]]
        here = np.where(np.arange(width) == column[able, None], -1, rows[row[able]])
        without = np.where(np.arange(width) == place, 0, coming[able])
        able_coming = (without > NO / 2).all(axis=1)
        returning = np.zeros((len(able), width))
        returning[able_coming] = _between(asked, back[able[able_coming]], here[able_coming])
        fits = able_coming & (returning > NO / 2).all(axis=1)
        gain = without.sum(axis=1) + returning.sum(axis=1)
        gain -= inside[row[able], column[able]] + inside[other[able], place]
        kept = able[fits]
        parts.append(_Exchange(row[kept], column[kept], other[kept], np.full(len(kept), place), gain[fits]))
    fields = ("row", "column", "other_row", "other_column", "gain")
    return _Exchange(*(np.concatenate([getattr(part, field) for part in parts]) for field in fields))


def _between(asked: Asked, members: IntArray, rows: IntArray) -> FloatArray:
    """Return the weights of each member with a row's members, 0 for nobody and NO where two can't meet."""
    weights = np.zeros(rows.shape)
    at, place = np.nonzero(rows >= 0)
    weights[at, place] = weights_between(asked, members[at], rows[at, place])
    return weights


def _inside(asked: Asked, rows: IntArray) -> FloatArray:
    """Return what each place adds to its own group."""
    weights = np.zeros(rows.shape)
    for x in range(rows.shape[1]):
        for y in range(x):
            there = np.flatnonzero((rows[:, x] >= 0) & (rows[:, y] >= 0))
            between = np.maximum(weights_between(asked, rows[there, x], rows[there, y]), 0)
            weights[there, x] += between
            weights[there, y] += between
    return weights


def _have_time(asked: Asked, rows: IntArray, found: _Exchange) -> BoolArray:
    """Tell which exchanges leave both groups a common slot."""
    here, there = rows[found.row].copy(), rows[found.other_row].copy()
    each = np.arange(len(found.row))
    here[each, found.column] = rows[found.other_row, found.other_column]
    there[each, found.other_column] = rows[found.row, found.column]
    share = asked.members.share_time
    return share(here) & share(there)
