"""What a process saw change in a community while it followed it: who, and under which stamps.

In: the rows that were read at each catching up. Out: for a stamp that stood in one of them, the ids of all
who have changed since. A stamp has 32 random bits, so one that stands here was written in this very database:
an older copy of it, restored, may have given the same number to another change.
"""

from bisect import bisect_right
from collections.abc import Container, Iterable

from service.records import Member
from service.storage.stamps import number_of

MOST_FOLLOWED = 20_000  # changes that are remembered


class Followed:
    """The changes of one community since a change number.

    Attributes
    ----------
    reached : int
        The newest change that the process knows of.
    """

    def __init__(self) -> None:
        self.begin(0)

    def begin(self, change_number: int) -> None:
        """Forget everything, and follow from here."""
        self.reached = self._first = change_number
        self._numbers: list[int] = []
        self._ids: list[str] = []
        self._stamps: set[str] = set()

    def follow(self, seen: int, reached: int, changed: Iterable[Member]) -> None:
        """Take in what changed after `seen`, read when the community had reached `reached` or more."""
        # What had been committed early was read before, too.
        known = bisect_right(self._numbers, seen)
        del self._numbers[known:], self._ids[known:]
        for member in sorted(changed, key=lambda member: member.changed):
            self._numbers.append(member.changed)
            self._ids.append(member.record.id)
            self._stamps |= {member.own, member.pairs}
        self.reached = max([reached, *self._numbers[-1:]])
        if len(self._ids) > MOST_FOLLOWED:
            self._forget_oldest()

    def note(self, stamp: str) -> None:
        """Remember a stamp that was read elsewhere in the database."""
        if number_of(stamp) >= self._first:
            self._stamps.add(stamp)

    def since(self, stamp: str) -> set[str] | None:
        """Return who changed after the change that left this stamp, None where that can't be told."""
        number = number_of(stamp)
        if stamp not in self._stamps or number < self._first:  # an older one may stand in a row that changed
            return None
        return set(self._ids[bisect_right(self._numbers, number) :])

    def keep(self, ids: Container[str]) -> None:
        """Forget everybody but these."""
        kept = [(number, one) for number, one in zip(self._numbers, self._ids, strict=True) if one in ids]
        self._numbers, self._ids = [number for number, _ in kept], [one for _, one in kept]

    def _forget_oldest(self) -> None:
        half = len(self._ids) // 2
        self._first = self._numbers[half - 1]
        del self._numbers[:half], self._ids[:half]
        self._stamps = {stamp for stamp in self._stamps if number_of(stamp) >= self._first}
