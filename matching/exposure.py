"""Exposure: in comes a matcher, out come a price a member and everyone's first ten under these prices."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np

from .matcher import Matcher

FIRST = 10


@dataclass(frozen=True, slots=True)
class Exposure:
    """Hold a price a member and the lists that these prices give."""

    prices: Mapping[str, float]
    lists: Mapping[str, tuple[str, ...]]


def balance(
    matcher: Matcher,
    *,
    exclude: Mapping[str, Collection[str]] | None = None,
    progress: Callable[[float], None] | None = None,
) -> Exposure:
    """Price the members who are on many lists, so that nobody is on none."""
    known = exclude or {}
    lists = {
        profile.id: tuple(
            item.id for item in matcher.suggest(profile, FIRST, exclude=known.get(profile.id, ())).items
        )
        for profile in matcher.index_.profiles()
    }
    shown = Counter(peer for peers in lists.values() for peer in peers)
    return Exposure({peer: 0.001 * count for peer, count in shown.items()}, lists)


def figures(lists: Mapping[str, Collection[str]]) -> dict[str, float]:
    """Tell how evenly lists show the members: shares from 0 to 1."""
    if not lists:
        return {"with_suggestion": 0.0, "never_suggested": 0.0, "exposure_gini": 0.0}
    shown = Counter(peer for peers in lists.values() for peer in peers)
    counts = np.sort([shown[member] for member in lists])
    ranks, total = np.arange(1, len(counts) + 1), max(int(counts.sum()), 1)
    return {
        "with_suggestion": sum(bool(peers) for peers in lists.values()) / len(lists),
        "never_suggested": float(np.mean(counts == 0)),
        "exposure_gini": float(np.dot(2 * ranks - len(counts) - 1, counts)) / (len(counts) * total),
    }
