"""Tombstones: who was erased when, and which sweeps after it are still to be done."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from service.storage.communities import Write
from service.storage.database import Database
from service.storage.tables import communities, tombstones
from service.storage.upsert import upsert


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One erased member: the community by number and public id, the member by code."""

    community: int
    community_id: str
    code: str
    erased_at: int
    logged: bool
    sweeps: int
    sweep_at: int


def set_tombstone(write: Write, code: str) -> None:
    """Note that a member was erased now; the first sweep is due at once."""
    row = {
        "community": write.community.number,
        "code": code,
        "erased_at": write.now,
        "logged": False,
        "sweeps": 0,
        "sweep_at": write.now,
    }
    upsert(write.connection, tombstones, [row])


def tombstones_until(database: Database, at: int, limit: int) -> list[Tombstone]:
    """Return the erased members after whom a sweep is due by then, in all communities."""
    c = tombstones.c
    chosen = (
        select(c.community, communities.c.id, c.code, c.erased_at, c.logged, c.sweeps, c.sweep_at)
        .join(communities, communities.c.number == c.community)
        .where(c.sweep_at <= at)
        .order_by(c.sweep_at)
        .limit(limit)
    )
    with database.read() as connection:
        return [Tombstone(*row) for row in connection.execute(chosen)]


def communities_sweeping(database: Database) -> set[str]:
    """Return the ids of the communities in which sweeps after an erasure are still to come."""
    chosen = (
        select(communities.c.id)
        .join(tombstones, communities.c.number == tombstones.c.community)
        .where(tombstones.c.sweep_at > 0)
        .distinct()
    )
    with database.read() as connection:
        return set(connection.execute(chosen).scalars())


def note_sweeps(database: Database, done: Iterable[tuple[Tombstone, bool, int, int | None]]) -> None:
    """Note for each whether it is logged, its sweeps, and when the next is due."""
    with database.write() as connection:
        for stone, logged, sweeps, sweep_at in done:
            same = (
                tombstones.c.community == stone.community,
                tombstones.c.code == stone.code,
                tombstones.c.erased_at == stone.erased_at,
            )
            values = {"logged": logged, "sweeps": sweeps, "sweep_at": sweep_at}
            connection.execute(update(tombstones).where(*same).values(values))


def erased_codes(connection: Connection, community: int, codes: Sequence[str]) -> set[str]:
    """Return those of these codes that were ever erased."""
    chosen = select(tombstones.c.code).where(
        tombstones.c.community == community, tombstones.c.code.in_(codes)
    )
    return set(connection.execute(chosen).scalars())
