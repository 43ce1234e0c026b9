"""Suggestions: whom a member could meet, best first, out of the cache where it holds the answer.

What is kept carries the stamps of everything that the answer depends on and is found under these alone, so
never when it is stale; see docs/adr/0002-change-numbers.md.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from service.records import Access, Community, Member, Pair
from service.storage.cache import Cache, CacheKey
from service.storage.flight import SingleFlight
from service.storage.followed import Followed
from service.storage.loaded import LoadedCommunities
from service.storage.session import Session
from service.usecases import pairs
from service.usecases.fronts import KeptFront, front_for

if TYPE_CHECKING:
    from matching import Answer, Front, Matcher

FORMAT = "6"
_Others = tuple[Sequence[tuple[str | None, Pair]], Mapping[str, int]]
NOBODY: _Others = ((), {})


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one member's suggestions; None leaves it to the profile."""

    limit: int = 10
    radius_km: float | None = None
    mode: str | None = None
    facet: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """An answer's finished bytes, where they came from, and whom it took to look at for them."""

    cache: Literal["hit", "miss", "off"]
    body: bytes
    how: Literal["hit", "front", "scan"]


class Suggester:
    """Answers questions, each once per process at a time."""

    def __init__(self, cache: Cache, loaded: LoadedCommunities) -> None:
        self._cache = cache
        self._loaded = loaded
        self._flight: SingleFlight[Found] = SingleFlight()

    def suggest(
        self,
        session: Session,
        access: Access,
        question: Question,
        render: Callable[["Answer", Collection[str]], bytes],
    ) -> Found:
        """Return the member's suggestions as `render` writes them, or raise `NotFound`.

        `render` is given the answer and the ids of those who have accepted the member.
        """
        key, front_key = _keys(access, question)
        kept, kept_front = self._cache.look_up([key, front_key])
        if kept.status == "hit" and kept.body is not None:
            return Found("hit", kept.body, "hit")

        def compute() -> Found:
            front = KeptFront.decode(kept_front.body) if kept_front.body else None
            answer, invited_by = self._ask(session, access, question, front, keep=kept.status == "miss")
            body = render(answer, invited_by)
            entries = {key: body}
            if answer.front is not None:
                entries[front_key] = KeptFront.of(answer.front, access).encode()
            stored = kept.status == "miss" and self._cache.keep(entries)
            return Found("miss" if stored else "off", body, "scan" if answer.scanned else "front")

        return self._flight.run(key, compute)

    def _ask(
        self, session: Session, access: Access, question: Question, kept: KeptFront | None, *, keep: bool
    ) -> tuple["Answer", Collection[str]]:
        member = access.asked()

        def put(
            matcher: "Matcher", found: _Others, followed: Followed | None
        ) -> tuple["Answer", Collection[str]]:
            front = front_for(access, kept, followed) if keep else None
            return ask(matcher, *found, access.now, member, question, front)

        return self._loaded.use_with(
            access.community,
            lambda: _read_others(session, access.community, member),
            put,
            None if access.standing().has_pairs else NOBODY,
        )


def _read_others(session: Session, community: Community, member: Member) -> _Others:
    """Read a member's pairs, and with whom they have acquaintances in common; without any, that is nobody."""
    found = session.pairs_of(member.code)
    connected = any(pairs.is_connected(pair) for _, pair in found)
    return found, session.acquaintances_of(community, member) if connected else {}


def ask(
    matcher: "Matcher",
    found: Iterable[tuple[str | None, Pair]],
    acquainted: Mapping[str, int],
    now: int,
    member: Member,
    question: Question,
    front: "Front | None" = None,
) -> tuple["Answer", Collection[str]]:
    """Put a member's question to the matcher; return the answer, and the ids of who has accepted them.

    `found` are the member's pairs, `acquainted` their acquaintances in common with others.
    """
    # Read once the matcher had caught up, and who was erased since is out of it: nobody is in it whom these
    # pairs don't know yet, or know no more.
    known = [(peer, pair) for peer, pair in found if peer is not None]
    invited_by = {peer for peer, pair in known if pairs.invites_me(pair)}
    answer = matcher.suggest(
        member.public(),
        question.limit,
        on=datetime.fromtimestamp(now / 1000, UTC).date(),
        radius_km=question.radius_km,
        mode=question.mode,
        facet=question.facet,
        exclude={peer for peer, pair in known if pairs.hides(pair)},
        invited_by=invited_by,
        acquainted=acquainted,
        front=front,
    )
    return answer, invited_by


def _keys(access: Access, question: Question) -> tuple[CacheKey, CacheKey]:
    """Return the keys of an answer and of its front, which what others are seen as doesn't move.

    A question has one place for each, which its next answer takes: the one before can't be found any more.
    """
    community, standing = access.community, access.standing()
    asked = (FORMAT, f"{question.limit} {question.radius_km} {question.mode} {question.facet}")
    day = datetime.fromtimestamp(access.now / 1000, UTC).date().isoformat()
    version = f"{community.settings_stamp} {community.model} {standing.own} {standing.pairs} {day}"
    answer = CacheKey(community.id, standing.id, asked, version=f"{version} {standing.tiles}")
    return answer, CacheKey(community.id, standing.id, asked, "front", version)
