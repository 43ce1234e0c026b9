"""The scan of a segment as machine code: in come arrays, out come the rows of the best for one member.

What `Search` does with NumPy, a block of rows at a time: what is shared is summed up, and only who shares
enough to be among the best so far is judged. The more of the best are found, the fewer terms are summed up:
who has none of the dearest can't be among them, however many of the others they state (MaxScore, Turtle and
Flood 1995, Query evaluation: strategies and optimizations). Written in the part of Python that numba
compiles; compiled code is kept beside this file, or where NUMBA_CACHE_DIR says.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from .arrays import BoolArray, FloatArray, IntArray, Numbers, WordArray

_A, _B, _C = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31 = np.uint64(30), np.uint64(27), np.uint64(31)
_ROUNDING = 1e-6
_BLOCK = 8192  # rows whose sums the processor's nearest memory holds
_MARKS = 1024  # that tell of most terms at once that they are not asked for


Heaps = tuple[FloatArray, FloatArray]  # the best ranks so far, alone and moved; the least in front
Ascending = Numbers | FloatArray | WordArray
Kept = tuple[IntArray, FloatArray, FloatArray, int]  # rows, what they share and are worth, how many


class Rows(NamedTuple):
    """What is known of everybody, by row: `facts` as `Members` has them; places by number, shape (n, 3)."""

    codes: WordArray
    stated: NDArray[np.uint16]
    prices: FloatArray
    facts: NDArray[Any]
    points: FloatArray


class Asked(NamedTuple):
    """What is asked; `language`, `mine` and `theirs` are verdicts by number, `norms` by number of terms.

    The constants of other modules come last: kept code would not see that one of them was changed.
    """

    x: float
    y: float
    z: float
    reach_km: float
    in_person: bool
    online: bool
    meets: bool
    apart: int
    language: BoolArray
    mine: BoolArray
    theirs: BoolArray
    openings: WordArray
    free: WordArray
    own: np.uint64
    seen: WordArray
    absent: WordArray
    near: float
    norms: FloatArray
    code: np.uint64
    rotation: float
    cheapest: float
    earth_km: float
    far: float
    grain: float
    tier: float


class Terms(NamedTuple):
    """What is offered, the dearest first: the facet, column and share of each term.

    `rests` is one longer: what all terms from one on come to.
    """

    facets: IntArray
    columns: IntArray
    shares: FloatArray
    rests: FloatArray


Offered = tuple[tuple[IntArray, FloatArray], ...]  # by facet, columns and shares


class Stretch(NamedTuple):
    """What is known of a segment, as `Segment` has it; `ends` by facet."""

    keys: FloatArray
    starts: Numbers
    postings: Numbers
    ends: tuple[Numbers, ...]


class Block(NamedTuple):
    """Rows of a segment from `first` on, in work.

    `spans` tells of each term where its rows stand in `postings`, then where those of the block do; `shared`
    is what each row shares, 0 between two blocks.
    """

    terms: Terms
    postings: Numbers
    spans: IntArray
    first: np.int64
    shared: FloatArray


class Stated(NamedTuple):
    """Everybody's terms by facet: their columns, row after row, and where each row ends."""

    columns: tuple[Numbers, ...]
    ends: tuple[Numbers, ...]


def compiled(function: Any) -> Any:
    """Compile a function when it is first called; divisions by 0 are NumPy's."""
    try:
        return njit(function, cache=True, nogil=True, error_model="numpy")
    except RuntimeError:  # no folder that we may write to: each process compiles anew
        return njit(function, nogil=True, error_model="numpy")


@compiled
def _bisect(values: Ascending, first: int, last: int, wanted: float) -> int:
    """Return where the first value that is not less stands, between `first` and `last`."""
    while first < last:
        middle = (first + last) // 2
        if values[middle] < wanted:
            first = middle + 1
        else:
            last = middle
    return first


@compiled
def _is_in(values: Ascending, first: int, last: int, wanted: int) -> bool:
    """Tell whether a value is among some ascending ones."""
    at = _bisect(values, first, last, wanted)
    return bool(at < last and values[at] == wanted)


@compiled
def _kilometres(rows: Rows, asked: Asked, place: int) -> float:
    point = rows.points[place]
    dx, dy, dz = point[0] - asked.x, point[1] - asked.y, point[2] - asked.z
    chord = math.sqrt(dx * dx + dy * dy + dz * dz)
    return 2 * asked.earth_km * math.asin(min(chord / 2, 1.0))


@compiled
def _fits(asked: Asked, fact: Any, code: np.uint64, km: float) -> bool:  # noqa: PLR0911 - a line a rule
    """Apply the rules, as `Members.judge` does."""
    if not fact["suggestible"] or fact["apart"] != asked.apart or code == asked.own:
        return False
    near = asked.in_person and fact["in_person"] and km <= min(asked.reach_km, fact["radius_km"])
    if not (near or (asked.online and fact["online"])):
        return False
    if not (asked.mine[fact["attributes"]] and asked.theirs[fact["seeks"]]):
        return False
    if not asked.language[fact["languages"]] or _is_in(asked.absent, 0, len(asked.absent), code):
        return False
    if fact["full"] and not _is_in(asked.seen, 0, len(asked.seen), code):
        return False
    number = fact["availability"]
    for word in range(len(asked.free)):  # noqa: SIM110 - numba has no `any`
        if asked.openings[word, number] & asked.free[word]:
            return True
    return False


@compiled
def _turn(code: np.uint64) -> float:
    """Mix a pair's code (see `ranking.pair_codes`), and return it as a share of all."""
    word = code + _A
    word = (word ^ (word >> _30)) * _B
    word = (word ^ (word >> _27)) * _C
    return np.float64(word ^ (word >> _31)) / 2.0**64


@compiled
def _push(heap: FloatArray, value: float) -> None:
    """Put a value in the place of the least, which is in front, unless it is less."""
    at = 0
    if value < heap[0]:
        return
    while 2 * at + 1 < len(heap):
        child = 2 * at + 1
        if child + 1 < len(heap) and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= value:
            break
        heap[at] = heap[child]
        at = child
    heap[at] = value


@compiled
def _nearness(asked: Asked, km: float) -> float:
    """Turn kilometres into nearness, as `ranking.nearness` does."""
    near = min(max(1 - math.log1p(km) / asked.far, 0.0), 1.0)
    nearness: float = np.rint(near / asked.grain) * asked.grain
    return nearness


@compiled
def _least(asked: Asked, heaps: Heaps, some: bool) -> float:
    """Return what somebody's terms must be worth at least to be among the best, were they here and next."""
    alone, moved = heaps
    least: float = min(alone[0], moved[0] - asked.rotation / 2 + asked.cheapest) - asked.tier * some
    return least - asked.near - _ROUNDING


@compiled
def _judge(rows: Rows, asked: Asked, row: int, share: float, some: bool, heaps: Heaps) -> float:
    """Return what a row is worth if it is among the best so far, else NaN."""
    alone, moved = heaps
    worth, fact, code = share / asked.norms[rows.stated[row]], rows.facts[row], rows.codes[row]
    km = _kilometres(rows, asked, fact["place"])
    if asked.meets and fact["in_person"] and not math.isnan(km):
        worth += asked.near * _nearness(asked, km)
    rank = worth + asked.tier * some
    move = rank + asked.rotation * (_turn(code ^ asked.code) - 0.5) - rows.prices[row]
    if (rank < alone[0] and move < moved[0]) or not _fits(asked, fact, code, km):
        return math.nan
    _push(alone, rank)
    _push(moved, move)
    judged: float = worth
    return judged


@compiled
def _with(found: Kept, row: int, share: float, worth: float) -> Kept:
    """Add a row to those found."""
    at, shares, worths, size = found
    if size == len(at):
        at, shares, worths = np.append(at, at), np.append(shares, shares), np.append(worths, worths)
    at[size], shares[size], worths[size] = row, share, worth
    return at, shares, worths, size + 1


@compiled
def _needed(terms: Terms, least: float) -> int:
    """Return how many terms, the dearest first, somebody must have one of to share that much."""
    needed = 0
    while needed < len(terms.shares) and terms.rests[needed] >= least:
        needed += 1
    return needed


@compiled
def _sum(block: Block, needed: int) -> None:
    """Sum what the rows of a block share of the first terms, and find where those of the others stand."""
    terms, postings, spans, first, shared = block
    for term in range(len(terms.shares)):
        spans[term, 2] = _bisect(postings, spans[term, 0], spans[term, 1], first)
        spans[term, 3] = min(spans[term, 2] + len(shared), spans[term, 1])
    for term in range(needed):
        for at in range(spans[term, 2], spans[term, 3]):
            if postings[at] - first >= len(shared):
                spans[term, 3] = at
                break
            shared[postings[at] - first] += terms.shares[term]


@compiled
def _completed(block: Block, needed: int, row: int, share: float, enough: float) -> float:
    """Add what a row shares of the other terms, as long as it may come to enough."""
    terms, postings, spans, _, _ = block
    for term in range(needed, len(terms.shares)):
        if share + terms.rests[term] < enough:
            break
        if _is_in(postings, spans[term, 2], spans[term, 3], row):
            share += terms.shares[term]
    return share


@compiled
def _pick_sharing(rows: Rows, asked: Asked, block: Block, heaps: Heaps, found: Kept) -> Kept:
    """Add the rows of a block that share something and are among the best so far."""
    least = _least(asked, heaps, True)
    needed = _needed(block.terms, least * asked.norms[min(1, len(asked.norms) - 1)])
    if not needed:
        return found
    _sum(block, needed)
    for term in range(needed):
        for at in range(block.spans[term, 2], block.spans[term, 3]):
            row = block.postings[at]
            share = block.shared[row - block.first]
            block.shared[row - block.first] = 0.0
            enough = least * asked.norms[rows.stated[row]]
            if share > 0:  # else it was looked at
                share = _completed(block, needed, row, share, enough)
            worth = (
                _judge(rows, asked, row, share, True, heaps) if share > 0 and share >= enough else math.nan
            )
            if not math.isnan(worth):
                found, least = _with(found, row, share, worth), _least(asked, heaps, True)
    return found


@compiled
def _pick(
    rows: Rows, asked: Asked, shared: FloatArray, first: int, some: bool, heaps: Heaps, found: Kept
) -> Kept:
    """Add the rows from `first` on that are among the best so far: those that share something, or nothing."""
    least = _least(asked, heaps, some)
    for number in range(len(shared)):
        row, share = first + number, shared[number]
        if (share > 0) != some or share < least * asked.norms[rows.stated[row]]:
            continue
        worth = _judge(rows, asked, row, share, some, heaps)
        if not math.isnan(worth):
            found, least = _with(found, row, share, worth), _least(asked, heaps, some)
    return found


@compiled
def _terms(offered: Offered) -> Terms:
    """Put the dearest term first."""
    known = sum([len(shares) for _, shares in offered])
    facets, columns, worth = np.empty(known, np.int64), np.empty(known, np.int64), np.empty(known)
    size = 0
    for facet in range(len(offered)):
        numbers, shares = offered[facet]
        for term in range(len(shares)):
            at = size
            while at > 0 and worth[at - 1] < shares[term]:
                facets[at], columns[at], worth[at] = facets[at - 1], columns[at - 1], worth[at - 1]
                at -= 1
            facets[at], columns[at], worth[at] = facet, numbers[term], shares[term]
            size += 1
    rests = np.zeros(known + 1)
    for term in range(known - 1, -1, -1):
        rests[term] = rests[term + 1] + worth[term]
    return Terms(facets, columns, worth, rests)


@compiled
def _spans(stretch: Stretch, terms: Terms) -> IntArray:
    """Return where the rows of each term stand in `postings`, with room for where those of a block do."""
    spans = np.zeros((len(terms.columns), 4), np.int64)
    for term in range(len(terms.columns)):
        ends, column = stretch.ends[terms.facets[term]], terms.columns[term]
        if column + 1 < len(ends):  # later columns have none
            spans[term, 0], spans[term, 1] = ends[column], ends[column + 1]
    return spans


@compiled
def best_of_segment(
    rows: Rows, asked: Asked, offered: Offered, reach: FloatArray, stretch: Stretch, some: bool, heaps: Heaps
) -> Kept:
    """Return some rows of a segment who fit, with what they share and are worth: the best among them."""
    found, terms = (np.empty(64, np.int64), np.empty(64), np.empty(64), 0), _terms(offered)
    spans, sums, keys, starts = _spans(stretch, terms), np.zeros(_BLOCK), stretch.keys, stretch.starts
    for number in range(len(reach)):
        first = np.int64(starts[_bisect(keys, 0, len(keys), reach[number, 0])])
        last = np.int64(starts[_bisect(keys, 0, len(keys), reach[number, 1])])
        while first < last:
            block = Block(terms, stretch.postings, spans, first, sums[: min(last - first, _BLOCK)])
            if some:
                found = _pick_sharing(rows, asked, block, heaps, found)
            else:
                _sum(block, len(terms.shares))
                found = _pick(rows, asked, block.shared, first, some, heaps, found)
                sums[:] = 0.0
            first += len(block.shared)
    return found


@compiled
def best_of_tail(
    rows: Rows, asked: Asked, offered: Offered, stated: Stated, first: int, some: bool, heaps: Heaps
) -> Kept:
    """Return some rows from `first` on who fit, like `best_of_segment`."""
    found, terms = (np.empty(64, np.int64), np.empty(64), np.empty(64), 0), _terms(offered)
    shared = np.zeros(len(rows.codes) - first)
    for facet in range(len(stated.ends)):
        _add(terms, facet, stated.columns[facet], stated.ends[facet], first, shared)
    picked: Kept = _pick(rows, asked, shared, first, some, heaps, found)
    return picked


@compiled
def _add(terms: Terms, facet: int, columns: Numbers, ends: Numbers, first: int, shared: FloatArray) -> None:
    """Add what the rows from `first` on share in one facet."""
    marks = np.zeros(_MARKS, np.bool_)
    for term in range(len(terms.columns)):
        if terms.facets[term] == facet:
            marks[terms.columns[term] % _MARKS] = True
    for number in range(len(shared)):
        for at in range(ends[first + number], ends[first + number + 1]):
            if marks[columns[at] % _MARKS]:
                for term in range(len(terms.columns)):
                    if terms.columns[term] == columns[at] and terms.facets[term] == facet:
                        shared[number] += terms.shares[term]
