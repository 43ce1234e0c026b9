"""Communities whose best answers a person can see: circles of friends who share what they like."""

from __future__ import annotations

from itertools import combinations

from matching import Profile

CIRCLES, EACH = 8, 15


def circles() -> tuple[list[Profile], dict[str, set[str]]]:
    """Return members in circles: all like music, each circle has terms of its own to like."""
    profiles: list[Profile] = []
    friends: dict[str, set[str]] = {}
    for circle in range(CIRCLES):
        ids = [f"c{circle}-{at}" for at in range(EACH)]
        for at, one in enumerate(ids):
            terms = ("music", *(f"craft {circle} {(at + step) % 5}" for step in range(3)))
            profiles.append(Profile(one, one, interests=terms))
            friends[one] = set()
        for one, other in combinations(ids, 2):
            friends[one].add(other)
            friends[other].add(one)
    return profiles, friends
