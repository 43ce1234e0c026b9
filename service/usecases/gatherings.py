"""When and where some members can meet, and what there is to say: in come their public profiles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from matching import Profile
from service.records import Access
from service.storage import profiles
from service.storage.loaded import LoadedCommunities
from service.storage.session import Session

if TYPE_CHECKING:
    from matching import Introduction, Matcher

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
# In which those who meet of their own accord look for a time.
DAYS_AHEAD = 14
Span = tuple[int, int]


def start_of(day: str) -> int:
    """Return when a day begins in UTC, in milliseconds since 1970."""
    then = date.fromisoformat(day)
    return int(datetime(then.year, then.month, then.day, tzinfo=UTC).timestamp()) * 1000


def day_of(milliseconds: int) -> date:
    """Return the day in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date()


def find_time(members: Sequence[Profile], between: Span, busy: Sequence[Span]) -> Span | None:
    """Return an hour in which all are free and none is busy, the first there is; None for none."""
    # Imported here: numpy takes its time, which only a first one has to wait for.
    import numpy as np

    from matching.meeting import any_opening, availability_of, openings

    week = day_of(between[0])
    while start_of(week.isoformat()) < between[1]:
        words = openings([availability_of(member) for member in members], week)
        common = np.bitwise_and.reduce(words, axis=1).reshape(-1, 1)
        if any_opening(common)[0]:
            bits = np.unpackbits(common.view(np.uint8), bitorder="little")
            for quarter in np.flatnonzero(bits).tolist():
                begins = start_of(week.isoformat()) + quarter * HOUR_MS // 4
                if _is_free((begins, begins + HOUR_MS), between, busy):
                    return begins, begins + HOUR_MS
        week += timedelta(days=7)
    return None


def _is_free(hour: Span, between: Span, busy: Sequence[Span]) -> bool:
    within = between[0] <= hour[0] and hour[1] <= between[1]
    return within and all(hour[1] <= begins or ends <= hour[0] for begins, ends in busy)


def find_place(members: Sequence[Profile], at: Span | None) -> Mapping[str, Any] | None:
    """Return where all can go to, as it is shown; None where they meet online."""
    return None


def zone_of(members: Sequence[Profile]) -> str:
    """Return the time zone that most of them live in, UTC where none says."""
    zones = [member.timezone for member in members if member.timezone]
    return max(sorted(set(zones)), key=zones.count, default="UTC")


@dataclass(frozen=True, slots=True)
class Told:
    """What there is to say of a group: where most of it lives, why they meet, how to begin."""

    timezone: str = "UTC"
    reasons: tuple[str, ...] = ()
    openers: tuple[str, ...] = ()


def describe(
    loaded: LoadedCommunities, session: Session, access: Access, groups: Sequence[Sequence[str]]
) -> list[Told]:
    """Return what there is to say of each of some groups, named by their members' ids."""
    ids = sorted({name for group in groups for name in group})
    found = session.read(lambda connection, here: profiles.find_members(connection, here, ids))
    known = {name: member.public() for name, member in found.items()}
    gathered = [[known[name] for name in group if name in known] for group in groups]
    if not any(gathered):
        return [Told()] * len(gathered)
    on = day_of(access.now)
    return loaded.use(access.community, lambda matcher: [_tell(matcher, group, on) for group in gathered])


def _tell(matcher: "Matcher", members: Sequence[Profile], on: date) -> Told:
    zone = zone_of(members)
    if not members:
        return Told(zone)
    first, *others = members
    told = list(matcher.introduce(first, {other.id: None for other in others}, on=on).values())
    if len(told) < 2:
        return Told(zone, *([told[0].reasons, told[0].openers] if told else []))
    # Of more than two, only what holds for all is said.
    shared = [term for terms in told[0].shared.values() for term in terms]
    common = [term for term in shared if all(_has(one, term) for one in told)]
    reasons = [reason for reason in told[0].reasons if all(reason in one.reasons for one in told)]
    openers = [opener for opener in told[0].openers if any(term in opener for term in common)]
    return Told(zone, tuple(map(_of_all, reasons)), tuple(openers))


def _has(introduction: "Introduction", term: str) -> bool:
    return any(term in terms for terms in introduction.shared.values())


def _of_all(reason: str) -> str:
    return reason.replace("You both", "You all").replace("are both", "are all")
