"""Random rounds, and what brute force says of small ones."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import combinations

from matching import Matcher, Profile, RoundRules
from tests.matching.strategies import DATES, crowd


@dataclass(frozen=True)
class Case:
    """A community and what a round of it is asked for."""

    profiles: tuple[Profile, ...]
    participants: tuple[str, ...]
    rules: RoundRules
    on: date
    days: int
    separate_by: tuple[str, ...]

    def matcher(self) -> Matcher:
        return Matcher(separate_by=self.separate_by).fit(self.profiles)


def case(seed: int, group_size: int) -> Case:
    """Return a random round of 12 or 24 members."""
    chance = random.Random(seed)
    profiles = [*crowd(seed)]
    if chance.random() < 0.4:
        profiles += [replace(one, id=f"{one.id}2") for one in crowd(seed + 1)]
    ids = [one.id for one in profiles]

    def some_pairs(count: int) -> frozenset[frozenset[str]]:
        return frozenset(frozenset(chance.sample(ids, 2)) for _ in range(count))

    rules = RoundRules(
        group_size=group_size,
        seed=seed,
        apart=(frozenset(chance.sample(ids, 4)),) * chance.choice((0, 1)),
        never=some_pairs(chance.choice((0, 3, 10))),
        recent=some_pairs(chance.choice((0, 5, 60))),
        first=frozenset(chance.sample(ids, chance.choice((0, 3)))),
    )
    participants = tuple(chance.sample(ids, chance.randint(0, len(ids))))
    days = chance.choice((1, 3, 7, 14))
    return Case(
        tuple(profiles), participants, rules, chance.choice(DATES), days, chance.choice(((), ("role",)))
    )


def shuffled(whole: Case, seed: int) -> Case:
    """Return the same case with everything in another order."""
    chance = random.Random(seed)
    profiles, participants = list(whole.profiles), list(whole.participants)
    chance.shuffle(profiles)
    chance.shuffle(participants)
    return replace(whole, profiles=tuple(profiles), participants=tuple(participants))


def matchings(edges: list[tuple[str, str]]) -> Iterator[frozenset[tuple[str, str]]]:
    """Yield every matching of a small graph."""
    if not edges:
        yield frozenset()
        return
    (a, b), *others = edges
    yield from matchings(others)
    rest = [edge for edge in others if a not in edge and b not in edge]
    yield from (one | {(a, b)} for one in matchings(rest))


def best_standing(scored: Mapping[tuple[str, str], float], rules: RoundRules) -> tuple[int, int, int, float]:
    """Return pairs, `first` among them, repeats (negative) and weight of the best matching."""

    def standing(chosen: frozenset[tuple[str, str]]) -> tuple[int, int, int, float]:
        seated = {member for pair in chosen for member in pair}
        repeats = sum(frozenset(pair) in rules.recent for pair in chosen)
        weight = sum(scored[pair] ** 0.5 for pair in chosen)
        return len(chosen), len(seated & rules.first), -repeats, weight

    return max(map(standing, matchings(sorted(scored))))


def random_graph(chance: random.Random, most: int) -> tuple[list[str], dict[tuple[str, str], float]]:
    """Return ids and scores, some of them equal."""
    ids = [f"n{number:02}" for number in range(chance.randint(2, most))]
    share = chance.choice((0.2, 0.5, 1.0))
    digits = chance.choice((1, 9))
    pairs = [pair for pair in combinations(ids, 2) if chance.random() < share]
    return ids, {pair: round(chance.random(), digits) for pair in pairs}
