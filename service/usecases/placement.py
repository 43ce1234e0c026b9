"""Where a member is seen: a first place and a removal at once, a move at most once a day."""

from dataclasses import replace

from matching import Place
from service.records import Stay

BETWEEN_MOVES_MS = 24 * 3600 * 1000


def settle(before: Stay, wanted: Place | None, now: int) -> Stay:
    """Return the stay after a member is said to be at `wanted`.

    A change of cell is shown to others at most once in 24 hours, also by way of a removal; the newest wish
    waits.
    """
    if wanted is None or wanted == before.last_place or before.last_place is None:
        return Stay(wanted, wanted or before.last_place, before.moved_at)
    free_at = now if before.moved_at is None else before.moved_at + BETWEEN_MOVES_MS
    if free_at <= now:
        return Stay(wanted, wanted, now)
    return replace(before, waiting_place=wanted, moves_at=free_at)


def arrive(stay: Stay, now: int) -> Stay:
    """Return the stay with its waiting move carried out, if its time has come."""
    if stay.waiting_place is None or stay.moves_at is None or stay.moves_at > now:
        return stay
    return Stay(stay.waiting_place, stay.waiting_place, stay.moves_at)
