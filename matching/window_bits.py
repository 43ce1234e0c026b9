"""When members are free within a round's window: in come availabilities and dates, out come bits to compare.

Availabilities are weekly, so one week of openings stands for all, but for where a clock is changed: such a
week has bits of its own. An hour may run over the end of one week into the next.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from .arrays import BoolArray, IntArray, WordArray
from .meeting import A_DAY, DAYS, QUARTERS, SHORTEST, Availability, local_quarters, weekly

_OVER = SHORTEST - 1  # quarters of the next week that an hour begun in this one may take
_AT_ONCE = 4096  # availabilities worked on together


def window_openings(availabilities: Sequence[Availability], on: date, days: int) -> WordArray:
    """Tell from which quarters of the window on each member is free for an hour.

    Parameters
    ----------
    availabilities : sequence of Availability
    on : date
        The first day, from its start in UTC.
    days : int
        At least 1.

    Returns
    -------
    array of shape (n_words, n_availabilities)
        A common opening of any number of members is a bit that all have.
    """
    if days < 1:
        raise ValueError(f"expected a window of at least 1 day, got {days}")
    zones = sorted({availability[0] for availability in availabilities if availability is not None})
    weeks = _weeks_that_differ(zones, on, days)
    parts = [
        np.concatenate([_openings(availabilities[at : at + _AT_ONCE], *week) for week in weeks])
        for at in range(0, max(len(availabilities), 1), _AT_ONCE)
    ]
    return np.concatenate(parts, axis=1)


def _weeks_that_differ(zones: Sequence[str], on: date, days: int) -> list[tuple[date, int]]:
    """Return the weeks to look at, each with the quarters that count in it."""
    weeks = [
        (on + timedelta(days=DAYS * week), min(QUARTERS + _OVER, (days - DAYS * week) * A_DAY))
        for week in range(-(-days // DAYS))
    ]
    seen: dict[tuple[bytes, ...], tuple[date, int]] = {}
    for first, quarters in weeks:
        clocks = tuple(_clock(zone, first, QUARTERS + _OVER).tobytes() for zone in zones)
        if clocks not in seen or seen[clocks][1] < quarters:
            seen[clocks] = (first, quarters)
    return list(seen.values())


def _clock(zone: str, on: date, quarters: int) -> IntArray:
    """Return the quarter of the local week at each quarter hour of a week and the start of the next."""
    after = local_quarters(zone, on + timedelta(days=DAYS))[:_OVER]
    return np.concatenate([local_quarters(zone, on), after])[:quarters]


def _openings(availabilities: Sequence[Availability], on: date, quarters: int) -> WordArray:
    free = np.zeros((len(availabilities), QUARTERS + _OVER), np.bool_)
    clocks: dict[str, IntArray] = {}
    for number, availability in enumerate(availabilities):
        if availability is None:
            free[number, :quarters] = True
            continue
        zone, slots = availability
        if zone not in clocks:
            clocks[zone] = _clock(zone, on, quarters)
        free[number, :quarters] = weekly(slots)[clocks[zone]]
    return _packed(free[:, :-3] & free[:, 1:-2] & free[:, 2:-1] & free[:, 3:])


def _packed(hours: BoolArray) -> WordArray:
    """Pack rows of bits into words, a word a row."""
    words = -(-hours.shape[1] // 64)
    packed = np.zeros((len(hours), words * 8), np.uint8)
    bits = np.packbits(hours, axis=1, bitorder="little")
    packed[:, : bits.shape[1]] = bits
    return np.ascontiguousarray(packed.view(np.uint64).T)
