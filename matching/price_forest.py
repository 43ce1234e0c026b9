"""Edmonds' search with prices: in come members who are alone at a price, out come pairs and what proves them.

Every member has a price, and so has every odd set. No pair is worth more than it costs: the prices of its two
and of the sets around both; pairs that are together are worth just that; who is alone should cost nothing.
A tree grows from each who is alone at a price. Along it prices fall and rise by turns, in all trees alike,
until a pair between two trees costs no more than it is worth and ends both, or somebody costs nothing and can
be alone instead. All is in whole numbers, worths multiples of four and first prices even, so all is exact.
"""

from collections.abc import Callable, Iterable
from heapq import heappop, heappush

from .odd_sets import ALONE, Link, OddSets

_NEVER = 2**63
_OUTER, _INNER = 1, 2  # whose prices fall, and rise
# What happens, of what happens at once the first of these first: an outer member costs nothing; a pair of two
# outer members, or of one and somebody in no tree, is worth what it costs; an inner set costs nothing.
_WORTHLESS, _BOTH, _REACHED, _EMPTY = range(4)

Near = Callable[[int], Iterable[tuple[int, int]]]  # whom a member may be with, and what that is worth


class PriceForest:
    """Grow trees from all who are alone at a price, until nobody is.

    Parameters
    ----------
    sets : OddSets
        Mates to begin with; pairs are worth what they cost.
    prices : list of int
        Of each member; changed.
    near : callable
    ahead : int
        How far prices may fall before all who are in trees look further.

    Attributes
    ----------
    prices : list of int
    set_prices : dict of int to int
    """

    def __init__(self, sets: OddSets, prices: list[int], near: Near, ahead: int) -> None:
        self.sets, self.prices, self.near = sets, prices, near
        self.set_prices: dict[int, int] = {}
        self._clock = 0  # how far prices fell; those in trees are written as of when it stood at 0
        self._events: list[tuple[int, int, int, int, int]] = []
        self._horizon, self._beyond = ahead, _NEVER
        self._label: dict[int, int] = {}
        self._root: dict[int, int] = {}
        self._entry: dict[int, Link] = {}  # how all but a tree's first were reached
        self._trees: dict[int, set[int]] = {}

    def grow(self) -> None:
        """Grow until nobody is alone at a price."""
        for root, mate in enumerate(self.sets.mates):
            if mate == ALONE and self.prices[root] > 0:
                self._trees[root] = set()
                self._let_out(root, root)
        while self._trees:
            while not self._events or self._events[0][0] > self._horizon:
                self._look_further()
            self._clock, what, a, b, worth = heappop(self._events)
            if what == _EMPTY:
                if self._label.get(a) == _INNER and self.set_prices[a] == 2 * self._clock:
                    self._open(a)
            elif self._label.get(self.sets.top[a]) == _OUTER:
                self._let_happen(what, a, b, worth)

    def _let_happen(self, what: int, a: int, b: int, worth: int) -> None:
        """Do what follows, unless prices went another way since it was noted."""
        if what == _BOTH:
            self._join(a, b, worth)
        elif what == _REACHED:
            self._reach(a, b, worth)
        elif self.prices[a] == self._clock:
            self._flip(a, ALONE)

    def _look_further(self) -> None:
        """Note what happens until twice as far from the start, or until what is next."""
        self._horizon = max(2 * self._horizon, self._beyond)
        self._beyond = _NEVER
        for one, label in list(self._label.items()):
            if label == _OUTER:
                for member in self.sets.inside[one]:
                    self._look_round(member)

    def _join(self, a: int, b: int, worth: int) -> None:
        """End the trees of two outer members who cost what they are worth, or close a ring of one tree."""
        here, there = self.sets.top[a], self.sets.top[b]
        cost = self.prices[a] + self.prices[b] - worth
        if here == there or self._label.get(there) != _OUTER or cost != 2 * self._clock:
            return
        if self._root[here] == self._root[there]:
            self._close(a, b)
        else:
            self._flip(a, b)
            self._flip(b, a)

    def _reach(self, a: int, b: int, worth: int) -> None:
        """Let an outer member have somebody in no tree, if the two cost what they are worth."""
        there = self.sets.top[b]
        if there in self._label or self.prices[a] + self.prices[b] - worth != self._clock:
            return
        if self.sets.mates[self.sets.base[there]] == ALONE:
            self._flip(a, b)
            self.sets.rebase(there, b)
            self.sets.mates[b] = a
        else:
            self._take_in(there, (a, b))

    def _take_in(self, one: int, entry: Link) -> None:
        """Take a pair into a tree: one's prices will rise, those of the mate fall."""
        root = self._root[self.sets.top[entry[0]]]
        self._let_in(one, root, entry)
        base = self.sets.base[one]
        mate = self.sets.mates[base]
        self._let_out(self.sets.top[mate], root, (base, mate))

    def _put(self, one: int, label: int, root: int, entry: Link | None) -> None:
        """Write a part into a tree."""
        self._label[one], self._root[one] = label, root
        self._trees[root].add(one)
        if entry:
            self._entry[one] = entry

    def _drop(self, one: int) -> tuple[int, int, Link | None]:
        """Take a part out of its tree; return what was written."""
        label, root = self._label.pop(one), self._root.pop(one)
        self._trees[root].discard(one)
        return label, root, self._entry.pop(one, None)

    def _shift(self, one: int, by: int) -> None:
        """Raise the prices of a set's members, and lower its own so that pairs in it cost the same."""
        for member in self.sets.inside[one]:
            self.prices[member] += by
        if one in self.set_prices:
            self.set_prices[one] -= 2 * by

    def _let_in(self, one: int, root: int, entry: Link | None) -> None:
        self._put(one, _INNER, root, entry)
        self._shift(one, -self._clock)
        if one in self.set_prices:
            heappush(self._events, (self.set_prices[one] // 2, _EMPTY, one, one, 0))

    def _let_out(self, one: int, root: int, entry: Link | None = None) -> None:
        self._put(one, _OUTER, root, entry)
        self._shift(one, self._clock)
        for member in self.sets.inside[one]:
            self._look_round(member)

    def _look_round(self, member: int) -> None:
        """Note when an outer member costs nothing, and when pairs of theirs are worth what they cost."""
        top, label, prices, events = self.sets.top, self._label, self.prices, self._events
        mine, here, horizon, beyond = prices[member], top[member], self._horizon, self._beyond
        if mine <= horizon:
            heappush(events, (mine, _WORTHLESS, member, member, 0))
        elif mine < beyond:
            beyond = mine
        for peer, worth in self.near(member):
            there = top[peer]
            known = label.get(there)
            if there == here or known == _INNER:
                continue
            when = mine + prices[peer] - worth
            if known:
                when //= 2
            if when <= horizon:
                heappush(events, (when, _BOTH if known else _REACHED, member, peer, worth))
            elif when < beyond:
                beyond = when
        self._beyond = beyond

    def _look_for(self, member: int) -> None:
        """Note when pairs of somebody in no tree with outer members are worth what they cost."""
        for peer, worth in self.near(member):
            if self._label.get(self.sets.top[peer]) == _OUTER:
                when = self.prices[member] + self.prices[peer] - worth
                if when <= self._horizon:
                    heappush(self._events, (when, _REACHED, peer, member, worth))

    def _close(self, a: int, b: int) -> None:
        """Make a set of the odd ring that a pair of outer members closes."""
        ring, links = self._ring(a, b)
        risen: list[int] = []
        found = []
        for part in ring:
            found.append(self._drop(part))
            inner = found[-1][0] == _INNER
            if part in self.set_prices:
                self.set_prices[part] += -2 * self._clock if inner else 2 * self._clock
            if inner:
                risen.extend(self.sets.inside[part])
        made = self.sets.form(ring, links)
        self._put(made, *found[0])
        self.set_prices[made] = -2 * self._clock
        for member in risen:
            self.prices[member] += 2 * self._clock
        for member in risen:
            self._look_round(member)

    def _ring(self, a: int, b: int) -> tuple[list[int], list[Link]]:
        """Return the ring from where the ways of two outer members to the root meet, and its links."""
        above = [self.sets.top[a]]
        while above[-1] in self._entry:
            above.append(self.sets.top[self._entry[above[-1]][0]])
        at = {one: number for number, one in enumerate(above)}
        ring, links = [], []
        one = self.sets.top[b]
        while one not in at:
            ring.append(one)
            links.append((self._entry[one][1], self._entry[one][0]))
            one = self.sets.top[links[-1][1]]
        down = above[at[one] :: -1]
        return down + ring, [self._entry[part] for part in down[1:]] + [(a, b)] + links

    def _open(self, one: int) -> None:
        """Take an inner set apart that costs nothing: an even way through it stays in the tree."""
        entry = self._entry[one]
        _, root, _ = self._drop(one)
        del self.set_prices[one]
        way = [(self.sets.part(one, entry[1]), entry), *self.sets.way(one, entry[1])]
        kept = {part for part, _ in way}
        off = [part for part in self.sets.rings[one] if part not in kept]
        for member in self.sets.inside[one]:
            self.prices[member] += self._clock
        self.sets.dissolve(one)
        for part, link in way[::2]:
            self._let_in(part, root, link)
        for part, link in way[1::2]:
            self._let_out(part, root, link)
        for part in off:
            for member in self.sets.inside[part]:
                self._look_for(member)

    def _flip(self, member: int, mate: int) -> None:
        """Give an outer member a mate, and everybody on the way to the root another; the tree ends."""
        root = self._root[self.sets.top[member]]
        while True:
            outer = self.sets.top[member]
            self.sets.rebase(outer, member)
            self.sets.mates[member] = mate
            if outer not in self._entry:
                break
            inner = self.sets.top[self._entry[outer][0]]
            member, mate = self._entry[inner]
            self.sets.rebase(inner, mate)
            self.sets.mates[mate] = member
        self._end(root)

    def _end(self, root: int) -> None:
        """Let all of a tree go."""
        gone = sorted(self._trees[root])
        for one in gone:
            label, _, _ = self._drop(one)
            self._shift(one, -self._clock if label == _OUTER else self._clock)
        del self._trees[root]
        for one in gone:
            for member in self.sets.inside[one]:
                self._look_for(member)
