"""Who asks: one statement reads the key, its community, the profile in the path and the newest stamps."""

import json
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Float,
    FromClause,
    Row,
    Select,
    and_,
    bindparam,
    case,
    cast,
    func,
    or_,
    select,
)
from sqlalchemy.sql.selectable import ScalarSelect

from service.records import Access, ApiKey, Asked, Member
from service.storage import communities, profiles, stamps
from service.storage.database import Database
from service.storage.round_tables import meetups
from service.storage.tables import api_keys, pairs, tiles
from service.storage.tables import communities as community_table
from service.storage.tables import profiles as profile_table


class AccessReader:
    """Finds who asks. The statements are built once; each use is one round trip."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._plain = _statement(database.clock.column)
        self._full = _with_profile(database.clock.column)

    def find(
        self, digest: str, profile_id: str | None = None, radius_km: float | None = None
    ) -> tuple[Access, bool] | None:
        """Return who holds the key of this digest, and whether something in their community is due by time.

        None for no such key. `radius_km` is the one asked with, if any: the tiles in its reach count.
        """
        with self._database.read() as connection:
            if profile_id is None:
                row = connection.execute(self._plain, {"digest": digest}).one_or_none()
            else:
                found = {"digest": digest, "profile": profile_id, "asked": radius_km}
                row = connection.execute(self._full, found).one_or_none()
        if row is None:
            return None
        access = _access(row, self._database.clock.shift(row.now), profile_id is not None)
        ending = [due for due in (row.due, row.pairs_due, row.meetups_due) if due is not None]
        return access, min(ending, default=access.now + 1) <= access.now


def _access(row: Row[Any], now: int, with_profile: bool) -> Access:
    key = ApiKey(row.key_id, row.key_name, tuple(json.loads(row.scopes)), row.key_created_at)
    community = communities.as_community(row)
    if not with_profile or row.profile_number is None:
        return Access(key, community, now)
    # A hit needs no more of the member than the stamps: the rest is read when it is asked for.
    stamps_found = (row.profile_own, row.profile_pairs, row.tiles or "")
    asked = Asked(row.profile_id, *stamps_found, bool(row.has_pairs), lambda: _member(row))
    return Access(key, community, now, asked)


def _member(row: Row[Any]) -> Member:
    found = row._mapping
    return profiles.as_member({column.name: found[f"profile_{column.name}"] for column in profiles.COLUMNS})


def _statement(now: ColumnElement[int]) -> Select[Any]:
    return (
        select(
            api_keys.c.id.label("key_id"),
            api_keys.c.name.label("key_name"),
            api_keys.c.scopes,
            api_keys.c.created_at.label("key_created_at"),
            *communities.COLUMNS,
            now,
            _first_due(profile_table.alias()).label("due"),
            _first_due(pairs).label("pairs_due"),
            _first_due(meetups).label("meetups_due"),
        )
        .join_from(api_keys, community_table)
        .where(api_keys.c.digest == bindparam("digest"))
    )


def _first_due(table: FromClause) -> ScalarSelect[int]:
    chosen = select(func.min(table.c.due_at)).where(table.c.community == community_table.c.number)
    return chosen.correlate(community_table).scalar_subquery()


def _with_profile(now: ColumnElement[int]) -> Select[Any]:
    found = and_(
        profile_table.c.community == community_table.c.number, profile_table.c.id == bindparam("profile")
    )
    labelled = [column.label(f"profile_{column.name}") for column in profiles.COLUMNS]
    return (
        _statement(now)
        .outerjoin(profile_table, found)
        .add_columns(*labelled, _newest_in_reach().label("tiles"), _has_pairs().label("has_pairs"))
    )


def _has_pairs() -> ColumnElement[bool]:
    here, code = pairs.c.community == profile_table.c.community, profile_table.c.code
    either = [select(pairs.c.low).where(here, side == code) for side in (pairs.c.low, pairs.c.high)]
    return or_(*(one.correlate(profile_table).exists() for one in either))


def _newest_in_reach() -> ScalarSelect[str]:
    asked = cast(bindparam("asked"), Float)
    own = func.coalesce(asked, profile_table.c.radius_km) <= profile_table.c.radius_km
    lat_reach, _ = stamps.reach_in_tiles(0.0, stamps.LARGEST_RADIUS_KM)
    north_south = case((own, profile_table.c.reach_lat), else_=lat_reach)
    east_west = case((own, profile_table.c.reach_lon), else_=profile_table.c.widest_lon)
    lon_apart = func.abs(tiles.c.lon - profile_table.c.tile_lon)
    in_box = and_(
        func.abs(tiles.c.lat - profile_table.c.tile_lat) <= north_south,
        or_(lon_apart <= east_west, lon_apart >= 360 - east_west),
    )
    # Without a place anyone who could be met in person matters to the shortfall: all tiles count.
    in_reach = or_(profile_table.c.tile_lat.is_(None), in_box, tiles.c.lat == stamps.ONLINE[0])
    newest = select(func.max(tiles.c.stamp)).where(tiles.c.community == profile_table.c.community, in_reach)
    return newest.correlate(profile_table).scalar_subquery()
