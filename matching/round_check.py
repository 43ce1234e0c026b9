"""Judge a round: in come groups, profiles and rules, out comes every rule that is broken, in words.

Plain Python that shares no code with the planning: what it finds, planning got wrong.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import combinations
from zoneinfo import ZoneInfo

from .profile import Profile, Slot
from .round import Group, RoundRules

_EARTH_KM = 6371.0088
_SLACK_KM = 1e-6  # what two ways to compute one distance may differ by
_QUARTERS = 96  # a day
_HOUR = 4  # quarters


def check_round(
    groups: Iterable[Group],
    profiles: Iterable[Profile],
    rules: RoundRules,
    on: date,
    *,
    days: int = 14,
    separate_by: Sequence[str] = (),
    participants: Collection[str] | None = None,
) -> list[str]:
    """Return what is wrong with a round, a sentence each; nothing if it keeps every rule.

    Parameters
    ----------
    groups : iterable of Group
    profiles : iterable of Profile
        At least those of all members of groups.
    rules : RoundRules
    on : date
    days : int
    separate_by : sequence of str
    participants : collection of str, optional
        Who takes part: with it, nobody else may be in a group, and no two who may meet may be left out.
    """
    judge = _Judge({profile.id: profile for profile in profiles}, rules, on, days, tuple(separate_by))
    made = list(groups)
    seats = Counter(member for group in made for member in group.members)
    found = [f"{member} is in {count} groups" for member, count in seats.items() if count > 1]
    found += [problem for group in made for problem in judge.problems(group)]
    found += judge.pins_broken(made)
    if participants is not None:
        found += [f"{member} does not take part" for member in seats if member not in participants]
        found += judge.pairs_missed(sorted(set(participants) - seats.keys()))
    return found


@dataclass(frozen=True, slots=True)
class _Judge:
    """Hold what groups are judged by."""

    profiles: Mapping[str, Profile]
    rules: RoundRules
    on: date
    days: int
    separate_by: tuple[str, ...]

    def problems(self, group: Group) -> Iterator[str]:
        """Yield what is wrong within one group."""
        unknown = [member for member in group.members if member not in self.profiles]
        if unknown:
            yield f"{', '.join(unknown)} have no profile"
            return
        if list(group.members) != sorted(group.members):
            yield f"{_named(group)} are not sorted"
        yield from self._size_problems(group)
        for a, b in combinations(group.members, 2):
            reasons = self.reasons(self.profiles[a], self.profiles[b])
            if reasons:
                yield f"{a} and {b} can't meet: {', '.join(reasons)}"
        if not _common_hour([self.profiles[member] for member in group.members], self.on, self.days):
            yield f"{_named(group)} share no hour"
        met = any(frozenset(pair) in self.rules.recent for pair in combinations(group.members, 2))
        if met != ("repeat" in group.relaxed):
            yield f"{_named(group)} {'met' if met else 'did not meet'} lately, relaxed says {group.relaxed}"

    def _size_problems(self, group: Group) -> Iterator[str]:
        size, wanted = len(group.members), self.rules.group_size
        if not 2 <= size <= wanted + 1:
            yield f"{_named(group)} are {size}, expected 2 to {wanted + 1}"
        if (size < wanted - 1) != ("size" in group.relaxed):
            yield f"{_named(group)} are {size} where {wanted} were asked for, relaxed says {group.relaxed}"

    def pins_broken(self, groups: Sequence[Group]) -> list[str]:
        """Return which sets that must be together are not."""
        return [
            f"{', '.join(sorted(pin))} are not together"
            for pin in self.rules.together
            if len(pin) > 1 and not any(pin <= set(group.members) for group in groups)
        ]

    def pairs_missed(self, left_out: Sequence[str]) -> list[str]:
        """Return which two are left out although they may meet."""
        known = [self.profiles[one] for one in left_out if one in self.profiles]
        return [
            f"{a.id} and {b.id} are left out and may meet"
            for a, b in combinations(known, 2)
            if not self.reasons(a, b) and _common_hour([a, b], self.on, self.days)
        ]

    def reasons(self, a: Profile, b: Profile) -> list[str]:
        """Name the hard rules that keep two apart, but for their times."""
        apart = any(a.id in one and b.id in one for one in self.rules.apart)
        kept = {
            "paused": a.paused or b.paused,
            "never": frozenset((a.id, b.id)) in self.rules.never,
            "apart": apart,
            "separated": any(a.attributes.get(n) != b.attributes.get(n) for n in self.separate_by),
            "out of reach": not (_near(a, b) or (_has(a, "online") and _has(b, "online"))),
            "no common language": not _speak(a, b),
            "not sought": not (_content(a, b) and _content(b, a)),
        }
        return [name for name, broken in kept.items() if broken]


def _named(group: Group) -> str:
    return ", ".join(group.members)


def _has(profile: Profile, mode: str) -> bool:
    if profile.modes is None:
        return mode == ("online" if profile.place is None else "in_person")
    return mode in profile.modes


def _near(a: Profile, b: Profile) -> bool:
    if a.place is None or b.place is None or not (_has(a, "in_person") and _has(b, "in_person")):
        return False
    lat_a, lat_b = math.radians(a.place.lat), math.radians(b.place.lat)
    across = math.sin(math.radians(b.place.lon - a.place.lon) / 2) ** 2
    square = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * across
    km = 2 * _EARTH_KM * math.asin(math.sqrt(min(square, 1.0)))
    return km <= min(a.radius_km, b.radius_km) + _SLACK_KM


def _speak(a: Profile, b: Profile) -> bool:
    mine, theirs = ({tag.split("-")[0].casefold() for tag in one.languages} for one in (a, b))
    return not mine or not theirs or bool(mine & theirs)


def _content(a: Profile, b: Profile) -> bool:
    return all(b.attributes.get(name) in accepted for name, accepted in a.seeks.items())


def _common_hour(members: Sequence[Profile], on: date, days: int) -> bool:
    """Tell whether all are free for an hour on end, at one time of the window."""
    stated = [member for member in members if member.availability]
    if not stated:
        return days > 0
    run = 0
    for free in zip(
        *(_free(one.timezone or "UTC", one.availability, on, days) for one in stated), strict=True
    ):
        run = run + 1 if all(free) else 0
        if run >= _HOUR:
            return True
    return False


@lru_cache(maxsize=4096)
def _free(zone: str, slots: tuple[Slot, ...], on: date, days: int) -> tuple[bool, ...]:
    """Tell for each quarter hour of the window whether somebody is free."""
    return tuple(
        any(slot.day == day and slot.start <= minute < slot.end for slot in slots)
        for day, minute in _local_times(zone, on, days)
    )


@lru_cache(maxsize=256)
def _local_times(zone: str, on: date, days: int) -> tuple[tuple[int, int], ...]:
    start, clock = datetime(on.year, on.month, on.day, tzinfo=UTC), ZoneInfo(zone)
    times = (start + timedelta(minutes=15 * at) for at in range(days * _QUARTERS))
    local = (time.astimezone(clock) for time in times)
    return tuple((time.weekday(), time.hour * 60 + time.minute) for time in local)
