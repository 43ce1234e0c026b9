"""Arrays that grow at the end: columns of numbers about members, and sparse rows."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
WordArray = NDArray[np.uint64]


def check_length(values: NDArray[Any], expected: int) -> None:
    """Refuse an array of another length than its neighbours have."""
    if len(values) != expected:
        raise ValueError(f"expected {expected} values, got {len(values)}")


class Growing:
    """Hold a one-dimensional array that takes more at its end; the room doubles when it is full."""

    def __init__(self, dtype: type[np.generic]) -> None:
        self._room: NDArray[Any] = np.empty(0, dtype)
        self._size = 0

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

    def replace(self, values: NDArray[Any]) -> None:
        """Put other values in the place of all."""
        self._room, self._size = values.astype(self._room.dtype), len(values)


class Table:
    """Hold columns of equal length by name.

    Examples
    --------
    >>> table = Table({"radius": np.float64})
    >>> table.extend({"radius": [5.0, 10.0]})
    >>> table["radius"]
    array([ 5., 10.])
    """

    def __init__(self, columns: Mapping[str, type[np.generic]]) -> None:
        self._columns = {name: Growing(dtype) for name, dtype in columns.items()}

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._columns[name].values

    def extend(self, rows: Mapping[str, ArrayLike]) -> None:
        """Append rows, given as columns."""
        for name, column in self._columns.items():
            column.extend(rows[name])

    def replace(self, name: str, values: NDArray[Any]) -> None:
        """Put other values in one column."""
        check_length(values, len(self._columns[name]))
        self._columns[name].replace(values)

    def keep(self, rows: IntArray) -> None:
        """Keep only some rows, in the order given."""
        for column in self._columns.values():
            column.replace(column.values[rows])


class SparseRows:
    """Hold sparse rows that grow at the end, in compressed form."""

    def __init__(self) -> None:
        self._columns = Growing(np.int32)
        self._values = Growing(np.float64)
        self._ends = Growing(np.int32)
        self._ends.extend([0])
        self._matrix: Any = None  # scipy's view of the three, until they change

    def __len__(self) -> int:
        return len(self._ends) - 1

    def row(self, number: int) -> tuple[NDArray[np.int32], FloatArray]:
        """Return one row's columns and values."""
        part = slice(*self._ends.values[number : number + 2])
        return self._columns.values[part], self._values.values[part]

    def lengths(self, rows: IntArray) -> IntArray:
        """Count the entries of some rows."""
        ends: NDArray[np.int32] = self._ends.values
        return (ends[rows + 1] - ends[rows]).astype(np.int64)

    def parts(self) -> tuple[IntArray, NDArray[np.int32], FloatArray]:
        """Return the row, column and value of every entry."""
        lengths = np.diff(self._ends.values)
        return np.repeat(np.arange(len(self)), lengths), self._columns.values, self._values.values

    def first(self, counts: IntArray) -> tuple[IntArray, NDArray[np.int32]]:
        """Return the row and column of so many first entries of each row."""
        starts: NDArray[np.int32] = self._ends.values[:-1]
        entries = np.arange(counts.sum()) + np.repeat(starts - np.cumsum(counts) + counts, counts)
        return np.repeat(np.arange(len(self)), counts), self._columns.values[entries]

    def extend(self, lengths: IntArray, columns: NDArray[Any], values: FloatArray) -> None:
        """Append rows: their lengths, and their entries one after another."""
        check_length(columns, int(lengths.sum()))
        check_length(values, int(lengths.sum()))
        self._matrix = None
        self._ends.extend(self._ends.values[-1] + np.cumsum(lengths))
        self._columns.extend(columns)
        self._values.extend(values)

    def replace(self, lengths: IntArray, columns: NDArray[Any], values: FloatArray) -> None:
        """Put other rows in the place of all."""
        self._ends.replace(np.zeros(1, np.int32))
        self._columns.replace(columns[:0])
        self._values.replace(values[:0])
        self.extend(lengths, columns, values)

    def keep(self, rows: IntArray) -> None:
        """Keep only some rows, in the order given."""
        lengths = self.lengths(rows)
        starts = self._ends.values[rows].astype(np.int64)
        entries = np.arange(lengths.sum()) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        self.replace(lengths, self._columns.values[entries], self._values.values[entries])

    def renumber(self, numbers: IntArray) -> None:
        """Give every column another number."""
        self._matrix = None
        self._columns.replace(numbers[self._columns.values].astype(np.int32))

    def dot(self, vector: FloatArray) -> FloatArray:
        """Multiply every row with a vector that has room for every column."""
        if self._matrix is None or self._matrix.shape[1] != len(vector):
            entries = self._values.values, self._columns.values, self._ends.values
            self._matrix = csr_array(entries, shape=(len(self), len(vector)))
        product: FloatArray = self._matrix @ vector
        return product
