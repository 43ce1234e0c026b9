"""Everybody's best peers as machine code: in come all rows at once, out come rivals, and lists under prices.

What `Matcher.rivals` finds for one member after the other, for many in one call. Written in the part of
Python that numba compiles, like `compiled`.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .arrays import BoolArray, FloatArray, IntArray, Numbers, WordArray
from .compiled import _ROUNDING, _push, compiled

NOBODY = -1
BLOCK = 4096  # rows looked at before the least that they must share is known anew


class Everybody(NamedTuple):
    """What is known of all rows; the terms of all facets have columns of their own, side by side.

    `row_ends` and `row_terms` say who states what, `starts`, `stops` and `postings` by whom it is stated,
    `share_ends`, `share_of` and `shares` what every two terms have in common.
    """

    codes: WordArray
    stated: NDArray[np.uint16]
    radius_km: FloatArray
    in_person: BoolArray
    online: BoolArray
    suggestible: BoolArray
    full: BoolArray
    place: Numbers
    availability: Numbers
    languages: Numbers
    attributes: Numbers
    seeks: Numbers
    apart: Numbers
    directions: NDArray[np.float32]
    lengths: FloatArray
    row_ends: IntArray
    row_terms: Numbers
    starts: Numbers
    stops: Numbers
    postings: Numbers
    share_ends: Numbers
    share_of: Numbers
    shares: FloatArray
    points: FloatArray
    openings: WordArray  # shape (n_availabilities, 11)
    norms: FloatArray
    signs: NDArray[np.float32]


class Terms(NamedTuple):
    """What is the same for all who ask: the constants of other modules are kept with compiled code else."""

    near: float
    salt: np.uint64
    rotation: float
    few: int
    most: int
    cheapest: float
    kindred: float  # at most, to a point whose length is 1
    earth_km: float
    far: float
    grain: float
    tier: float


class Asking(NamedTuple):
    """Who asks: rows; where each one's ranges and verdicts stand, and who is hidden from them, ascending."""

    rows: IntArray
    range_ends: IntArray
    ranges: IntArray
    reach: IntArray
    speaks: IntArray
    language: BoolArray
    wants: IntArray
    mine: BoolArray
    offers: IntArray
    theirs: BoolArray
    hidden_ends: IntArray
    hidden: IntArray


Found = tuple[Numbers, FloatArray, FloatArray]  # rows, what they share and are worth, as far as filled
Part = tuple[FloatArray, BoolArray, FloatArray]  # what rows of a block share, if they fit, how near they are
Charges = tuple[FloatArray, FloatArray]  # prices, and the best values so far, the least in front
Spaces = tuple[FloatArray, IntArray, Part, Found]  # the first two by term
Out = tuple[IntArray, Numbers, FloatArray]


def reordering(function: Any) -> Any:
    """Compile a function in which sums may be added up in any order."""
    return njit(function, nogil=True, fastmath={"reassoc"})  # kept with those that call it


@compiled
def _offer(all_of: Everybody, row: int, worth: FloatArray, touched: IntArray) -> int:
    """Sum up what each term is worth to a member; return how many are worth something."""
    count = 0
    for at in range(all_of.row_ends[row], all_of.row_ends[row + 1]):
        term = all_of.row_terms[at]
        for place in range(all_of.share_ends[term], all_of.share_ends[term + 1]):
            other = all_of.share_of[place]
            if worth[other] == 0.0:
                touched[count] = other
                count += 1
            worth[other] += all_of.shares[place]
    return count


@compiled
def _sum(
    all_of: Everybody, worth: FloatArray, touched: IntArray, first: int, last: int, shared: FloatArray
) -> None:
    """Sum what the rows of one range share."""
    shared[: last - first] = 0.0
    for term in touched:
        share = worth[term]
        rows = all_of.postings[all_of.starts[term] : all_of.stops[term]]
        for at in range(np.searchsorted(rows, first), np.searchsorted(rows, last)):
            shared[rows[at] - first] += share


@compiled
def _mark(
    all_of: Everybody, terms: Terms, me: int, first: int, some: bool, charges: Charges, part: Part
) -> None:
    """Mark who shares something, or nothing, and enough to be among the best if they lived next door.

    And if they were as kindred as anybody can be, and the best so far as little.
    """
    shared, fits, _ = part
    norms, stated = all_of.norms, all_of.stated
    norm = norms[stated[me]]
    length = all_of.lengths[me]
    kindred = length * terms.kindred / (norm * norms[0]) if length > 0 else 0.0  # without a bound too
    least = charges[1][0] + terms.cheapest - terms.near - 2 * kindred - _ROUNDING
    for at in range(len(shared)):
        fits[at] = (shared[at] > 0) == some and shared[at] / (norm * norms[stated[first + at]]) >= least


@compiled
def _judge(all_of: Everybody, asking: Asking, number: int, first: int, part: Part) -> None:
    """Unmark who may not be met of the rows from `first` on, wherever they live, as `Members.judge` tells."""
    me, fits = asking.rows[number], part[1]
    suggestible, full, apart = all_of.suggestible, all_of.full, all_of.apart
    languages, attributes, seeks = all_of.languages, all_of.attributes, all_of.seeks
    availability, openings = all_of.availability, all_of.openings
    language, mine = asking.language[asking.speaks[number]], asking.mine[asking.wants[number]]
    theirs, own = asking.theirs[asking.offers[number]], openings[availability[me]]
    for at in range(len(fits)):
        row = first + at
        fits[at] = (
            fits[at]
            and row != me
            and suggestible[row]
            and not full[row]
            and apart[row] == apart[me]
            and language[languages[row]]
            and mine[attributes[row]]
            and theirs[seeks[row]]
            and _overlap(openings, availability[row], own)
        )
    for row in asking.hidden[asking.hidden_ends[number] : asking.hidden_ends[number + 1]]:
        if first <= row < first + len(fits):
            fits[row - first] = False


@compiled
def _overlap(openings: WordArray, number: int, own: WordArray) -> bool:
    for word in range(len(own)):  # noqa: SIM110 - numba has no `any`
        if openings[number, word] & own[word]:
            return True
    return False


@compiled
def _measure(all_of: Everybody, terms: Terms, me: int, first: int, part: Part) -> None:
    """Unmark who lives too far away, of the rows from `first` on; fill in how near the others are."""
    place, points, radius_km = all_of.place, all_of.points, all_of.radius_km
    in_person, online = all_of.in_person, all_of.online
    x, y, z = points[place[me], 0], points[place[me], 1], points[place[me], 2]
    _, fits, nearness = part
    last_place, km, near = NOBODY, np.nan, 0.0
    for at in range(len(fits)):
        row = first + at
        if place[row] != last_place:
            last_place = place[row]
            dx, dy, dz = points[last_place, 0] - x, points[last_place, 1] - y, points[last_place, 2] - z
            chord = math.sqrt(dx * dx + dy * dy + dz * dz)
            km = 2 * terms.earth_km * math.asin(min(chord / 2, 1.0))
            near = 0.0
            if not math.isnan(km):
                near = min(max(1 - math.log1p(km) / terms.far, 0.0), 1.0)
                near = np.rint(near / terms.grain) * terms.grain
        both = in_person[me] and in_person[row]
        within = both and km <= min(radius_km[me], radius_km[row])
        fits[at] = fits[at] and (within or (online[me] and online[row]))
        nearness[at] = near if both else 0.0


@compiled
def _collect(
    all_of: Everybody,
    terms: Terms,
    me: int,
    first: int,
    charges: Charges,
    part: Part,
    found: Found,
    size: int,
) -> int:
    """Add the rows from `first` on that fit and are among the best so far."""
    shared, fits, nearness = part
    prices, heap = charges
    rows, share, worth = found
    norms, stated = all_of.norms, all_of.stated
    norm = norms[stated[me]]
    for at in range(len(shared)):
        if not fits[at]:
            continue
        value = shared[at] / (norm * norms[stated[first + at]]) + terms.near * nearness[at]
        if len(heap) > 1:
            _push(heap, value - prices[first + at])
        rows[size], share[size], worth[size] = first + at, shared[at], value
        size += 1
    return size


@compiled
def _cutoff(values: FloatArray, codes: WordArray, wanted: int) -> tuple[float, np.uint64]:
    """Return the value and the code of the last of the best: higher values first, then lower codes."""
    heap = np.full(wanted, -np.inf)
    for value in values:
        _push(heap, value)
    above = np.count_nonzero(values > heap[0])
    level = np.sort(codes[values == heap[0]])
    return heap[0], level[wanted - above - 1]


@compiled
def _best(values: FloatArray, codes: WordArray, wanted: int) -> BoolArray:
    """Tell who are the best."""
    best = np.ones(len(values), np.bool_)
    if len(values) > wanted:
        value, code = _cutoff(values, codes, wanted)
        for at in range(len(values)):
            best[at] = values[at] > value or (values[at] == value and codes[at] <= code)
    return best


@compiled
def _add_kindred(all_of: Everybody, me: int, found: Found, size: int) -> None:
    """Add what is kindred, as `latent.products` and `Asking.found` do."""
    rows, _, worth = found
    directions, lengths, norms, stated = all_of.directions, all_of.lengths, all_of.norms, all_of.stated
    signed = directions[me] * all_of.signs
    norm, length = norms[stated[me]], lengths[me]
    for at in range(size):
        row = rows[at]
        alike = _product(directions, row, signed)
        kindred = np.float64(alike) * (lengths[row] * length)
        worth[at] += kindred / (norm * norms[stated[row]])


@reordering
def _product(directions: NDArray[np.float32], row: int, other: NDArray[np.float32]) -> np.float32:
    """Multiply two directions: exact in any order of adding (see `latent`)."""
    total = np.float32(0.0)
    for at in range(len(other)):
        total += directions[row, at] * other[at]
    return total


@compiled
def _ranks(found: Found, size: int, tier: float) -> FloatArray:
    ranks = np.empty(size)
    for at in range(size):
        ranks[at] = found[2][at] + tier * (found[1][at] > 0)
    return ranks


@compiled
def _found_for(
    all_of: Everybody, terms: Terms, asking: Asking, number: int, prices: FloatArray, spaces: Spaces
) -> tuple[Found, int]:
    """Return those among whom a member's best are."""
    worth, touched, (shared, fits, nearness), found = spaces
    me = asking.rows[number]
    offered = touched[: _offer(all_of, me, worth, touched)]
    around = asking.ranges[
        asking.range_ends[asking.reach[number]] : asking.range_ends[asking.reach[number] + 1]
    ]
    reached = 0
    for first, last in around:
        reached += last - first
    charges = prices, np.full(terms.most if reached > terms.most else 1, -np.inf)
    size = 0
    for some in (True, False):
        for begin, end in around:
            for first in range(begin, end, BLOCK):
                last = min(first + BLOCK, end)
                _sum(all_of, worth, offered, first, last, shared)
                part = shared[: last - first], fits[: last - first], nearness[: last - first]
                _mark(all_of, terms, me, first, some, charges, part)
                _measure(all_of, terms, me, first, part)
                _judge(all_of, asking, number, first, part)
                size = _collect(all_of, terms, me, first, charges, part, found, size)
        if size >= terms.most:
            break
    for term in offered:
        worth[term] = 0.0
    return found, size


@compiled
def rivals_of(all_of: Everybody, terms: Terms, asking: Asking, prices: FloatArray, out: Out) -> None:
    """Find the best of each who asks: the first few, and by price.

    `out` is filled with how many each has, and who they are with what they rank by, after the first few and
    but for prices: the first few in front.
    """
    counts, size = out[0], 0
    most, width = _most_reached(asking), len(all_of.starts)
    found = np.empty(most, np.int32), np.empty(most), np.empty(most)
    part = np.empty(BLOCK), np.empty(BLOCK, np.bool_), np.empty(BLOCK)
    spaces = np.zeros(width), np.empty(width, np.int64), part, found
    for number in range(len(asking.rows)):
        me = asking.rows[number]
        _, reached = _found_for(all_of, terms, asking, number, prices, spaces)
        codes = _codes(all_of, terms, me, found, reached)
        if len(all_of.signs):
            _add_kindred(all_of, me, found, reached)
        ranks = _ranks(found, reached, terms.tier)
        first = _best(ranks, codes, terms.few)
        others = _best(ranks - prices[found[0][:reached]], codes, terms.most) & ~first
        before = size
        for chosen in (first, others):
            size = _write(terms, found, codes, chosen, out, size)
        counts[number] = size - before


@compiled
def _most_reached(asking: Asking) -> int:
    most = 0
    for at in range(len(asking.range_ends) - 1):
        around = asking.ranges[asking.range_ends[at] : asking.range_ends[at + 1]]
        most = max(most, np.sum(around[:, 1] - around[:, 0]))
    return most


@compiled
def _codes(all_of: Everybody, terms: Terms, me: int, found: Found, size: int) -> WordArray:
    """Return what stands for the pairs with those found, as `ranking.pair_codes` does."""
    key, codes = all_of.codes[me] ^ terms.salt, np.empty(size, np.uint64)
    for at in range(size):
        codes[at] = _mix(all_of.codes[found[0][at]] ^ key)
    return codes


@compiled
def _write(terms: Terms, found: Found, codes: WordArray, chosen: BoolArray, out: Out, size: int) -> int:
    """Write down who was chosen; return how many are written down now."""
    _, others, turned = out
    for at in np.flatnonzero(chosen):
        moved = terms.rotation * (np.float64(codes[at]) / 2.0**64 - 0.5)
        others[size], turned[size] = found[0][at], found[2][at] + terms.tier * (found[1][at] > 0) + moved
        size += 1
    return size


@compiled
def _mix(word: np.uint64) -> np.uint64:
    """Mix a word, as `ranking.pair_codes` does."""
    mixed = word + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.uint64(mixed ^ (mixed >> np.uint64(31)))
