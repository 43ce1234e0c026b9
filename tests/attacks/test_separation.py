"""What a community separates by holds by construction: no suggestion and no introduction ever crosses.

Everybody in the generated communities would be suggested to everybody, were it not for the separation. So the
judge is one line (`parted`), and what must be answered is known to the last member.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from matching import Matcher, Profile

PAIRS_IN_SHORT = 50_000
PAIRS_IN_DRILL = 1_000_000
MEMBERS = 200
NAMES = ("age_band", "team")
# Values that a careless comparison would take for one another, or for a missing one.
VALUES = ("under-18", "Under-18", "under-18 ", "18-29", "", "None", "team", "a,b", "a")
SEPARATIONS: tuple[tuple[str, ...], ...] = (
    ("age_band",),
    ("age_band", "team"),
    ("team",),
    ("team", "age_band"),
)
TERMS = ("hiking", "chess", "opera")


def parted(one: Profile, other: Profile, names: Sequence[str]) -> bool:
    """Tell whether two differ in what separates; a missing value equals only a missing one."""
    return any(one.attributes.get(name) != other.attributes.get(name) for name in names)


@dataclass
class Walk:
    """A community that changes at random, and how many pairs of it were looked at."""

    chance: random.Random
    members: dict[str, Profile]
    matcher: Matcher
    separate_by: tuple[str, ...]
    kept_apart: int = 0
    shown: int = 0

    @classmethod
    def begin(cls, seed: int) -> Walk:
        chance = random.Random(seed)
        separate_by = chance.choice(SEPARATIONS)
        walk = cls(chance, {}, Matcher(separate_by=separate_by), separate_by)
        walk.members = {f"m{number}": walk.made(f"m{number}") for number in range(MEMBERS)}
        walk.matcher.fit(walk.members.values())
        return walk

    def made(self, profile_id: str) -> Profile:
        """Return a member of any side who could meet everybody."""
        stated = [name for name in (*NAMES, "role") if self.chance.random() < 0.75]
        return Profile(
            profile_id,
            "N",
            interests=tuple(self.chance.sample(TERMS, 2)),
            attributes={name: self.chance.choice(VALUES) for name in stated},
            full=self.chance.random() < 0.1,
        )

    def step(self) -> None:
        """Change the community in one way."""
        member = self.members[self.chance.choice(list(self.members))]
        change = self.chance.choice((self.change, self.leave_out, self.come_again, self.separate, self.clean))
        change(member)

    def change(self, member: Profile) -> None:
        name = self.chance.choice(NAMES)
        self.update(replace(member, attributes={**member.attributes, name: self.chance.choice(VALUES)}))

    def leave_out(self, member: Profile) -> None:
        name = self.chance.choice(NAMES)
        stated = {other: value for other, value in member.attributes.items() if other != name}
        self.update(replace(member, attributes=stated))

    def come_again(self, member: Profile) -> None:
        self.matcher.remove(member.id)
        self.update(self.made(member.id))

    def separate(self, _: Profile) -> None:
        self.separate_by = self.chance.choice(SEPARATIONS)
        self.matcher.use(self.matcher.model_, separate_by=self.separate_by)

    def clean(self, _: Profile) -> None:
        self.matcher.compact()

    def update(self, member: Profile) -> None:
        self.matcher.update(member)
        self.members[member.id] = member

    def look(self, asker: Profile) -> None:
        """Ask for everybody in both ways; who is shown must be just those on the same side."""
        others = [member for member in self.members.values() if member.id != asker.id]
        same = {member.id for member in others if not parted(asker, member, self.separate_by)}
        facet = self.chance.choice((None, "interests"))
        answer = self.matcher.suggest(asker, MEMBERS, facet=facet, invited_by=list(self.members))
        assert {item.id for item in answer.items} == same
        assert self.matcher.introduce(asker, dict.fromkeys(self.members)).keys() == same
        self.shown += len(same)
        self.kept_apart += len(others) - len(same)


def walk(seed: int, pairs: int) -> Walk:
    """Change a community and look at it until so many pairs that must be kept apart were looked at."""
    walked = Walk.begin(seed)
    while walked.kept_apart < pairs:
        walked.step()
        for member in walked.chance.sample(list(walked.members.values()), 5):
            walked.look(member)
    return walked


def test_without_a_separation_everybody_would_be_suggested() -> None:
    walked = Walk.begin(1)
    walked.matcher.use(walked.matcher.model_, separate_by=())
    walked.separate_by = ()

    for member in list(walked.members.values())[:5]:
        walked.look(member)

    assert (walked.shown, walked.kept_apart) == (5 * (MEMBERS - 1), 0)


@pytest.mark.parametrize("seed", range(5))
def test_no_pair_crosses(seed: int) -> None:
    walked = walk(seed, PAIRS_IN_SHORT // 5)

    assert walked.kept_apart >= PAIRS_IN_SHORT // 5
    assert walked.shown > 200


@pytest.mark.drill
def test_no_pair_of_a_million_crosses() -> None:
    walked = [walk(100 + seed, PAIRS_IN_DRILL // 10) for seed in range(10)]

    assert sum(one.kept_apart for one in walked) >= PAIRS_IN_DRILL
    assert all(one.shown > 2_000 for one in walked)
