"""What the layers hand to each other: frozen dataclasses, with no HTTP and no SQL in them.

A `ProfileRecord` is what a platform stated of a member; a `Member` is that as it is kept, with its stamps;
`public()` is the one projection of it that anything about other members is computed from.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar

from matching import FACETS, Place, Profile, Slot
from service.errors import NotFound

MOST_ERRORS = 1000
SCOPES = ("read", "write", "admin")
Outcome = Literal["created", "updated", "unchanged"]
Figures = Mapping[str, float | int | str | bool | None]
R = TypeVar("R")
DAY_MS = 24 * 3600 * 1000
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class ProfileRecord:
    """One member as the platform states them; None where it leaves the default to us."""

    id: str
    name: str
    interests: tuple[str, ...] = ()
    activities: tuple[str, ...] = ()
    goals: tuple[str, ...] = ()
    place: Place | None = None
    radius_km: float | None = None
    modes: tuple[str, ...] | None = None
    timezone: str | None = None
    availability: tuple[Slot, ...] = ()
    languages: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    seeks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    capacity: int = 3
    joins_rounds: bool = False
    status: str = "active"
    paused_until: int | None = None


@dataclass(frozen=True, slots=True)
class Stay:
    """Where a member is seen, and the move that waits for its day to be over.

    `place` is what others see; `last_place` the last one they saw, also after it was removed; times are
    milliseconds since 1970 in database time.
    """

    place: Place | None = None
    last_place: Place | None = None
    moved_at: int | None = None
    waiting_place: Place | None = None
    moves_at: int | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A profile as it is kept. `record.place` is the place that others see.

    `code` is the keyed hash of the id, `introductions` counts those that are open.
    """

    record: ProfileRecord
    radius_km: float
    stay: Stay
    number: int = 0
    own: str = ""
    pairs: str = ""
    changed: int = 0
    code: str = ""
    introductions: int = 0
    created_at: int = 0

    @property
    def due_at(self) -> int | None:
        """When the next thing ends by time: the pause, or the wait of a move."""
        times = [at for at in (self.record.paused_until, self.stay.moves_at) if at is not None]
        return min(times, default=None)

    @property
    def etag(self) -> str:
        """A hash of what its own GET shows; neither times nor random stamps weigh in it.

        Two positions in one cell must give the same bytes, so it is made of the content alone.
        """
        waiting = self.stay.waiting_place
        modes = tuple(sorted(self.public().effective_modes))
        shown = replace(self.record, radius_km=self.radius_km, modes=modes)
        return content_hash([as_document(shown), waiting.cell if waiting else None])

    def public(self) -> Profile:
        """Return what the matcher may know of this member."""
        record = self.record
        return Profile(
            id=record.id,
            name=record.name,
            interests=record.interests,
            activities=record.activities,
            goals=record.goals,
            place=record.place,
            radius_km=self.radius_km,
            modes=None if record.modes is None else frozenset(record.modes),
            timezone=record.timezone,
            availability=record.availability,
            languages=record.languages,
            attributes=record.attributes,
            seeks=record.seeks,
            suggestible=record.status == "active" and record.capacity > 0,
            paused=record.status == "paused",
            full=self.introductions >= record.capacity,
        )


@dataclass(frozen=True, slots=True)
class Community:
    """One tenant and its settings; `number` is ours, `id` what the outside knows.

    `feedback` counts what people told of each other since the model was fitted, `learnt_feedback` what it was
    fitted to; `introduced` the introductions that were ever opened, `replied` those that got an answer.
    """

    number: int
    id: str
    name: str
    radius_km: float = 25.0
    group_size: int = 2
    cooldown_days: int = 90
    facet_weights: Mapping[str, float] | None = None
    support_text: str | None = None
    acquaintances: bool = True
    admin_attributes: tuple[str, ...] = ()
    separate_by: tuple[str, ...] = ()
    secret: str = field(default="", repr=False)
    settings_stamp: str = ""
    change_number: int = 0
    members: int = 0
    model: str = ""
    model_members: int = 0
    feedback: int = 0
    learnt_feedback: int = 0
    introduced: int = 0
    replied: int = 0

    def code_of(self, profile_id: str) -> str:
        """Return what stands for an id where the id itself must not: a keyed hash, 32 hex digits."""
        return hmac.new(bytes.fromhex(self.secret), profile_id.encode(), hashlib.sha256).hexdigest()[:32]

    def parts(self, one: ProfileRecord, other: ProfileRecord) -> bool:
        """Tell whether two may not meet: they differ in what the community separates by."""
        return any(one.attributes.get(name) != other.attributes.get(name) for name in self.separate_by)


@dataclass(frozen=True, slots=True)
class Side:
    """What one of a pair did about the other. Times are milliseconds since 1970 in database time.

    `unblocked` holds the times of the latest unblockings; `stranger` is this side's own id, kept only where
    nobody was a member under it; `outcome` is this side's last word after a meetup of the two.
    """

    response: str | None = None
    answered_at: int | None = None
    blocked_at: int | None = None
    unblocked: tuple[int, ...] = ()
    stranger: str | None = None
    outcome: Literal["again", "met", "unsafe", "no_show"] | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """All that stands between two people, as one of them sees it; codes stand for their ids.

    `since` is when they connected; None where they are not connected. `apart_until` is when the cool-down
    after a round that brought them together ends.
    """

    me: str
    peer: str
    mine: Side = Side()
    theirs: Side = Side()
    since: int | None = None
    last_met: int | None = None
    times_met: int = 0
    apart_until: int | None = None

    def turned(self) -> "Pair":
        """Return the pair as the other one sees it."""
        return replace(self, me=self.peer, peer=self.me, mine=self.theirs, theirs=self.mine)


@dataclass(frozen=True, slots=True)
class Report:
    """What a member reported of another. The ids are None for who isn't a member (any more)."""

    id: str
    profile: str | None
    peer: str | None
    peer_code: str
    reason: str
    detail: str | None
    state: str
    created_at: int


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is listed: never with its secret."""

    id: str
    name: str
    scopes: tuple[str, ...]
    created_at: int


@dataclass(frozen=True, slots=True)
class Asked:
    """The member in a request's path: id and stamps, and how to get at the rest.

    `tiles` is the newest stamp among the tiles in reach; `has_pairs` tells whether anything stands between
    this member and another.
    """

    id: str
    own: str
    pairs: str
    tiles: str
    has_pairs: bool
    member: Callable[[], Member]


@dataclass(frozen=True, slots=True)
class Access:
    """Who asks, and what one statement found: the key, its community, the profile in the path, the stamps."""

    key: ApiKey
    community: Community
    now: int
    found: Asked | None = None

    def standing(self) -> Asked:
        """Return how the member in the path stands, or raise `NotFound`."""
        if self.found is None:
            raise NotFound("There is no such profile.")
        return self.found

    def asked(self) -> Member:
        """Return the member in the path, or raise `NotFound`."""
        return self.standing().member()

    def allows(self, scope: str) -> bool:
        """Tell whether the key's highest scope includes this one."""
        return max(map(SCOPES.index, self.key.scopes)) >= SCOPES.index(scope)


@dataclass(frozen=True, slots=True)
class Stats:
    """How a community's members fared under its model: shares from 0 to 1, over everyone's first ten."""

    members: int
    with_suggestion: float
    connected: float
    never_suggested: float
    exposure_gini: float
    reply_rate: float
    meetups_held: int
    as_of: int


@dataclass(frozen=True, slots=True)
class Fit:
    """What the latest refit measured.

    `fitted_at` is None where the members were counted, but nothing was fitted yet. `learnt` are the figures
    of the model in use, None where nothing was learnt yet; `refused` those of the newest one if it did worse.
    `change` is the change number of the refit.
    """

    fitted_at: int | None
    stats: Stats
    learnt: Figures | None = None
    refused: Figures | None = None
    change: int = 0


@dataclass(frozen=True, slots=True)
class ConnectionRecord:
    """Two who know each other already, as the platform tells it; None for what it doesn't say."""

    a: str
    b: str
    since: int | None = None
    last_met: int | None = None


@dataclass(frozen=True, slots=True)
class ImportLine(Generic[R]):
    """One line of an import, numbered from 1: a record, or what is wrong with it."""

    number: int
    record: R | None = None
    id: str | None = None
    errors: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(slots=True)
class ImportReport:
    """What an import did; holds the first errors, counts all."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    errors: list[ImportLine[Any]] = field(default_factory=list)

    def add(self, result: Outcome | ImportLine[Any]) -> None:
        """Count what became of a line; one that failed is kept if there is room."""
        if not isinstance(result, ImportLine):
            setattr(self, result, getattr(self, result) + 1)
            return
        self.failed += 1
        if len(self.errors) < MOST_ERRORS:
            self.errors.append(result)


def content_hash(content: Any) -> str:
    """Return 32 hex digits that are equal just where the JSON content is."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def as_document(record: ProfileRecord) -> dict[str, Any]:
    """Return the JSON form in which a record is kept: what was stated, defaults left out."""
    document: dict[str, Any] = {"id": record.id, "name": record.name}
    for name in (*FACETS, "languages", "modes"):
        if value := getattr(record, name):
            document[name] = list(value)
    if record.place:
        document["cell"] = record.place.cell
    if record.availability:
        document["availability"] = [[slot.day, slot.start, slot.end] for slot in record.availability]
    if record.seeks:
        document["seeks"] = {name: list(values) for name, values in record.seeks.items()}
    for name, default in _PLAIN.items():
        value = getattr(record, name)
        if value != default:
            document[name] = dict(value) if isinstance(value, Mapping) else value
    return document


def from_document(document: Mapping[str, Any]) -> ProfileRecord:
    """Return the record that `as_document` put into this form."""
    stated = {name: document[name] for name in ("id", "name", *_PLAIN) if name in document}
    lists: dict[str, Any] = {
        name: tuple(document[name]) for name in (*FACETS, "languages", "modes") if name in document
    }
    return ProfileRecord(
        place=Place.of(document["cell"]) if "cell" in document else None,
        availability=tuple(Slot(*slot) for slot in document.get("availability", ())),
        seeks={name: tuple(values) for name, values in document.get("seeks", {}).items()},
        **stated,
        **lists,
    )


_PLAIN: dict[str, Any] = {
    "radius_km": None,
    "timezone": None,
    "attributes": {},
    "capacity": 3,
    "joins_rounds": False,
    "status": "active",
    "paused_until": None,
}
