"""Erasures: a member is gone everywhere; a tombstone with code and time alone stays, and sweeps follow.

What a transaction can't reach (Redis, SQLite's write-ahead log, the erasure log) is swept by the worker: at
once, and twice more, because an answer that was under way may still be put away after the first time.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import structlog

from service.errors import NotFound, NotReady
from service.records import Member
from service.storage import communities, deliveries, erasure_log, profiles, reports, stamps, tombstones
from service.storage.cache import Cache
from service.storage.communities import Write
from service.storage.database import Database
from service.storage.erasure_log import Erasure
from service.storage.events import emit
from service.storage.session import Session
from service.storage.tombstones import Tombstone
from service.usecases import attendance, pairs
from service.usecases.profiles import Condition, always, check
from service.usecases.responses import find_member

SWEEPS_AT_MS = (0, 20_000, 45_000)
REWRITING = 1  # the sweep that rewrites SQLite's file: for many at once, and in time to try again
LAST = len(SWEEPS_AT_MS) - 1
RETRY_MS = 5_000
SWEEPS_OF_A_COMMUNITY = 10
SECONDS_BETWEEN_SWEEPS = 0.5
TOMBSTONES_PER_SWEEP = 10_000
log = structlog.get_logger(__name__)


def erase_profile(session: Session, profile_id: str, holds: Condition = always) -> None:
    """Erase a member everywhere."""
    with session.write() as write:
        before = find_member(write, profile_id)
        check(holds, before)
        _erase(write, before)


def _erase(write: Write, member: Member) -> None:
    attendance.forget_member(write, member)
    profiles.erase_member(write, member)
    profiles.stamp_tiles(write, stamps.touched(member.public(), None))
    _forget(write, member.code)
    tombstones.set_tombstone(write, member.code)
    write.settle(communities.with_members(write.community, -1))
    emit(write, "profile.erased", {"profile": member.record.id})


def _forget(write: Write, code: str) -> None:
    pairs.forget_member(write, code)
    reports.forget_member(write, code)
    deliveries.forget_member(write, code)


def sweep_due(database: Database, cache: Cache, path: Path) -> int:
    """Do the sweeps that are due; return how many erased members they were for."""
    with database.read() as connection:
        now = database.now(connection)
    # The file is written anew only once no event tells the ids any more.
    soon = now + SWEEPS_AT_MS[REWRITING] - deliveries.TOLD_MS
    due = _due(tombstones.tombstones_until(database, soon, TOMBSTONES_PER_SWEEP), now)
    if not due:
        return 0
    deliveries.scrub_due(database, now)
    fresh = [Erasure(stone.community_id, stone.code, stone.erased_at) for stone in due if not stone.logged]
    logged = erasure_log.append(path, fresh)
    rewriting = any(stone.sweeps == REWRITING for stone in due)
    swept = _sweep(database, cache, {stone.community_id for stone in due}, rewriting=rewriting)
    if not (logged and all(swept)):
        log.warning("sweep_incomplete", count=len(due))
    tombstones.note_sweeps(database, [_after(stone, now, logged, *swept) for stone in due])
    return len(due)


def _due(coming: Iterable[Tombstone], now: int) -> list[Tombstone]:
    # With the first after whom the file is to be rewritten come all who wait for that: it is done once.
    stones = list(coming)
    rewriting = any(stone.sweeps == REWRITING and stone.sweep_at <= now for stone in stones)
    return [stone for stone in stones if stone.sweep_at <= now or (rewriting and stone.sweeps == REWRITING)]


def _sweep(
    database: Database, cache: Cache, community_ids: Iterable[str], *, rewriting: bool
) -> tuple[bool, bool]:
    """Sweep; tell whether Redis could be used, and whether SQLite's files are clean."""
    # All of them, whatever the first one says.
    forgotten = [cache.forget_community(community_id) for community_id in community_ids]
    try:
        return all(forgotten), database.rewrite() if rewriting else database.checkpoint()
    except NotReady:  # the disk is full, or one writer holds up the others
        return all(forgotten), False


def _after(
    stone: Tombstone, now: int, logged: bool, forgotten: bool, emptied: bool
) -> tuple[Tombstone, bool, int, int | None]:
    logged = stone.logged or logged
    # Redis and the log may be away for long: they hold up nothing but the end.
    if not emptied or (stone.sweeps == LAST and not (forgotten and logged)):
        return stone, logged, stone.sweeps, now + RETRY_MS
    sweeps = stone.sweeps + 1
    return stone, logged, sweeps, stone.erased_at + SWEEPS_AT_MS[sweeps] if sweeps <= LAST else None


@dataclass(slots=True)
class Replay:
    """What a replay did: members and communities erased, lines that named nobody who is there, odd lines."""

    erased: int = 0
    absent: int = 0
    failed: int = 0


def replay(database: Database, cache: Cache, lines: Iterable[Erasure | None]) -> Replay:
    """Erase again what a restored database holds. Who was posted after their erasure stays."""
    report = Replay()
    for line in lines:
        if line is None:
            report.failed += 1
        elif _erase_again(database, cache, line):
            report.erased += 1
        else:
            report.absent += 1
    return report


def _erase_again(database: Database, cache: Cache, line: Erasure) -> bool:
    try:
        with database.read() as connection:
            community = communities.find_community(connection, line.community)
        if line.code is None:
            remove_community(database, cache, community.id)
            return True
        with Session(database, community.number).write() as write:
            found = profiles.find_by_codes(write.connection, community.number, [line.code]).get(line.code)
            if found is None:
                _forget(write, line.code)
            elif found.created_at <= line.erased_at:
                _erase(write, found)
                return True
    except NotFound:
        pass
    return False


def delete_community(database: Database, cache: Cache, community_id: str, path: Path) -> bool:
    """Delete a community with all that is its own; False where the log or a sweep has to wait."""
    at = remove_community(database, cache, community_id)
    logged = erasure_log.append(path, [Erasure(community_id, None, at)])
    # No tombstone is left to come back for: a reader that is in the way is waited for here.
    for _ in range(SWEEPS_OF_A_COMMUNITY):
        swept = all(_sweep(database, cache, [community_id], rewriting=True))
        time.sleep(SECONDS_BETWEEN_SWEEPS)
        if swept:
            # An answer that was under way may have been put away since.
            return cache.forget_community(community_id) and logged
    return False


def remove_community(database: Database, cache: Cache, community_id: str) -> int:
    """Delete a community's rows and answers; return when."""
    with database.write() as connection:
        found = communities.find_community(connection, community_id)
        communities.delete_row(connection, found)
        at = database.now(connection)
    cache.forget_community(community_id)
    return at
