"""The members who are looked for, and how well they were found."""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import h3

from matching import Place
from tests.attacks.location_attack import REGION_KM, Attack, Effort, Service
from tests.attacks.location_geometry import Spot, away, km

POPULATED = (-55.0, 70.0)  # degrees of latitude
RADII_KM = (10.0, 50.0)
CLOSE = 0.1  # of C


@dataclass(frozen=True, slots=True)
class Sought:
    """A member, and what the attack knows of them from the start: the region."""

    at: Spot
    radius_km: float
    region: Spot
    seed: int

    @property
    def cell(self) -> str:
        """The cell of their position."""
        return Place.at(self.at.lat, self.at.lon).cell

    @property
    def centre(self) -> Spot:
        """The middle of their cell, which the service shows to their platform."""
        place = Place.of(self.cell)
        return Spot(place.lat, place.lon)

    @property
    def c_km(self) -> float:
        """C: the square root of the cell's area."""
        return math.sqrt(h3.cell_area(self.cell, unit="km^2"))


def members(count: int, seed: int) -> Iterator[Sought]:
    """Yield members anywhere in the populated latitudes: so small a thing as a cell is hit uniformly."""
    chance = random.Random(seed)
    for number in range(count):
        at = Spot(chance.uniform(*POPULATED), chance.uniform(-180, 180))
        far = REGION_KM * math.sqrt(chance.random())
        region = away(at, chance.uniform(0, 2 * math.pi), far)
        yield Sought(at, chance.uniform(*RADII_KM), region, 1000 * seed + number)


@dataclass(frozen=True, slots=True)
class Found:
    """How far off one estimate was."""

    km: float
    c_km: float
    calls: int

    @property
    def share(self) -> float:
        """The error in C."""
        return self.km / self.c_km


@dataclass(frozen=True, slots=True)
class Result:
    """How well all members were found."""

    found: tuple[Found, ...]

    @classmethod
    def of(cls, found: Iterable[Found]) -> Result:
        """Gather some errors."""
        return cls(tuple(found))

    @property
    def median_km(self) -> float:
        """The median error in kilometres."""
        return statistics.median(one.km for one in self.found)

    @property
    def median(self) -> float:
        """The median error in C."""
        return statistics.median(one.share for one in self.found)

    @property
    def close(self) -> float:
        """The share of members within 0.1 C."""
        return statistics.mean(one.share <= CLOSE for one in self.found)

    @property
    def calls(self) -> float:
        """The median number of calls."""
        return statistics.median(one.calls for one in self.found)

    @property
    def most_calls(self) -> int:
        """The largest number of calls."""
        return max(one.calls for one in self.found)


def look_for(sought: Sought, service: Service, effort: Effort) -> dict[str, Found]:
    """Attack one member; return how far off each way was."""
    estimates = Attack(service, sought.region, effort, random.Random(sought.seed)).run()
    return {
        way: Found(km(sought.at, spot), sought.c_km, service.calls) for way, spot in estimates.items()
    } | {"cell": Found(km(sought.centre, estimates["all"]), sought.c_km, service.calls)}


def by_way(every: Sequence[dict[str, Found]]) -> dict[str, Result]:
    """Gather the errors of all members by way; `cell` is how far from the cell's middle `all` ended."""
    ways = dict.fromkeys(way for found in every for way in found)
    return {way: Result.of(found[way] for found in every if way in found) for way in ways}


def guesses(sought: Iterable[Sought]) -> Result:
    """Guess the middle of everybody's cell, for nothing."""
    return Result.of(Found(km(one.at, one.centre), one.c_km, 0) for one in sought)
