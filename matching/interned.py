"""Distinct values, numbered: a predicate runs once for each value, not once for each member."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

import numpy as np

from .arrays import BoolArray, Growing, IntArray

Value = TypeVar("Value", bound=Hashable)
Asked = TypeVar("Asked", bound=Hashable)


class Interned(Generic[Value]):
    """Number values in the order in which they come.

    Examples
    --------
    >>> colours = Interned()
    >>> colours.number_of("red"), colours.number_of("blue"), colours.number_of("red")
    (0, 1, 0)
    """

    def __init__(self) -> None:
        self.values: list[Value] = []
        self._numbers: dict[Value, int] = {}

    def number_of(self, value: Value) -> int:
        """Return the number of a value, a new one if need be."""
        number = self._numbers.setdefault(value, len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number

    def restore(self, values: Iterable[Value]) -> None:
        """Take these values, which differ, numbered from 0 on."""
        self.values = list(values)
        self._numbers = {value: number for number, value in enumerate(self.values)}

    def find(self, value: Value) -> int:
        """Return the number of a value, -1 where it has none."""
        return self._numbers.get(value, -1)

    def keep(self, used: IntArray) -> IntArray:
        """Forget all but the values of these numbers; return each old number's new one."""
        kept = np.unique(used)
        renumbered = np.full(len(self.values), -1, np.int64)
        renumbered[kept] = np.arange(len(kept))
        self.values = [self.values[number] for number in kept]
        self._numbers = {value: number for number, value in enumerate(self.values)}
        return renumbered


class Verdicts(Interned[Value], Generic[Asked, Value]):
    """Remember, for the latest askers' values, which of the members' values they get on with.

    Parameters
    ----------
    agree : callable
        Takes the asker's and a member's value.
    limit : int
        How many askers' values are remembered.
    """

    def __init__(self, agree: Callable[[Asked, Value], bool], limit: int = 64) -> None:
        super().__init__()
        self._agree, self._limit = agree, limit
        self._known: OrderedDict[Asked, Growing] = OrderedDict()

    def of(self, asked: Asked) -> BoolArray:
        """Return the verdict on every value, by number."""
        known = self._known.pop(asked, None) or Growing(np.bool_)
        known.extend([self._agree(asked, value) for value in self.values[len(known) :]])
        self._known[asked] = known
        if len(self._known) > self._limit:
            self._known.popitem(last=False)
        verdicts: BoolArray = known.values
        return verdicts

    def keep(self, used: IntArray) -> IntArray:
        """Forget all but the values of these numbers, and every verdict."""
        self._known.clear()
        return super().keep(used)
