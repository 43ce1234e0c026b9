"""Pairs of rivals as machine code: in come those found before and afresh, out come all, each once.

The same as `rivalry` does with NumPy, for communities whose pairs would not fit in memory as it sorts them.
"""

import numpy as np

from .arrays import FloatArray, IntArray, Numbers
from .auction import NOBODY
from .compiled import compiled

Pairs = tuple[IntArray, Numbers, FloatArray]  # where each one's end, with whom, what they rank by


@compiled
def gathered(old: Pairs, fresh: Pairs) -> Pairs:
    """Return old pairs with fresh ones and their reverse, each once, each one's by whom it is with."""
    members = len(old[0]) - 1
    room = old[0] + fresh[0]
    room[1:] += np.cumsum(np.bincount(fresh[1], minlength=members))
    others, turned = np.empty(room[-1], np.int32), np.empty(room[-1], np.float64)
    filled = room[:-1].copy()
    for ends, peers, values in (old, fresh):
        for owner in range(members):
            for at in range(ends[owner], ends[owner + 1]):
                others[filled[owner]], turned[filled[owner]] = peers[at], values[at]
                filled[owner] += 1
    for seen in range(members):
        for at in range(fresh[0][seen], fresh[0][seen + 1]):
            peer = fresh[1][at]
            others[filled[peer]], turned[filled[peer]] = seen, fresh[2][at]
            filled[peer] += 1
    pairs: Pairs = _distinct(room, others, turned)
    return pairs


@compiled
def _distinct(room: IntArray, others: Numbers, turned: FloatArray) -> Pairs:
    """Keep of each one's pairs one with each, in place."""
    ends, size = np.zeros(len(room), np.int64), 0
    for owner in range(len(room) - 1):
        peers = others[room[owner] : room[owner + 1]].copy()
        values = turned[room[owner] : room[owner + 1]].copy()
        last = NOBODY
        for at in np.argsort(peers):
            if peers[at] != last:
                last = peers[at]
                others[size], turned[size] = last, values[at]
                size += 1
        ends[owner + 1] = size
    return ends, others[:size], turned[:size]
