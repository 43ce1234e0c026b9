"""The matcher: in come profiles, out come suggestions and introductions.

It joins rules, likeness, score, order and reasons.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from types import EllipsisType
from typing import Self

import numpy as np

from .answer import Acquaintance, Answer, Front, Introduction
from .arrays import FloatArray, IntArray, WordArray
from .asking import Asking
from .completion import Spellings
from .estimator import BaseEstimator, Tags, check_is_fitted
from .facts import Question
from .features import ProfileVectorizer, takes_profiles, weights_of_facets
from .index import PeerIndex, PriceList, Prices
from .model import TermModel
from .profile import Profile, check_facet, check_question
from .ranking import UNMOVED, chosen
from .search import Order
from .shortfall import paused
from .suggestion import Teller

A_MONDAY = date(2024, 1, 1)


class Matcher(BaseEstimator):
    """Find every member somebody to meet.

    Parameters
    ----------
    facet_weights : mapping of str to float, optional
        How much each facet counts, 1 where one is left out; None for what the model has learnt.
    separate_by : tuple of str
        Attributes in which two members must be equal; a missing one equals only a missing one.

    Attributes
    ----------
    model_ : TermModel
        How common each term is, and what was fitted.
    index_ : PeerIndex
        Everybody, ready to be compared.

    Notes
    -----
    Not thread-safe, not even for questions: the caller locks. The same members, model and question give the
    same answer, whatever came in which order.

    Examples
    --------
    >>> from matching import Matcher, Place, Profile
    >>> ana = Profile("ana", "Ana", interests=("Hiking", "board games"), place=Place.at(52.52, 13.405))
    >>> ben = Profile("ben", "Ben", interests=("hiking",), place=Place.at(52.50, 13.42))
    >>> cem = Profile("cem", "Cem", interests=("opera",), place=Place.at(52.52, 13.40))
    >>> answer = Matcher().fit([ana, ben, cem]).suggest(ana, n=2)
    >>> [(peer.id, peer.shared["interests"], peer.distance) for peer in answer.items]
    [('ben', ('Hiking',), (2, 5)), ('cem', (), (0, 2))]
    >>> answer.items[0].reasons
    ('You both like Hiking', 'You are 2 to 5 km apart')
    """

    def __init__(
        self, *, facet_weights: Mapping[str, float] | None = None, separate_by: tuple[str, ...] = ()
    ) -> None:
        self.facet_weights = facet_weights
        self.separate_by = separate_by

    def fit(
        self,
        profiles: Iterable[Profile],
        y: object = None,
        *,
        model: TermModel | None = None,
        prices: Mapping[str, float] | PriceList | None = None,
    ) -> Self:
        """Take in a whole community.

        Parameters
        ----------
        profiles : iterable of Profile
            Of the same id the last counts.
        y : ignored
        model : TermModel, optional
            Counted from the profiles where it is None.
        prices : mapping of str to float or PriceList, optional
            Fixed with the model, in the unit of values; members without one have a price of 0.

        Raises
        ------
        ValueError
            If a facet weight or a member's time zone is not as expected.
        """
        latest = {profile.id: profile for profile in profiles}
        counted = TermModel.of(0, latest.values()) if model is None else model
        vectorizer = ProfileVectorizer(facet_weights=self.facet_weights).fit((), model=counted)
        index = PeerIndex(vectorizer, tuple(self.separate_by))
        index.update(latest.values())
        self.model_: TermModel = counted
        self.index_ = index
        index.charge(_listed(prices))
        self._spellings: Spellings | None = None
        return self

    def __len__(self) -> int:
        return len(self.index_) if self.__sklearn_is_fitted__() else 0

    def __contains__(self, profile_id: object) -> bool:
        return self.__sklearn_is_fitted__() and profile_id in self.index_

    def update(self, *profiles: Profile) -> None:
        """Add members or replace them; the next question sees it. Many at once cost far less than one by one.

        Raises
        ------
        ValueError
            If a time zone is unknown; then nothing has changed.
        """
        check_is_fitted(self)
        latest = {profile.id: profile for profile in profiles}
        before = self._counted(latest)
        self.index_.update(latest.values())
        self._recount(before, latest.values())

    def remove(self, profile_id: str) -> None:
        """Take a member out; an unknown id is no error."""
        check_is_fitted(self)
        before = self._counted([profile_id])
        self.index_.remove(profile_id)
        self._recount(before, [])

    def remove_code(self, code: int) -> None:
        """Take out the member for whose id a code stands; an unknown one is no error."""
        check_is_fitted(self)
        profile_id = self.index_.roster.id_of(code)
        if profile_id is not None:
            self.remove(profile_id)

    def compact(self) -> None:
        """Forget for good who was taken out and what was replaced; no answer changes.

        It costs a pass over all rows, and happens by itself only when there is more to forget than to keep.
        What the package remembers outside matchers, `matching.forget` clears.
        """
        check_is_fitted(self)
        self.index_.compact()

    def use(
        self,
        model: TermModel,
        *,
        prices: Mapping[str, float] | PriceList | EllipsisType | None = ...,
        facet_weights: Mapping[str, float] | EllipsisType | None = ...,
        separate_by: tuple[str, ...] | EllipsisType = ...,
    ) -> None:
        """Weigh everything anew, in place.

        Parameters
        ----------
        model : TermModel
        prices : optional
            As in `fit`; what is left out stays.
        facet_weights, separate_by : optional
            As in the constructor; what is left out stays.
        """
        check_is_fitted(self)
        restated = facet_weights is not ... and facet_weights != self.facet_weights
        if facet_weights is not ...:
            weights_of_facets(facet_weights, model)
            self.facet_weights = self.index_.vectorizer.facet_weights = facet_weights
        if prices is not ...:
            self.index_.charge(_listed(prices))
        if separate_by is not ...:
            self.separate_by = separate_by
            self.index_.members.separate(separate_by)
        if model != self.model_:
            self.index_.reweigh(model)
            self.model_ = model
        elif restated:
            self.index_.place()

    def suggest(  # noqa: PLR0913 - what may be asked is the contract's
        self,
        profile: Profile,
        n: int = 10,
        *,
        on: date = A_MONDAY,
        radius_km: float | None = None,
        mode: str | None = None,
        facet: str | None = None,
        exclude: Collection[str] = (),
        invited_by: Collection[str] = (),
        acquainted: Mapping[str, int] | None = None,
        front: Front | None = None,
    ) -> Answer:
        """Suggest peers, best first.

        Best is who scores highest, acquaintances in common first. From the fifth place to the tenth, who
        would be seen by nobody comes before others (their price), and alike peers take turns.

        Parameters
        ----------
        profile : Profile
            The asking member, in the community or not; never suggested to themself.
        n : int
            At most so many.
        on : date
            Common slots are those of the seven days from its start in UTC.
        radius_km : float, optional
            In place of the member's own radius.
        mode : str, optional
            Meet only so.
        facet : str, optional
            Score and order by this facet alone.
        exclude : collection of str
            Ids that count as absent.
        invited_by : collection of str
            Ids of those who accepted the asking member and wait for an answer: suggested although full.
        acquainted : mapping of str to int
            With whom the asking member has some acquaintances in common (1) or many (2), as
            `acquaintances.step` tells; never part of the score.
        front : Front, optional
            From an answer to the same question under the same model, with all who changed since; an empty one
            asks for one.

        Raises
        ------
        ValueError
            If an argument is out of range or unknown.
        """
        check_is_fitted(self)
        check_question(n, radius_km, mode, facet)
        if profile.paused:
            return Answer((), paused(n))
        index, question = self.index_, Question(on, radius_km, mode, exclude, invited_by)
        asking = self._asking()
        asker, search = asking.put(profile, question, facet)
        before, known = front or Front(), acquainted or {}
        standing = asking.stand(search, before, n, known)
        at = standing.listed(n)
        if before.ids and not standing.fill(before, n, at):
            before = Front()
            standing = asking.stand(search, before, n, known)
            at = standing.listed(n)
        rows, scores = standing.rows[at], standing.scores[at].tolist()
        verdict = index.judge(asker.facts, question, rows)
        teller = Teller(asker, index, self.weights_, rows.tolist(), verdict)
        items = tuple(teller.tell(place, one) for place, one in enumerate(scores))
        if len(items) < n:
            return Answer(items, asking.explain(n - len(items), asker, question))
        ahead = None if front is None else standing.front(before, index, n)
        return Answer(items, None, ahead, scanned=not before.ids)

    def rivals(
        self, profile: Profile, n: int, *, prices: Prices, exclude: Collection[str] = ()
    ) -> tuple[IntArray, FloatArray, WordArray]:
        """Return the rows, values and codes of the n best peers, in no order: the first few, and by price.

        Parameters
        ----------
        profile : Profile
        n : int
        prices : Prices
            In place of the members' own. The values are without them; who has no term in common is far below
            everybody else.
        exclude : collection of str
        """
        check_is_fitted(self)
        asking = self._asking()
        _, search = asking.put(profile, Question(A_MONDAY, exclude=exclude), None)
        few = min(UNMOVED, n)
        found = asking.found(search, Order(few, n, 0.0, prices), np.empty(0, np.int64))
        ranks, codes = found.ranks, search.codes(found.rows)
        best = np.union1d(chosen(ranks, codes, few), chosen(ranks - prices.values[found.rows], codes, n))
        return found.rows[best], ranks[best], codes[best]

    def introduce(
        self, profile: Profile, peers: Mapping[str, Acquaintance | None], *, on: date = A_MONDAY
    ) -> dict[str, Introduction]:
        """Tell what a member has in common with each of some peers, suggested or not.

        Parameters
        ----------
        profile : Profile
            The asking member, in the community or not.
        peers : mapping of str to Acquaintance or None
            Ids, each with how the two know each other, or None if they don't. Unknown ids, the asking
            member's own, and who differs in what the community separates by, are left out.
        on : date
            As in `suggest`.

        Examples
        --------
        >>> from datetime import date
        >>> from matching import Acquaintance, Matcher, Profile
        >>> ana = Profile("ana", "Ana", interests=("Hiking",))
        >>> ben = Profile("ben", "Ben", interests=("hiking",))
        >>> met = Acquaintance(date(2025, 5, 1), date(2026, 3, 8), 3)
        >>> Matcher().fit([ana, ben]).introduce(ana, {"ben": met})["ben"].reasons
        ('You met 3 times, last in March 2026', 'You both like Hiking')
        """
        check_is_fitted(self)
        known = self.index_.roster.find(peer for peer in peers if peer != profile.id)
        rows = np.array(list(known.values()), np.int64)
        asker = self._asking().asker(profile, on)
        verdict = self.index_.judge(asker.facts, Question(on), rows)
        teller = Teller(asker, self.index_, self.weights_, rows.tolist(), verdict)
        return {peer: teller.introduce(at, peers[peer]) for at, peer in enumerate(known) if verdict.equal[at]}

    def complete(
        self, prefix: str, facet: str | None, n: int, after: tuple[int, str] | None = None
    ) -> list[tuple[str, int]]:
        """Complete a term from those that three members or more use.

        Returns
        -------
        list of (str, int)
            The commonest spelling and how many members use the term; commonest first, then by normal form.
            `facet` None counts each member once over all facets; `after` is the pair after which to go on.
        """
        check_is_fitted(self)
        if facet is not None:
            check_facet(facet)
        if self._spellings is None:  # counted when first asked for: most matchers never are
            roster = self.index_.roster
            self._spellings = Spellings.of(map(roster.terms, roster.taken.tolist()))
        return self._spellings.complete(prefix, facet, n, after)

    @property
    def weights_(self) -> FloatArray:
        """Return the weight of each facet, in the order of FACETS."""
        return weights_of_facets(self.facet_weights, self.model_)

    def moves(self, rows: IntArray, codes: WordArray) -> FloatArray:
        """Return what prices and turns add to the value of each of some rows for the order."""
        return self._asking().moves(rows, codes)

    def _asking(self) -> Asking:
        return Asking(self.index_, self.weights_)

    def _counted(self, ids: Iterable[str]) -> list[Profile | None]:
        """Return the profiles whose spellings are counted, which nobody is before a term was completed."""
        return [] if self._spellings is None else [self.index_.get(one) for one in ids]

    def _recount(self, before: Iterable[Profile | None], after: Iterable[Profile]) -> None:
        if self._spellings is None:
            return
        for gone in filter(None, before):
            self._spellings.remove(gone)
        for come in after:
            self._spellings.add(come)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "index_")

    def __sklearn_tags__(self) -> Tags:
        return takes_profiles(super().__sklearn_tags__())


def _listed(prices: Mapping[str, float] | PriceList | None) -> PriceList:
    return prices if isinstance(prices, PriceList) else PriceList.of(prices or {})
