"""Planning: a job that groups all who take part in a round, and finds each group a time and a place.

In: the round, its members and what stands between them, as they are when it begins. Out: a draft, written in
one transaction with the end of the job. Who is erased meanwhile is left out of it there.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import structlog

from matching import Profile, TermModel
from service.errors import KithError
from service.records import Community, Member
from service.records_meetups import Round, Seat, VenueRecord
from service.storage import communities, jobs, meetups, pairs, profiles, rounds
from service.storage.communities import Write
from service.storage.database import Database
from service.storage.events import emit
from service.storage.jobs import Job
from service.storage.loaded import new_matcher
from service.storage.models import load_model
from service.storage.rounds import Pins, RoundGroup
from service.storage.session import Session
from service.storage.venues import all_venues
from service.usecases.gatherings import Span, find_time_and_place
from service.usecases.jobs import JobContext
from service.usecases.round_rules import cooled_since, days_of, round_profile, time_of

if TYPE_CHECKING:
    from matching.round import Group, RoundPlan, RoundRules

MEMBERS_PER_PAGE = 1000
# A worker that ends each time that it plans a round runs out of memory: that won't get better.
MOST_ATTEMPTS = 3
SECONDS_BETWEEN_WORDS = 1.0
ERASED, NO_PEER = "erased", "no_feasible_peer"
PINNED = "Those who are pinned together can't be in one group any more."
K = TypeVar("K", int, str)
log = structlog.get_logger(__name__)


class Unplannable(Exception):
    """A round that can't be planned; the message says why, to the organiser."""


@dataclass(frozen=True, slots=True)
class Task:
    """All that planning looks at, read at one time; `away` are those who take no part just now."""

    planned: Round
    community: Community
    model: TermModel
    members: Mapping[str, Member]
    away: Sequence[Member]
    pins: Pins
    rules: "RoundRules"
    busy: Mapping[int, Sequence[Span]]
    venues: Sequence[VenueRecord]
    now: int


def plan(context: JobContext, job: Job) -> None:
    """Plan the round that a job is about, if it still waits for that."""
    began = time.monotonic()
    session = Session(context.database, job.community)
    try:
        task = _read_task(context.database, session, job)
        if task is None:
            _end(session, job)
            return
        plan = _pair(task, _words(context.database, job))
        groups = _gather(task, plan.groups)
    except KithError:
        raise  # the database is away for a moment, or another worker does this by now
    except Unplannable as error:
        _fail(session, job, str(error))
    except Exception:
        log.exception("planning_failed", job=job.kind, attempt=job.attempts)
        _fail(session, job, "Planning went wrong on our side; it has been logged.")
    else:
        _save(session, job, task, plan, groups, time.monotonic() - began)


def _read_task(database: Database, session: Session, job: Job) -> Task | None:
    planned = session.read(lambda connection, here: rounds.find_round(connection, here, job.subject))
    if planned is None or planned.state != "planning":
        return None
    if job.attempts > MOST_ATTEMPTS:
        raise Unplannable("Its worker ended each time that it was planned.")
    with database.read() as connection:
        now = database.now(connection)
        # Before the members: who changes after this is looked at again when the round is published.
        community = communities.find_by_number(connection, job.community)
    if community is None:
        return None
    members = list(_participants(session, planned))
    present = {member.record.id: member for member in members if member.record.status == "active"}
    pins = session.read(lambda connection, _: rounds.pins_of(connection, planned.number))
    model = session.read(lambda connection, here: load_model(connection, here, community.model))
    return Task(
        replace(planned, planned_at=community.change_number),
        community,
        model,
        present,
        [member for member in members if member.record.status != "active"],
        pins,
        _rules(session, planned, pins, present, now),
        session.read(
            lambda connection, here: meetups.busy_times(
                connection, here, [member.number for member in present.values()]
            )
        ),
        session.read(all_venues),
        now,
    )


def _participants(session: Session, planned: Round) -> Iterable[Member]:
    if not planned.everyone:
        seats = session.read(lambda connection, _: rounds.seats_of(connection, planned.number))
        ids = [seat.id for seat in seats]
        yield from session.read(
            lambda connection, here: profiles.find_members(connection, here, ids)
        ).values()
        return
    after = ""
    while members := session.page_of_members(after, MEMBERS_PER_PAGE):
        yield from (member for member in members if _joins(member))
        after = members[-1].record.id


def _joins(member: Member) -> bool:
    return member.record.joins_rounds and member.record.status == "active"


def _rules(
    session: Session, planned: Round, pins: Pins, members: Mapping[str, Member], now: int
) -> "RoundRules":
    from matching.round import RoundRules

    by_code = {member.code: name for name, member in members.items()}
    by_number = {member.number: name for name, member in members.items()}
    never = session.read(pairs.keeping_apart)
    since = cooled_since(planned, now)
    recent = session.read(lambda connection, here: rounds.met_since(connection, here, since))
    left_out = session.read(rounds.left_out_last)
    try:
        return RoundRules(
            group_size=planned.group_size,
            seed=planned.seed,
            together=_named(pins.together, by_number),
            apart=_named(pins.apart, by_number),
            never=frozenset(_named(map(frozenset, never), by_code)),
            recent=frozenset(_named(map(frozenset, recent), by_number)),
            first=frozenset(by_number[number] for number in left_out if number in by_number),
        )
    except ValueError:
        raise Unplannable(PINNED) from None


def _named(sets: Iterable[frozenset[K]], names: Mapping[K, str]) -> tuple[frozenset[str], ...]:
    """Return sets by ids, without those who take no part; what then holds nobody to be with is dropped."""
    named = (frozenset(names[one] for one in some if one in names) for some in sets)
    return tuple(some for some in named if len(some) > 1)


def _words(database: Database, job: Job) -> Callable[[float], None]:
    """Return what tells how far a job is, not too often."""
    last = time.monotonic()

    def say(share: float) -> None:
        nonlocal last
        if time.monotonic() - last > SECONDS_BETWEEN_WORDS:
            jobs.renew(database, job, share)
            last = time.monotonic()

    return say


def _pair(task: Task, progress: Callable[[float], None]) -> "RoundPlan":
    # Imported here: only workers plan, and scikit-learn takes a second or more.
    from matching.pairing import plan_round

    on, days = days_of(task.planned)
    public = [round_profile(member) for member in task.members.values()]
    matcher = new_matcher(task.community).fit(public, model=task.model)
    try:
        return plan_round(matcher, sorted(task.members), task.rules, on=on, days=days, progress=progress)
    except ValueError:
        raise Unplannable(PINNED) from None


def _gather(task: Task, groups: Sequence["Group"]) -> list[RoundGroup]:
    between = time_of(task.planned, task.now)
    return [_arranged(task, number, group, between) for number, group in enumerate(groups, 1)]


def _arranged(task: Task, number: int, group: "Group", between: Span) -> RoundGroup:
    members = [task.members[name] for name in group.members]
    public: list[Profile] = [member.public() for member in members]
    busy = [span for member in members for span in task.busy.get(member.number, ())]
    found = find_time_and_place(public, between, busy, venues=task.venues, seed=task.planned.seed)
    return RoundGroup(
        number=number,
        score=group.score,
        relaxed=group.relaxed,
        starts_at=found.at[0] if found else None,
        ends_at=found.at[1] if found else None,
        place=found.place if found else None,
        members=tuple(member.number for member in members),
        ids=group.members,
    )


def _save(
    session: Session, job: Job, task: Task, plan: "RoundPlan", groups: Sequence[RoundGroup], seconds: float
) -> None:
    with session.write() as write:
        planned = rounds.find_round(write.connection, write.community.number, job.subject)
        # Where other pins were set since, the job was enqueued again.
        if planned is not None and _still_wants(write, planned, task):
            gone = set(
                profiles.departed_since(write.connection, write.community.number, task.planned.planned_at)
            )
            seats = _seats(task, plan, groups, gone)
            rounds.save_groups(write, planned.number, groups)
            rounds.save_seats(write, planned.number, seats)
            stats = _stats(plan, seats, seconds)
            at = task.planned.planned_at
            rounds.save_round(write, replace(planned, state="draft", stats=stats, error=None, planned_at=at))
            emit(write, "round.drafted", {"round": planned.id})
        jobs.finish(write, job)


def _still_wants(write: Write, planned: Round, task: Task) -> bool:
    return planned.state == "planning" and rounds.pins_of(write.connection, planned.number) == task.pins


def _seats(task: Task, plan: "RoundPlan", groups: Iterable[RoundGroup], gone: set[int]) -> list[Seat]:
    seats = []
    for group in groups:
        staying = [member for member in group.members if member not in gone]
        alone = len(staying) < 2
        seats += [
            Seat(member, "", None if alone else group.number, ERASED if alone else None) for member in staying
        ]
    left = {task.members[name].number: reason for name, reason in plan.left_out.items()}
    left |= {member.number: NO_PEER for member in task.away}
    return seats + [Seat(member, "", None, reason) for member, reason in left.items() if member not in gone]


def _stats(plan: "RoundPlan", seats: Sequence[Seat], seconds: float) -> dict[str, float]:
    placed = sum(seat.group is not None for seat in seats)
    return {
        "participants": len(seats),
        "placed": placed,
        "left_out": len(seats) - placed,
        "repeats": plan.repeats,
        "mean_score": round(plan.mean_score, 4),
        "worst_score": round(plan.worst_score, 4),
        "bound_ratio": round(plan.bound_ratio, 6),
        "seconds": round(seconds, 3),
    }


def _end(session: Session, job: Job) -> None:
    with session.write() as write:
        jobs.finish(write, job)


def _fail(session: Session, job: Job, why: str) -> None:
    with session.write() as write:
        planned = rounds.find_round(write.connection, write.community.number, job.subject)
        if planned is not None and planned.state == "planning":
            rounds.save_round(write, replace(planned, state="failed", error=why))
            emit(write, "round.failed", {"round": planned.id})
        jobs.finish(write, job)
