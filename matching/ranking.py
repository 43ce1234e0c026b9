"""The score of two members and the order of a list: in come likeness and distance, out come the best.

Everything is symmetric: from either side a pair has the same score and the same place among ties.
"""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray, WordArray
from .columns import GRAIN
from .profile import EARTH_KM

FAR_KM = 200.0  # where nearness ends
_SOFT_TERMS = 100.0  # with many fewer terms than that, their number hardly matters
_MANY = 2  # the step of many acquaintances in common
_SOME = 8.0  # what some add, in turns' reach (3.2 times the spread of values): much likeness still wins
UNMOVED = 4  # places of a list that neither prices nor turns touch
FIRST = 10  # places that members see, among which these move; beyond, they touch nothing either
TIER = 2.0**20  # above all values, which keep 32 bits behind the point beside it
HALF = 0.3  # of what a member has in common with their like: the value that scores in the middle
NEAR = 0.3  # what nearness of 1 adds, before anything was fitted; the commonest shared term adds 1
LEVEL = (
    2.0**-20
)  # less than by what values differ: what the order of codes is told by where nobody takes turns
_WORD = 2**64


def kilometres(x: FloatArray, y: FloatArray, z: FloatArray, centre: tuple[float, float, float]) -> FloatArray:
    """Return the great-circle distance of points on the unit sphere from one; NaN where a coordinate is NaN.

    By the chord (km = 2 R asin(chord / 2)), which equals the haversine; all before the arc sine is
    differences, squares and a root, which are the same from either side to the last bit.
    """
    chord = np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2)
    km: FloatArray = 2 * EARTH_KM * np.arcsin(np.minimum(chord / 2, 1.0))
    return km


def nearness(km: FloatArray) -> FloatArray:
    """Turn kilometres into 1 (here) to 0 (200 km and more, or no distance), the first few counting most."""
    near: FloatArray = np.nan_to_num(1 - np.log1p(km) / np.log1p(FAR_KM), nan=0.0)
    # Rounded, since a logarithm may differ in its last bit from one processor to the next.
    return np.rint(np.clip(near, 0, 1) / GRAIN) * GRAIN


def length_norm(terms: FloatArray, mean_terms: float) -> FloatArray:
    """Return what a member's number of terms divides a pair's value by: above 1 where they stated many.

    As in BM25 (Robertson and Zaragoza 2009, The Probabilistic Relevance Framework), but the same from either
    side, and soft: with few terms on either side a shared one counts nearly in full.
    """
    norm: FloatArray = np.sqrt((_SOFT_TERMS + terms) / (_SOFT_TERMS + mean_terms))
    return norm


def value(shared: FloatArray, norm: FloatArray, kindred: FloatArray, near: FloatArray) -> FloatArray:
    """Return what speaks for each peer: what is shared and kindred by the lengths, and nearness."""
    total: FloatArray = (shared + kindred) / norm + near
    return total


def score(worth: FloatArray, has_common: BoolArray, half: float) -> FloatArray:
    """Turn values into [0, 1]: any term in common ranks above none.

    Parameters
    ----------
    worth : array
        As `value` gives it; it may be below 0.
    has_common : array of bool, of the same shape
        Whether terms are shared or kin.
    half : float
        The value that is worth half.
    """
    # Of plain divisions, which come out the same on every processor.
    far = (worth - half) / half
    some = 0.1 + 0.9 * (0.5 + 0.5 * far / (1 + np.abs(far)))
    above = np.maximum(worth, 0)
    none = 0.1 * above / (above + half)
    return np.where(has_common, some, none)


def turns(codes: WordArray, rotation: float) -> FloatArray:
    """Return what a pair's code adds to its value, up to half the rotation: alike peers take turns."""
    share: FloatArray = codes.astype(np.float64) / _WORD
    return rotation * (share - 0.5)


def moves(codes: WordArray, rotation: float, prices: FloatArray) -> FloatArray:
    """Return what turns and prices add to the values of some pairs for the order."""
    added: FloatArray = turns(codes, rotation) - prices
    return added


def rank(worth: FloatArray, has_common: BoolArray, acquainted: IntArray, rotation: float) -> FloatArray:
    """Return what peers are ordered by: many acquaintances first, then any term in common, then value.

    Parameters
    ----------
    worth : array
        As `value` gives it.
    has_common : array of bool
    acquainted : array of int
        The step of acquaintances in common (see `acquaintances`): 0 for none, 1 for some, 2 for many.
    rotation : float
        As `turns` takes it: the measure of what some acquaintances add. Where it is 0, how far values
        spread is unknown, and some come right after many.
    """
    some, many = acquainted > 0, acquainted >= _MANY
    lift = _SOME * rotation or 2 * TIER
    ranks: FloatArray = worth + lift * some + TIER * (has_common + 4 * many)
    return ranks


def member_code(profile_id: str) -> int:
    """Return 64 bits that stand for a member in ties."""
    return int.from_bytes(blake2b(profile_id.encode(), digest_size=8).digest(), "little")


def member_codes(ids: Iterable[str]) -> WordArray:
    """Return what stands for some members, ascending."""
    return np.array(sorted(map(member_code, ids)), np.uint64)


def pair_codes(code: int, others: WordArray, model_number: int) -> WordArray:
    """Return 64 bits for each unordered pair under a model, by which ties are ordered.

    The mixing is Steele, Lea and Flood's SplitMix64 (2014).
    """
    return _mixed(others ^ pair_key(code, model_number))


def pair_key(code: int, model_number: int) -> np.uint64:
    """Return what another member's code is mixed with for that of the pair."""
    return _salt(model_number) ^ np.uint64(code)


@lru_cache(maxsize=64)
def _salt(model_number: int) -> np.uint64:
    salt: np.uint64 = _mixed(np.array([model_number % _WORD], np.uint64))[0]
    return salt


def _mixed(words: WordArray) -> WordArray:
    mixed = words + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def chosen(scores: FloatArray, codes: WordArray, n: int) -> IntArray:
    """Return the positions of the n best, in no order: by what they are ordered by, then by code.

    Only the last place's ties are looked at as a whole: thousands of alike peers cost one partition.
    """
    if len(scores) <= n:
        return np.arange(len(scores))
    last = np.partition(scores, -n)[-n]
    above, level = np.flatnonzero(scores > last), np.flatnonzero(scores == last)
    wanted = n - len(above)
    return np.concatenate([above, level[np.argpartition(codes[level], wanted - 1)[:wanted]]])


def best(scores: FloatArray, codes: WordArray, n: int) -> list[int]:
    """Return the positions of the n best, the best first."""
    at = chosen(scores, codes, n)
    best_first: list[int] = at[np.lexsort((codes[at], -scores[at]))].tolist()
    return best_first


def listed(ranks: FloatArray, moves: FloatArray, codes: WordArray, n: int) -> list[int]:
    """Return the positions of the n on a list: by rank, but the fifth to the tenth by rank and moves."""
    places: list[int] = []
    for values, last in ((ranks, UNMOVED), (ranks + moves, FIRST), (ranks, n)):
        wanted = min(n, last, len(ranks)) - len(places)
        if wanted > 0:
            left = values.copy()
            left[places] = -np.inf
            places += best(left, codes, wanted)
    return places


def needed(n: int) -> tuple[int, int]:
    """Return how many of the best by rank, and by rank and moves, are enough for a list of n."""
    return n if n > FIRST else min(n, UNMOVED), min(n, FIRST)
