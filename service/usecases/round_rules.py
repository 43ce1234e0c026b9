"""Who may be brought together in a round, as `matching` and what stands between people have it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import combinations

from matching import Profile
from service.records import DAY_MS, Member
from service.records_meetups import Round
from service.storage import pairs as pair_rows
from service.storage import rounds
from service.storage.communities import Write
from service.usecases import pairs
from service.usecases.gatherings import NOTICE_MS, Span, start_of
from service.usecases.pairings import can_meet


def round_profile(member: Member) -> Profile:
    """Return what the matcher may know of a member in a round, where to be full is no obstacle."""
    away = member.record.status != "active"
    return replace(member.public(), suggestible=not away, full=False)


def days_of(planned: Round) -> tuple[date, int]:
    """Return the first day of a round, and how many it has."""
    first, last = date.fromisoformat(planned.starts_on), date.fromisoformat(planned.ends_on)
    return first, (last - first).days + 1


def time_of(planned: Round, now: int) -> Span:
    """Return when its meetups can be: in its days, and not at once."""
    return max(now + NOTICE_MS, start_of(planned.starts_on)), start_of(planned.ends_on) + DAY_MS


def cooled_since(planned: Round, now: int) -> int:
    """Return since when an earlier round's publication keeps apart whom it brought together."""
    return now - planned.cooldown_days * DAY_MS


def keeps_apart(write: Write, planned: Round, members: Sequence[Member]) -> bool:
    """Tell whether a hard rule keeps these out of one group: their acts, the cool-down, their profiles."""
    here = write.community.number
    twos = list(combinations(members, 2))
    found = pair_rows.find_pairs(write.connection, here, [(one.code, other.code) for one, other in twos])
    if any(pairs.forbids(pair) for pair in found):
        return True
    recent = {
        frozenset(two) for two in rounds.met_since(write.connection, here, cooled_since(planned, write.now))
    }
    if any(frozenset((one.number, other.number)) in recent for one, other in twos):
        return True
    first, days = days_of(planned)
    return not can_meet(write.community, [round_profile(member) for member in members], first, days)
