"""Lists under prices as machine code: in come whose rivals are who, out comes who stands on whose list.

The same as `exposure` does with NumPy, for communities whose pairs would not fit in memory as it sorts them.
"""

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray, Numbers
from .compiled import compiled

NOBODY = -1

Pairs = tuple[IntArray, Numbers, FloatArray]  # where each one's end, with whom, what they rank by


@compiled
def gathered(old: Pairs, fresh: Pairs, shown: BoolArray) -> Pairs:
    """Return old pairs with fresh ones and their reverse, each once, each one's by whom it is with.

    Nobody gets a pair with who isn't shown.
    """
    members = len(shown)
    room = old[0] + fresh[0]
    room[1:] += np.cumsum(_reversed(fresh, shown))
    others, turned = np.empty(room[-1], np.int32), np.empty(room[-1], np.float64)
    filled = room[:-1].copy()
    for ends, peers, values in (old, fresh):
        for owner in range(members):
            for at in range(ends[owner], ends[owner + 1]):
                others[filled[owner]], turned[filled[owner]] = peers[at], values[at]
                filled[owner] += 1
    for seen in np.flatnonzero(shown):
        for at in range(fresh[0][seen], fresh[0][seen + 1]):
            peer = fresh[1][at]
            others[filled[peer]], turned[filled[peer]] = seen, fresh[2][at]
            filled[peer] += 1
    pairs: Pairs = _distinct(room, others, turned)
    return pairs


@compiled
def _reversed(pairs: Pairs, shown: BoolArray) -> IntArray:
    """Count with how many who are shown each has a pair in reverse."""
    counts = np.zeros(len(shown), np.int64)
    for owner in np.flatnonzero(shown):
        for at in range(pairs[0][owner], pairs[0][owner + 1]):
            counts[pairs[1][at]] += 1
    return counts


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


@compiled
def listed(pairs: Pairs, firsts: Numbers, prices: FloatArray, lists: Numbers) -> None:
    """Fill everybody's list: whom they see first whatever the prices, then the best under these prices."""
    ends, others, turned = pairs
    length = lists.shape[1]
    values = np.empty(length)
    for owner in range(len(lists)):
        lists[owner] = NOBODY
        size = 0
        while size < firsts.shape[1] and firsts[owner, size] != NOBODY:
            lists[owner, size] = firsts[owner, size]
            size += 1
        first = size
        for at in range(ends[owner], ends[owner + 1]):
            peer = others[at]
            value = turned[at] - prices[peer]
            if value == -np.inf or (size == length and value <= values[length - 1]):
                continue
            if _stands(lists[owner], first, peer):
                continue
            place = min(size, length - 1)
            while place > first and values[place - 1] < value:
                lists[owner, place], values[place] = lists[owner, place - 1], values[place - 1]
                place -= 1
            lists[owner, place], values[place] = peer, value
            size = min(size + 1, length)


@compiled
def _stands(places: Numbers, first: int, peer: int) -> bool:
    for at in range(first):  # noqa: SIM110 - numba has no `any`
        if places[at] == peer:
            return True
    return False
