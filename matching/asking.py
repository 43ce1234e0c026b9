"""A question put to the index: in come a member and what they ask, out comes how peers stand for them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from . import shortfall
from .answer import Front, Shortfall
from .arrays import FloatArray, IntArray, WordArray
from .facts import Facts, Question
from .features import distinct_terms
from .front import AHEAD, Standing
from .index import PeerIndex
from .latent import Points
from .model import TermModel
from .profile import FACETS, Profile
from .ranking import HALF, NEAR, length_norm, moves, needed, rank, score
from .search import Found, Order, Search
from .suggestion import Asker


@dataclass(frozen=True, slots=True)
class Asking:
    """Put questions to an index.

    Parameters
    ----------
    index : PeerIndex
    weights : array of shape (3,)
        Of the facets, in the order of FACETS.
    """

    index: PeerIndex
    weights: FloatArray

    @property
    def model(self) -> TermModel:
        """Return the model that the index is weighed by."""
        return self.index.vectorizer.model_

    def asker(self, profile: Profile, on: date) -> Asker:
        """Return a member in all the forms that a question needs."""
        terms = distinct_terms(profile)
        return Asker(profile, Facts.of(profile), terms, self.index.vectorizer.rows(terms), on)

    def put(self, profile: Profile, question: Question, facet: str | None) -> tuple[Asker, Search]:
        """Put a question to the index, about one facet or all."""
        asker, index = self.asker(profile, question.on), self.index
        weights = self.weights if facet is None else np.array([facet == name for name in FACETS], np.float64)
        stresses = dict(zip(FACETS, np.sqrt(weights).tolist(), strict=True))
        plain = all(stress in (0, 1) for stress in stresses.values())
        rows = asker.rows if plain else index.vectorizer.rows(asker.terms, list(stresses.values()))
        count = sum(len(asker.terms[name]) for name in (FACETS if facet is None else (facet,)))
        fitted = self.model.fitted
        search = Search(
            index=index,
            profile=profile,
            facts=asker.facts,
            question=question,
            offered={
                name: index.vectorizer.columns_[name].meeting(rows[name], stress)
                for name, stress in stresses.items()
                if stress
            },
            facet=facet,
            norm=float(length_norm(np.array([count], np.float64), self.model.terms)[0]),
            mean_terms=self.model.terms,
            near=0.0 if facet else fitted.near if fitted else NEAR,
        )
        return asker, search

    def found(self, search: Search, order: Order, more: IntArray, some: IntArray | None = None) -> Found:
        """Return those who fit out of some rows, or of all the best, and of `more`."""
        dense = search.facet is None and self.index.vectorizer.dimensions > 0
        point = self.index.point_of(search.profile) if dense else None
        if some is not None:
            found = search.of(some)
        elif point is None:
            found = search.best(order)
        else:
            found = self._not_far_behind(search, order, point)
        if len(more):
            found = found.joined(search.of(np.setdiff1d(more, found.rows)))
        return found if point is None else self._with_kindred(search, found, point)

    def _not_far_behind(self, search: Search, order: Order, point: Points) -> Found:
        """Return all who could be among the best if they were as kindred as anybody can be."""
        first = self._with_kindred(search, search.best(order), point)
        bound = self.index.vectorizer.bound(float(point[1][0]))
        return search.beyond(order, search.last(first, order), bound)

    def _with_kindred(self, search: Search, found: Found, point: Points) -> Found:
        """Add what is kindred."""
        kindred = self.index.kindred(point, found.rows)
        return replace(found, worth=found.worth + kindred / search.norms(found.rows))

    def explain(self, missing: int, asker: Asker, question: Question) -> Shortfall:
        """Tell why a list is short, from all who are not far beyond reach."""
        profile, rows = asker.profile, np.arange(self.index.rows)
        if profile.place is not None:
            rows = self.index.within(
                profile.place, shortfall.WIDER * question.reach_of(profile.radius_km), online=True
            )
        verdict = self.index.judge(asker.facts, question, rows)
        return shortfall.explain(missing, profile, question, verdict)

    def stand(self, search: Search, front: Front, n: int, acquainted: Mapping[str, int]) -> Standing:
        """Return how those stand who may be on a list of n: who was in front or has changed, or anybody."""
        few, moved = (AHEAD * one + 1 for one in needed(n))  # with one more, it is known if anybody is behind
        order = Order(few, moved, self.model.rotation, self.index.prices)
        known = self.index.roster.find(acquainted)
        some = self.index.rows_of({*front.ids, *front.changed}) if front.ids else None
        found = self.found(search, order, np.array(sorted(known.values()), np.int64), some)
        counts = counted(found.rows, {row: acquainted[one] for one, row in known.items()})
        has_common, codes = found.shared > 0, search.codes(found.rows)
        return Standing(
            found.rows,
            score(found.worth, has_common, HALF * self.model.likeness),
            rank(found.worth, has_common, counts, self.model.rotation),
            self.moves(found.rows, codes),
            codes,
        )

    def moves(self, rows: IntArray, codes: WordArray) -> FloatArray:
        """Return what prices and turns add to the value of each of some rows for the order."""
        return moves(codes, self.model.rotation, self.index.prices.values[rows])


def counted(rows: IntArray, counts: Mapping[int, int]) -> IntArray:
    """Return the counts of some rows, 0 where there is none."""
    return np.array(
        [counts.get(row, 0) for row in rows.tolist()] if counts else np.zeros(len(rows)), np.int64
    )
