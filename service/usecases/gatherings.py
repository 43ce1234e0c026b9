"""When and where some members can meet, and what there is to say: in come their public profiles."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from matching import Profile
from service.records import DAY_MS, Access
from service.records_meetups import VenueRecord
from service.storage import profiles
from service.storage.loaded import LoadedCommunities
from service.storage.session import Session
from service.usecases.venues import as_venue

if TYPE_CHECKING:
    from matching import Introduction, Matcher

# In which those who meet of their own accord look for a time.
DAYS_AHEAD = 14
# Nobody is asked to be somewhere at once.
NOTICE_MS = DAY_MS // 2
Span = tuple[int, int]


def start_of(day: str) -> int:
    """Return when a day begins in UTC, in milliseconds since 1970."""
    then = date.fromisoformat(day)
    return int(datetime(then.year, then.month, then.day, tzinfo=UTC).timestamp()) * 1000


def day_of(milliseconds: int) -> date:
    """Return the day in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date()


@dataclass(frozen=True, slots=True)
class TimeAndPlace:
    """When some can meet, and where as it is shown; no place where they meet online."""

    at: Span
    place: Mapping[str, Any] | None


def find_time_and_place(
    members: Sequence[Profile],
    between: Span,
    busy: Sequence[Span],
    *,
    venues: Sequence[VenueRecord] = (),
    seed: int = 0,
) -> TimeAndPlace | None:
    """Return the time that suits all best while none is busy, and the fairest place; None where none does."""
    if between[0] >= between[1]:
        return None
    # Imported here: numpy takes its time, which only a first one has to wait for.
    from matching.gathering import gather

    on, last = day_of(between[0]), day_of(between[1] - 1)
    # Days are whole there: what lies around the time asked for is taken.
    around = ((start_of(on.isoformat()), between[0]), (between[1], start_of(last.isoformat()) + DAY_MS))
    taken = [(_moment(start), _moment(end)) for start, end in (*busy, *around) if start < end]
    near = [as_venue(venue) for venue in venues]
    found = gather(members, near, on, (last - on).days + 1, busy=taken, seed=seed)
    if found is None:
        return None
    at = (_milliseconds(found.start), _milliseconds(found.end))
    if found.venue is not None:
        venue = next(one for one in venues if one.id == found.venue.id)
        return TimeAndPlace(at, _place(venue.id, venue.name, venue.lat, venue.lon, None))
    area = found.area
    place = None if area is None else _place(None, None, area.lat, area.lon, area.accuracy_km)
    return TimeAndPlace(at, place)


def _place(
    venue: str | None, name: str | None, lat: float, lon: float, accuracy_km: float | None
) -> dict[str, Any]:
    location = {"lat": lat, "lon": lon, "accuracy_km": accuracy_km}
    return {"venue": venue, "name": name, "location": location}


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


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
