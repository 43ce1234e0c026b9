"""Simulated communities: a size, how strict they are and a seed in, profiles out.

A city of towns whose sizes fall off as 1/rank; terms that fall off likewise; evenings and weekends. `mild`:
wide radii, nearly all free at any time, one language. `strict`: shorter radii, a few slots a week, a second
language, mentors and mentees who seek each other.
"""

import random
from collections.abc import Sequence
from itertools import accumulate

from matching import Place, Profile, Slot

STRICTNESS = ("strict", "mild")
_TERMS = 600
_TOWNS = 40
_CITY = (52.5, 13.4)
_CITY_DEGREES = 0.12
_LANGUAGES = (("de",), ("de", "en"), ("de", "en"), ("en",))


def simulated(members: int, strictness: str, seed: int = 1) -> list[Profile]:
    """Make a community."""
    chance = random.Random(f"{members} {strictness} {seed}")
    towns = [
        (
            _CITY[0] + chance.gauss(0, _CITY_DEGREES),
            _CITY[1] + chance.gauss(0, 1.6 * _CITY_DEGREES),
        )
        for _ in range(_TOWNS)
    ]
    return [
        _member(f"m{number:06}", chance, towns, strict=strictness == "strict") for number in range(members)
    ]


def _member(
    profile_id: str, chance: random.Random, towns: Sequence[tuple[float, float]], *, strict: bool
) -> Profile:
    lat, lon = chance.choices(towns, cum_weights=_falling(_TOWNS))[0]
    role = chance.choice(("mentor", "mentee")) if strict and chance.random() < 0.15 else None
    return Profile(
        profile_id,
        profile_id,
        interests=_terms(chance, chance.randint(2, 8)),
        activities=_terms(chance, chance.randint(0, 4)),
        place=Place.at(lat + chance.gauss(0, 0.02), lon + chance.gauss(0, 0.03)),
        radius_km=chance.choice((12.0, 20.0, 30.0, 40.0) if strict else (25.0, 40.0, 60.0)),
        modes=frozenset(("in_person", "online") if chance.random() < 0.15 else ("in_person",)),
        timezone="Europe/Berlin",
        availability=_slots(chance) if strict or chance.random() < 0.1 else (),
        languages=chance.choice(_LANGUAGES) if strict else ("de",),
        attributes={"role": role} if role else {},
        seeks={"role": ("mentee" if role == "mentor" else "mentor",)} if role else {},
    )


def _terms(chance: random.Random, count: int) -> tuple[str, ...]:
    drawn = chance.choices(range(_TERMS), cum_weights=_falling(_TERMS), k=count)
    return tuple(f"term {number:03}" for number in dict.fromkeys(drawn))


def _slots(chance: random.Random) -> tuple[Slot, ...]:
    return tuple(_slot(chance) for _ in range(chance.randint(3, 8)))


def _slot(chance: random.Random) -> Slot:
    start = chance.choice((10, 14, 17, 18, 19, 20)) * 60
    return Slot(chance.randrange(7), start, min(start + chance.choice((120, 180, 240)), 24 * 60))


_KNOWN: dict[int, list[float]] = {}


def _falling(count: int) -> list[float]:
    """Return the running total of 1/rank."""
    if count not in _KNOWN:
        _KNOWN[count] = list(accumulate(1 / rank for rank in range(1, count + 1)))
    return _KNOWN[count]
