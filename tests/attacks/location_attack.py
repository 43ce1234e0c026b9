"""The attack: somebody who makes profiles at will and reads their suggestions looks for one member.

In: a service that shows something of the member (`Service`), and the region where they live. Out: where the
attack takes them to be, by each thing that is shown alone and by all together. Each way measures distances
from many spots to a hair, by halving, and then looks for the spot that fits them all (trilateration); what a
service shows decides which ways there are:

radius     the least radius with which the member is suggested
shortfall  the least radius with which they are too far away to be suggested, or suggested: twice as far
distance   where the distance shown changes while the asking profile moves away from the member
score      the distance from which a score must come: its formula is public
order      who stands before and after the member among decoys whose places are known, ever closer ones
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tests.attacks.location_geometry import Bound, Spot, away, km, solve

WIDEST_KM = 200.0
HALF, NEAR = 0.3, 0.3  # what scores in the middle, where all share one term; what nearness adds
FAR = 200.0  # kilometres at which Kith's nearness ends
REGION_KM = 60.0  # within which the attack knows the member from the start
TURN = 2 * math.pi
FINEST_SPREAD_KM = 1e-3


@dataclass(frozen=True, slots=True)
class Sight:
    """What one question shows of the member, and which decoys stand before and after them."""

    present: bool = False
    near: bool = False
    shown: tuple[float, float] | None = None
    score: float | None = None
    before: tuple[int, ...] = ()
    after: tuple[int, ...] = ()


class Asker(Protocol):
    """A profile of the attack's own."""

    @property
    def seen_at(self) -> Spot:
        """Where its own profile says that it is."""

    def ask(self, radius_km: float = WIDEST_KM) -> Sight:
        """Ask for suggestions within a radius."""


class Service(Protocol):
    """What is attacked."""

    ways: Sequence[str]
    calls: int
    shared: float  # what the terms are worth that the member and every asker have

    def stand(self, at: Spot) -> Asker:
        """Make a profile."""

    def place_decoys(self, spots: Sequence[Spot]) -> Sequence[Spot]:
        """Replace all decoys: profiles like the member's; return where they say that they are."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to try: from how many spots, and how finely a distance is halved."""

    spots: int = 40
    finest_km: float = 1e-5
    decoys: int = 20
    askers: int = 8
    rounds: int = 14  # of decoys


@dataclass(slots=True)
class Attack:
    """One member looked for by every way."""

    service: Service
    region: Spot
    effort: Effort
    chance: random.Random
    bounds: dict[str, list[Bound]] = field(default_factory=dict)

    def run(self) -> dict[str, Spot]:
        """Return the estimate of each way, and under `all` that of all bounds together."""
        centre = self._coarse()
        ways: Mapping[str, Callable[[Spot], Spot | None]] = {
            "radius": lambda spot: self._by_measure("radius", spot, self._radius_edge),
            "shortfall": lambda spot: self._by_measure("shortfall", spot, self._shortfall_edge),
            "distance": lambda spot: self._by_measure("distance", spot, self._shown_edge),
            "score": lambda spot: self._by_measure("score", spot, self._scored),
            "order": lambda spot: self._by_order(spot, widest_km=4.0),
        }
        found = {way: ways[way](centre) for way in self.service.ways}
        estimates = {way: spot for way, spot in found.items() if spot is not None}
        every = [bound for bounds in self.bounds.values() for bound in bounds]
        return estimates | {"all": solve(every, [centre, *estimates.values()]) if every else centre}

    def _coarse(self) -> Spot:
        """Find the neighbourhood by the way that looks farthest."""
        measures: Mapping[str, Callable[[Spot], Bound | None]] = {
            "shortfall": lambda at: self._halve_radius(at, 2.0, lambda sight: sight.present or sight.near),
            "radius": lambda at: self._halve_radius(at, 1.0, lambda sight: sight.present),
            "distance": self._shown,
        }
        way = next((way for way in measures if way in self.service.ways), None)
        if way is None:
            return self._by_order(self.region, widest_km=REGION_KM)
        spots = [self._around(self.region, 10.0, REGION_KM) for _ in range(8)]
        bounds = [bound for bound in map(measures[way], spots) if bound]
        return solve(bounds, [self.region, *spots[:3]])

    def _by_measure(self, way: str, centre: Spot, measure: Callable[[Spot], Bound | None]) -> Spot | None:
        spots = [self._around(centre, 1.5, 7.5) for _ in range(self.effort.spots)]
        bounds = [bound for bound in map(measure, spots) if bound]
        self.bounds[way] = bounds
        return solve(bounds, [centre]) if len(bounds) >= 3 else None

    def _radius_edge(self, at: Spot) -> Bound | None:
        return self._halve_radius(at, 1.0, lambda sight: sight.present)

    def _shortfall_edge(self, at: Spot) -> Bound | None:
        return self._halve_radius(at, 2.0, lambda sight: sight.present or sight.near)

    def _halve_radius(self, at: Spot, reach: float, seen: Callable[[Sight], bool]) -> Bound | None:
        """Find the least radius with which the member is seen; a radius reaches so many times as far."""
        asker = self.service.stand(at)
        low, high = 1.0, 1.0
        while not seen(asker.ask(high)):
            if high == WIDEST_KM:
                return None
            low, high = high, min(4 * high, WIDEST_KM)
        if high == 1.0:
            return Bound(asker.seen_at, 0.0, reach)
        while high - low > self.effort.finest_km:
            middle = (low + high) / 2
            low, high = (low, middle) if seen(asker.ask(middle)) else (middle, high)
        return Bound(asker.seen_at, reach * low, reach * high)

    def _shown(self, at: Spot) -> Bound | None:
        asker = self.service.stand(at)
        shown = asker.ask().shown
        return Bound(asker.seen_at, *shown) if shown else None

    def _shown_edge(self, near: Spot) -> Bound | None:
        """Walk away from the member until the distance shown is the next one, and halve the step."""
        first = self._shown(near)
        if first is None or first.high - first.low < 0.01:
            return first
        edge, ahead = first.high, self.chance.uniform(0, TURN)
        low, high = 0.0, 2 * edge + 4
        inside, outside = first, self._shown(away(near, ahead, high))
        while high - low > self.effort.finest_km:
            middle = (low + high) / 2
            here = self._shown(away(near, ahead, middle))
            if here and here.high <= edge:
                low, inside = middle, here
            else:
                high, outside = middle, here
        if outside is None or outside.low < edge:
            return None
        step = km(inside.at, outside.at)
        return Bound(inside.at, max(edge - step, 0.0), edge)

    def _scored(self, at: Spot) -> Bound | None:
        asker = self.service.stand(at)
        score = asker.ask().score
        return (
            None
            if score is None
            else Bound(asker.seen_at, self._km_of(score + 5e-5), self._km_of(score - 5e-5))
        )

    def _km_of(self, score: float) -> float:
        return km_of(score, self.service.shared)

    def _by_order(self, centre: Spot, *, widest_km: float) -> Spot:
        """Rank the member among decoys, then among closer ones."""
        bounds: list[Bound] = []
        spread, effort = widest_km, self.effort
        for _ in range(effort.rounds):
            decoys = [self._around(centre, 0.0, spread) for _ in range(effort.decoys)]
            seen_at = self.service.place_decoys(decoys)
            askers = [self._around(centre, spread / 2, 1.5 * spread) for _ in range(effort.askers)]
            ranked = [bound for bound in (self._ranked(spot, seen_at) for spot in askers) if bound]
            bounds += ranked
            centre = solve(bounds, [centre]) if bounds else centre
            # Who is hardly ever among the decoys is outside of them.
            spread *= 0.25 if 2 * len(ranked) >= effort.askers else 2
            if spread < FINEST_SPREAD_KM:
                break
        self.service.place_decoys([])
        self.bounds["order"] = bounds
        return centre

    def _ranked(self, at: Spot, decoys: Sequence[Spot]) -> Bound | None:
        asker = self.service.stand(at)
        sight = asker.ask()
        nearer = [km(asker.seen_at, decoys[number]) for number in sight.before]
        farther = [km(asker.seen_at, decoys[number]) for number in sight.after]
        # The first and the last in the row are bounded on one side only, which says little.
        return Bound(asker.seen_at, max(nearer), min(farther)) if nearer and farther else None

    def _around(self, centre: Spot, least_km: float, most_km: float) -> Spot:
        far = math.sqrt(self.chance.uniform(least_km**2, most_km**2))
        return away(centre, self.chance.uniform(0, TURN), far)


def km_of(score: float, shared: float) -> float:
    """Return the distance at which Kith gives two members this score whose terms are worth so much."""
    part = min((score - 0.55) / 0.45, 1 - 1e-9)
    far = part / (1 - abs(part))
    near = (HALF * (1 + far) - shared) / NEAR
    return max(math.exp((1 - near) * math.log1p(FAR)) - 1, 0.0)
