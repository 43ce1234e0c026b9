"""Crowds of any size in towns: a size and a seed in, profiles as an import takes them out, one by one.

About as many live within 25 km of each other whatever the size: a larger crowd has more towns. Terms fall off
as 1/rank; a third state when they are free, in one of few ways.
"""

import math
import random
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

MEMBERS_PER_TOWN = 10_000
_FACETS = {
    "interests": (5000, 8),
    "activities": (1000, 4),
    "goals": (300, 3),
}  # terms there are, terms stated
_DEGREES_BETWEEN_TOWNS = 1.0
_KM_PER_DEGREE = 111.2
_SPREAD_KM = 7.0
_LANGUAGES = (["de"], ["de", "en"], ["en", "de"])
_HOURS = (
    ("mon", "18:00", "21:00"),
    ("wed", "17:30", "20:00"),
    ("sat", "10:00", "13:00"),
    ("sun", "14:00", "18:00"),
)


def crowd(members: int, seed: int = 1, prefix: str = "m") -> Iterator[dict[str, Any]]:
    """Yield so many members."""
    chance = random.Random(f"{members} {seed}")
    towns = max(1, round(members / MEMBERS_PER_TOWN))
    for number in range(members):
        yield person(f"{prefix}{number:07}", chance, _town(number % towns, towns))


def person(
    profile_id: str, chance: random.Random, town: tuple[float, float] = (52.5, 13.4)
) -> dict[str, Any]:
    """Make up one member of a town."""
    stated: dict[str, Any] = {facet: _terms(chance, facet) for facet in _FACETS}
    lat = town[0] + chance.gauss(0, _SPREAD_KM / _KM_PER_DEGREE)
    lon = town[1] + chance.gauss(0, _SPREAD_KM / _KM_PER_DEGREE / math.cos(math.radians(town[0])))
    if chance.random() < 1 / 3:
        days = chance.sample(_HOURS, 2)
        slots = [{"day": day, "from": begin, "to": end} for day, begin, end in days]
        stated |= {"timezone": "Europe/Berlin", "availability": slots}
    return stated | {
        "id": profile_id,
        "name": f"Member {profile_id}",
        "location": {"lat": round(lat, 5), "lon": round(lon, 5)},
        "languages": chance.choice(_LANGUAGES),
    }


def _town(number: int, towns: int) -> tuple[float, float]:
    side = math.ceil(math.sqrt(towns))
    row, column = divmod(number, side)
    return 45.0 + _DEGREES_BETWEEN_TOWNS * row, 5.0 + 1.6 * _DEGREES_BETWEEN_TOWNS * column


def _terms(chance: random.Random, facet: str) -> list[str]:
    there, stated = _FACETS[facet]
    drawn = chance.choices(range(there), cum_weights=_falling(there), k=stated)
    return [f"{facet[:-1]} {number:04}" for number in dict.fromkeys(drawn)]


_KNOWN: dict[int, list[float]] = {}


def _falling(count: int) -> list[float]:
    """Return the running total of 1/rank."""
    if count not in _KNOWN:
        _KNOWN[count] = list(accumulate(1 / rank for rank in range(1, count + 1)))
    return _KNOWN[count]
