"""Profiles: create, replace and change one, or save many in one transaction.

Every way in ends in `write_members`: it decides what a write changes, for the member and for what others see
of them.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from service.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from service.records import Access, Member, Outcome, ProfileRecord, Stay
from service.storage import acquaintances, models, profiles, stamps
from service.storage.communities import Write, with_members
from service.storage.events import emit_all
from service.storage.session import Session
from service.usecases import placement
from service.usecases.feedback import refit_soon

Condition = Callable[[str | None], bool]
MEMBERS_PER_SETTLING = 200


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save did, and the member as kept."""

    outcome: Outcome
    member: Member


def always(_etag: str | None) -> bool:
    """Hold, whatever is there: the condition of a write sent without one."""
    return True


def create_profile(session: Session, access: Access, record: ProfileRecord) -> Member:
    """Create a profile; an id that is taken is a `Conflict`, an empty one is made here."""
    named = record if record.id else replace(record, id=secrets.token_hex(10))
    with session.write() as write:
        if profiles.find_member(write, named.id):
            raise Conflict(f"The id {named.id} is taken.")
        return _save_one(write, access, named, None).member


def replace_profile(
    session: Session, access: Access, record: ProfileRecord, holds: Condition = always
) -> Saved:
    """Create a profile or replace it whole."""
    with session.write() as write:
        before = profiles.find_member(write, record.id)
        check(holds, before)
        return _save_one(write, access, record, before)


def change_profile(
    session: Session,
    access: Access,
    profile_id: str,
    change: Callable[[ProfileRecord], ProfileRecord],
    holds: Condition = always,
) -> Member:
    """Replace a profile by what `change` makes of it."""
    with session.write() as write:
        before = profiles.find_member(write, profile_id)
        if before is None:
            raise NotFound("There is no such profile.")
        check(holds, before)
        # What has ended since the request came in is over: a pause must not fail a change of something else.
        changed = change(stated(_after_time(before, write.now)))
        _check_removals(access, write, changed, before)
        return _save_one(write, access, changed, before).member


def stated(member: Member) -> ProfileRecord:
    """Return what the platform last stated: with the place that a waiting move leads to."""
    return replace(member.record, place=member.stay.waiting_place or member.record.place)


def settle_due(write: Write) -> None:
    """Carry out what has ended by time for members: pauses, and the wait of moves."""
    here = write.community.number
    due = profiles.members_due(write.connection, here, write.now, MEMBERS_PER_SETTLING)
    write_members(write, [(member, _after_time(member, write.now)) for member in due])


def _after_time(member: Member, now: int) -> Member:
    record, stay = member.record, placement.arrive(member.stay, now)
    if record.paused_until is not None and record.paused_until <= now:
        record = replace(record, status="active", paused_until=None)
    return replace(member, record=replace(record, place=stay.place), stay=stay)


def intend(write: Write, access: Access, record: ProfileRecord, before: Member | None) -> Member:
    """Return the member that this record makes of `before`, or raise `Forbidden` or `Invalid`."""
    allowed = _check_record(access, write, record, before)
    stay = placement.settle(before.stay if before else Stay(), allowed.place, write.now)
    if before:
        allowed = _leave_to_default(allowed, before, write.community.radius_km)
    radius_km = allowed.radius_km if allowed.radius_km is not None else write.community.radius_km
    placed = allowed if stay.place == allowed.place else replace(allowed, place=stay.place)
    if before is None:
        code = write.community.code_of(record.id)
        return Member(placed, radius_km, stay, code=code, created_at=write.now)
    return replace(before, record=placed, radius_km=radius_km, stay=stay)


def _leave_to_default(record: ProfileRecord, before: Member, radius_km: float) -> ProfileRecord:
    # What was read can be written back: a default that we showed and got back is still a default.
    old, modes = before.record, record.modes
    same_default = old.modes is None and (old.place is None) == (record.place is None)
    if same_default and modes is not None and set(modes) == before.public().effective_modes:
        modes = None
    same_radius = old.radius_km is None and record.radius_km == before.radius_km == radius_km
    return replace(record, modes=modes, radius_km=None if same_radius else record.radius_km)


def _check_record(
    access: Access, write: Write, record: ProfileRecord, before: Member | None
) -> ProfileRecord:
    # Only an admin key changes an admin attribute; leaving it out keeps it.
    if record.paused_until is not None and record.paused_until <= write.now:
        raise Invalid({"paused_until": ["Must be in the future."]})
    if access.allows("admin"):
        return record
    old = before.record.attributes if before else {}
    attributes = dict(record.attributes)
    for name in write.community.admin_attributes:
        if name in attributes and attributes[name] != old.get(name):
            raise Forbidden(f"Only an admin key may change the attribute {name}.")
        if name in old:
            attributes[name] = old[name]
    return replace(record, attributes=attributes)


def _check_removals(access: Access, write: Write, changed: ProfileRecord, before: Member) -> None:
    # A change leaves nothing out by accident: an admin attribute that it lacks was to be removed.
    gone = before.record.attributes.keys() - changed.attributes.keys()
    for name in write.community.admin_attributes:
        if name in gone and not access.allows("admin"):
            raise Forbidden(f"Only an admin key may change the attribute {name}.")


def _save_one(write: Write, access: Access, record: ProfileRecord, before: Member | None) -> Saved:
    saved = write_members(write, [(before, intend(write, access, record, before))])[0]
    if write.community.members >= 2 * write.community.model_members:
        models.count_terms(write)
        refit_soon(write)
    return saved


def write_members(write: Write, pairs: Sequence[tuple[Member | None, Member]]) -> list[Saved]:
    """Write members beside what they were; stamps move only where something differs."""
    saved, touched, stamp = [], set[stamps.Tile](), ""
    for before, after in pairs:
        if before == after:
            saved.append(Saved("unchanged", after))
            continue
        shown_before, shown = before.public() if before else None, after.public()
        touched |= stamps.touched(shown_before, shown)
        # One for all of them: a key of an answer names its member beside the stamp.
        stamp = stamp or write.stamp()
        stamped = replace(
            after,
            own=stamp,
            pairs=after.pairs or stamp,
            changed=after.changed if shown == shown_before else write.number,
        )
        saved.append(Saved("updated" if before else "created", stamped))
    created = [item.member for item in saved if item.outcome == "created"]
    profiles.insert_members(write, created)
    profiles.update_members(write, [item.member for item in saved if item.outcome == "updated"])
    profiles.stamp_tiles(write, touched)
    _renew_answers(write, pairs)
    _tell(write, saved)
    if created:
        write.settle(with_members(write.community, len(created)))
    return saved


def _renew_answers(write: Write, changes: Sequence[tuple[Member | None, Member]]) -> None:
    # Who changes groups counts no more as an acquaintance in common, wherever those live who know them.
    moved = {
        after.code
        for before, after in changes
        if before is not None and write.community.parts(before.record, after.record)
    }
    if moved and write.community.acquaintances:
        acquaintances.renew_neighbours(write, moved)


def _tell(write: Write, saved: Sequence[Saved]) -> None:
    told = [(item.outcome, {"profile": item.member.record.id}) for item in saved]
    emit_all(write, "profile.created", [data for outcome, data in told if outcome == "created"])
    emit_all(write, "profile.updated", [data for outcome, data in told if outcome == "updated"])


def check(holds: Condition, before: Member | None) -> None:
    """Raise `Stale` where the condition sent with a write doesn't hold."""
    if not holds(before.etag if before else None):
        raise Stale("The profile has changed since it was read.")
