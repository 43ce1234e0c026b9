"""How common each term is, and what was learnt: in come the members' terms, out comes one immutable model.

A term of fewer than three members does not stand in it and weighs as the rarest that does: one member's
wording must not show in weights, completions or saved models.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from .profile import FACETS, Profile
from .terms import normalise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .latent import Fitted
    from .spelling import SpellingIndex

FEWEST = 3  # members who use a term before it counts by itself
FEWEST_MEMBERS = 200  # of whom profiles alone show more than chance
RAREST = 1 / 4000  # the share of members below which a term weighs no more


@dataclass(frozen=True)  # not slotted: it keeps its index of spellings once that was asked for
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
    terms : float
        How many terms a member states on average, over all facets.
    fitted : Fitted, optional
        What a fit added: latent vectors of terms, weights. None before the first.

    Examples
    --------
    >>> model = TermModel.count(1, [{"interests": ["Chess"]}] * 3 + [{"interests": ["kites"]}])
    >>> model.counts["interests"]
    {'chess': 3}
    >>> model.weight("interests", "kite") == model.weight("interests", "chess")
    True
    """

    number: int
    members: int
    counts: Mapping[str, Mapping[str, int]]
    terms: float = 0.0
    fitted: "Fitted | None" = None

    @classmethod
    def count(cls, number: int, rows: Iterable[Mapping[str, Sequence[str]]]) -> "TermModel":
        """Count a model from each member's written terms by facet."""
        members, seen = 0, {facet: Counter[str]() for facet in FACETS}
        for row in rows:
            members += 1
            for facet in FACETS:
                seen[facet].update(set(map(normalise, row.get(facet, ()))))
        for counter in seen.values():
            del counter[""]  # what leaves nothing visible
        return cls.of_counts(number, members, seen)

    @classmethod
    def of_counts(
        cls, number: int, members: int, seen: Mapping[str, Mapping[str, int]], fitted: "Fitted | None" = None
    ) -> "TermModel":
        """Make a model of how many members state each term in normal form, by facet."""
        kept = {
            facet: {term: count for term, count in sorted(counts.items()) if count >= FEWEST}
            for facet, counts in seen.items()
        }
        stated = sum(sum(counts.values()) for counts in seen.values())
        return cls(number, members, kept, stated / max(members, 1), fitted)

    @classmethod
    def of(cls, number: int, profiles: Iterable[Profile]) -> "TermModel":
        """Count a model from profiles."""
        return cls.count(number, ({facet: profile.terms(facet) for facet in FACETS} for profile in profiles))

    def recounted(self, number: int, rows: Iterable[Mapping[str, Sequence[str]]]) -> "TermModel":
        """Count anew under another number; what was fitted stays."""
        return replace(TermModel.count(number, rows), fitted=self.fitted)

    def weight(self, facet: str, term: str) -> float:
        """Weigh a term in normal form: the fourth root of how rare it is, so that a shared one adds its root.

        Between the inverse share of resource allocation (Zhou, Lü, Zhang 2009) and no weight at all; terms of
        fewer than three members are levelled.
        """
        count = max(self.counts.get(facet, {}).get(term, FEWEST), FEWEST)
        share = count / max(self.members, FEWEST)
        return float(max(min(share, 1.0), RAREST) ** -0.25)

    @cached_property
    def likeness(self) -> float:
        """Return what a member has in common with somebody just like them, on average."""
        counted = [
            (self.weight(facet, term), n)
            for facet in FACETS
            for term, n in self.counts.get(facet, {}).items()
        ]
        weighed = sum(weight**2 * n for weight, n in counted)
        rest = max(self.terms * self.members - sum(n for _, n in counted), 0.0)
        rarest = self.weight("", "") ** 2
        return float(weighed + rest * rarest) / max(self.members, 1) or rarest

    @property
    def rotation(self) -> float:
        """Return how far the hash of a pair moves it in the order at most; 0 before anything was fitted."""
        return self.fitted.rotation if self.fitted else 0.0

    def akin(self, facet: str, term: str) -> Mapping[str, float]:
        """Return the terms that occur in the same company as this one, with what the two add to a value."""
        return self.fitted.akin(facet, term) if self.fitted else {}

    @cached_property
    def spelling(self) -> "SpellingIndex":
        """Know the terms of the tables and those counted here: what else was written may be a misspelling."""
        counts = Counter[str]()
        for terms in self.counts.values():
            counts.update(terms)
        tables = _spelling_of_tables()
        return type(tables)(counts, on=tables)

    def as_dict(self) -> dict[str, Any]:
        """Return the model as what JSON can hold."""
        return {
            "number": self.number,
            "members": self.members,
            "counts": {f: dict(c) for f, c in self.counts.items()},
            "terms": self.terms,
            "fitted": self.fitted and self.fitted.as_dict(),
        }

    def arrays(self) -> "dict[str, NDArray[Any]]":
        """Return what of the model is arrays, by name; empty before the first fit."""
        return self.fitted.arrays() if self.fitted else {}

    @classmethod
    def from_dict(
        cls, kept: Mapping[str, Any], arrays: "Mapping[str, NDArray[Any]] | None" = None
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
            fitted = _read_fitted(kept.get("fitted"), arrays)
            return cls(int(kept["number"]), int(kept["members"]), counts, float(kept.get("terms", 0)), fitted)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(
                f"expected number, members and counts of each facet, got {sorted(kept)}"
            ) from error


def _read_fitted(
    kept: Mapping[str, Any] | None, arrays: "Mapping[str, NDArray[Any]] | None"
) -> "Fitted | None":
    if not kept or arrays is None:
        return None
    from .latent import Fitted  # numpy, which most users of a model don't need

    return Fitted.from_dict(kept, arrays)


@lru_cache(maxsize=1)
def _spelling_of_tables() -> "SpellingIndex":
    from .related import kin_table  # they load numpy and scipy, which most users of a model don't need
    from .spelling import SpellingIndex

    table = kin_table()
    return SpellingIndex(dict.fromkeys(table.concept_of, 0), table.words)
