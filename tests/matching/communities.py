"""Communities made by chance with tastes that a person can state: what a fit should find in them."""

import numpy as np

from matching import Profile
from matching.learning import Feedback

GROUPS, TERMS_A_GROUP = 10, 6


def two_tastes(members: int, seed: int = 0) -> list[Profile]:
    """Return members who belong to one of ten groups by their interests and to one of two by their goals.

    Members of a group draw from its own terms, so that two of one group may share none, and from common ones.
    """
    chance = np.random.default_rng(seed)
    common = ("coffee", "walks", "films")
    profiles = []
    for number in range(members):
        group, mood = number % GROUPS, number // GROUPS % 2
        own = chance.choice([f"xq{group}w{at}" for at in range(TERMS_A_GROUP)], 2, replace=False)
        goals = chance.choice([f"zv{mood}g{at}" for at in range(4)], 2, replace=False)
        interests = (*own.tolist(), str(chance.choice(common)))
        profiles.append(
            Profile(f"m{number}", f"M {number}", interests=interests, goals=tuple(goals.tolist()))
        )
    return profiles


def mood(profile: Profile) -> str:
    """Return the kind of goals that a member has."""
    return profile.goals[0][:3]


def answers(profiles: list[Profile], number: int, *, own: bool, seed: int = 0) -> list[Feedback]:
    """Return what people answer who choose their own mood, or the other one, and decline the rest.

    Whatever their interests.
    """
    chance = np.random.default_rng(seed)
    feedback: dict[frozenset[str], Feedback] = {}
    while len(feedback) < number:
        one, other = (profiles[at] for at in chance.choice(len(profiles), 2, replace=False).tolist())
        label = 1.0 if (mood(one) == mood(other)) == own else -1.0
        feedback[frozenset({one.id, other.id})] = Feedback(one.id, other.id, label)
    return list(feedback.values())
