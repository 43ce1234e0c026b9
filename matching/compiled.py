"""The scan of a segment as machine code: in come arrays, out come the rows of the best for one member.

What `Search` does with NumPy, a block of rows at a time: what is shared is summed up, and only who shares
enough to be among the best so far is judged. The more of the best are found, the fewer terms are summed up:
who has none of the dearest can't be among them, however many of the others they state (MaxScore, Turtle and
Flood 1995, Query evaluation: strategies and optimizations). Written in the part of Python that numba
compiles; compiled code is kept beside this file, or where NUMBA_CACHE_DIR says.
"""

import math
from typing import Any

import numpy as np
from numba import njit

from .arrays import BoolArray, FloatArray, IntArray
from .scanned import Ascending, Asked, Block, Heaps, Kept, Offered, Picks, Rows, Stated, Stretch, Terms

_A, _B, _C = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_30, _27, _31 = np.uint64(30), np.uint64(27), np.uint64(31)
_ROUNDING = 1e-6
_BLOCK = 8192  # rows whose sums the processor's nearest memory holds
_RARE = 16  # a term is that at most one in so many states
_MARKS = 1024  # that tell of most terms at once that they are not asked for
_EARLY = 2  # times as many as are wanted are judged before all others
_FEW = 256  # are wanted at most where that saves more than it costs


def compiled(function: Any) -> Any:
    """Compile a function when it is first called; divisions by 0 are NumPy's."""
    try:
        return njit(function, cache=True, nogil=True, error_model="numpy")
    except RuntimeError:  # no folder that we may write to: each process compiles anew
        return njit(function, nogil=True, error_model="numpy")


def inlined(function: Any) -> Any:
    """Compile a function as part of the only one that calls it: to hand over a dozen arrays costs more."""
    return njit(function, inline="always", error_model="numpy")


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


@inlined
def _kilometres(rows: Rows, asked: Asked, place: int) -> float:
    point = rows.points[place]
    dx, dy, dz = point[0] - asked.x, point[1] - asked.y, point[2] - asked.z
    chord = math.sqrt(dx * dx + dy * dy + dz * dz)
    return 2 * asked.earth_km * math.asin(min(chord / 2, 1.0))


@inlined
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
        if asked.openings[number, word] & asked.free[word]:
            return True
    return False


@inlined
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


@inlined
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
    return least - asked.near - asked.most_kindred - _ROUNDING


@inlined
def _most_kindred(asked: Asked, length: float, norm: float) -> float:
    """Return how kindred somebody may be at most whose point is of this length, NaN for an unknown one."""
    most = length if length <= asked.longest else asked.longest  # noqa: FURB136 - of NaN too, to numba and Python
    return asked.kindred * most / norm


@inlined
def _is_behind(heaps: Heaps, rank: float, move: float) -> bool:
    return bool(rank < heaps[0][0] and move < heaps[1][0])


@compiled
def _judge(rows: Rows, asked: Asked, picks: Picks, count: int, some: bool, heaps: Heaps, found: Kept) -> Kept:
    """Add those of some rows that fit and are among the best so far."""
    picked, picked_shares = picks
    alone, moved = heaps
    at, shares, worths, size = found
    least = _least(asked, heaps, some)
    for number in range(count):
        row, share = picked[number], picked_shares[number]
        norm = asked.norms[rows.stated[row]]
        worth = share / norm
        if worth < least:
            continue
        kindred, price = _most_kindred(asked, rows.lengths[row], norm), rows.prices[row]
        most = worth + asked.near + asked.tier * some + kindred
        if _is_behind(heaps, most, most + asked.rotation / 2 - price):
            continue
        fact, code = rows.facts[row], rows.codes[row]
        km = _kilometres(rows, asked, fact["place"])
        if asked.meets and fact["in_person"] and not math.isnan(km):
            worth += asked.near * _nearness(asked, km)
        rank = worth + asked.tier * some
        move = rank + asked.rotation * (_turn(code ^ asked.code) - 0.5) - price
        if _is_behind(heaps, rank + kindred, move + kindred) or not _fits(asked, fact, code, km):
            continue
        if not asked.fixed:
            _push(alone, rank)
            _push(moved, move)
            least = _least(asked, heaps, some)
        if size == len(at):
            at, shares, worths = np.append(at, at), np.append(shares, shares), np.append(worths, worths)
        at[size], shares[size], worths[size] = row, share, worth
        size += 1
    return at, shares, worths, size


@compiled
def _needed(terms: Terms, least: float) -> int:
    """Return how many terms, the dearest first, somebody must have one of to share that much."""
    needed = 0
    while needed < len(terms.shares) and terms.rests[needed] >= least:
        needed += 1
    return needed


@compiled
def _sum(block: Block, summed: int) -> None:
    """Sum what the rows of a block share of the first terms, and find where those of the others stand."""
    terms, postings, spans, first, shared = block
    for term in range(len(terms.shares)):
        spans[term, 2] = _bisect(postings, spans[term, 0], spans[term, 1], first)
        spans[term, 3] = min(spans[term, 2] + len(shared), spans[term, 1])
    for term in range(summed):
        for at in range(spans[term, 2], spans[term, 3]):
            if postings[at] - first >= len(shared):
                spans[term, 3] = at
                break
            shared[postings[at] - first] += terms.shares[term]


@compiled
def _completed(block: Block, summed: int, row: int, share: float, enough: float) -> float:
    """Add what a row shares of the other terms, as long as it may come to enough."""
    terms, postings, spans, _, _ = block
    for term in range(summed, len(terms.shares)):
        if share + terms.rests[term] < enough:
            break
        if _is_in(postings, spans[term, 2], spans[term, 3], row):
            share += terms.shares[term]
    return share


@compiled
def _pick_sharing(rows: Rows, asked: Asked, block: Block, least: float, picks: Picks) -> int:
    """Pick the rows of a block that share something, and enough; return how many."""
    picked, shares = picks
    needed, count = _needed(block.terms, least * asked.norms[min(1, len(asked.norms) - 1)]), 0
    if not needed:
        return 0
    summed, spans = needed, block.spans
    while summed < len(spans) and _RARE * (spans[summed, 1] - spans[summed, 0]) < len(rows.codes):
        summed += 1  # cheaper than looking for single rows
    _sum(block, summed)
    for term in range(needed):
        for at in range(spans[term, 2], spans[term, 3]):
            row = block.postings[at]
            share = block.shared[row - block.first]
            block.shared[row - block.first] = 0.0
            if share > 0:  # else it was looked at
                enough = least * asked.norms[rows.stated[row]]
                share = _completed(block, summed, row, share, enough)
                if share >= enough:
                    picked[count], shares[count] = row, share
                    count += 1
    if summed > needed:
        block.shared[:] = 0.0
    return count


@compiled
def _pick(first: int, shared: FloatArray, some: bool, picks: Picks) -> int:
    """Pick the rows from `first` on that share something, or nothing; return how many."""
    picked, shares = picks
    count = 0
    for number in range(len(shared)):
        if (shared[number] > 0) == some:
            picked[count], shares[count] = first + number, shared[number]
            count += 1
    return count


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
def _ranges(stretch: Stretch, reach: FloatArray) -> IntArray:
    """Return where the rows within reach begin and end."""
    ranges, keys = np.empty(reach.shape, np.int64), stretch.keys
    for number in range(len(reach)):
        for end in range(2):
            ranges[number, end] = stretch.starts[_bisect(keys, 0, len(keys), reach[number, end])]
    return ranges


@compiled
def _raise(rows: Rows, asked: Asked, block: Block, ranges: IntArray, some: bool, heaps: Heaps) -> None:
    """Raise the best so far to what as many come to at least, of those who state the dearest terms.

    So most others need neither be summed up nor judged.
    """
    wanted = max(len(heaps[0]), len(heaps[1]))
    if not some or asked.fixed or wanted > _FEW:
        return
    most = _EARLY * wanted
    picks, trial = (np.empty(most, np.int64), np.empty(most)), (heaps[0].copy(), heaps[1].copy())
    _judge(rows, asked, picks, _pick_early(rows, block, ranges, picks), some, trial, _no_one(most))
    for number in range(2):
        # Less by what roundings come to, lest they aren't found themselves.
        heap, least = heaps[number], trial[number][0] - _ROUNDING
        for at in range(len(heap)):
            heap[at] = max(heap[at], least)


@compiled
def _pick_early(rows: Rows, block: Block, ranges: IntArray, picks: Picks) -> int:
    """Pick rows within some ranges by the dearest terms that they state; return how many."""
    (picked, shares), (terms, postings, spans, _, _) = picks, block
    marks, count = _marks(terms), 0
    for term in range(len(terms.columns)):
        if terms.shares[term] <= 0:  # who shares nothing comes after all others
            break
        for first, last in ranges:
            for at in range(_bisect(postings, spans[term, 0], spans[term, 1], first), spans[term, 1]):
                if postings[at] >= last:
                    break
                if count == len(picked):
                    return count
                picked[count] = postings[at]
                dearest, shares[count] = _shared(rows.terms, terms, marks, picked[count])
                count += dearest == term  # else they were picked by a dearer one
    return count


@compiled
def _marks(terms: Terms) -> BoolArray:
    marks = np.zeros(_MARKS, np.bool_)
    for column in terms.columns:
        marks[column % _MARKS] = True
    return marks


@compiled
def _shared(stated: Stated, terms: Terms, marks: BoolArray, row: int) -> tuple[int, float]:
    """Return the dearest of the terms that a row states, and what all of them come to."""
    dearest, share = len(terms.columns), 0.0
    for facet in range(len(stated.ends)):
        columns, ends = stated.columns[facet], stated.ends[facet]
        for at in range(ends[row], ends[row + 1]):
            if marks[columns[at] % _MARKS]:
                for term in range(len(terms.columns)):
                    if terms.columns[term] == columns[at] and terms.facets[term] == facet:
                        dearest, share = min(dearest, term), share + terms.shares[term]
    return dearest, share


@compiled
def _no_one(room: int) -> Kept:
    # To numba a literal 0 is of a type of its own, for which all that is handed it is compiled once more.
    return np.empty(room, np.int64), np.empty(room), np.empty(room), 0 * room


@compiled
def best_of_segment(
    rows: Rows, asked: Asked, offered: Offered, reach: FloatArray, stretch: Stretch, some: bool, heaps: Heaps
) -> Kept:
    """Return some rows of a segment who fit, with what they share and are worth: the best among them."""
    found: Kept = _no_one(64)
    picks, terms = (np.empty(_BLOCK, np.int64), np.empty(_BLOCK)), _terms(offered)
    spans, sums, ranges = _spans(stretch, terms), np.zeros(_BLOCK), _ranges(stretch, reach)
    _raise(rows, asked, Block(terms, stretch.postings, spans, np.int64(0), sums), ranges, some, heaps)
    for begin, last in ranges:
        first = begin
        while first < last:
            block = Block(terms, stretch.postings, spans, first, sums[: min(last - first, _BLOCK)])
            if some:
                count = _pick_sharing(rows, asked, block, _least(asked, heaps, some), picks)
            else:
                _sum(block, len(terms.shares))
                count = _pick(first, block.shared, some, picks)
                sums[:] = 0.0
            found = _judge(rows, asked, picks, count, some, heaps, found)
            first += len(block.shared)
    return found


@compiled
def best_of_tail(rows: Rows, asked: Asked, offered: Offered, first: int, some: bool, heaps: Heaps) -> Kept:
    """Return some rows from `first` on who fit, like `best_of_segment`."""
    terms, shared = _terms(offered), np.empty(len(rows.codes) - first)
    marks, picks = _marks(terms), (np.empty(len(shared), np.int64), np.empty(len(shared)))
    for number in range(len(shared)):
        shared[number] = _shared(rows.terms, terms, marks, first + number)[1]
    judged: Kept = _judge(rows, asked, picks, _pick(first, shared, some, picks), some, heaps, _no_one(64))
    return judged
