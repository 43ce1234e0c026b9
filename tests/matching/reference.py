"""The judge: the whole ranking in plain loops, from the definitions."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from zoneinfo import ZoneInfo

from matching import FACETS, Profile, Slot, TermModel
from tests.matching.values import half, has_mode, kilometres, pair_code, score, terms, worth

REASONS = ("no_location", "too_far", "no_shared_mode", "no_shared_slot", "no_shared_language", "not_sought")
RELAX = ("radius_km", "modes", "availability", "languages", "seeks")


@dataclass(frozen=True)
class Asked:
    """What is asked, with the defaults of `Matcher.suggest`."""

    n: int = 10
    on: date = date(2024, 1, 1)
    radius_km: float | None = None
    mode: str | None = None
    facet: str | None = None
    exclude: tuple[str, ...] = ()
    invited_by: tuple[str, ...] = ()
    acquainted: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Peer:
    """One who may be suggested."""

    id: str
    score: float
    modes: tuple[str, ...]
    km: float
    slots: tuple[Slot, ...]
    shared: dict[str, set[str]]
    rank: float = math.nan
    moved: float = math.nan  # with price and turn: the order from the fifth place to the tenth


@dataclass(frozen=True)
class Expected:
    """Everybody who may be suggested, and the shortfall if fewer than asked for."""

    peers: dict[str, Peer]
    missing: int
    reasons: tuple[str, ...]
    relax: tuple[str, ...]


# ---------------------------------------------------------------- time


@lru_cache(maxsize=256)
def local_times(zone: str, on: date) -> list[tuple[date, int, int]]:
    """Return local date, weekday and minute at each quarter hour of the seven days."""
    start = datetime(on.year, on.month, on.day, tzinfo=UTC)
    local = [(start + timedelta(minutes=15 * q)).astimezone(ZoneInfo(zone)) for q in range(7 * 96)]
    return [(time.date(), time.weekday(), time.hour * 60 + time.minute) for time in local]


def free(profile: Profile, on: date) -> list[bool]:
    times = local_times(profile.timezone or "UTC", on)
    if not profile.availability:
        return [True] * len(times)
    return [
        any(slot.day == day and slot.start <= minute < slot.end for slot in profile.availability)
        for _, day, minute in times
    ]


def hours(quarters: Iterable[bool]) -> list[tuple[int, int]]:
    """Return first and last quarter of each run of an hour or more."""
    runs: list[list[int]] = []
    for at, wanted in enumerate(quarters):
        if wanted and runs and runs[-1][-1] == at - 1:
            runs[-1].append(at)
        elif wanted:
            runs.append([at])
    return [(run[0], run[-1]) for run in runs if len(run) >= 4]


def shown(a: Profile, b: Profile, on: date) -> tuple[Slot, ...]:
    if not a.availability and not b.availability:
        return ()
    times = local_times(a.timezone or "UTC", on)
    slots: list[Slot] = []
    for first, last in hours(x and y for x, y in zip(free(a, on), free(b, on), strict=True)):
        by_date: dict[date, list[int]] = {}
        for at in range(first, last + 1):
            by_date.setdefault(times[at][0], []).append(at)
        pieces = [piece for piece in by_date.values() if len(piece) >= 4] or [list(range(first, last + 1))]
        slots += [as_slot([times[at] for at in piece]) for piece in pieces]
    return tuple(slots[:10])


def as_slot(times: list[tuple[date, int, int]]) -> Slot:
    (first_date, day, start), (last_date, _, last) = times[0], times[-1]
    end = last + 15
    if first_date == last_date and end <= start:
        end = min(start + 15 * len(times), 1440)
    return Slot(day, start, end)


# ---------------------------------------------------------------- rules


def speak_alike(a: Profile, b: Profile) -> bool:
    mine, theirs = ({tag.split("-")[0].lower() for tag in one.languages} for one in (a, b))
    return not mine or not theirs or bool(mine & theirs)


def content(a: Profile, b: Profile) -> bool:
    """Tell whether b is what a seeks."""
    return all(b.attributes.get(name) in values for name, values in a.seeks.items())


class Pair:
    """What the definitions say of an asker and a peer."""

    def __init__(self, asker: Profile, peer: Profile, asked: Asked) -> None:
        self.km = kilometres(asker, peer)
        self.reach = asker.radius_km if asked.radius_km is None else asked.radius_km
        self.peer_reach = peer.radius_km
        self.peer_in_person = has_mode(peer, "in_person")
        self.peer_online = has_mode(peer, "online")
        self.peer_placed = peer.place is not None
        self.placed = asker.place is not None
        self.near_ok = self.km <= min(self.reach, peer.radius_km)
        asks = {mode for mode in ("in_person", "online") if has_mode(asker, mode)}
        asks &= {asked.mode} if asked.mode else asks
        self.mode_in = "in_person" in asks and self.peer_in_person
        self.mode_on = "online" in asks and self.peer_online
        self.in_person = self.mode_in and self.near_ok
        self.meets = self.in_person or self.mode_on
        self.L = speak_alike(asker, peer)
        both = zip(free(asker, asked.on), free(peer, asked.on), strict=True)
        self.S = bool(hours(x and y for x, y in both))
        self.peer_hour = bool(hours(free(peer, asked.on)))
        self.mine_met, self.theirs_met = content(asker, peer), content(peer, asker)
        self.K = self.mine_met and self.theirs_met
        willing = asker.modes is None or "in_person" in asker.modes
        self.place_missing = not self.placed and willing and asked.mode != "online"

    def fits(self) -> bool:
        return self.meets and self.L and self.S and self.K

    def reasons(self) -> set[str]:
        if self.meets:
            failing = [
                name for name, ok in (("slot", self.S), ("language", self.L), ("sought", self.K)) if not ok
            ]
            named = {"slot": "no_shared_slot", "language": "no_shared_language", "sought": "not_sought"}
            return {named[failing[0]]} if len(failing) == 1 else set()
        if not (self.L and self.S and self.K):
            return set()
        found = set()
        if self.place_missing and self.peer_in_person and self.peer_placed:
            found.add("no_location")
        if self.mode_in and self.km <= 2 * self.reach:
            found.add("too_far")
        reachable = self.peer_online or (self.peer_in_person and self.near_ok)
        if not self.mode_in and not self.mode_on and reachable and "no_location" not in found:
            found.add("no_shared_mode")
        return found

    def relaxations(self) -> set[str]:
        found = set()
        if not self.meets and self.L and self.S and self.K:
            if self.mode_in and self.reach < self.km <= min(2 * self.reach, self.peer_reach):
                found.add("radius_km")
            if (self.peer_in_person and self.near_ok) or self.peer_online:
                found.add("modes")
        if self.meets and self.L and self.K and not self.S and self.peer_hour:
            found.add("availability")
        if self.meets and self.S and self.K and not self.L:
            found.add("languages")
        if self.meets and self.L and self.S and not self.mine_met and self.theirs_met:
            found.add("seeks")
        return found


# ---------------------------------------------------------------- the whole


def equal(a: Profile, b: Profile, separate_by: tuple[str, ...]) -> bool:
    return all(a.attributes.get(name) == b.attributes.get(name) for name in separate_by)


def introduced(
    members: Mapping[str, Profile],
    asker: Profile,
    peers: Iterable[str],
    on: date,
    separate_by: tuple[str, ...],
) -> dict[str, Peer]:
    """Return whom a matcher must introduce, and what it may say of them; there is no score."""
    found = {}
    for profile_id in peers:
        peer = members.get(profile_id)
        if peer is not None and peer.id != asker.id and equal(asker, peer, separate_by):
            pair = Pair(asker, peer, Asked(on=on))
            shared = {facet: terms(asker, facet) & terms(peer, facet) for facet in FACETS}
            modes = ("in_person",) * pair.in_person
            found[peer.id] = Peer(peer.id, math.nan, modes, pair.km, shown(asker, peer, on), shared)
    return found


def answer(
    members: Mapping[str, Profile],
    asker: Profile,
    asked: Asked,
    model: TermModel,
    stated: Mapping[str, float] | None,
    separate_by: tuple[str, ...],
    prices: Mapping[str, float] = MappingProxyType({}),
) -> Expected:
    """Return what a matcher must answer."""
    if asker.paused:
        return Expected({}, asked.n, ("paused",), ())
    present = [
        peer
        for peer in members.values()
        if peer.id != asker.id and peer.id not in asked.exclude and peer.suggestible and not peer.paused
        if not peer.full or peer.id in asked.invited_by
        if equal(asker, peer, separate_by)
    ]
    pairs = {peer.id: Pair(asker, peer, asked) for peer in present}
    middle, rotation = half(model), model.fitted.rotation if model.fitted else 0.0
    peers = {}
    for peer in present:
        pair = pairs[peer.id]
        if pair.fits():
            modes = ("in_person",) * pair.in_person + ("online",) * pair.mode_on
            value, common = worth(asker, peer, model, stated, asked.facet)
            share = pair_code(asker.id, peer.id, model.number) / 2**64
            known = asked.acquainted.get(peer.id, 0)
            rank = value + (known > 0) * (8 * rotation or 2**21) + 2**20 * (common + 4 * (known > 1))
            moved = rank + rotation * (share - 0.5) - prices.get(peer.id, 0.0)
            shared = {facet: terms(asker, facet) & terms(peer, facet) for facet in FACETS}
            points, slots = score(value, common, middle), shown(asker, peer, asked.on)
            peers[peer.id] = Peer(peer.id, points, modes, pair.km, slots, shared, rank, moved)
    missing = max(asked.n - len(peers), 0)
    if not missing:
        return Expected(peers, 0, (), ())
    kept = [pair.reasons() for pair in pairs.values()]
    brought = [pair.relaxations() for pair in pairs.values()]
    tally = {name: sum(name in found for found in brought) for name in RELAX}
    relax = sorted((name for name in RELAX if tally[name]), key=lambda name: -tally[name])
    reasons = tuple(name for name in REASONS if any(name in found for found in kept))
    return Expected(peers, missing, reasons, tuple(relax))


@lru_cache(maxsize=1 << 14)
def slips(one: str, other: str) -> int:
    """Count the slips between two words by the definition: last letters are kept, lost, added or swapped."""
    if not one or not other:
        return len(one) + len(other)
    counts = [slips(one[:-1], other[:-1]) + (one[-1] != other[-1])]
    counts += [slips(one[:-1], other) + 1, slips(one, other[:-1]) + 1]
    if one[-2:] == other[-2:][::-1] and len(one) > 1:
        counts.append(slips(one[:-2], other[:-2]) + 1)
    return min(counts)
