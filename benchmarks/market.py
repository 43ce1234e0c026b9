"""A simulated market: who gets somebody when all see ten and have time for three.

Members of a made community differ in taste, and some are liked by all. Each looks at the ten of their list,
invites at most three of them, those they like best, and accepts at most three of who invites them, those
they like best; where members are picky, out of the fifth of everybody that they like most. Matched is whose
invitation was accepted, or who accepted one. Kith sees profiles alone: terms that are drawn by taste; what
people like of each other is known to the first order only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Spread, table
from matching import Matcher, Profile
from matching.evaluation import everyones
from matching.exposure import balance
from matching.learning import learn

MEMBERS, TERMS, TASTES, TERMS_EACH = 1000, 200, 12, 20
SCANNED, CAPACITY = 10, 3
PICKY = 0.8  # the share of everybody whom a member would not accept
GOAL = 0.96
HEAD = ("lists", "with a match", "where all are picky", "never invited", "Kith's goal")
Lists = Sequence[Sequence[int]]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Market:
    """Hold who likes whom how much, by row, what of it can be foreseen, and the profiles that Kith sees."""

    liking: Floats
    foreseen: Floats
    profiles: tuple[Profile, ...]

    @classmethod
    def made(cls, members: int, seed: int) -> "Market":
        """Make a market: liking is taste alike, half as much of what all like in a member, and of chance."""
        random = np.random.default_rng(seed)
        tastes = random.normal(size=(members, TASTES))
        alike = tastes @ tastes.T / np.sqrt(TASTES)
        foreseen = alike + 0.5 * random.normal(size=members)
        np.fill_diagonal(foreseen, -np.inf)
        liking = foreseen + 0.5 * random.normal(size=foreseen.shape)
        # The largest of value plus Gumbel noise: draws without replacement, likelier the more they like it.
        wish = 2 * tastes @ random.normal(size=(TASTES, TERMS)) / np.sqrt(TASTES)
        chosen = np.argsort(-(wish + random.gumbel(size=wish.shape)), axis=1)[:, :TERMS_EACH]
        profiles = (
            Profile(str(at), f"Member {at}", interests=tuple(f"term {term}" for term in terms))
            for at, terms in enumerate(chosen.tolist())
        )
        return cls(liking, foreseen, tuple(profiles))


@dataclass(frozen=True, slots=True)
class Result:
    """Hold the shares of members with a match, and of those whom nobody invited."""

    matched: float
    matched_of_picky: float
    never_invited: float


def play(market: Market, lists: Lists) -> Result:
    """Let everybody scan, invite and answer."""
    inviters: list[list[int]] = [[] for _ in lists]
    for member, scanned in enumerate(lists):
        for peer in sorted(scanned[:SCANNED], key=lambda one: -market.liking[member, one])[:CAPACITY]:
            inviters[peer].append(member)
    anybody = np.full(len(lists), -np.inf)
    return Result(
        _matched(market, inviters, anybody),
        _matched(market, inviters, np.quantile(market.liking, PICKY, axis=1)),
        float(np.mean([not some for some in inviters])),
    )


def _matched(market: Market, inviters: Sequence[Sequence[int]], wanted: Floats) -> float:
    """Return the share with a match, where each accepts only whom they like more than is wanted."""
    matched = np.zeros(len(inviters), np.bool_)
    for member, some in enumerate(inviters):
        liked = [one for one in some if market.liking[member, one] > wanted[member]]
        accepted = sorted(liked, key=lambda one: -market.liking[member, one])[:CAPACITY]
        matched[accepted] = True
        matched[member] |= bool(accepted)
    return float(matched.mean())


def one_way(market: Market) -> Lists:
    """Show everybody whom they would like best, as far as it can be foreseen."""
    ranked: Lists = np.argsort(-market.foreseen, axis=1)[:, :SCANNED].tolist()
    return ranked


def at_random(market: Market) -> Lists:
    """Show everybody anybody."""
    random = np.random.default_rng(0)
    others = np.arange(len(market.profiles) - 1)
    drawn = [random.permutation(others)[:SCANNED] for _ in market.profiles]
    return [(some + (some >= member)).tolist() for member, some in enumerate(drawn)]


def unbalanced(market: Market) -> Lists:
    """Show everybody whom Kith values most for them."""
    return _numbered(market, everyones(_fitted(market), market.profiles, served=False))


def balanced(market: Market) -> Lists:
    """Show everybody what Kith serves."""
    return _numbered(market, balance(_fitted(market)).lists)


def _fitted(market: Market) -> Matcher:
    return Matcher().fit(market.profiles, model=learn(1, market.profiles).model)


def _numbered(market: Market, lists: Mapping[str, Sequence[str]]) -> Lists:
    return [[int(peer) for peer in lists[profile.id]] for profile in market.profiles]


ORDERS: Mapping[str, Callable[[Market], Lists]] = {
    "whom each would like best": one_way,
    "at random": at_random,
    "Kith, unbalanced": unbalanced,
    "Kith, as served": balanced,
}


def measure(rounds: int) -> str:
    """Play so many markets and return the table."""
    markets = [Market.made(MEMBERS, seed) for seed in range(rounds)]
    rows = []
    for name, order in ORDERS.items():
        results = [play(market, order(market)) for market in markets]
        matched = Spread.of(100 * result.matched for result in results)
        picky = Spread.of(100 * result.matched_of_picky for result in results)
        unseen = Spread.of(100 * result.never_invited for result in results)
        goal = f"at least {GOAL:.0%}" if order is balanced else ""
        rows.append((name, f"{matched.words(1)} %", f"{picky.words(1)} %", f"{unseen.words(1)} %", goal))
    return table(HEAD, rows)
