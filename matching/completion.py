"""What others write: in come members' terms as they come and go, out come completions with how many use each.

A term of fewer than three members is nobody else's business and never comes out.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from heapq import nsmallest
from typing import Self

from .model import FEWEST
from .profile import FACETS, Profile
from .terms import distinct, fold, normalise

folded = lru_cache(maxsize=1 << 16)(fold)


class Spellings:
    """Count, per facet and over all (None), the members who use a term, by how they spell it."""

    def __init__(self) -> None:
        self._spelt: dict[str | None, dict[str, Counter[str]]] = {facet: {} for facet in (*FACETS, None)}

    @classmethod
    def of(cls, members: Iterable[Mapping[str, Sequence[str]]]) -> Self:
        """Count many members' terms, given by facet as written: spellings first, which are far fewer."""
        counts = {facet: Counter[str]() for facet in (*FACETS, None)}
        for stated in members:
            for facet, count in counts.items():
                count.update(_distinct(facet, stated.__getitem__).values())
        spellings = cls()
        for facet, count in counts.items():
            for written, number in count.items():
                spellings._spelt[facet].setdefault(normalise(written), Counter())[written] = number
        return spellings

    def add(self, profile: Profile) -> None:
        """Count a member's terms."""
        self._count(profile, 1)

    def remove(self, profile: Profile) -> None:
        """Take a member's terms out of the count."""
        self._count(profile, -1)

    def complete(
        self, prefix: str, facet: str | None, n: int, after: tuple[int, str] | None = None
    ) -> list[tuple[str, int]]:
        """Return commonest spelling and members of terms that begin so, commonest first, then by normal form.

        Parameters
        ----------
        prefix : str
            Compared with the normal form and with every spelling, without case and accents.
        facet : str or None
            None counts members over all facets, each once.
        n : int
            At most so many.
        after : (int, str), optional
            Members and term of the last one had already.
        """
        wanted = folded(prefix)
        past = None if after is None else (-after[0], normalise(after[1]))
        found = [
            (-spellings.total(), term)
            for term, spellings in self._spelt[facet].items()
            if spellings.total() >= FEWEST and _begins(term, spellings, wanted)
        ]
        first = nsmallest(n, (place for place in found if past is None or place > past))
        return [(self._commonest(facet, term), -members) for members, term in first]

    def _commonest(self, facet: str | None, term: str) -> str:
        spellings = self._spelt[facet][term]
        return min(spellings, key=lambda written: (-spellings[written], written))

    def _count(self, profile: Profile, step: int) -> None:
        for facet, spelt in self._spelt.items():
            for term, spelling in _distinct(facet, profile.terms).items():
                spellings = spelt.setdefault(term, Counter())
                spellings[spelling] += step
                if not spellings[spelling]:
                    del spellings[spelling]
                if not spellings:
                    del spelt[term]


def _distinct(facet: str | None, terms: Callable[[str], Iterable[str]]) -> dict[str, str]:
    """Return what a member states in a facet or, each term once, in all: spellings by normal form."""
    return distinct(term for one in (FACETS if facet is None else (facet,)) for term in terms(one))


def _begins(term: str, spellings: Counter[str], wanted: str) -> bool:
    return term.startswith(wanted) or any(folded(spelling).startswith(wanted) for spelling in spellings)
