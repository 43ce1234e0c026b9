"""The scan of a segment as machine code: in come arrays, out come the rows of the best for one member.

What `Search` does with NumPy, a row at a time: what is shared is summed up range by range, and only who
shares enough to be among the best so far is judged. Written in the part of Python that numba compiles;
compiled code is kept beside this file, or where NUMBA_CACHE_DIR says.
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


Heaps = tuple[FloatArray, FloatArray]  # the best ranks so far, alone and moved; the least in front
Kept = tuple[IntArray, FloatArray, FloatArray, int]  # rows, what they share and are worth, how many


class Rows(NamedTuple):
    """What is known of everybody, by row; places by number, shape (n_places, 3)."""

    codes: WordArray
    stated: NDArray[np.uint16]
    prices: FloatArray
    radius_km: FloatArray
    in_person: BoolArray
    online: BoolArray
    suggestible: BoolArray
    full: BoolArray
    place: NDArray[np.int32]
    availability: NDArray[np.int32]
    languages: NDArray[np.int32]
    attributes: NDArray[np.int32]
    seeks: NDArray[np.int32]
    apart: NDArray[np.int32]
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
    invited_by: IntArray
    absent: IntArray
    near: float
    norms: FloatArray
    code: np.uint64
    rotation: float
    cheapest: float
    earth_km: float
    far: float
    grain: float
    tier: float


class Offered(NamedTuple):
    """Where the rows of each term stand in `postings`, and what each is worth."""

    ranges: IntArray
    spans: IntArray
    shares: FloatArray
    postings: NDArray[np.int32]


def compiled(function: Any) -> Any:
    """Compile a function when it is first called."""
    try:
        return njit(function, cache=True, nogil=True)
    except RuntimeError:  # no folder that we may write to: each process compiles anew
        return njit(function, nogil=True)


@compiled
def _is_in(values: IntArray, wanted: int) -> bool:
    """Tell whether a value is among ascending ones."""
    at = np.searchsorted(values, wanted)
    return bool(at < len(values) and values[at] == wanted)


@compiled
def _kilometres(rows: Rows, asked: Asked, row: int) -> float:
    point = rows.points[rows.place[row]]
    dx, dy, dz = point[0] - asked.x, point[1] - asked.y, point[2] - asked.z
    chord = math.sqrt(dx * dx + dy * dy + dz * dz)
    return 2 * asked.earth_km * math.asin(min(chord / 2, 1.0))


@compiled
def _fits(rows: Rows, asked: Asked, row: int, km: float) -> bool:  # noqa: PLR0911 - a line a rule
    """Apply the rules, as `Members.judge` does."""
    if not rows.suggestible[row] or rows.apart[row] != asked.apart:
        return False
    near = asked.in_person and rows.in_person[row] and km <= min(asked.reach_km, rows.radius_km[row])
    if not (near or (asked.online and rows.online[row])):
        return False
    if not (asked.mine[rows.attributes[row]] and asked.theirs[rows.seeks[row]]):
        return False
    if not asked.language[rows.languages[row]] or _is_in(asked.absent, row):
        return False
    if rows.full[row] and not _is_in(asked.invited_by, row):
        return False
    number = rows.availability[row]
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
def _sum(offered: Offered, first: int, last: int, shared: FloatArray) -> None:
    """Sum what the rows of one range share."""
    shared[: last - first] = 0.0
    for term in range(len(offered.shares)):
        share = offered.shares[term]
        rows = offered.postings[offered.spans[term, 0] : offered.spans[term, 1]]
        for at in range(np.searchsorted(rows, first), np.searchsorted(rows, last)):
            shared[rows[at] - first] += share


@compiled
def _worth(rows: Rows, asked: Asked, row: int, share: float, km: float) -> float:
    """Return what speaks for a peer, as `ranking.value` does."""
    near = 0.0
    if asked.meets and rows.in_person[row] and not math.isnan(km):
        near = min(max(1 - math.log1p(km) / asked.far, 0.0), 1.0)
        near = np.rint(near / asked.grain) * asked.grain
    worth: float = share / asked.norms[rows.stated[row]] + asked.near * near
    return worth


@compiled
def _pick(
    rows: Rows, asked: Asked, shared: FloatArray, first: int, some: bool, heaps: Heaps, found: Kept
) -> Kept:
    """Add the rows from `first` on that are among the best so far: those that share something, or nothing."""
    alone, moved = heaps
    at, share, worth, size = found
    least = _least(asked, heaps, some)
    for number in range(len(shared)):
        if shared[number] < least or (shared[number] > 0) != some:
            continue
        row = first + number
        km = _kilometres(rows, asked, row)
        if not _fits(rows, asked, row, km):
            continue
        value = _worth(rows, asked, row, shared[number], km)
        rank = value + asked.tier * some
        turn = _turn(rows.codes[row] ^ asked.code) - 0.5
        move = rank + asked.rotation * turn - rows.prices[row]
        if rank < alone[0] and move < moved[0]:
            continue
        _push(alone, rank)
        _push(moved, move)
        least = _least(asked, heaps, some)
        if size == len(at):
            at, share, worth = np.append(at, at), np.append(share, share), np.append(worth, worth)
        at[size], share[size], worth[size] = row, shared[number], value
        size += 1
    return at, share, worth, size


@compiled
def _least(asked: Asked, heaps: Heaps, some: bool) -> float:
    """Return what somebody must share at least to be among the best, were they here and their turn first."""
    if not some:
        return -np.inf
    alone, moved = heaps
    least = min(alone[0], moved[0] - asked.rotation / 2 + asked.cheapest) - asked.tier - asked.near
    shared: float = least * asked.norms[min(1, len(asked.norms) - 1)] - _ROUNDING
    return shared


@compiled
def best_of_segment(rows: Rows, asked: Asked, offered: Offered, some: bool, heaps: Heaps) -> Kept:
    """Return some rows of a segment who fit, with what they share and are worth: the best among them."""
    found = np.empty(64, np.int64), np.empty(64), np.empty(64), 0
    longest = 0
    for first, last in offered.ranges:
        longest = max(longest, last - first)
    shared = np.empty(longest)
    for first, last in offered.ranges:
        _sum(offered, first, last, shared)
        found = _pick(rows, asked, shared[: last - first], first, some, heaps, found)
    return found


@compiled
def best_of_tail(rows: Rows, asked: Asked, shared: FloatArray, first: int, some: bool, heaps: Heaps) -> Kept:
    """Return some rows from `first` on who fit, like `best_of_segment`."""
    found: Kept = np.empty(64, np.int64), np.empty(64), np.empty(64), 0
    picked: Kept = _pick(rows, asked, shared, first, some, heaps, found)
    return picked


@compiled
def add_shared(shared: FloatArray, numbers: Numbers, ends: Numbers, first: int, worth: FloatArray) -> None:
    """Add to what rows share what their terms are worth, by number."""
    for row in range(len(shared)):
        for at in range(ends[first + row], ends[first + row + 1]):
            shared[row] += worth[numbers[at]]
