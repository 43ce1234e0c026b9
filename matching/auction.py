"""Somebody for everybody, as an auction: in come whose rivals are who, out come lifts and everybody's list.

Who stands on too few lists bids: they are lifted by as little as brings them onto as many as are wanted, and
whoever has to leave a list for it and then stands on too few bids in turn (Bertsekas 1988, The auction
algorithm). Where more want places than there are, who has bid often gives up. Written in the part of Python
that numba compiles, and compiled where it is installed.
"""

import numpy as np
from numpy.typing import NDArray

from .arrays import BoolArray, FloatArray, IntArray, Numbers
from .ranking import TIER
from .search import COMPILED

if COMPILED:  # pragma: no cover - seen by coverage, it would be slow; a drill compares the two
    from .compiled import compiled
else:

    def compiled(function):  # type: ignore[no-untyped-def]
        """Leave a function as it is."""
        return function


NOBODY = -1
# What a pair may be and is: who may see whom, and whether its owner is on the other's list.
SEES, SEEN, LISTED = 1, 2, 4
_CHECKS = 16  # of how evenly all are shown, while as many bid as there are members
_PATIENCE = 500  # bids of a member for one more list, after which they give up
_TOO_FAR = TIER / 2  # terms in common stay before none at any price
_AT_ONCE = 50  # steps that are bid at once, at most

# Where each one's pairs end, with whom they are, ascending, what they rank by but for prices, and marks; last
# whom each sees first whatever the prices.
Graph = tuple[IntArray, Numbers, FloatArray, NDArray[np.uint8], Numbers]
Lists = tuple[Numbers, FloatArray, FloatArray]  # who stands in the other places, their bids, and the least
Market = tuple[Graph, Lists, IntArray, FloatArray]  # with on how many lists each is, and everybody's lift
Crowd = tuple[BoolArray, BoolArray, IntArray]  # who could be on any list, who still bids, in what order
Queue = tuple[IntArray, BoolArray, IntArray]  # a ring of members, who is in it, where it begins and how many


@compiled
def evenly(
    graph: Graph, order: IntArray, length: int, step: float, part: float, most: int
) -> tuple[FloatArray, Numbers, FloatArray, BoolArray]:
    """Lift members until everybody who could be on a list is, and then until all are shown more evenly.

    Parameters
    ----------
    graph : Graph
        Its marks tell afterwards who is on whose list.
    order : array of int
        The numbers of all members, in the order in which they bid.
    length : int
        Of a list.
    step : float
        What a bid is more than it has to be; at 0 nobody bids.
    part : float
        Of the Gini coefficient of being shown, where to stop.
    most : int
        Bids a member, at most, on average.

    Returns
    -------
    (array of shape (n,), array of shape (n, length), array of shape (n,), array of bool, of shape (n,))
        Lifts; everybody's list in no order, -1 for nobody; what brings somebody onto it, inf where nothing;
        who gave up.
    """
    lists = _lists(graph, length - graph[4].shape[1])
    shown, could = _shown(graph[4], lists[0]), _could(graph)
    lifts, crowd, left = np.zeros(len(order)), (could, could.copy(), order), np.array([most * len(order)])
    goal = part * gini(shown[could])
    highest = max(int(shown[could].mean()), 2) if step and could.any() else 0
    for wanted in range(1, highest):
        # That everybody is on some list comes before how evenly.
        until = goal if wanted > 1 else -1.0
        _hold((graph, lists, shown, lifts), crowd, left, wanted, step, until)
        if gini(shown[could]) <= goal or not left[0]:
            break
    return lifts, np.concatenate((graph[4], lists[0]), axis=1), lists[2], could & ~crowd[1]


@compiled
def _hold(market: Market, crowd: Crowd, left: IntArray, wanted: int, step: float, until: float) -> None:
    """Let bid who is on too few lists and whom they displace, until all are on as many as are wanted."""
    (could, bidding, order), shown = crowd, market[2]
    ranks = np.argsort(order)
    queue = np.zeros(len(order), np.int64), np.zeros(len(order), np.bool_), np.zeros(2, np.int64)
    bids, check = np.zeros(len(order), np.int64), len(order) // _CHECKS + 1
    _put(queue, order[bidding[order] & (shown[order] < wanted)])
    while queue[2][1] and left[0]:
        member = _take(queue)
        gone = _bid(market, member, wanted, step)
        left[0] -= 1
        bids[member] += 1
        bidding[member] = bids[member] < _PATIENCE
        _put(queue, order[np.sort(ranks[gone[bidding[gone] & (shown[gone] < wanted)]])])
        check -= 1
        if not check:
            check = len(order) // _CHECKS + 1
            if until >= 0 and gini(shown[could]) <= until:
                break


@compiled
def _bid(market: Market, member: int, wanted: int, step: float) -> IntArray:
    """Lift a member onto as many lists as are wanted; return who had to leave one."""
    (ends, others, values, marks, _), (slots, bids, least), shown, lifts = market
    pairs = slice(ends[member], ends[member + 1])
    hosts, worth, mark = others[pairs], values[pairs], marks[pairs]
    short = np.where(mark & (SEEN | LISTED) == SEEN, least[hosts] - worth, np.inf)
    near, last = np.sort(short[short < _TOO_FAR]), wanted - shown[member] - 1
    if len(near):
        enough, next_one = near[min(last, len(near) - 1)], near[min(last + 1, len(near) - 1)]
        # Half of the way to the next list: the more is bid at once, the fewer bids there are.
        more = min((next_one - enough) / 2, _AT_ONCE * step)
        lifts[member] = max(lifts[member], enough + max(more, step))
    for at in np.flatnonzero(mark & LISTED):
        bids[hosts[at]][slots[hosts[at]] == member] = worth[at] + lifts[member]
        least[hosts[at]] = bids[hosts[at]].min()
    entered = np.flatnonzero(short < lifts[member])
    gone = np.empty(len(entered), np.int64)
    for number, at in enumerate(entered):
        host = hosts[at]
        place = np.argmin(bids[host])
        gone[number] = slots[host, place]
        shown[gone[number]] -= 1
        marks[_pair(ends, others, gone[number], host)] &= ~np.uint8(LISTED)
        slots[host, place], bids[host, place] = member, worth[at] + lifts[member]
        least[host] = bids[host].min()
        mark[at] |= LISTED
    shown[member] += len(entered)
    return gone


@compiled
def hide(graph: Graph, owners: IntArray, others: IntArray) -> None:
    """Let each of some members not see another."""
    ends, peers, _, marks, _ = graph
    for number, owner in enumerate(owners):
        other = others[number]
        for one, two, mark in ((owner, other, SEES), (other, owner, SEEN)):
            at = _pair(ends, peers, one, two)
            if at < ends[one + 1] and peers[at] == two:
                marks[at] &= ~np.uint8(mark)


@compiled
def _lists(graph: Graph, length: int) -> Lists:
    """Return everybody's list after the first few, with no prices; mark who stands where."""
    ends, others, values, marks, firsts = graph
    members = len(firsts)
    slots, bids = np.full((members, length), NOBODY, np.int32), np.full((members, length), np.inf)
    for owner in range(members):
        peers, worth = others[ends[owner] : ends[owner + 1]], values[ends[owner] : ends[owner + 1]].copy()
        worth[marks[ends[owner] : ends[owner + 1]] & SEES == 0] = -np.inf
        for first in firsts[owner][firsts[owner] != NOBODY]:
            worth[np.searchsorted(peers, first)] = -np.inf
            marks[_pair(ends, others, first, owner)] |= LISTED
        best = np.argsort(-worth, kind="mergesort")[:length]
        for place, at in enumerate(best[worth[best] > -np.inf]):
            slots[owner, place], bids[owner, place] = peers[at], worth[at]
            marks[_pair(ends, others, peers[at], owner)] |= LISTED
    # A list that isn't full has everybody on it who could be.
    return slots, bids, np.array([some.min() for some in bids])


@compiled
def _pair(ends: IntArray, others: Numbers, owner: int, other: int) -> int:
    """Return where a pair stands."""
    first = ends[owner]
    return int(first + np.searchsorted(others[first : ends[owner + 1]], other))


@compiled
def _shown(firsts: Numbers, slots: Numbers) -> IntArray:
    """Count on how many lists each is."""
    shown = np.zeros(len(firsts), np.int64)
    for lists in (firsts, slots):
        for owner in range(len(lists)):
            for one in lists[owner]:
                if one != NOBODY:
                    shown[one] += 1
    return shown


@compiled
def _could(graph: Graph) -> BoolArray:
    """Tell who could be on any list."""
    ends, _, _, marks, _ = graph
    could = np.zeros(len(ends) - 1, np.bool_)
    for member in range(len(could)):
        could[member] = np.any(marks[ends[member] : ends[member + 1]] & SEEN)
    return could


@compiled
def gini(counts: IntArray) -> float:
    """Return the Gini coefficient of some counts: 0 where all are equal, near 1 where one has all."""
    total, size = counts.sum(), len(counts)
    if not total:
        return 0.0
    ranks = 2.0 * np.arange(1, size + 1) - size - 1
    return float((ranks * np.sort(counts)).sum() / (size * total))


@compiled
def _put(queue: Queue, members: IntArray) -> None:
    """Let some wait who don't yet."""
    ring, waits, place = queue
    for member in members:
        if not waits[member]:
            ring[(place[0] + place[1]) % len(ring)], waits[member] = member, True
            place[1] += 1


@compiled
def _take(queue: Queue) -> int:
    ring, waits, place = queue
    member = ring[place[0]]
    waits[member] = False
    place[0] = (place[0] + 1) % len(ring)
    place[1] -= 1
    return int(member)
