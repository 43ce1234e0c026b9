"""Alternating paths: in come mates and a way to ask who may meet whom, out come more pairs.

Edmonds' search from one member at a time. The graph is never built: a member's row is asked for when the
search comes to them, so that those few for whom the best peers were not enough are tried against all.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np

from .arrays import BoolArray, IntArray
from .odd_sets import ALONE

_COMING = 100  # members who are told of before they are asked about, since many rows at once are cheap

Peers = Callable[[int, Sequence[int]], IntArray]


class Search:
    """Grow the alternating tree of one member who is alone.

    Parameters
    ----------
    root : int
    mates : array of int
        ALONE for who has none; not changed.
    peers : callable
        Returns those whom a member may meet; told of members who will be asked about next.
    blocked : array of bool
        Members who count as absent.

    Attributes
    ----------
    outer : array of bool
        Who could be alone in the root's place.
    """

    def __init__(self, root: int, mates: IntArray, peers: Peers, blocked: BoolArray) -> None:
        size = len(mates)
        self.root, self.mates, self.peers, self.blocked = root, mates, peers, blocked
        self.outer: BoolArray = np.zeros(size, np.bool_)
        self.reached: BoolArray = np.zeros(size, np.bool_)
        self._from = np.full(size, ALONE, np.int64)
        self._base: IntArray = np.arange(size)
        self._queue: deque[int] = deque()
        self._let_out(np.array([root]))

    def augment(self) -> IntArray | None:
        """Return mates with the root paired, or None where there is no way to."""
        for member in self.visit():
            end = self._alone_among(member)
            if end is not None:
                self._from[end] = member
                return self._flipped(end)
        return None

    def visit(self) -> Iterator[int]:
        """Yield each outer member when the tree comes to them, before it grows beyond."""
        while self._queue:
            member = self._queue.popleft()
            yield member
            for peer in self._open_peers(member).tolist():
                self._meet(member, peer)

    def released(self, member: int) -> IntArray:
        """Return mates with an outer member alone instead of the root."""
        if member == self.root:
            return self.mates.copy()
        mates = self._flipped(int(self.mates[member]))
        mates[member] = ALONE
        return mates

    def _open_peers(self, member: int) -> IntArray:
        peers = self.peers(member, list(islice(self._queue, _COMING)))
        found: IntArray = peers[~self.blocked[peers] & (self._base[peers] != self._base[member])]
        return found

    def _alone_among(self, member: int) -> int | None:
        peers = self._open_peers(member)
        found = peers[(self.mates[peers] == ALONE) & (peers != self.root)]
        return int(found[0]) if len(found) else None

    def _meet(self, member: int, peer: int) -> None:
        """Take a peer and their mate into the tree, or shrink the odd cycle that the two close."""
        if self._base[peer] == self._base[member]:  # shrunk since the row was looked at
            return
        if self.outer[peer]:
            self._shrink(member, peer)
        elif not self.reached[peer] and self.mates[peer] != ALONE:
            self.reached[peer] = True
            self._from[peer] = member
            self._let_out(self.mates[[peer]])

    def _let_out(self, members: IntArray) -> None:
        self.outer[members] = True
        self.reached[members] = True
        self._queue.extend(members.tolist())

    def _shrink(self, a: int, b: int) -> None:
        top = self._common_base(a, b)
        within: BoolArray = np.zeros(len(self.mates), np.bool_)
        self._mark(a, top, b, within)
        self._mark(b, top, a, within)
        inside = within[self._base]
        inside[top] = True
        self._base[inside] = top
        self._let_out(np.flatnonzero(inside & ~self.outer))

    def _common_base(self, a: int, b: int) -> int:
        seen = set()
        at = int(self._base[a])
        while True:
            seen.add(at)
            if at == self.root or self.mates[at] == ALONE:
                break
            at = int(self._base[self._from[self.mates[at]]])
        at = int(self._base[b])
        while at not in seen:
            at = int(self._base[self._from[self.mates[at]]])
        return at

    def _mark(self, member: int, top: int, child: int, within: BoolArray) -> None:
        """Mark the cycle's bases from a member up to its top, and let each know the way round."""
        at, below = member, child
        while self._base[at] != top:
            mate = int(self.mates[at])
            within[self._base[at]] = within[self._base[mate]] = True
            self._from[at] = below
            at, below = int(self._from[mate]), mate

    def _flipped(self, end: int) -> IntArray:
        mates = self.mates.copy()
        at = end
        while at != ALONE:
            before = int(self._from[at])
            next_one = int(self.mates[before])
            mates[at], mates[before] = before, at
            at = next_one
        return mates


def most_pairs(mates: IntArray, peers: Peers, first: BoolArray, free: BoolArray) -> IntArray:
    """Return mates of as many members as can have one, and of as many of `first` among them.

    Parameters
    ----------
    mates : array of int
        To begin with; who has a mate keeps one, but for who makes room for one of `first`.
    peers : callable
    first : array of bool
    free : array of bool
        Who is to have a mate at all.
    """
    best = mates.copy()
    absent = ~free
    for root in _alone(best, first, free):
        if best[root] != ALONE:
            continue
        search = Search(root, best, peers, absent)
        more = search.augment()
        if more is None:  # nothing that this tree reached can help anybody else
            absent |= search.reached
        else:
            best = more
    for root in np.flatnonzero((best == ALONE) & first & free).tolist():
        search = Search(root, best, peers, ~free)
        instead = next((one for one in search.visit() if not first[one]), None)
        best = best if instead is None else search.released(instead)
    return best


def _alone(mates: IntArray, first: BoolArray, free: BoolArray) -> list[int]:
    """Return who has no mate, those of `first` first."""
    alone = np.flatnonzero((mates == ALONE) & free)
    ordered: list[int] = alone[np.argsort(~first[alone], kind="stable")].tolist()
    return ordered
