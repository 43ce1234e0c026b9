"""Responses: accept, decline, later; two accepts connect, and nobody is told of a decline."""

from dataclasses import replace

from service.errors import Conflict, Invalid, NotFound
from service.records import Member, Pair
from service.storage import profiles
from service.storage.communities import Write
from service.storage.session import Session
from service.usecases import pairs


def respond(session: Session, profile_id: str, peer_id: str, response: str) -> str:
    """Record what a member says of another; return how they stand as far as the member may know.

    `NotFound` where the peer is unknown, erased, blocks the member, or may not meet them; `Conflict` where
    the two are connected.
    """
    with session.write() as write:
        me, peer, before = two_members(write, profile_id, peer_id)
        if before is not None and pairs.is_connected(before):
            raise Conflict("The two are connected.")
        after = _answered(before or Pair(me.code, peer.code), response, write.now)
        pairs.save(write, [(before, after)], {me.code: me, peer.code: peer})
        return _state(after, response)


def _answered(pair: Pair, response: str, now: int) -> Pair:
    # An introduction counts from the first accept, a put-off from the last; where nothing is new, nothing is.
    again = pair.mine.response == response and response != "later"
    mine = pair.mine if again else replace(pair.mine, response=response, answered_at=now)
    both = {response, pair.theirs.response} == {"accept"} and not pairs.is_blocked(pair)
    return connected(pair, now, None) if both else replace(pair, mine=mine)


def _state(pair: Pair, response: str) -> str:
    if pairs.is_connected(pair):
        return "connected"
    return {"accept": "pending", "decline": "declined", "later": "later"}[response]


def connected(pair: Pair, since: int, last_met: int | None) -> Pair:
    """Return the pair connected; what the two had answered is settled by that."""
    sides = [
        replace(side, response=None, answered_at=None, stranger=None) for side in (pair.mine, pair.theirs)
    ]
    return replace(
        pair,
        mine=sides[0],
        theirs=sides[1],
        since=since,
        last_met=last_met,
        times_met=int(last_met is not None),
    )


def two_members(write: Write, profile_id: str, peer_id: str) -> tuple[Member, Member, Pair | None]:
    """Return a member, another whom they may know of, and what stands between them."""
    me = find_member(write, profile_id)
    check_other(profile_id, peer_id)
    peer = profiles.find_member(write, peer_id)
    if peer is None or write.community.parts(me.record, peer.record):
        raise unknown_peer()
    pair = pairs.find(write, me.code, peer.code)
    if pair is not None and pair.theirs.blocked_at is not None:
        raise unknown_peer()
    return me, peer, pair


def find_member(write: Write, profile_id: str) -> Member:
    """Return the member of this id, or raise `NotFound`."""
    found = profiles.find_member(write, profile_id)
    if found is None:
        raise NotFound("There is no such profile.")
    return found


def check_other(profile_id: str, peer_id: str) -> None:
    """Refuse what a member would do to themself."""
    if peer_id == profile_id:
        raise Invalid({"peer": ["Must be somebody else."]})


def unknown_peer() -> NotFound:
    """Return the one error for everybody whom a member can't know of, whatever the cause."""
    return NotFound("There is no such peer.")
