"""Odd sets: mates in, out come sets within sets of members of whom all but one have their mate inside.

A set is a ring of an odd number of members or of smaller sets. Around it every second link is a pair, but for
its base, whose mate is outside; whoever else is to be the base becomes it by shifting the pairs.
Members are numbered from 0, sets from the number of members on.
"""

from collections.abc import Iterator, Sequence

ALONE = -1  # the mate of somebody without one, and the set around one that is in none
Link = tuple[int, int]


class OddSets:
    """Keep mates and odd sets in step.

    Parameters
    ----------
    mates : sequence of int
        ALONE for who has none.

    Attributes
    ----------
    mates : list of int
    top : list of int
        The outermost set of each member, or the member.
    base : list of int
        Of each member and set, the member whose mate, if any, is outside.
    inside : list of list of int
        The members of each set; of a member themself.
    around : list of int
        The set directly around each member and set, ALONE for none; formed later, it has a higher number.
    rings : dict of int to list of int
        What each set consists of, its base first.
    """

    def __init__(self, mates: Sequence[int]) -> None:
        self.mates = list(mates)
        self.size = len(self.mates)
        self.top = list(range(self.size))
        self.base = list(range(self.size))
        self.inside = [[member] for member in range(self.size)]
        self.rings: dict[int, list[int]] = {}
        self.around = [ALONE] * self.size
        self._links: dict[int, list[Link]] = {}

    def form(self, ring: list[int], links: list[Link]) -> int:
        """Make a set of a ring, its base first, each linked to the next by a pair; return its number."""
        made = len(self.base)
        self.base.append(self.base[ring[0]])
        self.around.append(ALONE)
        self.rings[made], self._links[made] = ring, links
        self.inside.append([member for part in ring for member in self.inside[part]])
        for part in ring:
            self.around[part] = made
        for member in self.inside[made]:
            self.top[member] = made
        return made

    def dissolve(self, one: int) -> None:
        """Take an outermost set apart."""
        for part in self.rings.pop(one):
            self.around[part] = ALONE
            for member in self.inside[part]:
                self.top[member] = part
        del self._links[one]
        self.inside[one] = []

    def way(self, one: int, member: int) -> Iterator[tuple[int, Link]]:
        """Yield the even way from where a member is in a ring to its base.

        Yields
        ------
        part : int
            The next part of the ring.
        link : tuple of two int
            The member it is come from, and the one in it.
        """
        ring, links = self.rings[one], self._links[one]
        at = ring.index(self.part(one, member))
        if at % 2:
            for step in range(at, len(ring)):
                yield ring[(step + 1) % len(ring)], links[step]
        else:
            for step in range(at - 1, -1, -1):
                yield ring[step], links[step][::-1]

    def rebase(self, one: int, member: int) -> None:
        """Make a member the base of a set, or of themself; whom the base is with is for the caller to say."""
        waiting = [(one, member)]
        while waiting:
            one, member = waiting.pop()
            self.base[one] = member
            if one < self.size:
                continue
            part = self.part(one, member)
            waiting.append((part, member))
            steps = list(self.way(one, member))
            for (left, _), (right, (a, b)) in zip(steps[::2], steps[1::2], strict=True):
                waiting += ((left, a), (right, b))
                self.mates[a], self.mates[b] = b, a
            at = self.rings[one].index(part)
            self.rings[one] = self.rings[one][at:] + self.rings[one][:at]
            self._links[one] = self._links[one][at:] + self._links[one][:at]

    def part(self, one: int, member: int) -> int:
        """Return which part of a set holds a member."""
        while self.around[member] != one:
            member = self.around[member]
        return member
