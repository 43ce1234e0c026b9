"""Lists of people: who has accepted a member, whom the member knows, and who is worth writing to again."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from service.records import DAY_MS, Access, Member, Pair
from service.storage.loaded import LoadedCommunities
from service.storage.pairs import Listed
from service.storage.session import Session

if TYPE_CHECKING:
    from matching import Acquaintance, Introduction

# Word out of the blue gives more joy than its writer expects; after two months it is out of the blue.
QUIET_MS = 60 * DAY_MS


@dataclass(frozen=True, slots=True)
class Listing:
    """One of a list: who, how the two stand, and what they have in common."""

    id: str
    name: str
    pair: Pair
    introduction: "Introduction"


def page_of_introductions(
    loaded: LoadedCommunities,
    session: Session,
    access: Access,
    listed: Listed,
    limit: int,
    after: tuple[int, str] | None,
) -> list[Listing]:
    """Return up to `limit` of a member's list after this one; who may not be met any more is left out."""
    member = access.asked()
    found: list[Listing] = []
    while len(found) < limit:
        wanted = limit - len(found)
        rows = session.page_of_pairs(
            member.code, listed, after=after, limit=wanted, quiet_until=access.now - QUIET_MS
        )
        found += _introduce(loaded, access, member, listed, rows)
        if len(rows) < wanted:
            break
        after = place_in(listed, rows[-1][2])
    return found


def place_in(listed: Listed, pair: Pair) -> tuple[int, str]:
    """Return what a list is ordered by: the time, then the other's code."""
    at = pair.theirs.answered_at if listed == "invitations" else pair.since
    return at or 0, pair.peer


def _introduce(
    loaded: LoadedCommunities,
    access: Access,
    member: Member,
    listed: Listed,
    rows: list[tuple[str, str, Pair]],
) -> list[Listing]:
    on = _day(access.now)
    peers: dict[str, Acquaintance | None] = {
        peer: None if listed == "invitations" else _known(pair) for peer, _, pair in rows
    }
    told = loaded.use(access.community, lambda matcher: matcher.introduce(member.public(), peers, on=on))
    return [Listing(peer, name, pair, told[peer]) for peer, name, pair in rows if peer in told]


def _known(pair: Pair) -> "Acquaintance":
    from matching import Acquaintance

    last_met = None if pair.last_met is None else _day(pair.last_met)
    return Acquaintance(_day(pair.since or 0), last_met, pair.times_met)


def _day(milliseconds: int) -> date:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date()
