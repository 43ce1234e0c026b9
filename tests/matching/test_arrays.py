"""Growing arrays hold what plain lists would."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.arrays import Growing, SparseRows, Table

rows = st.lists(st.dictionaries(st.integers(0, 9), st.integers(1, 9), max_size=4), max_size=8)
Rows = list[dict[int, int]]


def extend(sparse: SparseRows, added: Rows) -> None:
    lengths = np.array([len(row) for row in added], np.int64)
    columns = np.array([column for row in added for column in row], np.int64)
    values = np.array([value for row in added for value in row.values()], float)
    sparse.extend(lengths, columns, values)


def dense(added: Rows) -> np.ndarray:
    full = np.zeros((len(added), 10))
    for number, row in enumerate(added):
        full[number, list(row)] = list(row.values())
    return full


@given(st.lists(st.lists(st.integers(-5, 5), max_size=5), max_size=6))
def test_a_growing_array_holds_what_was_appended(parts: list[list[int]]) -> None:
    growing = Growing(np.int64)

    for part in parts:
        growing.extend(part)

    assert growing.values.tolist() == [value for part in parts for value in part]
    assert len(growing) == len(growing.values)


@given(st.lists(rows, max_size=4), st.lists(st.integers(0, 9), min_size=10, max_size=10))
def test_a_product_is_that_of_the_full_matrix_after_every_change(
    parts: list[Rows], vector: list[int]
) -> None:
    sparse, added = SparseRows(), list[dict[int, int]]()

    for part in parts:
        extend(sparse, part)
        added += part
        assert sparse.dot(np.array(vector, float)).tolist() == (dense(added) @ vector).tolist()

    assert len(sparse) == len(added)


@given(rows, st.data())
def test_kept_rows_and_renumbered_columns_are_the_same_rows(added: Rows, data: st.DataObject) -> None:
    sparse, kept = (
        SparseRows(),
        data.draw(st.lists(st.integers(0, max(len(added) - 1, 0)), unique=True)) if added else [],
    )
    extend(sparse, added)

    sparse.keep(np.array(kept, np.int64))
    sparse.renumber(np.arange(9, -1, -1))

    left = [added[number] for number in kept]
    assert sparse.dot(np.arange(10.0)).tolist() == (dense(left)[:, ::-1] @ np.arange(10.0)).tolist()
    assert sparse.lengths(np.arange(len(left))).tolist() == [len(row) for row in left]


def test_a_wider_vector_is_as_good() -> None:
    sparse = SparseRows()
    extend(sparse, [{1: 2}])

    assert sparse.dot(np.ones(2)).tolist() == sparse.dot(np.ones(5)).tolist() == [2.0]


def test_lengths_that_do_not_fit_are_refused() -> None:
    table = Table({"radius": np.float64})
    table.extend({"radius": [1.0, 2.0]})

    with pytest.raises(ValueError, match="expected 2 values, got 1"):
        table.replace("radius", np.zeros(1))
    with pytest.raises(ValueError, match="expected 3 values, got 1"):
        SparseRows().extend(np.array([3]), np.zeros(1, np.int64), np.zeros(3))
