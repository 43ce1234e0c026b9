"""Misspelt terms: in come the terms that are known, out comes for an unknown one which of them was meant.

Word by word: a word that stands in a known term is right, another may be a slip away from one that does. Both
have five letters or more and begin alike; one slip (a letter too many, too few or wrong, or two exchanged) is
forgiven, two from nine letters on or if the consonants sound the same. A term in which all words are right or
put right, and which is then known, was meant; so was one that differs in spaces and hyphens only. Nothing
with a digit is ever touched, nor scripts in which a letter is a word.

Known words are found by what is left of them when letters are taken out, the same for both spellings (Garbe's
symmetric deletion).
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import combinations, groupby, product
from typing import Self

import numpy as np
from numpy.typing import NDArray

SPELT = 0.8  # likeness of a misspelling and what it stands for
_SHORTEST, _LONG, _LONGEST = 5, 9, 20  # letters of a word that may be misspelt, misspelt twice; the most
_POWERS = np.cumprod(np.full(_LONGEST, 0x9E3779B97F4A7C15, np.uint64))  # of any odd number
_BATCH = 256  # words that are shortened at once
_SLIPS = 2  # at most, in a whole term
_TELLING = 5  # letters that stand for a sound
_DOUBLE, _VOWELS = re.compile(r"(.)\1"), re.compile("[aeiouy]")
_WRITTEN = re.compile(r"[a-z\u0370-\u058f' -]{5,}")  # normal forms: Latin without accents, Greek, Cyrillic


class SpellingIndex:
    """Find the known term that an unknown one is most probably a misspelling of.

    Parameters
    ----------
    known : mapping of str to int
        Terms in normal form, and how common each is.
    words : collection of str
        Words that are right besides those of the known terms.
    on : SpellingIndex, optional
        What is known there is known here too.

    Examples
    --------
    >>> index = SpellingIndex({"hiking": 9, "board game": 4, "photography": 0})
    >>> [index.nearest(term) for term in ("hickng", "hikking", "boardgame", "phtograpy", "hiking", "viking")]
    ['hiking', 'hiking', 'board game', 'photography', None, None]
    """

    def __init__(self, known: Mapping[str, int], words: Collection[str] = (), on: Self | None = None) -> None:
        self.layers: tuple[_Layer, ...] = (*(() if on is None else on.layers), _Layer(known, words))

    def nearest(self, term: str) -> str | None:
        """Return the known term that was meant; None for a known one, and where none or two are as likely."""
        if self._count(term) is not None or not _WRITTEN.fullmatch(term):
            return None
        joined = [layer.joined[_join(term)] for layer in self.layers if _join(term) in layer.joined]
        if joined:
            return joined[-1]
        places = sorted((slips, -count, known) for slips, count, known in self._respelt(term))
        if not places or (len(places) > 1 and places[0][:2] == places[1][:2]):
            return None
        return places[0][2]

    def _count(self, term: str) -> int | None:
        counts = [layer.counts[term] for layer in self.layers if term in layer.counts]
        return max(counts, default=None)

    def _respelt(self, term: str) -> Iterator[tuple[int, int, str]]:
        """Yield known terms whose every word was written or may have been meant, after slips and count."""
        choices = []
        for word in term.split(" "):
            right = any(word in layer.right for layer in self.layers)
            choices.append([(0, word)] if right else list(self._near(word)))
            if not choices[-1]:
                return
        for choice in product(*choices):
            known = " ".join(word for _, word in choice)
            slips, count = sum(of for of, _ in choice), self._count(known)
            if slips <= _SLIPS and count is not None:
                yield slips, count, known

    def _near(self, word: str) -> Iterator[tuple[int, str]]:
        if not _SHORTEST <= len(word) <= _LONGEST:
            return
        most = 1 if len(word) < _LONG else _SLIPS
        for known in {known for layer in self.layers for known in layer.words.like(word, most)}:
            slips = distance(word, known)
            if slips <= (_SLIPS if _sound(word) == _sound(known) else most):
                yield slips, known


class _Layer:
    """Hold terms, how common each is, and what they are made of."""

    def __init__(self, counts: Mapping[str, int], words: Collection[str]) -> None:
        self.counts = counts
        self.right = {word for term in counts for word in term.split()}.union(words)
        # Commonest last, so that it stays; of equals the first by alphabet.
        places = sorted(sorted(counts, reverse=True), key=counts.__getitem__)
        self.joined = {_join(term): term for term in places}
        self.words = _Words(sorted(self.right))


class _Words:
    """Find words by what is left of them without one or two letters after the first, and by sound."""

    def __init__(self, words: Sequence[str]) -> None:
        # By length, so that many words of one length are shortened at once.
        self._words = sorted((word for word in words if _SHORTEST <= len(word) <= _LONGEST), key=len)
        keys, owners, first = [np.empty(0, np.uint64)], [np.empty(0, np.int64)], 0
        for (length, _), places in groupby(range(len(self._words)), self._batch):
            group = [self._words[place] for place in places]
            # Two slips are forgiven from nine letters on, so that seven may be meant.
            found = _shorten("".join(group), length, 2 if length >= _LONG - _SLIPS else 1)
            keys.append(found.ravel())
            owners.append(np.repeat(np.arange(first, first + len(found)), found.shape[1]))
            first += len(found)
        joined = np.concatenate(keys)
        order = np.argsort(joined, kind="stable")
        self._keys, self._owners = joined[order], np.concatenate(owners)[order].astype(np.int32)
        self._sounding: dict[str, list[str]] = {}
        for word in self._words:
            self._sounding.setdefault(_sound(word), []).append(word)

    def _batch(self, place: int) -> tuple[int, int]:
        return len(self._words[place]), place // _BATCH

    def like(self, word: str, slips: int) -> set[str]:
        """Return all words within so many slips or of the same sound, and perhaps others."""
        keys = _shorten(word, len(word), slips).ravel()
        starts, ends = (np.searchsorted(self._keys, keys, side) for side in ("left", "right"))
        hits = np.flatnonzero(ends > starts)
        found = {self._words[owner] for hit in hits for owner in self._owners[starts[hit] : ends[hit]]}
        return found.union(self._sounding.get(_sound(word), ()))


def _shorten(words: str, length: int, most: int) -> NDArray[np.uint64]:
    """Return what stands for words of one length, written in one, without up to so many letters of each.

    Returns
    -------
    array of shape (n_words, n_ways)
        Polynomials of the letters that are left, modulo 2 to the 64; the first letter always is.
    """
    letters = np.frombuffer(words.encode("utf-32-le"), np.uint32).astype(np.uint64).reshape(-1, length)
    ways = [letters[:, left] @ _POWERS[: left.shape[1]] for left in _left(length, most)]
    return np.concatenate(ways, axis=1)


@lru_cache(maxsize=2 * _LONGEST)
def _left(length: int, most: int) -> list[NDArray[np.int64]]:
    """Return the places of the letters that are left, one row a way, by how many are taken out."""
    kept = [combinations(range(1, length), length - 1 - count) for count in range(most + 1)]
    return [np.array([(0, *places) for places in ways]) for ways in kept]


def _sound(word: str) -> str:
    """Return how the word begins and its consonants as they sound; the word where that is too little."""
    plain = _DOUBLE.sub(r"\1", word.replace("ph", "f").replace("ck", "k"))
    telling = plain[:2] + _VOWELS.sub("", plain[2:])
    return telling if len(telling) >= _TELLING else word


def _join(term: str) -> str:
    return term.replace(" ", "").replace("-", "")


def distance(one: str, other: str) -> int:
    """Count the letters to insert, leave out, exchange or swap with the next (Damerau and Levenshtein).

    Examples
    --------
    >>> distance("hikign", "hiking"), distance("hiking", "biking"), distance("chess", "chess")
    (1, 1, 0)
    """
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            least = min(last[j] + 1, row[-1] + 1, last[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                least = min(least, before[j - 2] + 1)
            row.append(least)
        before, last = last, row
    return last[-1]
