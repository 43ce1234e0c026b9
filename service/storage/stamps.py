"""Stamps: what a write leaves behind so that no answer from before it can be found again.

A stamp is the community's change number and 32 random bits (a restored database never meets old keys), as
text whose order is the numbers' order.
"""

import math
import secrets
from dataclasses import replace

from matching import Place, Profile

ONLINE = (999, 0)
ALL_LONGITUDES = 180
KM_PER_DEGREE = 111.19
LARGEST_RADIUS_KM = 200.0

Tile = tuple[int, int]


def new_stamp(change_number: int) -> str:
    """Return a stamp of this change."""
    return f"{change_number:015x}{secrets.token_hex(4)}"


def number_of(stamp: str) -> int:
    """Return the change number in a stamp, 0 for none."""
    return int(stamp[:15] or "0", 16)


def tile_of(place: Place) -> Tile:
    """Return the 1-degree tile of a place."""
    return math.floor(place.lat), math.floor(place.lon)


def seen_in(profile: Profile) -> set[Tile]:
    """Return the tiles in which others may meet this member."""
    tiles: set[Tile] = set()
    if profile.suggestible and "online" in profile.effective_modes:
        tiles.add(ONLINE)
    if profile.suggestible and profile.place and "in_person" in profile.effective_modes:
        tiles.add(tile_of(profile.place))
    return tiles


def touched(before: Profile | None, after: Profile | None) -> set[Tile]:
    """Return the tiles whose visitors see a change from `before` to `after`."""
    if before and after and _look_alike(before, after):
        return set()
    return {tile for profile in (before, after) if profile for tile in seen_in(profile)}


def _look_alike(before: Profile, after: Profile) -> bool:
    # Modes stated as they are by default look the same to others; writing back what was read does that.
    return before.effective_modes == after.effective_modes and replace(before, modes=after.modes) == after


def reach_in_tiles(lat: float, radius_km: float) -> tuple[int, int]:
    """Return how many tiles to look to the north and south, and to the east and west.

    The box holds everything within twice the radius (a shortfall looks that far), from anywhere in the tile.
    """
    degrees = 2 * radius_km / KM_PER_DEGREE
    highest = min(abs(lat) + 1 + degrees, 90.0)
    # Near a pole every longitude is close.
    if highest >= 89:
        return math.ceil(degrees), ALL_LONGITUDES
    return math.ceil(degrees), min(ALL_LONGITUDES, math.ceil(degrees / math.cos(math.radians(highest))) + 1)
