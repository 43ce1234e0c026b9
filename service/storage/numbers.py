"""Whose number is whose: the numbers of a loaded community's members, and the codes that stand for their ids.

Those that came all at once stand in two arrays, as a dict of a million would take more than the index.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.records import Member

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from matching.index import PriceList

MANY = 10_000  # that are noted one by one, before they are put with the others


@dataclass(frozen=True, slots=True, eq=False)
class NumberedPrices:
    """Hold what members cost, by number; of a million members a dict would take 150 MB for a moment."""

    numbers: NDArray[np.int64]
    values: NDArray[np.float64]


class Numbers:
    """Hold the code of each number.

    Parameters
    ----------
    numbers : array of int, ascending
    codes : array of uint64
    """

    def __init__(
        self, numbers: NDArray[np.int64] | None = None, codes: NDArray[np.uint64] | None = None
    ) -> None:
        self._numbers, self._codes = numbers, codes
        self._late: dict[int, int] = {}
        self._gone: set[int] = set()

    def __len__(self) -> int:
        return (0 if self._numbers is None else len(self._numbers)) + len(self._late) - len(self._gone)

    def note(self, members: Iterable[Member]) -> None:
        """Note the numbers of members, known ones too."""
        from matching.ranking import member_code

        for member in members:
            if self._find(member.number) is None:
                self._late[member.number] = member_code(member.record.id)
        if len(self._late) > MANY:
            self._numbers, self._codes = self.arrays()
            self._late, self._gone = {}, set()

    def forget(self, number: int) -> int | None:
        """Forget a number; return its code, if it was known."""
        code = self._find(number)
        if code is not None and self._late.pop(number, None) is None:
            self._gone.add(number)
        return code

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """Return all numbers, ascending, and their codes."""
        import numpy as np

        numbers = np.fromiter(self._late, np.int64, len(self._late))
        codes = np.fromiter(self._late.values(), np.uint64, len(self._late))
        if self._numbers is not None and self._codes is not None:
            stay = ~np.isin(self._numbers, list(self._gone))
            numbers = np.concatenate([self._numbers[stay], numbers])
            codes = np.concatenate([self._codes[stay], codes])
        order = np.argsort(numbers)
        return numbers[order], codes[order]

    def priced(self, prices: NumberedPrices | None) -> PriceList:
        """Return the prices of those numbers that are known, by code."""
        import numpy as np

        from matching.index import PriceList

        if prices is None:
            return PriceList.of({})
        numbers, codes = self.arrays()
        at = np.searchsorted(numbers, prices.numbers)
        known = at < len(numbers)
        known[known] = numbers[at[known]] == prices.numbers[known]
        return PriceList(codes[at[known]], prices.values[known])

    def numbers_of(self, codes: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the numbers of codes, -1 where there is none."""
        import numpy as np

        numbers, known = self.arrays()
        found, order = np.full(len(codes), -1, np.int64), np.argsort(known)
        if len(known):
            at = order[np.minimum(np.searchsorted(known, codes, sorter=order), len(known) - 1)]
            found[known[at] == codes] = numbers[at[known[at] == codes]]
        return found

    def _find(self, number: int) -> int | None:
        if number in self._late:
            return self._late[number]
        if self._numbers is None or self._codes is None or number in self._gone:
            return None
        at = int(self._numbers.searchsorted(number))
        if at < len(self._numbers) and self._numbers[at] == number:
            return int(self._codes[at])
        return None
