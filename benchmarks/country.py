"""A made-up country: members in cities, with terms of which few are common, at the same density in any size.

Everybody meets in person within 200 km, and everybody is free on Saturdays, so that what a question costs is
who is near and alike, not the rules.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from matching import Place, Profile, Slot, TermModel
from matching.arrays import FloatArray, IntArray

MILLION = 1_000_000
CHUNK = 20_000  # profiles that there are at once: as objects a million of them takes 3 GB
TERMS = {"interests": (5_000, 8), "activities": (1_000, 4), "goals": (300, 3)}  # known, stated by each
CITY, CELLS = 1_000, 50  # members of a city on average, and the points where they live
SPREAD = 0.08, 0.12  # degrees, of a city
HEIGHT, WIDTH = 10.0, 14.0  # degrees, of a million members' country
MIDDLE = 48.0, 9.0
SATURDAY = Slot(5, 840, 1080)
WIDEST_KM = 200.0


@dataclass(frozen=True)
class Country:
    """Hold a country's members as arrays.

    Attributes
    ----------
    terms : array of int, shape (n, 15)
        What each states, as columns of all facets side by side; the same one twice counts once.
    degrees : array of float, shape (n, 2)
        Where each lives.
    """

    terms: IntArray
    degrees: FloatArray
    _cells: tuple[Place, ...]
    _cell_of: IntArray

    @classmethod
    def of(cls, size: int, seed: int = 1) -> "Country":
        """Make up so many members; the country grows with them."""
        rng = np.random.default_rng(seed)
        cities, side = max(size // CITY, 1), (size / MILLION) ** 0.5
        middles = np.array(MIDDLE) + rng.uniform(-0.5, 0.5, (cities, 2)) * np.array([HEIGHT, WIDTH]) * side
        shares = rng.lognormal(0, 0.7, cities)
        city = rng.choice(cities, size, p=shares / shares.sum())
        points = (middles[:, None] + rng.normal(0, SPREAD, (cities, CELLS, 2))).reshape(-1, 2)
        cells = tuple(Place.at(lat, lon) for lat, lon in points.tolist())
        cell_of = city * CELLS + rng.integers(0, CELLS, size)
        degrees = np.array([(cell.lat, cell.lon) for cell in cells])[cell_of]
        return cls(_stated(rng, size), degrees, cells, cell_of)

    def __len__(self) -> int:
        return len(self.terms)

    @cached_property
    def matrix(self) -> Any:
        """Return who states what: a csr_array of shape (n, 6300)."""
        rows = np.repeat(np.arange(len(self)), self.terms.shape[1])
        cells = np.unique(rows * WIDE + self.terms.ravel())
        rows, columns = np.divmod(cells, WIDE)
        ends = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(self)))])
        return csr_array((np.ones(len(cells)), columns, ends), shape=(len(self), WIDE))

    def model(self) -> TermModel:
        """Count what each term is stated by."""
        counts = dict(zip(NAMES, self.matrix.sum(axis=0).astype(int).tolist(), strict=True))
        kept = {
            facet: {term: counts[term] for term in NAMES[a:b] if counts[term] > 2} for facet, a, b in PARTS
        }
        return TermModel(1, len(self), kept, self.matrix.nnz / len(self))

    def profile(self, member: int, name: str = "m") -> Profile:
        """Return a member's profile."""
        stated = sorted(set(self.terms[member].tolist()))
        interests, activities, goals = (tuple(NAMES[at] for at in stated if a <= at < b) for _, a, b in PARTS)
        others = tuple(Slot(day, 1_080, 1_260) for day in (member % 4, 4 + member % 3))
        return Profile(
            f"{name}{member}",
            f"Member {member}",
            interests,
            activities,
            goals,
            place=self._cells[self._cell_of[member]],
            radius_km=WIDEST_KM,
            availability=(*others, SATURDAY),
        )

    def chunks(self) -> Iterator[list[Profile]]:
        """Yield everybody, some at a time."""
        for first in range(0, len(self), CHUNK):
            yield [self.profile(member) for member in range(first, min(first + CHUNK, len(self)))]

    def central(self, number: int, seed: int = 2) -> IntArray:
        """Return some members who live in the middle half of the country."""
        away = np.abs(self.degrees - np.array(MIDDLE)) / np.array([HEIGHT, WIDTH])
        inside = np.flatnonzero(away.max(axis=1) < 0.25 * (len(self) / MILLION) ** 0.5)
        found: IntArray = np.random.default_rng(seed).choice(inside, min(number, len(inside)), replace=False)
        return found


def _stated(rng: np.random.Generator, size: int) -> IntArray:
    """Draw terms, the n-th most common with a probability of 1 / n."""
    parts, first = [], 0
    for known, each in TERMS.values():
        chances = np.cumsum(1 / np.arange(1.0, known + 1))
        parts.append(first + np.searchsorted(chances / chances[-1], rng.random((size, each))))
        first += known
    return np.concatenate(parts, axis=1)


_EDGES = list(np.cumsum([0, *(known for known, _ in TERMS.values())]).tolist())
PARTS = [(facet, a, b) for facet, (a, b) in zip(TERMS, pairwise(_EDGES), strict=True)]
NAMES = [f"z{facet[0]}{number}q" for facet, a, b in PARTS for number in range(b - a)]
WIDE = len(NAMES)
