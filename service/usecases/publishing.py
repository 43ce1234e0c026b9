"""Publishing: a draft becomes meetups, in one transaction, once.

What has changed since it was planned is looked at again inside it: who is erased, away or wants no rounds any
more, who blocks or declines whom, whose profile has changed, who has another meetup at that time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from service.errors import Conflict
from service.records import DAY_MS, Member, Pair
from service.records_meetups import Attendee, Meetup, Round, Seat
from service.storage import meetups, profiles, rounds
from service.storage import pairs as pair_rows
from service.storage.communities import Write
from service.storage.events import emit
from service.storage.rounds import RoundGroup
from service.storage.session import Session
from service.storage.venues import all_venues
from service.usecases import pairs
from service.usecases.attendance import ERASED, FEWEST, tell
from service.usecases.gatherings import Span, TimeAndPlace, find_time_and_place
from service.usecases.pairings import can_meet
from service.usecases.round_rules import cooled_since, days_of, round_profile, time_of
from service.usecases.rounds import find_round, new_id

NO_PEER = "no_feasible_peer"
REPEAT = "repeat"  # what a draft that had no choice says of a group
Code = frozenset[str]


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft as it is when it is published: its groups with whoever is still there."""

    planned: Round
    groups: Sequence[tuple[RoundGroup, Sequence[Member]]]
    members: Sequence[Member]


def publish_round(session: Session, round_id: str) -> Round:
    """Publish a draft; later calls return the same. `Conflict` where it has to be planned anew first."""
    with session.write() as write:
        planned = find_round(write, round_id)
        if planned.state == "published":
            return planned
        if planned.state != "draft":
            raise Conflict(f"The round is {planned.state}.")
        draft = _read(write, planned)
        _check_cool_down(write, draft)
        going = _who_can(write, draft)
        made = _meet(write, planned, going)
        _part_again(write, planned, going)
        return _publish(write, draft, going, made)


def _read(write: Write, planned: Round) -> Draft:
    groups = rounds.page_of_groups(write.connection, planned.number)
    ids = [name for group in groups for name in group.ids]
    found = profiles.find_members(write.connection, write.community.number, ids)
    return Draft(
        planned, [(group, [found[name] for name in group.ids]) for group in groups], list(found.values())
    )


def _check_cool_down(write: Write, draft: Draft) -> None:
    since = cooled_since(draft.planned, write.now)
    recent = {frozenset(two) for two in rounds.met_since(write.connection, write.community.number, since)}
    for group, members in draft.groups:
        met = any(frozenset((one.number, other.number)) in recent for one, other in combinations(members, 2))
        if met and REPEAT not in group.relaxed:
            raise Conflict("Another round has brought some of these together since: plan it again.")


def _who_can(write: Write, draft: Draft) -> list[tuple[RoundGroup, list[Member]]]:
    """Return the groups that can meet, each without those who can't be in it any more."""
    forbidden = {frozenset(two) for two in pair_rows.keeping_apart(write.connection, write.community.number)}
    first, days = days_of(draft.planned)
    going = []
    for group, members in draft.groups:
        staying = [member for member in members if _takes_part(draft.planned, member)]
        if _holds_any(staying, forbidden):
            staying = _without_who_acted(write, staying)
        changed = any(member.changed > draft.planned.planned_at for member in staying)
        if changed and not can_meet(write.community, [round_profile(one) for one in staying], first, days):
            continue
        if len(staying) >= FEWEST:
            going.append((group, staying))
    return going


def _takes_part(planned: Round, member: Member) -> bool:
    record = member.record
    return record.status == "active" and (record.joins_rounds or not planned.everyone)


def _holds_any(members: Iterable[Member], forbidden: set[Code]) -> bool:
    return any(frozenset((one.code, other.code)) in forbidden for one, other in combinations(members, 2))


def _without_who_acted(write: Write, members: Sequence[Member]) -> list[Member]:
    codes = [(one.code, other.code) for one, other in combinations(members, 2)]
    found = pair_rows.find_pairs(write.connection, write.community.number, codes)
    acted = {
        seen.me
        for pair in found
        for seen in (pair, pair.turned())
        if seen.mine.blocked_at is not None or seen.mine.response in {"decline", "later"}
    }
    return [member for member in members if member.code not in acted]


def _meet(write: Write, planned: Round, going: Sequence[tuple[RoundGroup, list[Member]]]) -> list[Meetup]:
    here = write.community.number
    numbers = [member.number for _, members in going for member in members]
    busy = meetups.busy_times(write.connection, here, numbers)
    venues = all_venues(write.connection, here)
    made = []
    for group, members in going:
        taken = [span for member in members for span in busy.get(member.number, ())]
        between = time_of(planned, write.now)
        found = _drafted(group, members, between, taken)
        if found is None:
            public = [member.public() for member in members]
            found = find_time_and_place(public, between, taken, venues=venues, seed=planned.seed)
        made.append(new_meetup(write, members, found, between[1], planned.id))
    meetups.insert_meetups(write, made, round_number=planned.number)
    return made


def _drafted(
    group: RoundGroup, members: Sequence[Member], between: Span, busy: Sequence[Span]
) -> TimeAndPlace | None:
    """Return what was drafted, if it still suits."""
    if group.starts_at is None or group.ends_at is None or len(members) < len(group.members):
        return None
    at = (group.starts_at, group.ends_at)
    if at[0] < between[0] or any(begins < at[1] and at[0] < ends for begins, ends in busy):
        return None
    return TimeAndPlace(at, group.place)


def new_meetup(
    write: Write,
    members: Iterable[Member],
    found: TimeAndPlace | None,
    until: int,
    round_id: str | None = None,
) -> Meetup:
    """Return a meetup to which these are asked."""
    return Meetup(
        number=0,
        id=new_id("mtg", write),
        state=meetups.COMING,
        until=until,
        created_at=write.now,
        changed_at=write.now,
        round=round_id,
        starts_at=found.at[0] if found else None,
        ends_at=found.at[1] if found else None,
        place=found.place if found else None,
        due_at=found.at[1] if found else until,
        asked=tuple(Attendee(member.number, member.record.id) for member in members),
    )


def _part_again(write: Write, planned: Round, going: Sequence[tuple[RoundGroup, list[Member]]]) -> None:
    """Let nobody be suggested whom this round brings together, until the cool-down ends."""
    until = write.now + planned.cooldown_days * DAY_MS
    if until <= write.now:
        return
    members = {member.code: member for _, group in going for member in group}
    twos = [(one.code, other.code) for _, group in going for one, other in combinations(group, 2)]
    found = pair_rows.find_pairs(write.connection, write.community.number, twos)
    before = {(pair.me, pair.peer): pair for pair in found}
    changes = []
    for two in twos:
        old = before.get(two)
        pair = old or Pair(*two)
        changes.append((old, replace(pair, apart_until=max(until, pair.apart_until or 0))))
    pairs.save(write, changes, members)


def _publish(
    write: Write, draft: Draft, going: Sequence[tuple[RoundGroup, list[Member]]], made: Sequence[Meetup]
) -> Round:
    placed = {member.number for _, members in going for member in members}
    planned = draft.planned
    rounds.move_seats(write, planned.number, _left_out(draft, placed))
    seated = len(rounds.seats_of(write.connection, planned.number))
    counted = {"placed": len(placed), "participants": seated, "left_out": seated - len(placed)}
    after = replace(
        planned, state="published", published_at=write.now, stats=dict(planned.stats or {}) | counted
    )
    rounds.save_round(write, after)
    emit(write, "round.published", {"round": planned.id})
    tell(write, "meetup.scheduled", made)
    return after


def _left_out(draft: Draft, placed: set[int]) -> list[Seat]:
    seats = []
    for _, members in draft.groups:
        for member in members:
            if member.number not in placed:
                away = not _takes_part(draft.planned, member)
                seats.append(Seat(member.number, "", None, NO_PEER if away else ERASED))
    return seats
