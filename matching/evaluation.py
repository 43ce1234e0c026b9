"""How well suggestions find the friends people had: in come profiles and friendships, out come figures.

Half of the members, by a hash of their ids, may be learnt from; the others are asked about. What is judged is
the order of everybody whom the rules allow.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import islice

import numpy as np

from .arrays import FloatArray, IntArray
from .asking import counted
from .facts import Facts, Question
from .held_out import gains
from .index import Prices
from .learning import Feedback
from .matcher import A_MONDAY, Matcher
from .plain import PlainCosine
from .profile import Profile
from .ranking import FIRST, listed, rank

MOST = 100  # suggestions that are looked through
Friends = Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Hold a mean over members and its standard error."""

    mean: float
    error: float

    @classmethod
    def of(cls, values: FloatArray) -> "Estimate":
        """Estimate from one value a member, of which there must be one at least.

        Of the differences of two methods on the same members it is the paired estimate.
        """
        return cls(float(values.mean()), float(values.std() / math.sqrt(len(values))))


@dataclass(frozen=True, slots=True)
class Found:
    """Hold how well each member's friends were found: arrays of one value a member asked about."""

    ndcg_10: FloatArray
    recall_10: FloatArray
    recall_100: FloatArray

    def estimates(self) -> dict[str, Estimate]:
        """Return each measure's mean with its standard error."""
        return {
            "ndcg_10": Estimate.of(self.ndcg_10),
            "recall_10": Estimate.of(self.recall_10),
            "recall_100": Estimate.of(self.recall_100),
        }


def ndcg(ranked: Sequence[str], relevant: Collection[str]) -> float:
    """Return the normalised discounted cumulative gain at ten (Järvelin and Kekäläinen 2002).

    Examples
    --------
    >>> ndcg(["a", "b", "c"], {"a", "b"}), f"{ndcg(['x', 'a'], {'a'}):.3f}"
    (1.0, '0.631')
    """
    hits = np.array([[one in relevant for one in ranked[:FIRST]]], np.bool_)
    return float(gains(hits, np.array([len(relevant)]))[0])


def recall(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Return the share of whom there was to find that stands among the first k.

    Examples
    --------
    >>> recall(["a", "x", "b"], {"a", "b"}, 2)
    0.5
    """
    return sum(one in relevant for one in ranked[:k]) / len(relevant)


def judge(lists: Iterable[tuple[Sequence[str], Collection[str]]]) -> Found:
    """Judge lists, each with whom there was to find: one at least."""
    figures = [
        (ndcg(ranked, relevant), recall(ranked, relevant, FIRST), recall(ranked, relevant, MOST))
        for ranked, relevant in lists
    ]
    return Found(*np.array(figures, np.float64).T)


def trains(profile_id: str) -> bool:
    """Tell whether a member belongs to the half that may be learnt from."""
    return sha256(profile_id.encode()).digest()[0] % 2 == 0


class Trial:
    """Ask about members who were left out of all learning, always the same ones.

    Parameters
    ----------
    profiles : sequence of Profile
        Each id once.
    friends : mapping of str to collection of str
        Each member's friends, from both sides.
    queries : int
        How many members are asked about, at most.

    Attributes
    ----------
    relevant : dict of str to frozenset of str
        By member asked about the friends whom the rules let them meet, at least one.
    """

    def __init__(self, profiles: Sequence[Profile], friends: Friends, queries: int) -> None:
        self.profiles = profiles
        self.friends = friends
        self._row_of = {profile.id: row for row, profile in enumerate(profiles)}
        self._rules = Matcher().fit(profiles)
        asked = [one.id for one in profiles if not trains(one.id) and friends.get(one.id)]
        asked.sort(key=lambda one: sha256(f"q{one}".encode()).digest())
        met = {one: self._meetable(one) for one in asked[:queries]}
        self.relevant = {one: some for one, some in met.items() if some}

    @cached_property
    def feedback(self) -> list[Feedback]:
        """Return the friendships within the half that may be learnt from, in an order by their hash."""
        pairs = [
            (one, other)
            for one, others in self.friends.items()
            for other in others
            if one < other and trains(one) and trains(other)
        ]
        pairs.sort(key=lambda pair: sha256(" ".join(pair).encode()).digest())
        return [Feedback(one, other, 1.0) for one, other in pairs]

    def suggested(self, matcher: Matcher, *, served: bool = True) -> Found:
        """Judge a matcher's suggestions, as they are served or by value alone."""
        return judge(
            (ordered(matcher, self.profile(one), MOST, served=served), some)
            for one, some in self.relevant.items()
        )

    def plain(self, *, rarity: bool) -> Found:
        """Judge the order by plain cosine; who is equally alike comes in an arbitrary order."""
        cosine = PlainCosine(self.profiles, rarity=rarity)
        ties = 1e-9 * np.random.default_rng(0).random(len(self.profiles))

        def ranked(one: str) -> list[str]:
            allowed = self._allowed(one)
            values = (cosine.values(self._row_of[one]) + ties)[allowed]
            return [self.profiles[at].id for at in allowed[np.argsort(-values)[:MOST]]]

        return judge((ranked(one), some) for one, some in self.relevant.items())

    def asking(self, fewer: int) -> "Trial":
        """Return the same trial with fewer members asked about."""
        some = copy(self)
        some.relevant = dict(islice(self.relevant.items(), fewer))
        return some

    def profile(self, one: str) -> Profile:
        """Return the profile of an id."""
        return self.profiles[self._row_of[one]]

    def _meetable(self, one: str) -> frozenset[str]:
        return frozenset(self.profiles[row].id for row in self._allowed(one)) & frozenset(self.friends[one])

    def _allowed(self, one: str) -> IntArray:
        """Return the rows of those whom the rules let a member meet."""
        facts = Facts.of(self.profile(one))
        return np.flatnonzero(self._rules.index_.judge(facts, Question(A_MONDAY)).fits)


def ordered(
    matcher: Matcher,
    profile: Profile,
    n: int = FIRST,
    *,
    served: bool = True,
    exclude: Collection[str] = (),
    acquainted: Mapping[str, int] | None = None,
) -> list[str]:
    """Return the ids of a member's best n, as `Matcher.suggest` orders them, without telling why.

    Parameters
    ----------
    matcher : Matcher
    profile : Profile
    n : int
    served : bool
        With turns and prices, as members see it; else by value alone.
    exclude, acquainted
        As `Matcher.suggest` takes them.
    """
    nothing = Prices.of(np.zeros(matcher.index_.rows))
    rows, values, codes = matcher.rivals(profile, max(len(matcher), 1), prices=nothing, exclude=exclude)
    roster, met = matcher.index_.roster, acquainted or {}
    common = counted(rows, {row: met[one] for one, row in roster.find(met).items()})
    ranks = rank(values, np.zeros(len(rows), np.bool_), common, matcher.model_.rotation)
    moves = matcher.moves(rows, codes) if served else nothing.values[rows]
    return roster.ids(rows[listed(ranks, moves, codes, n)])


def everyones(
    matcher: Matcher, profiles: Iterable[Profile], *, served: bool = True
) -> dict[str, tuple[str, ...]]:
    """Return everybody's first ten."""
    return {profile.id: tuple(ordered(matcher, profile, served=served)) for profile in profiles}
