"""Rounds: opened, read, planned anew with pins, cancelled. Planning is a job; publishing stands by itself."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

from service.errors import Conflict, Invalid, NotFound
from service.records import DAY_MS, Member
from service.records_meetups import NewRound, Round, Seat
from service.storage import jobs, profiles, rounds
from service.storage.communities import Write
from service.storage.rounds import Pins, RoundGroup
from service.storage.session import Session
from service.usecases.gatherings import start_of
from service.usecases.round_rules import keeps_apart

PLANNING = "round.plan"
UNKNOWN = "There is no such profile."
_MAY_BE_CANCELLED = ("planning", "draft", "failed", "cancelled")
_MAY_BE_PLANNED = ("planning", "draft", "failed")


def open_round(session: Session, wanted: NewRound) -> Round:
    """Open a round, and have it planned."""
    with session.write() as write:
        if start_of(wanted.ends_on) + DAY_MS <= write.now:
            raise Invalid({"ends_on": ["Must not be in the past."]})
        named = _members(write, "participants", wanted.participants or ())
        settings = write.community
        made = Round(
            number=0,
            id=new_id("rnd", write),
            name=wanted.name,
            state="planning",
            group_size=settings.group_size if wanted.group_size is None else wanted.group_size,
            starts_on=wanted.starts_on,
            ends_on=wanted.ends_on,
            cooldown_days=settings.cooldown_days if wanted.cooldown_days is None else wanted.cooldown_days,
            seed=wanted.seed,
            everyone=wanted.participants is None,
            created_at=write.now,
        )
        rounds.insert_round(write, made, [member.number for member in named])
        jobs.enqueue(write, PLANNING, made.id)
        return made


def new_id(kind: str, write: Write) -> str:
    """Return a new id; ids sort by time, so that lists do."""
    return f"{kind}_{write.now:012x}{secrets.token_hex(6)}"


def _members(write: Write, path: str, ids: Sequence[str]) -> list[Member]:
    found = profiles.find_members(write.connection, write.community.number, ids)
    unknown = {f"{path}.{place}": [UNKNOWN] for place, name in enumerate(ids) if name not in found}
    if unknown:
        raise Invalid(unknown)
    return [found[name] for name in ids]


def find_round(write: Write, round_id: str) -> Round:
    """Return a round inside an open write, or raise `NotFound`."""
    found = rounds.find_round(write.connection, write.community.number, round_id)
    if found is None:
        raise NotFound("There is no such round.")
    return found


def read_round(session: Session, round_id: str) -> tuple[Round, float]:
    """Return a round, and how far its planning is: from 0 to 1."""
    found = session.read(lambda connection, here: rounds.find_round(connection, here, round_id))
    if found is None:
        raise NotFound("There is no such round.")
    if found.state != "planning":
        return found, 1.0
    job = session.read(lambda connection, here: jobs.find_job(connection, here, PLANNING, round_id))
    if job is not None and job.run_at is None:
        return replace(found, state="failed", error="It could not be planned; ask for it again."), 1.0
    return found, job.progress if job else 0.0


def plan_again(
    session: Session, round_id: str, together: Sequence[Sequence[str]], apart: Sequence[Sequence[str]]
) -> Round:
    """Have a draft planned anew with these pins in place of those before."""
    with session.write() as write:
        before = find_round(write, round_id)
        if before.state not in _MAY_BE_PLANNED:
            raise Conflict(f"The round is {before.state}.")
        pins = _pins(write, before, together, apart)
        rounds.save_pins(write, before.number, pins)
        after = replace(before, state="planning", stats=None, error=None)
        rounds.save_round(write, after)
        jobs.enqueue(write, PLANNING, round_id)
        return after


def _pins(
    write: Write, planned: Round, together: Sequence[Sequence[str]], apart: Sequence[Sequence[str]]
) -> Pins:
    seated = {seat.member for seat in rounds.seats_of(write.connection, planned.number)}
    may_join = _may_join(planned, seated)
    sets: dict[str, list[list[Member]]] = {"together": [], "apart": []}
    for path, named in (("together", together), ("apart", apart)):
        for place, ids in enumerate(named):
            members = _members(write, f"{path}.{place}", ids)
            absent = {
                f"{path}.{place}.{at}": ["Takes no part in this round."]
                for at, member in enumerate(members)
                if not may_join(member)
            }
            if absent:
                raise Invalid(absent)
            sets[path].append(members)
    _check_together(write, planned, sets["together"], sets["apart"])
    numbers = {
        path: tuple(frozenset(member.number for member in members) for members in found)
        for path, found in sets.items()
    }
    return Pins(**numbers)


def _may_join(planned: Round, seated: set[int]) -> Callable[[Member], bool]:
    def may_join(member: Member) -> bool:
        record = member.record
        named = record.joins_rounds if planned.everyone else member.number in seated
        return named and record.status == "active"

    return may_join


def _check_together(
    write: Write, planned: Round, together: Sequence[Sequence[Member]], apart: Sequence[Sequence[Member]]
) -> None:
    seen: set[int] = set()
    forbidden = [{member.number for member in members} for members in apart]
    for place, members in enumerate(together):
        path, numbers = f"together.{place}", {member.number for member in members}
        if len(members) > planned.group_size:
            raise Invalid({path: [f"Must name at most {planned.group_size}."]})
        if seen & numbers:
            raise Invalid({path: ["Must not name anybody twice."]})
        if any(len(numbers & parted) > 1 for parted in forbidden):
            raise Invalid({path: ["Must not be named under apart as well."]})
        if keeps_apart(write, planned, members):
            raise Invalid({path: ["A hard rule keeps them apart."]})
        seen |= numbers


def cancel_round(session: Session, round_id: str) -> Round:
    """Cancel a round that is not published; once more changes nothing."""
    with session.write() as write:
        before = find_round(write, round_id)
        if before.state not in _MAY_BE_CANCELLED:
            raise Conflict(f"The round is {before.state}.")
        after = replace(before, state="cancelled")
        rounds.save_round(write, after)
        return after


def page_of_groups(session: Session, round_id: str, after: int, limit: int) -> list[RoundGroup]:
    """Return up to `limit` groups of a round whose numbers follow `after`."""
    found, _ = read_round(session, round_id)
    if found.stats is None:
        return []
    return session.read(lambda connection, _: rounds.page_of_groups(connection, found.number, after, limit))


def page_of_left_out(session: Session, round_id: str, after: str, limit: int) -> list[Seat]:
    """Return up to `limit` of those whom a round leaves out, whose ids follow `after`."""
    found, _ = read_round(session, round_id)
    if found.stats is None:
        return []
    return session.read(lambda connection, _: rounds.page_of_left_out(connection, found.number, after, limit))
