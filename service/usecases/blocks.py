"""Blocks: they act both ways and at once, on anybody, whether a member or not."""

from dataclasses import replace

from service.errors import TooManyRequests
from service.records import Access, Community, Member, Pair, ProfileRecord
from service.storage import profiles
from service.storage.communities import Write
from service.storage.kept_answers import forget_answers
from service.storage.session import Session
from service.usecases import attendance, pairs
from service.usecases.responses import check_other, find_member

UNBLOCKINGS_A_DAY = 2


def block(session: Session, profile_id: str, peer_id: str) -> None:
    """Let a member block somebody."""
    with session.write() as write:
        block_in(write, find_member(write, profile_id), peer_id)


def block_in(write: Write, me: Member, peer_id: str) -> tuple[Member | None, Pair]:
    """Block somebody inside an open write; return them, if they are a member, and how the two stand."""
    check_other(me.record.id, peer_id)
    peer = profiles.find_member(write, peer_id)
    code = write.community.code_of(peer_id)

    def change(pair: Pair) -> Pair:
        if pair.mine.blocked_at is not None:
            return pair
        # As after an erasure: what they were answered about this member is not answered again.
        forget_answers(write, code, me.code)
        if peer is not None:
            attendance.leave_shared(write, me, peer)
        ended = pairs.without_consent(pair)
        blocked = replace(ended, mine=replace(ended.mine, blocked_at=write.now))
        return pairs.name_stranger(write, blocked, peer_id, peer)

    return peer, pairs.change_pair(write, me, code, peer, change)


def list_blocks(
    session: Session, access: Access, after: str, limit: int
) -> list[tuple[str, str | None, Pair]]:
    """Return up to `limit` of those whom the member in the path blocks, by id, with names.

    Who isn't a member and who may not meet them is listed alike: without a name.
    """
    me = access.asked()
    found = session.page_of_blocks(me.code, after, limit)
    return [(peer_id, _name(access.community, me, record), pair) for peer_id, record, pair in found]


def _name(community: Community, me: Member, record: ProfileRecord | None) -> str | None:
    return None if record is None or community.parts(me.record, record) else record.name


def unblock(session: Session, profile_id: str, peer_id: str) -> None:
    """Take a block back; the third time within a day has to wait.

    Whoever blocks and unblocks in turns could watch what the other one sees.
    """
    with session.write() as write:
        me = find_member(write, profile_id)
        check_other(profile_id, peer_id)
        peer = profiles.find_member(write, peer_id)

        def change(pair: Pair) -> Pair:
            now, mine = pairs.after_time(pair, write.now), pair.mine
            if mine.blocked_at is None and not now.mine.unblocked:
                return pair
            if len(now.mine.unblocked) >= UNBLOCKINGS_A_DAY:
                wait = (now.mine.unblocked[0] + pairs.UNBLOCK_MS - write.now) / 1000
                raise TooManyRequests(wait, "A block can be taken back twice a day.")
            times = (*now.mine.unblocked, write.now)
            return replace(pair, mine=replace(mine, blocked_at=None, unblocked=times))

        pairs.change_pair(write, me, write.community.code_of(peer_id), peer, change)
