"""Arrays that grow at the end: columns of numbers about members, and ragged rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
WordArray = NDArray[np.uint64]
Numbers = NDArray[np.int32]
ROWS_AT_ONCE = 65_536
LONG = 64  # numbers in a row, which are quicker copied row by row


def check_length(values: Sequence[Any] | NDArray[Any], expected: int) -> None:
    """Refuse an array of another length than its neighbours have."""
    if len(values) != expected:
        raise ValueError(f"expected {expected} values, got {len(values)}")


class Growing:
    """Hold a one-dimensional array that takes more at its end; the room doubles when it is full."""

    def __init__(self, dtype: DTypeLike) -> None:
        self._room: NDArray[Any] = np.empty(0, dtype)
        self._size = 0

    @classmethod
    def over(cls, room: NDArray[Any], size: int) -> "Growing":
        """Hold what is in the front of an array, and grow in the rest of it."""
        growing = cls(room.dtype)
        growing._room, growing._size = room, size
        return growing

    def __len__(self) -> int:
        return self._size

    @property
    def values(self) -> NDArray[Any]:
        """Return a view of what is filled; it goes stale with the next change."""
        return self._room[: self._size]

    def extend(self, more: ArrayLike) -> None:
        """Append values."""
        added = np.asarray(more, self._room.dtype)
        size = self._size + len(added)
        if size > len(self._room):
            # Zeros, since memory that others have left could hold what was to be forgotten.
            room = np.zeros(max(size, 2 * self._size), self._room.dtype)
            room[: self._size] = self.values
            self._room = room
        self._room[self._size : size] = added
        self._size = size

    def reorder(self, first: int, order: IntArray) -> None:
        """Put the values from `first` on in another order, or keep only some of them."""
        self.splice(first, self.values[first:][order])

    def splice(self, first: int, values: NDArray[Any]) -> None:
        """Put other values in the place of those from `first` on."""
        if not first:
            self.replace(values)
            return
        self._room[first : self._size] = 0
        self._size = first
        self.extend(values)

    def replace(self, values: NDArray[Any]) -> None:
        """Put other values in the place of all."""
        # With room behind them, lest all be copied once more for who comes next. It takes no memory yet.
        self._room, self._size = np.zeros(2 * len(values), self._room.dtype), len(values)
        self.values[:] = values


class Table:
    """Hold columns of equal length by name; what one row holds stands together in memory.

    Examples
    --------
    >>> table = Table({"radius": np.float64})
    >>> table.extend({"radius": [5.0, 10.0]})
    >>> table["radius"]
    array([ 5., 10.])
    """

    def __init__(self, columns: Mapping[str, type[np.generic]]) -> None:
        self._rows = Growing(np.dtype(list(columns.items())))

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.rows[name]

    @property
    def rows(self) -> NDArray[Any]:
        """Return all rows, their columns as fields."""
        return self._rows.values

    def extend(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Append rows, given as columns."""
        rows = np.zeros(len(next(iter(columns.values()))), self.rows.dtype)
        for name, values in columns.items():
            check_length(values, len(rows))
            rows[name] = values
        self._rows.extend(rows)

    def replace(self, name: str, values: NDArray[Any]) -> None:
        """Put other values in one column."""
        check_length(values, len(self.rows))
        self.rows[name] = values

    def parts(self) -> dict[str, Growing]:
        """Return what it is made of."""
        return {"rows": self._rows}

    def restore(self, parts: Mapping[str, Growing]) -> None:
        """Take what it was made of.

        Raises
        ------
        ValueError
            If it had other columns.
        """
        if parts["rows"].values.dtype != self.rows.dtype:
            raise ValueError(f"expected columns {self.rows.dtype}, got {parts['rows'].values.dtype}")
        self._rows = parts["rows"]

    def reorder(self, first: int, order: IntArray) -> None:
        """Put the rows from `first` on in another order, or keep only some of them."""
        self._rows.reorder(first, order)


class Ragged:
    """Hold rows of numbers, of any length each, that grow at the end."""

    def __init__(self, dtype: type[np.generic] = np.int32, ends: type[np.generic] = np.int32) -> None:
        self._numbers = Growing(dtype)
        self._ends = Growing(ends)
        self._ends.extend([0])

    def parts(self) -> dict[str, Growing]:
        """Return what it is made of."""
        return {"numbers": self._numbers, "ends": self._ends}

    def restore(self, parts: Mapping[str, Growing]) -> None:
        """Take what it was made of."""
        self._numbers, self._ends = parts["numbers"], parts["ends"]

    @property
    def numbers(self) -> NDArray[Any]:
        """Return the numbers of all rows, those of one row after another."""
        return self._numbers.values

    @property
    def ends(self) -> NDArray[Any]:
        """Return where each row ends and the next begins, with a 0 in front."""
        return self._ends.values

    @property
    def lengths(self) -> IntArray:
        """Count the numbers of every row."""
        return np.diff(self.ends).astype(np.int64)

    def extend(self, rows: Sequence[Sequence[int]]) -> None:
        """Append rows."""
        self.append(
            [len(row) for row in rows], np.array([number for row in rows for number in row], np.int64)
        )

    def append(self, lengths: Sequence[int], numbers: NDArray[Any]) -> None:
        """Append rows of these lengths, whose numbers come one after another."""
        self._ends.extend(self.ends[-1] + np.cumsum(lengths, dtype=np.int64))
        self._numbers.extend(numbers)

    def row(self, number: int) -> NDArray[Any]:
        """Return the numbers of one row."""
        ends = self.ends
        return self.numbers[ends.item(number) : ends.item(number + 1)]

    def lists(self, rows: Sequence[int]) -> list[list[int]]:
        """Return the numbers of each of a few rows."""
        ends, numbers = self.ends, self.numbers
        return [numbers[ends.item(row) : ends.item(row + 1)].tolist() for row in rows]

    def of(self, rows: IntArray) -> tuple[IntArray, NDArray[Any]]:
        """Return the lengths and the numbers of some rows, those of one row after another."""
        starts, ends = self._stretches(rows)
        return ends - starts, self.numbers[spread(starts, ends - starts)]

    def reorder(self, first: int, order: IntArray) -> None:
        """Put the rows from `first` on in another order, or only some of them."""
        start, rows = int(self.ends[first]), first + order
        ends = np.append(0, np.cumsum(self.ends[rows + 1] - self.ends[rows], dtype=np.int64))
        numbers = np.empty(int(ends[-1]), self.numbers.dtype)
        gathered = self._joined if len(numbers) > LONG * len(rows) else self._spread
        for some in range(0, len(order), ROWS_AT_ONCE):
            last = min(some + ROWS_AT_ONCE, len(order))
            numbers[ends[some] : ends[last]] = gathered(rows[some:last])
        self._numbers.splice(start, numbers)
        self._ends.splice(first, start + ends)

    def renumber(self, numbers: IntArray) -> None:
        """Give every number another one."""
        self._numbers.replace(numbers[self.numbers])

    def _stretches(self, rows: IntArray) -> tuple[IntArray, IntArray]:
        """Return where some rows start and end."""
        return self.ends[rows].astype(np.int64), self.ends[rows + 1].astype(np.int64)

    def _spread(self, rows: IntArray) -> NDArray[Any]:
        """Return the numbers of some rows, those of one after another."""
        return self.of(rows)[1]

    def _joined(self, rows: IntArray) -> NDArray[Any]:
        """Return the same, row by row: where rows are long, the places of all the numbers take longer."""
        numbers, width = self.numbers.view(np.uint8).data, self.numbers.itemsize
        starts, ends = (width * at for at in self._stretches(rows))
        stretches = zip(starts.tolist(), ends.tolist(), strict=True)
        # Bytes, which the garbage collector needn't look through.
        return np.frombuffer(b"".join([numbers[a:b].tobytes() for a, b in stretches]), self.numbers.dtype)


def spread(starts: IntArray, lengths: IntArray) -> IntArray:
    """Return all positions of some stretches, those of one after another.

    Examples
    --------
    >>> spread(np.array([10, 0]), np.array([3, 2]))
    array([10, 11, 12,  0,  1])
    """
    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(lengths.sum())
