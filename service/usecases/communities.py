"""Communities: create and change."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from service.errors import Stale
from service.records import ApiKey, Community, content_hash
from service.storage import communities
from service.storage.communities import Write
from service.storage.database import Database
from service.storage.session import Session
from service.storage.stamps import new_stamp
from service.usecases.keys import add_key

SETTINGS = (
    "name", "radius_km", "group_size", "cooldown_days", "facet_weights", "support_text", "acquaintances",
    "admin_attributes", "separate_by",
)  # fmt: skip


def create_community(database: Database, name: str) -> tuple[Community, ApiKey, str]:
    """Create a community with an admin key; return both, and the key's secret for this once."""
    with database.write() as connection:
        now = database.now(connection)
        wanted = Community(
            number=0,
            id=f"com_{secrets.token_hex(8)}",
            name=name,
            secret=secrets.token_hex(32),
            settings_stamp=new_stamp(0),
        )
        community = communities.insert_community(connection, wanted, now)
        key, secret = add_key(Write(connection, community, now), "first admin key", ["admin"])
        return community, key, secret


def change_community(
    session: Session, change: Callable[[Community], Mapping[str, Any]], holds: Callable[[str | None], bool]
) -> Community:
    """Give the community the settings that `change` makes of it; an equal one changes nothing."""
    with session.write() as write:
        if not holds(etag_of(write.community)):
            raise Stale("The community has changed since it was read.")
        wanted = replace(write.community, **change(write.community))
        if wanted != write.community:
            write.settle(replace(wanted, settings_stamp=write.stamp()))
        return write.community


def etag_of(community: Community) -> str:
    """Return a hash of what a community's GET shows."""
    return content_hash([community.id, {name: getattr(community, name) for name in SETTINGS}])
