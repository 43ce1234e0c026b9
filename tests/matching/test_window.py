"""A window is whole days; what touches a quarter hour takes it."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from matching.window import Window, run_left, runs

ON = date(2026, 3, 23)
START = datetime(2026, 3, 23, tzinfo=UTC)


@pytest.mark.parametrize("days", [0, -1, 367])
def test_too_few_or_too_many_days_are_refused(days: int) -> None:
    with pytest.raises(ValueError, match=f"expected 1 to 366 days, got {days}"):
        Window(ON, days)


@pytest.mark.parametrize(
    ("start", "end", "taken"),
    [
        (0, 15, [0]),
        (1, 14, [0]),
        (14, 16, [0, 1]),
        (-90, 1, [0]),
        (-90, 0, []),
        (1439, 3000, [95]),
        (1440, 1500, []),
    ],
)
def test_what_touches_a_quarter_takes_it(start: int, end: int, taken: list[int]) -> None:
    moments = START + timedelta(minutes=start), START + timedelta(minutes=end)

    assert np.flatnonzero(Window(ON, 1).taken([moments])).tolist() == taken


def test_runs_are_found_to_both_ends() -> None:
    mask = np.array([True, True, False, True, False, False, True])

    assert runs(mask).tolist() == [[0, 2], [3, 4], [6, 7]]
    assert run_left(mask).tolist() == [2, 1, 0, 1, 0, 0, 1]
    assert runs(~mask).tolist() == [[2, 3], [4, 6]]


def test_the_weeks_of_a_long_window_join() -> None:
    local = Window(ON, 10).local("Europe/Berlin")

    assert len(local) == 10 * 96
    assert local[0] == 4  # 1:00 on Monday
    # On the second Monday it is summer.
    assert local[7 * 96] == 8
