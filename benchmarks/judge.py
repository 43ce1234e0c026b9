"""What a user is owed by an answer, judged from outside: only what the API shows goes in.

Distances are computed here anew, on the mean Earth radius, between the centres that the service reads back.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

EARTH_KM = 6371.0088
Wire = Mapping[str, Any]


def km_between(a: Wire, b: Wire) -> float:
    """Return the great circle between two locations, by the haversine formula."""
    lat_a, lat_b = math.radians(a["lat"]), math.radians(b["lat"])
    across = math.sin(math.radians(b["lon"] - a["lon"]) / 2) ** 2
    chord = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * across
    return 2 * EARTH_KM * math.asin(math.sqrt(min(chord, 1.0)))


def in_reach(asker: Wire, peer: Wire, modes: Sequence[str], slack_km: float = 1e-6) -> bool:
    """Tell whether two can meet in every mode that a suggestion offers."""
    return all(_can_meet(asker, peer, mode, slack_km) for mode in modes) and bool(modes)


def _can_meet(asker: Wire, peer: Wire, mode: str, slack_km: float) -> bool:
    if mode not in asker["modes"] or mode not in peer["modes"]:
        return False
    if mode == "online":
        return True
    places = asker["location"], peer["location"]
    if None in places:
        return False
    radius_km: float = min(asker["radius_km"], peer["radius_km"])
    return km_between(*places) <= radius_km + slack_km


def shares_term(item: Wire) -> bool:
    """Tell whether a suggestion names a term that both have."""
    return any(item["shared"].values())


def mean(values: Iterable[float]) -> float:
    """Return the mean, 0 for none."""
    listed = list(values)
    return sum(listed) / len(listed) if listed else 0.0
