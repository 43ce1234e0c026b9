"""Who got no suggestion or was suggested to nobody, by the numbers of their rows."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from service.records import Member
from service.storage import profiles
from service.storage.communities import Write
from service.storage.profiles import IDS_PER_STATEMENT
from service.storage.tables import profiles as profile_table
from service.storage.tables import unserved


@dataclass(frozen=True, slots=True)
class Unserved:
    """What a member was left without, when it was counted."""

    no_suggestion: bool
    never_suggested: bool


def replace_unserved(write: Write, found: Mapping[int, Unserved]) -> None:
    """Keep these in place of those before them; who was erased since they were read is left out."""
    here = write.community.number
    write.connection.execute(delete(unserved).where(unserved.c.community == here))
    numbers = list(found)
    for start in range(0, len(numbers), IDS_PER_STATEMENT):
        some = numbers[start : start + IDS_PER_STATEMENT]
        chosen = select(profile_table.c.number).where(profile_table.c.number.in_(some))
        there = write.connection.execute(chosen).scalars()
        if rows := [_as_row(here, number, found[number]) for number in there]:
            write.connection.execute(insert(unserved), rows)


def _as_row(community: int, number: int, one: Unserved) -> dict[str, int | bool]:
    return {
        "community": community,
        "number": number,
        "no_suggestion": one.no_suggestion,
        "never_suggested": one.never_suggested,
    }


def page_of_unserved(
    connection: Connection, community: int, after: str, limit: int
) -> list[tuple[Member, Unserved]]:
    """Return up to `limit` of them whose ids follow `after`."""
    chosen = (
        select(*profiles.COLUMNS, unserved.c.no_suggestion, unserved.c.never_suggested)
        .join_from(unserved, profile_table, unserved.c.number == profile_table.c.number)
        .where(unserved.c.community == community, profile_table.c.id > after)
        .order_by(profile_table.c.id)
        .limit(limit)
    )
    return [
        (profiles.as_member(dict(row._mapping)), Unserved(row.no_suggestion, row.never_suggested))
        for row in connection.execute(chosen)
    ]
