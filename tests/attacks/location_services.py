"""What is attacked: Kith's code path without HTTP, Kith over HTTP, and naive designs on exact positions."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from matching import Answer, Matcher, Place, Profile
from tests.attacks.location_attack import WIDEST_KM, Asker, Sight
from tests.attacks.location_geometry import Spot, km
from tests.harness import Kith

MEMBER = "victim"
TERMS = ("hiking",)
KITHS_WAYS = ("shortfall", "radius", "distance", "score", "order")
MOST = 100


@dataclass(frozen=True, slots=True)
class SeenAsker:
    """A profile, where it is seen, and how it asks."""

    seen_at: Spot
    question: Callable[[float], Sight]

    def ask(self, radius_km: float = WIDEST_KM) -> Sight:
        """Ask for suggestions within a radius."""
        return self.question(radius_km)


def rank(ids: Sequence[str], decoys: Mapping[str, int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the numbers of the decoys before and after the member in a list."""
    if MEMBER not in ids:
        return (), ()
    at = ids.index(MEMBER)
    before, after = ids[:at], ids[at + 1 :]
    return _numbers(before, decoys), _numbers(after, decoys)


def _numbers(ids: Iterable[str], decoys: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(decoys[one] for one in ids if one in decoys)


class SimulatedKith:
    """The matcher and the cells, as the service calls them; only what an answer shows is used."""

    def __init__(self, at: Spot, radius_km: float) -> None:
        self.ways: Sequence[str] = KITHS_WAYS
        self.calls = 0
        self.shared = 1.0
        self._matcher = Matcher().fit([profile(MEMBER, at, radius_km)])
        self._decoys: dict[str, int] = {}
        self._numbers = itertools.count()

    def stand(self, at: Spot) -> Asker:
        """Make a profile; it asks without being suggested to anybody (capacity 0)."""
        self.calls += 1
        asker = profile(f"asker-{next(self._numbers)}", at, WIDEST_KM)
        assert asker.place is not None

        def ask(radius_km: float) -> Sight:
            self.calls += 1
            return _sight(self._matcher.suggest(asker, MOST, radius_km=radius_km), self._decoys)

        return SeenAsker(Spot(asker.place.lat, asker.place.lon), ask)

    def place_decoys(self, spots: Sequence[Spot]) -> Sequence[Spot]:
        """Replace all decoys."""
        self.calls += len(spots)
        for gone in self._decoys:
            self._matcher.remove(gone)
        decoys = [profile(f"decoy-{next(self._numbers)}", spot, WIDEST_KM) for spot in spots]
        self._decoys = {decoy.id: number for number, decoy in enumerate(decoys)}
        self._matcher.update(*decoys)
        return [Spot(decoy.place.lat, decoy.place.lon) for decoy in decoys if decoy.place]


def profile(profile_id: str, at: Spot, radius_km: float) -> Profile:
    """Return a profile as the service makes it of a position."""
    return Profile(
        profile_id, "Somebody", interests=TERMS, place=Place.at(at.lat, at.lon), radius_km=radius_km
    )


def _sight(answer: Answer, decoys: Mapping[str, int]) -> Sight:
    before, after = rank([item.id for item in answer.items], decoys)
    short = answer.shortfall
    near = short is not None and ("too_far" in short.reasons or "radius_km" in short.relax)
    found = next((item for item in answer.items if item.id == MEMBER), None)
    if found is None:
        return Sight(near=near)
    return Sight(True, near, found.distance, found.score, before, after)


@dataclass(slots=True)
class HttpKith:
    """A community of the service itself, under a key that may write."""

    kith: Kith
    ways: Sequence[str] = KITHS_WAYS
    calls: int = 0
    shared: float = 100 / 101  # as long as no model was counted, in which a member states one term
    _decoys: dict[str, int] = field(default_factory=dict)
    _numbers: Iterable[int] = field(default_factory=itertools.count)

    def stand(self, at: Spot) -> Asker:
        """Make a profile; capacity 0 keeps it out of other answers."""
        made = self._call("POST", "/v1/profiles", _wire(f"asker-{self._next()}", at) | {"capacity": 0})
        path = f"/v1/profiles/{made['id']}/suggestions?limit={MOST}"

        def ask(radius_km: float) -> Sight:
            return self._read(self._call("GET", f"{path}&radius_km={radius_km:.9f}"))

        return SeenAsker(Spot(made["location"]["lat"], made["location"]["lon"]), ask)

    def place_decoys(self, spots: Sequence[Spot]) -> Sequence[Spot]:
        """Import decoys and take the old ones out of the lists, by one call; read where each is."""
        gone = [{"id": one, "name": "Gone", "capacity": 0} for one in self._decoys]
        decoys = [_wire(f"decoy-{self._next()}", spot) for spot in spots]
        self.calls += 1
        report = self.kith.import_profiles(*gone, *decoys)
        assert report["failed"] == 0, report
        self._decoys = {str(decoy["id"]): number for number, decoy in enumerate(decoys)}
        places = [self._call("GET", f"/v1/profiles/{one}")["location"] for one in self._decoys]
        return [Spot(place["lat"], place["lon"]) for place in places]

    def _next(self) -> int:
        return next(iter(self._numbers))

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        self.calls += 1
        answer = self.kith.call(method, path, body)
        assert answer.status_code < 300, answer.text
        return json.loads(answer.data)

    def _read(self, answer: Any) -> Sight:
        before, after = rank([item["peer"]["id"] for item in answer["items"]], self._decoys)
        short = answer["shortfall"] or {"reasons": (), "relax": ()}
        near = "too_far" in short["reasons"] or "radius_km" in short["relax"]
        found = next((item for item in answer["items"] if item["peer"]["id"] == MEMBER), None)
        if found is None:
            return Sight(near=near)
        band = found["distance"]
        return Sight(True, near, (band["from_km"], band["to_km"]), found["score"], before, after)


def _wire(profile_id: str, at: Spot) -> dict[str, Any]:
    return {
        "id": profile_id,
        "name": "Somebody",
        "interests": list(TERMS),
        "location": at.as_wire(),
        "radius_km": WIDEST_KM,
    }


@dataclass(frozen=True, slots=True)
class Design:
    """How a naive service shows others, of whom it knows where they are exactly."""

    name: str
    way: str
    show: Callable[[float], tuple[float, float]] | None = None


def _to_the_metre(far: float) -> tuple[float, float]:
    return round(far, 3) - 0.0005, round(far, 3) + 0.0005


def _floored(far: float) -> tuple[float, float]:
    return math.floor(far), math.floor(far) + 1.0


DESIGNS = (
    Design("exact distance shown", "distance", _to_the_metre),
    Design("distance floored to kilometres", "distance", _floored),
    Design("filtered by an exact radius, no distance shown", "radius"),
    Design("sorted by exact distance, no distance shown", "order"),
)


class NaiveService:
    """A service of a naive design, with nothing in it but the member and the attack's decoys."""

    def __init__(self, design: Design, at: Spot) -> None:
        self.ways: Sequence[str] = (design.way,)
        self.calls, self.shared = 0, 0.0
        self._design, self._at = design, at
        self._decoys: Sequence[Spot] = ()

    def stand(self, at: Spot) -> Asker:
        """Make a profile."""
        self.calls += 1

        def ask(radius_km: float) -> Sight:
            self.calls += 1
            return self._sight(at, radius_km)

        return SeenAsker(at, ask)

    def place_decoys(self, spots: Sequence[Spot]) -> Sequence[Spot]:
        """Replace all decoys."""
        self.calls += len(spots)
        self._decoys = spots
        return spots

    def _sight(self, at: Spot, radius_km: float) -> Sight:
        far = km(at, self._at)
        if self._design.way == "radius":
            return Sight(present=far <= radius_km)
        if self._design.show is not None:
            return Sight(True, shown=self._design.show(far))
        away_km = {f"{number}": km(at, spot) for number, spot in enumerate(self._decoys)}
        row = sorted([*away_km, MEMBER], key=lambda one: away_km.get(one, far))
        before, after = rank(row, {one: int(one) for one in away_km})
        return Sight(True, before=before, after=after)
