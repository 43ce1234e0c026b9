"""Odd members: in come groups and who is in none, out come groups that took in whom they could."""

from collections.abc import Iterator, Sequence

import numpy as np

from .alternating import Search
from .arrays import BoolArray, FloatArray, IntArray
from .meetable import NO
from .pairs import Asked

_OFFERS = 64  # groups that one member tries
_LONGEST = 100  # members who move for one; each is a call within a call
_EFFORT = 200_000  # members looked at, over all who are tried in an odd one's place

Groups = list[tuple[int, ...]]


def padded(groups: Sequence[Sequence[int]]) -> IntArray:
    """Return groups as rows of members, -1 for nobody."""
    rows = np.full((len(groups), max(map(len, groups), default=1)), -1, np.int64)
    for row, group in zip(rows, groups, strict=True):
        row[: len(group)] = group
    return rows


def offers(asked: Asked, member: int, rows: IntArray, *, repeats: bool) -> tuple[IntArray, FloatArray]:
    """Return the groups that could take a member in, by what it adds, greatest first."""
    row = asked.members.row(member)
    fits: BoolArray = row > NO / 2
    if not repeats:
        met = np.flatnonzero(fits)
        fits[met[asked.repeats(np.full(len(met), member), met)]] = False
    there = rows >= 0
    able = np.flatnonzero((fits[rows] | ~there).all(axis=1))
    joined = np.column_stack([rows[able], np.full(len(able), member)])
    able = able[asked.members.share_time(joined)] if len(able) else able
    gains = np.where(there[able], np.sqrt(np.maximum(row[rows[able]], 0)), 0).sum(axis=1)
    best = np.argsort(-gains, kind="stable")[:_OFFERS]
    return able[best], gains[best]


def take_in(
    asked: Asked,
    groups: Groups,
    alone: Sequence[int],
    most: int,
    repeats_allowed: Sequence[bool] = (False, True),
) -> tuple[Groups, list[int]]:
    """Let groups of fewer than `most` members take in one each; return them, and who is still alone.

    As many as can be, since who has taken a place moves to another if somebody needs it; those of `first`
    before others; repeats only for whom nothing else is left.
    """
    order = sorted(alone, key=lambda one: (not asked.first[one], one))
    room = [at for at, group in enumerate(groups) if len(group) < most]
    rows = padded([groups[at] for at in room])
    taken: dict[int, int] = {}
    for repeats in repeats_allowed:
        waiting = [one for one in order if one not in taken.values()]
        lists = {one: offers(asked, one, rows, repeats=repeats)[0].tolist() for one in waiting if room}
        for one in lists:
            _place(one, lists, taken, set())
    grown = list(groups)
    for at, one in taken.items():
        grown[room[at]] = (*groups[room[at]], one)
    return grown, [one for one in order if one not in taken.values()]


def _place(
    one: int, lists: dict[int, list[int]], taken: dict[int, int], tried: set[int], moves: int = _LONGEST
) -> bool:
    """Give a member a place, moving at most so many others along (Kuhn's augmenting paths)."""
    for at in lists[one]:
        if at in tried:
            continue
        tried.add(at)
        holder = taken.get(at)
        movable = holder in lists and moves > 0
        if holder is None or (movable and _place(holder, lists, taken, tried, moves - 1)):
            taken[at] = one
            return True
    return False


def trade_places(
    asked: Asked, mates: IntArray, groups: Groups, alone: Sequence[int]
) -> tuple[Groups, list[int]]:
    """Let somebody else be the odd one where that one can join a pair and the odd one can't."""
    grown, left, paired = list(groups), [], mates
    tries = iter(range(_EFFORT // max(asked.size, 1)))
    for root in alone:
        busy = ~asked.free
        busy[[member for group in grown if len(group) > 2 for member in group]] = True
        traded = _trade(asked, paired, root, busy, tries)
        if traded is None:
            left.append(root)
            continue
        paired, three = traded
        kept = [group for group in grown if busy[list(group)].any()]
        low = np.flatnonzero((paired > np.arange(len(paired))) & ~busy).tolist()
        grown = [*kept, three, *((one, int(paired[one])) for one in low if one not in three)]
    return grown, left


def _trade(
    asked: Asked, mates: IntArray, root: int, busy: BoolArray, tries: Iterator[int]
) -> tuple[IntArray, tuple[int, ...]] | None:
    search = Search(root, mates, asked.peers(repeats=True), busy)
    for _, other in zip(tries, search.visit(), strict=False):
        moved = search.released(other)
        low = np.flatnonzero((moved > np.arange(len(moved))) & ~busy)
        found, _ = offers(asked, other, np.stack([low, moved[low]], axis=1), repeats=True)
        if len(found):
            pair = int(low[found[0]])
            return moved, (pair, int(moved[pair]), other)
    return None
