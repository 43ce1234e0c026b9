"""What the matcher answers: suggestions, why there are fewer than asked for, and introductions."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from .profile import Slot


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Suggest one peer.

    Attributes
    ----------
    id, name : str
        Of the peer.
    score : float
        0 to 1, rounded to 4 decimals, the same from either side.
    modes : tuple of str
        How the two may meet, ``in_person`` first.
    shared : mapping of str to tuple of str
        Per facet the common terms as the asking member spells them, heaviest first.
    related : tuple of (str, str)
        Kindred terms, the asking member's and the peer's, heaviest first.
    distance : (int, int) or None
        The band in kilometres; None where they only meet online.
    slots : tuple of Slot
        Common times in the asking member's zone, in order of time; empty where both are free any time.
    reasons, openers : tuple of str
    """

    id: str
    name: str
    score: float
    modes: tuple[str, ...]
    shared: Mapping[str, tuple[str, ...]]
    related: tuple[tuple[str, str], ...]
    distance: tuple[int, int] | None
    slots: tuple[Slot, ...]
    reasons: tuple[str, ...]
    openers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Say why a list is short.

    Attributes
    ----------
    missing : int
        Items short of what was asked for.
    reasons : tuple of str
        Each alone keeps back at least one member within twice the radius.
    relax : tuple of str
        What the asking member could change, by itself, to be suggested somebody; most effective first.
    """

    missing: int
    reasons: tuple[str, ...]
    relax: tuple[str, ...]


Mark = tuple[float, int]  # a place in an order: what it is by, and the pair's code


@dataclass(frozen=True, slots=True)
class Front:
    """Hold who stood in front for one question, so that the next time few need to be looked at.

    Parameters
    ----------
    ids : tuple of str
        Of those in front; empty where nobody was looked at yet.
    by_rank, by_moved : (float, int) or None
        All others stand behind, in the order by rank and in that by rank, prices and turns; None where there
        are no others.
    changed : collection of str
        Ids of those who may have changed or come since.
    """

    ids: tuple[str, ...] = ()
    by_rank: Mark | None = None
    by_moved: Mark | None = None
    changed: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold the suggestions, best first, and the shortfall where they are fewer than asked for.

    Attributes
    ----------
    front : Front or None
        Who stands in front now; None where that was not asked for, and where the list is short.
    scanned : bool
        Whether everybody was looked at.
    """

    items: tuple[Suggestion, ...]
    shortfall: Shortfall | None
    front: Front | None = None
    scanned: bool = True


@dataclass(frozen=True, slots=True)
class Acquaintance:
    """State how two know each other.

    Parameters
    ----------
    since : date
        When they came to know each other.
    last_met : date or None
        When they last met, as far as that is known.
    times_met : int
        How often they have met; 0 where nobody counted.
    """

    since: date
    last_met: date | None
    times_met: int


@dataclass(frozen=True, slots=True)
class Introduction:
    """Tell a member what they and one peer have in common.

    Attributes
    ----------
    shared : mapping of str to tuple of str
        Per facet the common terms as the asking member spells them, heaviest first.
    reasons, openers : tuple of str
        For two who know each other, the reasons begin with how, and the openers take up the thread.
    """

    shared: Mapping[str, tuple[str, ...]]
    reasons: tuple[str, ...]
    openers: tuple[str, ...]
