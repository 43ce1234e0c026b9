"""Surveys: a whole community read in pages, without its lock: its members and what stands between them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from matching import FACETS, Profile, TermModel
from service.errors import NotFound
from service.records import Community, Pair
from service.storage import communities
from service.storage.database import Database
from service.storage.loaded import new_matcher
from service.storage.meetups import count_held
from service.storage.models import KeptModel, load_or_repair
from service.storage.pairs import page_of_all
from service.storage.session import Session
from service.usecases.exports import export_profiles
from service.usecases.feedback import label_of
from service.usecases.pairs import hides, is_connected

if TYPE_CHECKING:
    from matching import Matcher
    from matching.learning import Feedback

PAIRS_PER_PAGE = 2000


@dataclass(slots=True)
class Survey:
    """A community as it was read; `numbers` are those of its members' rows, by id.

    `hidden` holds, for each member, whom they are not to be suggested.
    """

    community: Community
    now: int
    kept: KeptModel
    meetups_held: int
    numbers: dict[str, int] = field(default_factory=dict)
    profiles: list[Profile] = field(default_factory=list)
    feedback: list["Feedback"] = field(default_factory=list)
    hidden: dict[str, set[str]] = field(default_factory=dict)
    connected: set[str] = field(default_factory=set)

    def terms(self) -> Iterator[Mapping[str, Sequence[str]]]:
        """Yield each member's terms by facet."""
        for profile in self.profiles:
            yield {facet: profile.terms(facet) for facet in FACETS}

    def matcher(self, model: TermModel) -> "Matcher":
        """Return a matcher that knows everybody, with no prices."""
        return new_matcher(self.community).fit(self.profiles, model=model)


def read_survey(database: Database, number: int) -> Survey:
    """Read a community, or raise `NotFound`."""
    survey = _begin(database, number)
    names: dict[str, str] = {}
    for member in export_profiles(Session(database, number)):
        names[member.code] = member.record.id
        survey.numbers[member.record.id] = member.number
        survey.profiles.append(member.public())
    for pair in _all_pairs(database, number):
        # Of who was erased the code alone is left, and nothing is learnt from it.
        if pair.me in names and pair.peer in names:
            _note(survey, names[pair.me], names[pair.peer], pair)
    return survey


def _begin(database: Database, number: int) -> Survey:
    with database.read() as connection:
        community = communities.find_by_number(connection, number)
        if community is None:
            raise NotFound("There is no such community.")
        kept = load_or_repair(database, connection, number, community.model)
        return Survey(community, database.now(connection), kept, count_held(connection, number))


def _all_pairs(database: Database, number: int) -> Iterator[Pair]:
    after = ("", "")
    while True:
        with database.read() as connection:
            page = page_of_all(connection, number, after, PAIRS_PER_PAGE)
        yield from page
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
