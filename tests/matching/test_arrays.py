"""Growing arrays hold what plain lists would."""

import random
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import arrays
from matching.arrays import Growing, Ragged, Table, spread

rows = st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=8)
Rows = list[list[int]]


def told(terms: Ragged) -> Rows:
    return (
        [part.tolist() for part in np.split(terms.numbers, terms.ends[1:-1])] if len(terms.ends) > 1 else []
    )


@given(st.lists(st.lists(st.integers(-5, 5), max_size=5), max_size=6))
def test_a_growing_array_holds_what_was_appended(parts: list[list[int]]) -> None:
    growing = Growing(np.int64)

    for part in parts:
        growing.extend(part)

    assert growing.values.tolist() == [value for part in parts for value in part]
    assert len(growing) == len(growing.values)


@given(st.lists(rows, max_size=4))
def test_rows_are_those_that_were_appended(parts: list[Rows]) -> None:
    terms = Ragged()

    for part in parts:
        terms.extend(part)

    everything = [row for part in parts for row in part]
    assert told(terms) == everything
    assert terms.lengths.tolist() == [len(row) for row in everything]
    backwards = np.arange(len(everything))[::-1].copy()
    lengths, numbers = terms.of(backwards)
    assert lengths.tolist() == [len(row) for row in everything[::-1]]
    assert numbers.tolist() == [number for row in everything[::-1] for number in row]


@given(rows, rows, st.randoms(), st.sampled_from([0, 100]))
def test_rows_are_reordered_behind_those_that_stay(
    stay: Rows, others: Rows, chance: random.Random, long: int
) -> None:
    terms = Ragged()
    terms.extend([*stay, *others])
    order = [at for at in range(len(others)) if chance.random() < 0.8]
    chance.shuffle(order)

    with patch.object(arrays, "LONG", long):
        terms.reorder(len(stay), np.array(order, np.int64))
    terms.renumber(np.arange(9, -1, -1))
    terms.extend([[1, 2]])

    left = [[9 - number for number in row] for row in [*stay, *(others[at] for at in order)]]
    assert told(terms) == [*left, [1, 2]]


def test_nobody_is_copied_for_who_comes_after_all_were_replaced() -> None:
    growing = Growing(np.int64)
    growing.replace(np.arange(5))
    before = growing.values

    growing.extend([5])

    assert np.shares_memory(before, growing.values)
    assert growing.values.tolist() == list(range(6))


@pytest.mark.parametrize("first", [0, 1, 4])
def test_what_is_put_in_the_place_of_the_last_values_is_followed_by_more(first: int) -> None:
    growing = Growing(np.int64)
    growing.extend(range(4))

    growing.splice(first, np.array([7, 8, 9, 10, 11]))
    growing.extend([12])

    assert growing.values.tolist() == [*range(first), 7, 8, 9, 10, 11, 12]


def test_stretches_are_spread_one_after_another() -> None:
    assert spread(np.array([10, 3, 0]), np.array([3, 0, 2])).tolist() == [10, 11, 12, 0, 1]


def test_lengths_that_do_not_fit_are_refused() -> None:
    table = Table({"radius": np.float64})
    table.extend({"radius": [1.0, 2.0]})

    with pytest.raises(ValueError, match="expected 2 values, got 1"):
        table.replace("radius", np.zeros(1))


def test_a_table_takes_back_only_its_own_columns() -> None:
    table, other = Table({"radius": np.float64}), Table({"radius": np.int32})
    table.extend({"radius": [1.0, 2.0]})
    copy = Table({"radius": np.float64})

    copy.restore(table.parts())
    assert copy["radius"].tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match=r"expected columns \[\('radius', '<i4'\)\], got"):
        other.restore(table.parts())
