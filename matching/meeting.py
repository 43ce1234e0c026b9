"""When two can meet: in come weekly availabilities with their zones and a date, out come common slots.

The seven days from the date, in UTC, are cut into quarter hours. What a member is free in is gathered from
their local clock at each of them, so an hour that the clock repeats counts twice and one that it skips never
comes.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from .arrays import BoolArray, Growing, IntArray, WordArray
from .interned import Interned
from .profile import DAY, QUARTER, Profile, Slot

DAYS = 7
QUARTERS = DAYS * DAY // QUARTER  # 672 in the week
A_DAY = DAY // QUARTER  # quarters
SHORTEST = 4  # quarters: an hour
MOST_SHOWN = 10  # slots
_WORDS = 11  # 64-bit words that hold the week's quarters
_AT_ONCE = 4096  # availabilities worked on together, 2.7 MB

# None: free at any time.
Availability = tuple[str, tuple[Slot, ...]] | None


def zone_of(profile: Profile) -> str:
    """Return a member's time zone, UTC where none is stated.

    Raises
    ------
    ValueError
        If there is no such zone.
    """
    zone = profile.timezone or "UTC"
    try:
        ZoneInfo(zone)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"expected an IANA time zone, got {zone!r}") from error
    return zone


def availability_of(profile: Profile) -> Availability:
    """Return a member's zone and weekly slots in one form for one meaning."""
    if not profile.availability:
        return None
    return zone_of(profile), tuple(sorted(set(profile.availability)))


@lru_cache(maxsize=1024)
def local_quarters(zone: str, on: date) -> IntArray:
    """Return the quarter of the local week (0: Monday 00:00) at each quarter hour from a date on."""
    start, clock = datetime(on.year, on.month, on.day, tzinfo=UTC), ZoneInfo(zone)
    local = [(start + timedelta(minutes=QUARTER * number)).astimezone(clock) for number in range(QUARTERS)]
    quarters = np.array([t.weekday() * A_DAY + (t.hour * 60 + t.minute) // QUARTER for t in local], np.int64)
    quarters.flags.writeable = False  # shared by all who ask
    return quarters


def openings(availabilities: Sequence[Availability], on: date) -> WordArray:
    """Tell from which quarters on each member is free for an hour.

    Two members have a common slot where both have an opening: whoever is free in four quarters running, and
    so is the other, is so together. One AND replaces the search for runs.

    Returns
    -------
    array of shape (n_availabilities, 11)
        One bit a quarter.
    """
    free = np.ones((len(availabilities), QUARTERS), np.bool_)
    zones: dict[str, list[int]] = {}
    for number, availability in enumerate(availabilities):
        if availability is not None:
            zones.setdefault(availability[0], []).append(number)
            free[number] = weekly(availability[1])
    for zone, numbers in zones.items():
        free[numbers] = free[numbers][:, local_quarters(zone, on)]
    hours = free[:, :-3] & free[:, 1:-2] & free[:, 2:-1] & free[:, 3:]
    packed = np.zeros((len(availabilities), _WORDS * 8), np.uint8)
    packed[:, : QUARTERS // 8] = np.packbits(hours, axis=1, bitorder="little")
    return packed.view(np.uint64)


def any_opening(words: WordArray) -> BoolArray:
    """Tell where any bit is set: from shape (n, 11) to shape (n,)."""
    found: BoolArray = np.bitwise_or.reduce(words, axis=1) != 0
    return found


def weekly(slots: tuple[Slot, ...]) -> BoolArray:
    """Tell which quarters of the local week (0: Monday 00:00) the slots cover: shape (672,)."""
    week = np.zeros(QUARTERS, np.bool_)
    for slot in slots:
        week[slot.day * A_DAY + slot.start // QUARTER : slot.day * A_DAY + slot.end // QUARTER] = True
    return week


class Availabilities(Interned[Availability]):
    """Number the members' availabilities, and remember the openings of each for the latest dates."""

    def __init__(self) -> None:
        super().__init__()
        self._openings: OrderedDict[date, Growing] = OrderedDict()

    def openings(self, on: date) -> WordArray:
        """Return the openings of every availability, by number: shape (n_availabilities, 11)."""
        known = self._openings.pop(on, None) or Growing(np.uint64)
        for first in range(len(known) // _WORDS, len(self.values), _AT_ONCE):
            known.extend(openings(self.values[first : first + _AT_ONCE], on).ravel())
        self._openings[on] = known
        if len(self._openings) > 2:  # around midnight two dates are asked for
            self._openings.popitem(last=False)
        words: WordArray = known.values.reshape(-1, _WORDS)
        return words

    def openings_of(self, one: Availability, on: date) -> WordArray:
        """Return the openings of one availability, whether it has a number or not: shape (11,)."""
        number = self.find(one)
        words: WordArray = openings([one], on)[0] if number < 0 else self.openings(on)[number]
        return words

    def keep(self, used: IntArray) -> IntArray:
        """Forget all but the availabilities of these numbers."""
        self._openings.clear()
        return super().keep(used)


def common_slots(mine: WordArray, theirs: WordArray, zone: str, on: date) -> tuple[Slot, ...]:
    """Return the first ten common slots of an hour or more on the asking member's clock.

    Parameters
    ----------
    mine, theirs : array of shape (11,)
        Openings.
    zone : str
        The asking member's zone. A slot ends at its midnight.
    on : date
        The first of the seven days.
    """
    common = int.from_bytes((mine & theirs).tobytes(), "little")
    edges = _bits(common ^ (common << 1))
    slots: list[Slot] = []
    for first, past in zip(edges[::2], edges[1::2], strict=True):
        slots += _cut(first, past + SHORTEST - 1, zone, on)
        if len(slots) >= MOST_SHOWN:
            break
    return tuple(slots[:MOST_SHOWN])


def _bits(word: int) -> list[int]:
    """Return which bits are set, ascending."""
    found = []
    while word:
        lowest = word & -word
        found.append(lowest.bit_length() - 1)
        word ^= lowest
    return found


@lru_cache(maxsize=1024)
def _midnights(zone: str, on: date) -> tuple[int, ...]:
    return tuple((np.flatnonzero(np.diff(local_quarters(zone, on) // A_DAY)) + 1).tolist())


@lru_cache(maxsize=4096)
def _cut(first: int, past: int, zone: str, on: date) -> list[Slot]:
    """Cut a common time at midnight; where no piece of an hour is left, show it whole."""
    inner = [midnight for midnight in _midnights(zone, on) if first < midnight < past]
    pieces = [piece for piece in pairwise([first, *inner, past]) if piece[1] - piece[0] >= SHORTEST]
    return [_slot(*piece, zone, on) for piece in pieces or [(first, past)]]


def _slot(first: int, past: int, zone: str, on: date) -> Slot:
    clock = local_quarters(zone, on)
    day, start = divmod(int(clock[first]), A_DAY)
    last_day, last = divmod(int(clock[past - 1]), A_DAY)
    end = last + 1
    if last_day == day and end <= start:
        # The clock was set back within the slot and shows no later a time at its end: keep to the clock of
        # its start.
        end = min(start + past - first, A_DAY)
    return Slot(day, start * QUARTER, end * QUARTER)
