"""The ways to find the 20 most alike within a radius: in come askers, out come costs.

What scikit-learn's manual says, one sparse product over who is near, Kith with NumPy and compiled, and what
memory allows: four bytes for each time that a member in reach states a term of the asker's, and four for the
sum of each member in reach, at the speed at which `numpy.sum` reads 256 MB.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.neighbors import BallTree, NearestNeighbors

from benchmarks.country import Country
from benchmarks.running import FailedError
from matching import Matcher, Profile, search
from matching.arrays import FloatArray, IntArray
from matching.asking import Asking as Questions
from matching.facts import Question
from matching.profile import EARTH_KM
from matching.search import Order, Search

ALIKE = 20
ON = date(2026, 11, 30)
SKLEARN, PRODUCT, NUMPY = "scikit-learn", "one sparse product", "Kith, NumPy"
COMPILED, SUGGEST, BOUND = "Kith, compiled", "Kith, suggest", "memory bound"
_BYTES = 2**28


class Rival:
    """Find the most alike with scikit-learn and scipy."""

    def __init__(self, country: Country) -> None:
        self.points = np.radians(country.degrees)
        self.tree = BallTree(self.points, metric="haversine")
        self.matrix = TfidfTransformer().fit_transform(country.matrix).tocsr()

    def near(self, asker: int, km: float) -> IntArray:
        """Return who lives within a radius."""
        found: IntArray = self.tree.query_radius(self.points[asker : asker + 1], km / EARTH_KM)[0]
        return found

    def neighbours(self, asker: int, km: float) -> FloatArray:
        """Return how like the most alike are, as the manual has it: the asker is one of them."""
        part = self.matrix[self.near(asker, km)]
        neighbours = NearestNeighbors(
            n_neighbors=min(ALIKE + 1, part.shape[0]), metric="cosine", algorithm="brute"
        )
        away, _ = neighbours.fit(part).kneighbors(self.matrix[asker : asker + 1])
        return 1 - np.asarray(away[0])

    def product(self, asker: int, km: float) -> FloatArray:
        """Return the same from one sparse product over who is near."""
        wanted = self.matrix[asker : asker + 1].toarray()[0]
        alike = np.asarray(self.matrix[self.near(asker, km)] @ wanted)
        n = min(ALIKE + 1, len(alike))
        return np.sort(np.partition(alike, len(alike) - n)[len(alike) - n :])[::-1]


@dataclass(frozen=True)
class Asking:
    """Hold what each way is asked: some members, and within how far."""

    matcher: Matcher
    rival: Rival
    members: Sequence[int]
    profiles: Sequence[Profile]
    km: float

    @classmethod
    def of(
        cls, matcher: Matcher, rival: Rival, country: Country, members: Sequence[int], km: float
    ) -> "Asking":
        """Read the members' profiles."""
        return cls(matcher, rival, members, [country.profile(member) for member in members], km)

    @property
    def order(self) -> Order:
        """Return what the best are chosen by."""
        return Order(ALIKE, 0, 0.0, self.matcher.index_.prices)

    def searches(self) -> list[Search]:
        """Prepare the questions."""
        return [self.search(profile) for profile in self.profiles]

    def search(self, profile: Profile) -> Search:
        """Prepare a question."""
        asking = Questions(self.matcher.index_, self.matcher.weights_)
        return asking.put(profile, Question(ON, radius_km=self.km), None)[1]

    def contenders(self) -> dict[str, list[Callable[[], Any]]]:
        """Return a call for each asker, by way."""
        best: list[Callable[[], Any]] = [partial(one.best, self.order) for one in self.searches()]
        suggest = partial(self.matcher.suggest, n=ALIKE, on=ON, radius_km=self.km)
        return {
            SKLEARN: [partial(self.rival.neighbours, member, self.km) for member in self.members],
            PRODUCT: [partial(self.rival.product, member, self.km) for member in self.members],
            NUMPY: best,
            COMPILED: best,
            SUGGEST: [partial(suggest, profile) for profile in self.profiles],
        }

    def in_reach(self) -> list[int]:
        """Count who is near each asker."""
        return [len(self.rival.near(member, self.km)) for member in self.members]

    def touched(self) -> list[int]:
        """Count the bytes that each asker's answer must touch."""
        totals = []
        for member in self.members:
            stated = self.rival.matrix[member : member + 1].indices
            part = self.rival.matrix[self.rival.near(member, self.km)]
            totals.append(4 * (part.shape[0] + int(np.isin(part.indices, stated).sum())))
        return totals

    def check(self) -> None:
        """See that ways that must agree do.

        Raises
        ------
        FailedError
            If they don't.
        """
        for member, one in zip(self.members, self.searches(), strict=True):
            alike, product = self.rival.neighbours(member, self.km), self.rival.product(member, self.km)
            if not np.allclose(alike, product, atol=1e-9):
                raise FailedError("scikit-learn and the sparse product find others alike")
            everybody = _best(one.everybody().ranks, one.everybody().rows)
            for way in (False, True):
                with compiled(way):
                    found = one.best(self.order)
                if _best(found.ranks, found.rows) != everybody:
                    raise FailedError(f"{COMPILED if way else NUMPY} finds others than a look at everybody")


def _best(ranks: FloatArray, rows: IntArray) -> list[tuple[float, int]]:
    """Return the best, ties by row."""
    return sorted(zip((-ranks).tolist(), rows.tolist(), strict=True))[:ALIKE]


@contextmanager
def compiled(wanted: bool) -> Iterator[None]:
    """Let Kith scan with compiled code or without."""
    before, search.COMPILED = search.COMPILED, wanted
    try:
        yield
    finally:
        search.COMPILED = before


@dataclass(frozen=True, slots=True)
class Cost:
    """Hold milliseconds for each asker, by the clock and of the processor."""

    clock: tuple[float, ...]
    processor: tuple[float, ...]


def cost(calls: Sequence[Callable[[], Any]]) -> Cost:
    """Take the time of each call."""
    clock, processor = [], []
    for call in calls:
        began, spent = time.perf_counter(), time.process_time()
        call()
        processor.append(1_000 * (time.process_time() - spent))
        clock.append(1_000 * (time.perf_counter() - began))
    return Cost(tuple(clock), tuple(processor))


def costs(asking: Asking, touched: Sequence[int]) -> Mapping[str, Cost]:
    """Ask everybody's question in each way, one way after another: a round."""
    found = {}
    for way, calls in asking.contenders().items():
        with compiled(way != NUMPY):
            calls[0]()  # what this way needs comes back into the processor's caches
            found[way] = cost(calls)
    rate = bandwidth()
    bound = tuple(1_000 * size / rate for size in touched)
    return {**found, BOUND: Cost(bound, bound)}


def bandwidth() -> float:
    """Return how many bytes a second are read from memory: the best of three sums."""
    room = np.ones(_BYTES // 8)
    return _BYTES / min(min(cost([room.sum] * 3).processor) / 1_000, 1.0)
