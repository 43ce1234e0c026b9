"""The loaded indexes: each process keeps its communities' members in memory and catches up before it answers.

Comes in: what one statement said of the community (`Access`). Goes out: a matcher that knows every write
acknowledged before that statement.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Connection

from service.records import Community, Member
from service.storage import communities, profiles, tombstones
from service.storage.database import Database
from service.storage.followed import Followed
from service.storage.models import KeptModel, load_or_repair
from service.storage.numbers import Numbers
from service.storage.saved_index import Saved, SavedIndexes, Witness, sound
from service.storage.stamps import number_of

MOST_MEMBERS_LOADED = 3_000_000
FEWEST_SAVED = 20_000  # members whose index is saved: fewer are loaded as fast from the database
WITNESSES = 32

if TYPE_CHECKING:
    from matching import Matcher

S = TypeVar("S")
T = TypeVar("T")


class LoadedCommunity:
    """One community's matcher, and how far it has followed the community's changes."""

    def __init__(self, database: Database, number: int, saved: SavedIndexes | None = None) -> None:
        self._database = database
        self._number = number
        self._saved = saved
        self._lock = Lock()
        self._community = self._nothing_seen()
        self._matcher = new_matcher(self._community)
        self._numbers = Numbers()
        self._settled = (0, "")
        self._followed = Followed()
        self._holds_departed = False
        self.is_deleted = False

    def __len__(self) -> int:
        return len(self._numbers)

    def use(self, community: Community, question: Callable[["Matcher"], T]) -> T:
        """Catch up with the community as it was read, and put a question to its matcher.

        The matcher is not thread-safe: questions to one community take turns.
        """
        with self._lock:
            self._reach(community)
            return question(self._matcher)

    def hand_over(self, community: Community) -> tuple["Matcher", Numbers]:
        """Catch up, and give the matcher and the numbers away: nothing else may be done with this."""
        with self._lock:
            self._reach(community)
            return self._matcher, self._numbers

    def use_with(
        self,
        community: Community,
        read: Callable[[], S],
        question: Callable[["Matcher", S, Followed | None], T],
        known: S | None = None,
    ) -> T:
        """Catch up, read something, and put a question about it to the matcher.

        The question is told what was seen to change, unless the matcher is ahead of `community`. Who was
        erased by then is out of it: what stood between them and others may have gone with them. Nothing is
        read where the matcher stands just where `community` does, and what stood there is `known`.
        """
        with self._lock:
            self._reach(community)
            if known is not None and self._stands_at(community):
                return question(self._matcher, known, self._followed)
            found = read()
            with self._database.read() as connection:
                seen = self._community.change_number
                departed = profiles.departed_since(connection, self._number, seen)
            self._drop(departed)
            is_ahead = departed or not self._stands_at(community)
            return question(self._matcher, found, None if is_ahead else self._followed)

    def _stands_at(self, community: Community) -> bool:
        return self._community.change_number == self._followed.reached == community.change_number

    def tidy(self) -> str | None:
        """Forget who was erased, and all that they alone held; return the community's id if anybody was.

        A large index that has to be made anew, for that or because much has changed, is made beside this one,
        and then takes its place: nobody waits for it.
        """
        with self._lock:
            seen = self._community
            if seen.change_number < 0:
                return None
            with self._database.read() as connection:
                newest = communities.find_by_number(connection, self._number)
                departed = profiles.departed_since(connection, self._number, seen.change_number)
            if newest is None:
                self.is_deleted = True
                self._forget_saved()
                return seen.id
            if departed:
                self._catch_up(newest)
            forgetting, large = self._holds_departed, self._is_large()
            if not large:
                self._settle()
        if large and (forgetting or self._has_drifted()):
            self._renew(newest)
        return seen.id if forgetting else None

    def _renew(self, newest: Community) -> None:
        fresh = LoadedCommunity(self._database, self._number, self._saved)
        fresh._catch_up(newest)
        if fresh._holds_departed or fresh._has_drifted():
            fresh._settle()
        with self._lock:
            self._matcher, self._numbers, self._community = fresh._matcher, fresh._numbers, fresh._community
            self._settled, self._holds_departed = fresh._settled, False
            self._followed.keep(self._matcher)

    def _settle(self) -> None:
        """Drop who was erased for good, and save what is large."""
        if not (self._holds_departed or self._is_large()):
            return
        self._matcher.compact()
        self._followed.keep(self._matcher)
        self._holds_departed = False
        self._settled = self._standing()
        if self._saved is not None and self._is_large():
            self._save(self._saved)
        else:
            self._forget_saved()

    def _is_large(self) -> bool:
        return self._saved is not None and len(self._numbers) >= FEWEST_SAVED

    def _standing(self) -> tuple[int, str]:
        return self._matcher.index_.rows, self._community.model

    def _has_drifted(self) -> bool:
        """Tell whether much has changed since the index was saved or taken."""
        (rows, model), (before, old) = self._standing(), self._settled
        return model != old or rows - before > max(FEWEST_SAVED, len(self) // 8)

    def _forget_saved(self) -> None:
        if self._saved is not None:
            self._saved.forget(self._number)

    def _reach(self, community: Community) -> None:
        if community.change_number != self._community.change_number:
            self._catch_up(community)

    def _catch_up(self, community: Community) -> None:
        seen = self._community
        with self._database.read() as connection:
            if community.change_number < seen.change_number:
                if not self._is_restored(connection):
                    return
                seen = self._nothing_seen()
            kept = None
            if number_of(community.model) > number_of(seen.model) or seen.change_number < 0:
                kept = load_or_repair(self._database, connection, self._number, community.model)
            if seen.change_number < 0:
                kept = kept or KeptModel()
                seen = self._begin(connection, community, kept)
                kept = None if seen.model == community.model else kept
                if seen is community:
                    return
            changed = profiles.changed_since(connection, self._number, seen.change_number)
            departed = profiles.departed_since(connection, self._number, seen.change_number)
        self._apply(changed, departed)
        self._followed.follow(seen.change_number, community.change_number, changed)
        if kept is not None or _options(community) != _options(seen):
            fitted = self._fitted(kept) or {"model": self._matcher.model_}
            self._matcher.use(**fitted, **_options(community))
        self._community = community

    def _begin(self, connection: Connection, community: Community, kept: KeptModel) -> Community:
        """Take the saved index, or else load everybody; return the community as it was then."""
        self._numbers = Numbers()
        self._matcher = new_matcher(community).fit((), model=kept.model)
        found = self._saved and self._saved.load(community, kept.model)
        if found and _is_sound(connection, found):
            self._matcher, self._numbers = found.matcher, Numbers(found.numbers, found.codes)
            self._settled = (self._matcher.index_.rows, found.seen.model)
            self._followed.begin(found.seen.change_number)
            return found.seen
        newest = community.change_number
        for members in profiles.everybody(connection, self._number):
            self._matcher.update(*(member.public() for member in members))
            self._numbers.note(members)
            newest = max([newest, *(member.changed for member in members)])
        self._followed.begin(newest)
        self._matcher.use(**self._fitted(kept))
        self._community = community
        self._settle()
        return community

    def _save(self, saved: SavedIndexes) -> None:
        """Save a compacted index."""
        with self._database.read() as connection:
            latest = profiles.changed_last(connection, self._number, WITNESSES)
        witnesses = [Witness(*one) for one in latest if one[1] <= self._community.change_number]
        saved.save(self._community, self._matcher, *self._numbers.arrays(), witnesses)
        # What the processes share is mapped here too, in the place of memory of our own: if it was saved,
        # and nobody has put another one in its place meanwhile.
        found, ours = saved.load(self._community, self._matcher.model_), self._community
        if found and (found.seen.change_number, found.seen.model) == (ours.change_number, ours.model):
            self._matcher, self._numbers = found.matcher, Numbers(found.numbers, found.codes)

    def _fitted(self, kept: KeptModel | None) -> dict[str, Any]:
        if kept is None:
            return {}
        # Kept by number: whoever was erased and came back under the same id has no price.
        return {"model": kept.model, "prices": self._numbers.priced(kept.prices)}

    def _nothing_seen(self) -> Community:
        return Community(self._number, "", "", change_number=-1)

    def _is_restored(self, connection: Connection) -> bool:
        # Numbers only grow, so a thread that read before another one finds us ahead of it. Only under an
        # older copy of the database are we ahead of the newest number, too; then nothing we know holds.
        newest = communities.find_change_number(connection, self._number)
        return newest < self._community.change_number

    def _apply(self, changed: list[Member], departed: list[int]) -> None:
        # Departures first: an id may have been erased and posted again since.
        self._drop(departed)
        self._matcher.update(*(member.public() for member in changed))
        self._numbers.note(changed)

    def _drop(self, departed: list[int]) -> None:
        for number in departed:
            code = self._numbers.forget(number)
            if code is not None:
                self._matcher.remove_code(code)
                self._holds_departed = True


class LoadedCommunities:
    """The communities that this process has in memory, the least lately used dropped first."""

    def __init__(self, database: Database, saved: SavedIndexes | None = None) -> None:
        self._database = database
        self._saved = saved
        self._lock = Lock()
        self._loaded: OrderedDict[int, LoadedCommunity] = OrderedDict()

    def use(self, community: Community, question: Callable[["Matcher"], T]) -> T:
        """Put a question to a community's matcher, loaded and up to date."""
        answer = self._load(community.number).use(community, question)
        self._make_room()
        return answer

    def use_with(
        self,
        community: Community,
        read: Callable[[], S],
        question: Callable[["Matcher", S, Followed | None], T],
        known: S | None = None,
    ) -> T:
        """Put a question about what `read` returns; nobody is in the matcher who was erased before that.

        `known` is what it would have returned when `community` was read, if that can be told.
        """
        answer = self._load(community.number).use_with(community, read, question, known)
        self._make_room()
        return answer

    def tidy(self) -> list[str]:
        """Forget who was erased; return the ids of the communities whose answers have to be forgotten too.

        While sweeps are still to come this is done again: terms are remembered here without any community in
        memory, and an answer that was under way may have been put away since.
        """
        with self._lock:
            loaded = list(self._loaded.items())
        found = set[str]()
        for number, one in loaded:
            if community_id := one.tidy():
                found.add(community_id)
            if one.is_deleted:
                with self._lock:
                    self._loaded.pop(number, None)
        if self._saved is not None:
            self._tidy_saved(self._saved, {number for number, _ in loaded})
        found |= tombstones.communities_sweeping(self._database)
        if found:
            from matching import forget

            forget()
            profiles.forget_reach()
        return sorted(found)

    def _tidy_saved(self, saved: SavedIndexes, loaded: Collection[int]) -> None:
        """Remove what holds somebody who was erased, of communities that this process does not look after."""
        saved.forget_left()
        for number, change in saved.all():
            if number not in loaded:
                with self._database.read() as connection:
                    gone = communities.find_by_number(connection, number) is None
                    if gone or profiles.departed_since(connection, number, change):
                        saved.forget(number)

    def _load(self, number: int) -> LoadedCommunity:
        with self._lock:
            if number not in self._loaded:
                self._loaded[number] = LoadedCommunity(self._database, number, self._saved)
            self._loaded.move_to_end(number)
            return self._loaded[number]

    def _make_room(self) -> None:
        with self._lock:
            while len(self._loaded) > 1 and sum(map(len, self._loaded.values())) > MOST_MEMBERS_LOADED:
                self._loaded.popitem(last=False)


def _is_sound(connection: Connection, found: Saved) -> bool:
    """Tell whether the database is the one that was saved from, and not restored to before that."""
    now = profiles.changes_of(connection, [one.number for one in found.witnesses])
    return sound(found.witnesses, now, found.seen.change_number)


def new_matcher(community: Community) -> "Matcher":
    """Return an empty matcher with the community's options."""
    # Imported here: scikit-learn takes a second or more, which only a first miss has to wait for.
    from matching import Matcher

    return Matcher(**_options(community))


def _options(community: Community) -> dict[str, Any]:
    return {"facet_weights": community.facet_weights, "separate_by": community.separate_by}
