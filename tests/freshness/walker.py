"""A random walk as plain steps: a seed and a region come in, requests, jumps of the clock and refits go out.

All times are whole ten minutes from the walk's beginning, and ends of pauses lie five minutes beside them, so
that nothing ends while two answers are compared.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.freshness.dealings import FOLK, Dealings
from tests.freshness.regions import ELSEWHERE, Region
from tests.freshness.steps import Jump, Read, Refit, Step, Write

TICK = timedelta(minutes=10)
# Five past twelve, on days around which Europe's and America's clocks change, and one on which none does.
BEGINNINGS = tuple(
    datetime(year, month, day, 12, 5, tzinfo=UTC)
    for year, month, day in ((2026, 10, 24), (2027, 3, 27), (2027, 6, 9), (2027, 3, 13))
)

# Few ask, and in many ways, so that their questions differ in one thing only.
ASKERS = ("m0", "m1", "m2", "m3")
IDS = tuple(f"m{number}" for number in range(14))
FACETS = ("interests", "activities", "goals")
TERMS = (
    "Hiking",
    "hikes",
    "trail running",
    "Jogging",
    "board games",
    "BOARD GAME",
    "Chess",
    "opera",
    "cooking",
    "Café",
)
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC")
DAYS = ("mon", "wed", "sat", "sun")
VALUES: dict[str, tuple[Any, ...]] = {
    "name": ("Ana", "Ben", "Zoë"),
    "radius_km": (1, 8, 25, 60.5, 120, 200),
    "modes": (["in_person"], ["online"], ["in_person", "online"]),
    "timezone": ZONES,
    "languages": ([], ["de"], ["de-AT", "en"], ["ja"]),
    "attributes": ({"role": "mentor"}, {"role": "mentee"}),
    "seeks": ({}, {"role": ["mentor"]}, {"role": ["mentor", "mentee"]}),
    "capacity": (0, 1, 1, 3, 4),
    "joins_rounds": (True, False),
}
UNSEEN = ("capacity", "joins_rounds", "same")
VISIBLE = (*FACETS, "location", "hours", *(name for name in VALUES if name not in UNSEEN))


class Walker:
    """Makes the steps of one walk."""

    def __init__(self, seed: int, region: Region) -> None:
        self._random = Random(seed)
        self._points = region.points
        self.beginning = self._random.choice(BEGINNINGS)
        self._passed = timedelta()
        self._dealings = Dealings(self._random, self.beginning, self._profile)
        self._ahead: deque[Write] = deque()
        # Few questions asked often: only so do answers from before a write get a chance to come back.
        self._questions = sorted({self._question() for _ in range(7)})

    def steps(self, writes: int, reads: int) -> Iterator[Step]:
        """Yield a walk: some members to begin with, then writes with reads after each."""
        yield Write(0, "POST", "/v1/profiles/import", [self._profile(member) for member in IDS[:12]])
        for _ in range(writes):
            yield self._change()
            paths = self._random.sample(self._questions, reads)
            if self._random.random() < 0.6:
                paths.append(self._dealings.question())
            for path in paths:
                yield Read(self._random.choice(((0,), (1,), (0, 1))), path)

    def _change(self) -> Step:
        chance = self._random.random()
        if self._ahead and chance > 0.25:
            return self._ahead.popleft()
        if chance < 0.14:
            return self._unsettle(chance / 0.14)
        if chance < 0.4:
            return self._write_profile()
        self._ahead.extend(self._dealings.scene())
        return self._ahead.popleft()

    def _unsettle(self, chance: float) -> Step:
        if chance < 0.35:
            return self._jump()
        if chance < 0.55:
            return Refit()
        if chance < 0.85:
            return Write(self._process(), "PATCH", "/v1/community", self._settings())
        return self._import(self._random.randint(1, 4))

    def _write_profile(self) -> Write:
        member, process = self._random.choice(IDS), self._process()
        path, chance = f"/v1/profiles/{member}", self._random.random()
        if chance < 0.12:
            return Write(process, "POST", "/v1/profiles", self._profile(member))
        if chance < 0.24:
            return Write(process, "PUT", path, self._profile(member))
        if chance < 0.34:
            # Those who deal with each other come back, or soon there would be nobody left to deal with.
            if member in FOLK:
                self._ahead.append(Write(self._process(), "POST", "/v1/profiles", self._profile(member)))
            return Write(process, "DELETE", path)
        if chance < 0.46:
            return Write(process, "PATCH", path, self._status())
        return Write(process, "PATCH", path, self._field())

    def _process(self) -> int:
        return self._random.randrange(2)

    def _jump(self) -> Jump:
        days = 6 * 24
        ticks = self._random.choice((1, 5, 60, 6 * 23, 6 * 25, 3 * days, 14 * days, 30 * days + 1))
        self._passed += ticks * TICK
        return Jump(ticks * TICK)

    def _import(self, lines: int) -> Write:
        body: list[Any] = [self._profile(member) for member in self._random.sample(IDS, lines)]
        if self._random.random() < 0.3:
            body.insert(0, {"id": IDS[0], "name": ""})
        return Write(self._process(), "POST", "/v1/profiles/import", body)

    def _settings(self) -> Mapping[str, Any]:
        choices: Sequence[Mapping[str, Any]] = (
            {"separate_by": ["role"]},
            {"separate_by": []},
            {"facet_weights": {"interests": 3, "goals": 1}},
            {"facet_weights": None},
            {"support_text": self._random.choice(("Write to us.", None))},
            {"radius_km": self._random.choice((10, 60))},
        )
        return self._random.choice(choices)

    def _profile(self, member: str) -> dict[str, Any]:
        fields: dict[str, Any] = {"id": member, "name": member.upper()}
        for name in ("interests", "location", "radius_km"):
            fields |= self._value(name)
        for name in (*VISIBLE, "capacity"):
            if self._random.random() < 0.15:
                fields |= self._value(name)
        if self._random.random() < 0.1:
            fields |= self._status()
        if member in FOLK and self._random.random() < 0.8:
            # Near enough to be suggested to each other, or what they do would show in lists alone.
            lat, lon = self._random.choice(self._points[:4])
            fields |= {"location": {"lat": lat, "lon": lon}, "radius_km": self._random.choice((60.5, 200))}
        return {name: value for name, value in fields.items() if value is not None}

    def _field(self) -> dict[str, Any]:
        # A fifth changes nothing that others see, or who has room at most; a quarter is a move.
        chance = self._random.random()
        if chance < 0.2:
            return self._value(self._random.choice(UNSEEN))
        return self._value("location" if chance < 0.45 else self._random.choice(VISIBLE))

    def _value(self, name: str) -> dict[str, Any]:
        """Return a field with a random value; `same` is a change of nothing, `hours` two fields."""
        if name == "same":
            return {}
        if name == "hours":
            return self._hours()
        if name == "location":
            return {name: self._location()}
        if name in FACETS:
            return {name: self._random.sample(TERMS, self._random.randint(0, 4))}
        return {name: self._random.choice(VALUES[name])}

    def _location(self) -> dict[str, float] | None:
        chance = self._random.random()
        if chance < 0.1:
            return None
        lat, lon = self._random.choice(ELSEWHERE if chance < 0.2 else self._points)
        return {"lat": lat, "lon": lon}

    def _hours(self) -> dict[str, Any]:
        first, last = sorted(self._random.sample(range(0, 24, 2), 2))
        slots = [
            {"day": day, "from": f"{first:02}:00", "to": f"{last:02}:15"}
            for day in self._random.sample(DAYS, self._random.randint(0, 3))
        ]
        return {"availability": slots, "timezone": self._random.choice(ZONES)}

    def _status(self) -> dict[str, Any]:
        chance = self._random.random()
        if chance < 0.35:
            return {"status": "active", "paused_until": None}
        if chance < 0.55:
            return {"status": "paused", "paused_until": None}
        until = self.beginning + self._passed + self._random.choice((1, 6, 130, 400)) * TICK + TICK / 2
        return {"status": "paused", "paused_until": until.strftime("%Y-%m-%dT%H:%M:%SZ")}

    def _question(self) -> str:
        random = self._random
        member, chance = random.choice(ASKERS), random.random()
        if chance < 0.08:
            return f"/v1/terms?prefix={random.choice(('', 'h', 'bo'))}"
        if chance < 0.12:
            return f"/v1/profiles/{member}"
        asked = {
            "limit": random.choice(("3", "100", "100")) if random.random() < 0.6 else None,
            "radius_km": random.choice(("1", "40", "200")) if random.random() < 0.35 else None,
            "mode": random.choice(("in_person", "online")) if random.random() < 0.25 else None,
            "facet": random.choice(("interests", "goals")) if random.random() < 0.2 else None,
        }
        query = "&".join(f"{name}={value}" for name, value in asked.items() if value)
        return f"/v1/profiles/{member}/suggestions" + (f"?{query}" if query else "")
