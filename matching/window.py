"""A window of whole days in UTC, cut into quarter hours: in come weekly hours and moments, out come masks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from .arrays import BoolArray, IntArray
from .meeting import A_DAY, DAYS, Availability, local_quarters, weekly
from .profile import QUARTER

# From a moment in UTC to another.
Interval = tuple[datetime, datetime]
LONGEST_DAYS = 366
_QUARTER = timedelta(minutes=QUARTER)


@dataclass(frozen=True, slots=True)
class Window:
    """Say in which days a time is sought.

    Parameters
    ----------
    on : date
        The first day, in UTC.
    days : int
        How many there are, 1 to 366.

    Raises
    ------
    ValueError
        If there are too few or too many days.

    Examples
    --------
    >>> Window(date(2026, 3, 28), 2).quarters
    192
    """

    on: date
    days: int

    def __post_init__(self) -> None:
        if not 1 <= self.days <= LONGEST_DAYS:
            raise ValueError(f"expected 1 to {LONGEST_DAYS} days, got {self.days}")

    @property
    def quarters(self) -> int:
        """Count the quarter hours."""
        return self.days * A_DAY

    @property
    def start(self) -> datetime:
        """Return the first moment."""
        return datetime(self.on.year, self.on.month, self.on.day, tzinfo=UTC)

    def moment(self, quarter: int) -> datetime:
        """Return when a quarter begins."""
        return self.start + quarter * _QUARTER

    def local(self, zone: str) -> IntArray:
        """Return the quarter of the local week (0: Monday 00:00) at each quarter: shape (quarters,)."""
        weeks = [local_quarters(zone, self.on + timedelta(days=first)) for first in range(0, self.days, DAYS)]
        return np.concatenate(weeks)[: self.quarters]

    def free(self, availability: Availability) -> BoolArray:
        """Tell in which quarters somebody is free, or a venue open: shape (quarters,)."""
        if availability is None:
            return np.ones(self.quarters, np.bool_)
        zone, slots = availability
        return weekly(slots)[self.local(zone)]

    def taken(self, busy: Iterable[Interval]) -> BoolArray:
        """Tell which quarters any of these times touches: shape (quarters,)."""
        mask = np.zeros(self.quarters, np.bool_)
        for start, end in busy:
            first, past = self._quarter(start), -self._quarter(end, upwards=True)
            mask[max(first, 0) : max(past, 0)] = True
        return mask

    def _quarter(self, moment: datetime, *, upwards: bool = False) -> int:
        # Floor division of what is turned round rounds up: the caller turns it back.
        since = moment - self.start
        return (-since if upwards else since) // _QUARTER


def runs(mask: BoolArray) -> IntArray:
    """Return where each run of True begins, and the first place past it: shape (n_runs, 2)."""
    edges = np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))
    return np.flatnonzero(edges).reshape(-1, 2)


def run_left(mask: BoolArray) -> IntArray:
    """Return how long the mask stays True from each place on: shape (n,)."""
    places = np.arange(len(mask))
    ends = np.append(np.flatnonzero(~mask), len(mask))
    left: IntArray = ends[np.searchsorted(ends, places)] - places
    return left
