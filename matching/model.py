"""How common each term is: in come the members' terms, out comes one numbered, immutable model.

A term of fewer than three members does not stand in it and weighs as the rarest that does: one member's
wording must not show in weights, completions or saved models.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .profile import FACETS, Profile
from .terms import distinct

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEWEST = 3  # members who use a term before it counts by itself


@dataclass(frozen=True, slots=True)
class TermModel:
    """Hold the term counts of a community at one moment.

    Parameters
    ----------
    number : int
        The model's number; it also turns the order of alike peers.
    members : int
        How many members were counted.
    counts : mapping of str to mapping of str to int
        Per facet, how many members use a term (in normal form); only terms of three members or more.

    Examples
    --------
    >>> model = TermModel.count(1, [{"interests": ["Chess"]}] * 3 + [{"interests": ["kites"]}])
    >>> model.counts["interests"]
    {'chess': 3}
    >>> model.idf("interests", "kite") == model.idf("interests", "chess")
    True
    """

    number: int
    members: int
    counts: Mapping[str, Mapping[str, int]]

    @classmethod
    def count(cls, number: int, rows: Iterable[Mapping[str, Sequence[str]]]) -> "TermModel":
        """Count a model from each member's written terms by facet."""
        members, seen = 0, {facet: Counter[str]() for facet in FACETS}
        for row in rows:
            members += 1
            for facet in FACETS:
                seen[facet].update(distinct(row.get(facet, ())).keys())
        kept = {
            facet: {term: count for term, count in sorted(counter.items()) if count >= FEWEST}
            for facet, counter in seen.items()
        }
        return cls(number, members, kept)

    @classmethod
    def of(cls, number: int, profiles: Iterable[Profile]) -> "TermModel":
        """Count a model from profiles."""
        return cls.count(number, ({facet: profile.terms(facet) for facet in FACETS} for profile in profiles))

    def idf(self, facet: str, term: str) -> float:
        """Weigh a term in normal form: the smooth inverse document frequency, rare terms levelled."""
        count = max(self.counts.get(facet, {}).get(term, FEWEST), FEWEST)
        return math.log((1 + max(self.members, FEWEST)) / (1 + count)) + 1

    def recounted(self, number: int, rows: Iterable[Mapping[str, Sequence[str]]]) -> "TermModel":
        """Return the model with new counts; what it has learnt stays."""
        return type(self).count(number, rows)

    def arrays(self) -> dict[str, "NDArray[Any]"]:
        """Return what the model has learnt as arrays, to be kept beside `as_dict`."""
        return {}

    def as_dict(self) -> dict[str, Any]:
        """Return the model as what JSON can hold."""
        return {
            "number": self.number,
            "members": self.members,
            "counts": {f: dict(c) for f, c in self.counts.items()},
        }

    @classmethod
    def from_dict(
        cls, kept: Mapping[str, Any], arrays: Mapping[str, "NDArray[Any]"] | None = None
    ) -> "TermModel":
        """Read a model back from what `as_dict` and `arrays` gave.

        Raises
        ------
        ValueError
            If something is missing or of another kind.
        """
        try:
            counts = {
                facet: {str(term): int(n) for term, n in kept["counts"][facet].items()} for facet in FACETS
            }
            return cls(int(kept["number"]), int(kept["members"]), counts)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"expected number, members and counts of each facet, got {sorted(kept)}"
            ) from error
