"""Kindred terms: in comes a term in normal form, out come the columns that it shares with what it is kin to.

The tables are `kin/LANGUAGE.json`, the same for every community and every facet. `concepts` maps a name, a
term like any other, to what else it is called (`also`) and up to three wider concepts (`in`); another
language's file adds its own words to a concept of the same name, and new concepts. What is `broad` makes no
kin of its children. `words` look like a term's misspelling, and are none.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from .arrays import FloatArray, IntArray
from .terms import normalise

# Parts of the square of a term's weight.
SAME = 0.25  # for its concept, which synonyms share
NEAR = 0.1  # for each wider concept
FAR = 0.04  # for all together that are broad, or wider still
NAMED = 0.07  # the likeness of two terms from which on they are called related: not all sports are


@dataclass(frozen=True, slots=True)
class KinTable:
    """Hold all tables as one: concepts by number, each with a column of the same number.

    Attributes
    ----------
    names : tuple of str
    concept_of : mapping of str to int
        The concept of each term in normal form.
    words : frozenset of str
        What is no misspelling, in normal form.
    own : array of shape (n_concepts + 1,)
        What part of a term's weight stays its own; the last is for terms without a concept.
    ends, columns, values : arrays
        The kin columns of each concept as sparse rows, and the part of a term's weight on each.
    near : tuple of mapping of int to float
        Per concept, those that are called related to it and how close they are: the product of the rows.
    """

    names: tuple[str, ...]
    concept_of: Mapping[str, int]
    words: frozenset[str]
    own: FloatArray
    ends: IntArray
    columns: IntArray
    values: FloatArray
    near: tuple[Mapping[int, float], ...]

    def entries(self, concepts: IntArray) -> "KinEntries":
        """Return the entries of some terms' concepts, those of one term after another."""
        starts, lengths = self.ends[concepts], self.ends[concepts + 1] - self.ends[concepts]
        lengths = np.where(concepts < 0, 0, lengths)
        owner = np.repeat(np.arange(len(concepts)), lengths)
        at = np.arange(len(owner)) + np.repeat(starts - np.cumsum(lengths) + lengths, lengths)
        return KinEntries(owner, self.columns[at], self.values[at])


@dataclass(frozen=True, slots=True)
class KinEntries:
    """Hold kin columns: which of the terms asked for, the column, the part of the term's weight."""

    owner: IntArray
    column: IntArray
    value: FloatArray


def kin_count() -> int:
    """Return how many kin columns there are."""
    return len(kin_table().names)


def concept(term: str) -> int:
    """Return the number of a term's concept, -1 for none.

    Examples
    --------
    >>> concept(normalise("Jogging")) == concept("running"), concept("alphorn")
    (True, -1)
    """
    return kin_table().concept_of.get(term, -1)


def kin(term: str) -> tuple[tuple[int, float], ...]:
    """Return the kin columns of a term, each with its part of the square of the term's weight."""
    table, number = kin_table(), concept(term)
    if number < 0:
        return ()
    part = slice(*table.ends[number : number + 2])
    squares = table.values[part] ** 2
    return tuple(zip(table.columns[part].tolist(), squares.tolist(), strict=True))


def near(term: str) -> Mapping[int, float]:
    """Return the concepts that a term is related to, its own too, and how close each is."""
    number = concept(term)
    return {} if number < 0 else kin_table().near[number]


def closeness(one: str, other: str) -> float:
    """Tell how closely two different terms are related, 0 where they are not.

    Examples
    --------
    >>> closeness("hiking", "trekking") > closeness("hiking", "backpacking") > closeness("hiking", "chess")
    True
    """
    return near(one).get(concept(other), 0.0)


@lru_cache(maxsize=1)
def kin_table() -> KinTable:
    """Read the tables, once."""
    concept_of: dict[str, int] = {}
    wider: dict[str, list[str]] = {}
    broad: set[str] = set()
    words: set[str] = set()
    for table in _tables():
        for name, entry in table["concepts"].items():
            wider[name] = list(dict.fromkeys([*wider.get(name, ()), *entry["in"]]))
        numbers = {name: number for number, name in enumerate(wider)}
        for name, entry in table["concepts"].items():
            for term in (name, *entry["also"]):
                concept_of.setdefault(normalise(term), numbers[name])
        broad.update(table["broad"])
        words.update(map(normalise, table["words"]))
    names = tuple(wider)
    rows = [_row(name, wider, broad) for name in names]
    return _joined(names, concept_of, frozenset(words), rows)


def _tables() -> Iterator[Any]:
    """Yield the tables, English first, so that its terms keep their concepts."""
    files = {file.name: file for file in resources.files(__package__).joinpath("kin").iterdir()}
    for name in sorted(files, key=lambda name: (name != "en.json", name)):
        yield json.loads(files[name].read_text(encoding="utf-8"))


def _row(name: str, wider: Mapping[str, list[str]], broad: set[str]) -> dict[str, float]:
    """Return the columns of a concept, by name, with their parts of the square."""
    close = [parent for parent in wider[name] if parent not in broad]
    distant = [parent for parent in wider[name] if parent in broad]
    distant += [beyond for parent in wider[name] for beyond in wider[parent]]
    far = [one for one in dict.fromkeys(distant) if one not in close]
    return {name: SAME} | dict.fromkeys(close, NEAR) | {one: FAR / len(far) for one in far}


def _joined(
    names: tuple[str, ...],
    concept_of: Mapping[str, int],
    words: frozenset[str],
    rows: list[dict[str, float]],
) -> KinTable:
    """Give the columns numbers, and compare all concepts with one another."""
    numbers = {name: number for number, name in enumerate(names)}
    ends = np.cumsum([0, *map(len, rows)])
    columns = np.array([numbers[name] for row in rows for name in row], np.int64)
    values = np.sqrt([part for row in rows for part in row.values()])
    own = np.sqrt([*(1 - sum(row.values()) for row in rows), 1.0])
    matrix = csr_array((values, columns, ends), shape=(len(names), len(names)))
    alike = csr_array(matrix @ matrix.T)
    close: list[dict[int, float]] = [{} for _ in names]
    for one, other, value in zip(*alike.nonzero(), alike.data.tolist(), strict=True):
        if value >= NAMED:
            close[one][int(other)] = value
    return KinTable(names, concept_of, words, own, ends, columns, values, tuple(close))
