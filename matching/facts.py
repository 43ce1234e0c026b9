"""What is asked: in come a profile and what its member asks for, out come facts for the rules."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np

from .arrays import WordArray
from .meeting import Availability, availability_of, zone_of
from .profile import Place, Profile, unit_vector
from .ranking import member_code, member_codes

Pairs = frozenset[tuple[str, str]]
Seeks = frozenset[Pairs]
NOWHERE = (np.nan, np.nan, np.nan)


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold what the rules look at in one profile, in one form for one meaning."""

    place: Place | None
    radius_km: float
    modes: frozenset[str]
    zone: str
    availability: Availability
    languages: frozenset[str]  # first subtags
    attributes: Pairs
    seeks: Seeks  # for each attribute sought, the pairs that will do
    code: int

    @classmethod
    def of(cls, profile: Profile) -> "Facts":
        """Read the facts off a profile.

        Raises
        ------
        ValueError
            If the time zone is unknown: found out now, it can't break the answers of others later.
        """
        return cls(
            place=profile.place,
            radius_km=profile.radius_km,
            modes=profile.effective_modes,
            zone=zone_of(profile),
            availability=availability_of(profile),
            languages=frozenset(tag.split("-")[0].casefold() for tag in profile.languages),
            attributes=frozenset(profile.attributes.items()),
            seeks=frozenset(frozenset((name, v) for v in values) for name, values in profile.seeks.items()),
            code=member_code(profile.id),
        )

    @property
    def centre(self) -> tuple[float, float, float]:
        """Return the place on the unit sphere, NaN where there is none."""
        return NOWHERE if self.place is None else unit_vector(self.place)


@dataclass(frozen=True)
class Question:
    """Hold what an asking member asks for, besides who they are.

    Attributes
    ----------
    on : date
        First of the seven days (UTC) in which slots are sought.
    radius_km : float or None
        In place of the member's own.
    mode : str or None
        The only mode asked for.
    exclude : collection of str
        Ids that count as absent.
    invited_by : collection of str
        Ids that are seen although they are full.
    """

    on: date
    radius_km: float | None = None
    mode: str | None = None
    exclude: Collection[str] = ()
    invited_by: Collection[str] = ()

    @cached_property
    def absent(self) -> WordArray:
        """Return the codes of those who count as absent, ascending."""
        return member_codes(self.exclude)

    @cached_property
    def seen(self) -> WordArray:
        """Return the codes of those who are seen although they are full, ascending."""
        return member_codes(self.invited_by)

    def modes_of(self, facts: Facts) -> frozenset[str]:
        """Return the modes asked for."""
        return facts.modes if self.mode is None else facts.modes & {self.mode}

    def reach_of(self, own_km: float) -> float:
        """Return the radius asked for, or else the member's own."""
        return own_km if self.radius_km is None else self.radius_km
