"""Surveys: a whole community read in pages, without its lock: its members and what stands between them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from service.errors import NotFound
from service.records import Community, Pair
from service.storage import communities
from service.storage.database import Database
from service.storage.loaded import LoadedCommunity
from service.storage.meetups import count_held
from service.storage.models import KeptModel, load_or_repair
from service.storage.numbers import Numbers
from service.storage.pairs import page_of_all
from service.storage.profiles import ids_by_codes
from service.storage.saved_index import SavedIndexes
from service.usecases.feedback import label_of
from service.usecases.pairs import hides, is_connected

if TYPE_CHECKING:
    from matching import Matcher
    from matching.learning import Feedback

PAIRS_PER_PAGE = 2000


@dataclass(slots=True)
class Survey:
    """A community as it was read: everybody in a matcher of its own, and what stands between them.

    `hidden` holds, for each member, whom they are not to be suggested.
    """

    community: Community
    now: int
    kept: KeptModel
    meetups_held: int
    matcher: "Matcher"
    numbers: Numbers
    feedback: list["Feedback"] = field(default_factory=list)
    hidden: dict[str, set[str]] = field(default_factory=dict)
    connected: set[str] = field(default_factory=set)


def read_survey(database: Database, number: int, saved: SavedIndexes | None = None) -> Survey:
    """Read a community, or raise `NotFound`; what was saved of it needn't be read."""
    survey = _begin(database, number, saved)
    for pairs in _all_pairs(database, number):
        codes = {code for pair in pairs for code in (pair.me, pair.peer)}
        with database.read() as connection:
            ids = ids_by_codes(connection, number, list(codes))
        known = survey.matcher.index_.roster.find(ids.values())
        ids = {code: one for code, one in ids.items() if one in known}
        for pair in pairs:
            # Of who was erased the code alone is left, and who came since wasn't read: they teach nothing.
            if pair.me in ids and pair.peer in ids:
                _note(survey, ids[pair.me], ids[pair.peer], pair)
    return survey


def _begin(database: Database, number: int, saved: SavedIndexes | None) -> Survey:
    with database.read() as connection:
        community = communities.find_by_number(connection, number)
        if community is None:
            raise NotFound("There is no such community.")
        kept = load_or_repair(database, connection, number, community.model)
        now, held = database.now(connection), count_held(connection, number)
    matcher, numbers = LoadedCommunity(database, number, saved).hand_over(community)
    return Survey(community, now, kept, held, matcher, numbers)


def _all_pairs(database: Database, number: int) -> Iterator[list[Pair]]:
    after = ("", "")
    while True:
        with database.read() as connection:
            page = page_of_all(connection, number, after, PAIRS_PER_PAGE)
        yield page
        if len(page) < PAIRS_PER_PAGE:
            return
        after = (page[-1].me, page[-1].peer)


def _note(survey: Survey, me: str, peer: str, pair: Pair) -> None:
    from matching.learning import Feedback

    label = label_of(pair)
    if label is not None:
        survey.feedback.append(Feedback(me, peer, label))
    if hides(pair):
        survey.hidden.setdefault(me, set()).add(peer)
    if hides(pair.turned()):
        survey.hidden.setdefault(peer, set()).add(me)
    if is_connected(pair):
        survey.connected |= {me, peer}
