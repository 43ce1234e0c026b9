"""What the matcher answers: suggestions with their reasons, and why there are fewer than asked for."""

from collections.abc import Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold the suggestions, best first, and the shortfall where they are fewer than asked for."""

    items: tuple[Suggestion, ...]
    shortfall: Shortfall | None
