"""Pairs: what stands between two people, and the one way in which it changes.

The rules are functions of a `Pair` as one of the two sees it. `save` writes what became of some pairs: every
change stamps both members, and where one becomes full, or free again, everybody sees it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from service.records import DAY_MS, Member, Pair, ProfileRecord, Side
from service.storage import acquaintances, pairs, profiles, stamps, tombstones
from service.storage.communities import Write
from service.storage.events import EventType, emit_all
from service.usecases import feedback

ACCEPT_MS = 14 * DAY_MS
LATER_MS = 30 * DAY_MS
UNBLOCK_MS = DAY_MS
PAIRS_PER_SETTLING = 500
MOST_RENEWED = 100
Change = tuple[Pair | None, Pair]


def is_blocked(pair: Pair) -> bool:
    """Tell whether either blocks the other."""
    return pair.mine.blocked_at is not None or pair.theirs.blocked_at is not None


def is_connected(pair: Pair) -> bool:
    """Tell whether the two are connected."""
    return pair.since is not None


def is_open(pair: Pair) -> bool:
    """Tell whether an introduction is open: one has accepted, the other has not answered."""
    answers = {pair.mine.response, pair.theirs.response}
    return answers == {"accept", None} and not is_connected(pair) and not is_blocked(pair)


def invites_me(pair: Pair) -> bool:
    """Tell whether the other one has accepted and waits for an answer."""
    return is_open(pair) and pair.theirs.response == "accept"


def hides(pair: Pair) -> bool:
    """Tell whether the other one is not to be suggested to me."""
    put_off = {"decline", "later"} & {pair.mine.response, pair.theirs.response}
    return (
        is_blocked(pair)
        or is_connected(pair)
        or bool(put_off)
        or pair.mine.response == "accept"
        or pair.apart_until is not None
    )


def forbids(pair: Pair) -> bool:
    """Tell whether no round may bring the two together; being connected or full is no obstacle there."""
    put_off = {"decline", "later"} & {pair.mine.response, pair.theirs.response}
    return is_blocked(pair) or bool(put_off)


def is_empty(pair: Pair) -> bool:
    """Tell whether nothing is left that has to be remembered."""
    nothing = pair.since is None and pair.apart_until is None
    return nothing and all(replace(side, stranger=None) == Side() for side in (pair.mine, pair.theirs))


def ends_at(pair: Pair) -> int | None:
    """Return when the next thing between the two ends by time."""
    times = [at for side in (pair.mine, pair.theirs) for at in _ends(side)]
    return min([*times, *([] if pair.apart_until is None else [pair.apart_until])], default=None)


def _ends(side: Side) -> list[int]:
    answer_ends = _answer_ends(side)
    return [*([] if answer_ends is None else [answer_ends]), *(at + UNBLOCK_MS for at in side.unblocked)]


def _answer_ends(side: Side) -> int | None:
    lasts = {"accept": ACCEPT_MS, "later": LATER_MS}.get(side.response or "")
    return None if lasts is None or side.answered_at is None else side.answered_at + lasts


def after_time(pair: Pair, now: int) -> Pair:
    """Return the pair without what has ended by time."""
    apart_until = pair.apart_until if pair.apart_until is not None and pair.apart_until > now else None
    mine, theirs = _after_time(pair.mine, now), _after_time(pair.theirs, now)
    return replace(pair, mine=mine, theirs=theirs, apart_until=apart_until)


def _after_time(side: Side, now: int) -> Side:
    unblocked = tuple(at for at in side.unblocked if at + UNBLOCK_MS > now)
    answer_ends = _answer_ends(side)
    if answer_ends is not None and answer_ends <= now:
        return replace(side, response=None, answered_at=None, unblocked=unblocked)
    return replace(side, unblocked=unblocked)


def without_consent(pair: Pair) -> Pair:
    """Return the pair with the connection ended and both sides' wishes to meet gone; declines stay."""
    sides = [
        side if side.response == "decline" else replace(side, response=None, answered_at=None)
        for side in (pair.mine, pair.theirs)
    ]
    return replace(pair, mine=sides[0], theirs=sides[1], since=None, last_met=None, times_met=0)


def find(write: Write, me: str, peer: str) -> Pair | None:
    """Return what stands between two codes, as the first sees it."""
    found = pairs.find_pairs(write.connection, write.community.number, [(me, peer)])
    return found[0] if found else None


def name_stranger(write: Write, pair: Pair, peer_id: str, peer: Member | None) -> Pair:
    """Keep the other's id for lists, where nobody is or was a member under it."""
    known = peer is not None or tombstones.erased_codes(write.connection, write.community.number, [pair.peer])
    return replace(pair, theirs=replace(pair.theirs, stranger=None if known else peer_id))


def save(write: Write, changes: Sequence[Change], members: Mapping[str, Member]) -> None:
    """Write what became of some pairs, each named once; `members` holds those that there are, by code."""
    changed = [
        (before, after)
        for before, after in changes
        if before != after and not (before is None and is_empty(after))
    ]
    if not changed:
        return
    standing = [after for _, after in changed if not is_empty(after)]
    pairs.save_pairs(write, [(pair, ends_at(pair)) for pair in standing])
    pairs.delete_pairs(write, [after for before, after in changed if before and is_empty(after)])
    _renew_answers(write, changed)
    feedback.count_feedback(write, changed)
    opened: dict[str, int] = {}
    for before, after in changed:
        more = is_open(after) - (before is not None and is_open(before))
        for code in (after.me, after.peer):
            opened[code] = opened.get(code, 0) + more
    _stamp(write, [(members[code], more) for code, more in opened.items() if code in members])
    _tell(write, changed, members)


def _tell(write: Write, changed: Iterable[Change], members: Mapping[str, Member]) -> None:
    # An erasure leaves its member out of `members`: that they are gone is all that is told of it.
    told: dict[EventType, list[dict[str, str]]] = {}
    for before, after in changed:
        event = _event(before, after)
        if event is None or not {after.me, after.peer} <= members.keys():
            continue
        first, second = _named(event, after, members)
        if not (event == "connection.invited" and write.community.parts(first, second)):
            told.setdefault(event, []).append({"profile": first.id, "peer": second.id})
    for event, happened in told.items():
        emit_all(write, event, happened)


def _event(before: Pair | None, after: Pair) -> EventType | None:
    was = before or Pair(after.me, after.peer)
    if is_connected(was) != is_connected(after):
        return "connection.made" if is_connected(after) else "connection.ended"
    return "connection.invited" if is_open(after) and not is_open(was) else None


def _named(event: EventType, pair: Pair, members: Mapping[str, Member]) -> list[ProfileRecord]:
    # Who invites stands first. Else the order is that of the ids: it tells nobody who declined or blocked.
    two = [members[code].record for code in (pair.me, pair.peer)]
    if event == "connection.invited":
        return two[::-1] if invites_me(pair) else two
    return sorted(two, key=lambda record: record.id)


def _renew_answers(write: Write, changed: Sequence[Change]) -> None:
    """Renew the answers that count a connection as an acquaintance in common, made or ended now."""
    codes = {
        code
        for before, after in changed
        if is_connected(after) != (before is not None and is_connected(before))
        for code in (after.me, after.peer)
    }
    if not (codes and write.community.acquaintances):
        return
    if len(codes) > MOST_RENEWED:
        # As by an import: everybody's at once costs less than finding out whose.
        write.settle(replace(write.community, settings_stamp=write.stamp()))
    else:
        acquaintances.renew_neighbours(write, codes)


def _stamp(write: Write, opened: Iterable[tuple[Member, int]]) -> None:
    stamped, touched = [], set[stamps.Tile]()
    for member, more in opened:
        after = replace(member, pairs=write.stamp(), introductions=member.introductions + more)
        # Others see of it only whether there is room for one more.
        if more and (shown := after.public()) != member.public():
            after = replace(after, changed=write.number)
            touched |= stamps.touched(member.public(), shown)
        stamped.append(after)
    profiles.update_standing(write, stamped)
    profiles.stamp_tiles(write, touched)


def settle_due(write: Write) -> None:
    """Carry out what has ended by time between people: accepts, put-offs, counted unblockings."""
    here = write.community.number
    due = pairs.pairs_due(write.connection, here, write.now, PAIRS_PER_SETTLING)
    save(write, [(pair, after_time(pair, write.now)) for pair in due], members_in(write, due))


def members_in(write: Write, found: Iterable[Pair]) -> dict[str, Member]:
    """Return the members in some pairs, by code."""
    codes = {code for pair in found for code in (pair.me, pair.peer)}
    return profiles.find_by_codes(write.connection, write.community.number, sorted(codes))


def change_pair(
    write: Write, me: Member, peer_code: str, peer: Member | None, change: Callable[[Pair], Pair]
) -> Pair:
    """Change what stands between a member and another, who need not be one; return what it is then."""
    before = find(write, me.code, peer_code)
    after = change(before or Pair(me.code, peer_code))
    members = {member.code: member for member in (me, peer) if member}
    save(write, [(before, after)], members)
    return after


def forget_member(write: Write, code: str) -> None:
    """Drop all that stands between an erased member and others; blocks against them stay."""
    found = [pair for _, pair in pairs.pairs_of(write.connection, write.community.number, code)]
    others = members_in(write, found)
    others.pop(code, None)
    save(write, [(pair, _against_me_alone(pair)) for pair in found], others)


def _against_me_alone(pair: Pair) -> Pair:
    # What is counted of their unblockings stays its day too: a block tells no more than an erasure.
    theirs = Side(blocked_at=pair.theirs.blocked_at, unblocked=pair.theirs.unblocked)
    return Pair(pair.me, pair.peer, theirs=theirs)
