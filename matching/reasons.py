"""Why two should meet: in comes what is known of a pair, out come sentences and openers.

Only what was stated is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from .answer import Acquaintance
from .catalogue import ENGLISH, Catalogue, Openers
from .profile import FACETS, Slot

BANDS_KM = ((0, 2), (2, 5), (5, 10), (10, 20), (20, 50), (50, 100), (100, 200))
_NOON, _EVENING = 12 * 60, 17 * 60
_TERMS, _SLOTS, _OPENERS = 3, 2, 3  # at most, in one suggestion


@dataclass(frozen=True, slots=True)
class Shared:
    """Hold one common term.

    Attributes
    ----------
    facet : str
    term, written : str
        In normal form, and as the asking member spells it.
    weight : float
        Its part in the likeness.
    """

    facet: str
    term: str
    written: str
    weight: float


@dataclass(frozen=True, slots=True)
class Related:
    """Hold two kindred terms of one facet as written, the asking member's and the peer's."""

    mine: str
    theirs: str
    weight: float


@dataclass(frozen=True, slots=True)
class Common:
    """Hold all that two members have in common, each list heaviest first."""

    shared: tuple[Shared, ...]
    related: tuple[Related, ...]

    def by_facet(self) -> dict[str, tuple[str, ...]]:
        """Return the shared terms of each facet as written."""
        written: dict[str, list[str]] = {facet: [] for facet in FACETS}
        for shared in self.shared:
            written[shared.facet].append(shared.written)
        return {facet: tuple(terms) for facet, terms in written.items()}


def band(km: float) -> tuple[int, int]:
    """Return the band that a distance lies in; a bound belongs to the band below it.

    Examples
    --------
    >>> band(0), band(2), band(2.1), band(200)
    ((0, 2), (0, 2), (2, 5), (100, 200))
    """
    return next(bounds for bounds in BANDS_KM if km <= bounds[1])


def reasons(
    common: Common, distance: tuple[int, int] | None, slots: Sequence[Slot], say: Catalogue = ENGLISH
) -> tuple[str, ...]:
    """Say what speaks for a pair: shared terms, a related one, how near, when.

    Examples
    --------
    >>> reasons(Common((Shared("interests", "hike", "hikes", 1.0),), ()), (0, 2), [Slot(1, 1080, 1200)])
    ('You both like hikes', 'You are less than 2 km apart', 'You are both free on Tuesday evening')
    """
    said = [say.shared[shared.facet].format(term=shared.written) for shared in common.shared[:_TERMS]]
    said += [say.related.format(mine=pair.mine, theirs=pair.theirs) for pair in common.related[:1]]
    if distance is not None:
        said.append((say.distance if distance[0] else say.near).format(start=distance[0], to=distance[1]))
    free = list(dict.fromkeys((say.days[slot.day], _part(slot, say)) for slot in slots))
    return (*said, *(say.free.format(day=day, part=part) for day, part in free[:_SLOTS]))


def how_known(acquaintance: Acquaintance, say: Catalogue = ENGLISH) -> str:
    """Say how two know each other.

    Examples
    --------
    >>> from datetime import date
    >>> how_known(Acquaintance(date(2025, 5, 1), date(2026, 3, 8), 3))
    'You met 3 times, last in March 2026'
    """
    met = acquaintance.last_met
    if met is None:
        return say.known.format(month=say.months[acquaintance.since.month - 1], year=acquaintance.since.year)
    # Friends of old are known to have met once at least: to say "once" would not be true of them.
    pattern = say.met if acquaintance.times_met > 1 else say.last_met
    return pattern.format(times=acquaintance.times_met, month=say.months[met.month - 1], year=met.year)


def openers(common: Common, pair: bytes, say: Openers) -> tuple[str, ...]:
    """Ask one to three questions to begin with: about shared terms, else related ones, else in general.

    Parameters
    ----------
    common : Common
    pair : bytes
        Stands for the two, the same from either side: both are given the same patterns.
    say : Openers
        For people who meet first, or again.
    """
    asked: list[str] = []
    used: set[str] = set()
    for shared in common.shared[:_OPENERS]:
        pattern = _pick(say.shared[shared.facet], pair, shared.term, used)
        asked.append(pattern.format(term=shared.written))
    for related in common.related[: _OPENERS - len(asked)]:
        pattern = _pick(say.related, pair, "", used)
        asked.append(pattern.format(mine=related.mine, theirs=related.theirs))
    return tuple(asked) or (_pick(say.general, pair, "", used),)


def _part(slot: Slot, say: Catalogue) -> str:
    morning, afternoon, evening = say.parts
    if slot.start < _NOON:
        return morning
    return afternoon if slot.start < _EVENING else evening


def _pick(patterns: tuple[str, ...], pair: bytes, term: str, used: set[str]) -> str:
    """Pick a pattern by pair and term, each only once; there are as many as may be asked for."""
    left = [pattern for pattern in patterns if pattern not in used]
    digest = blake2b(pair + term.encode(), digest_size=8).digest()
    picked = left[int.from_bytes(digest, "little") % len(left)]
    used.add(picked)
    return picked
