"""Acquaintances in common: who is connected to a member's connections, and whose answers depend on that.

How many somebody is connected to counts too (see `matching.acquaintances`). Where a community separates, that
would tell of other groups: there everybody counts as if they knew few.
"""

from collections.abc import Callable, Collection
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    Update,
    bindparam,
    cast,
    func,
    select,
    union,
    union_all,
    update,
)

from matching.acquaintances import WHOLE, step
from service.records import Community, Member
from service.storage.communities import Write
from service.storage.profiles import find_by_codes
from service.storage.tables import pairs, profiles

# Of the asking member, the newest: what two more have in common with them is read for each.
MOST_CONNECTIONS = 200
CODES_PER_STATEMENT = 500


def acquaintances_of(connection: Connection, community: Community, member: Member) -> dict[str, int]:
    """Return, by id, the step of the acquaintances that a member has in common with others.

    Only those count whom the member may meet: of another group they learn nothing, not even by an order.
    """
    asked = {"here": community.number, "code": member.code}
    if not community.separate_by:
        return {row.id: step(row.common, row.shares) for row in connection.execute(_WEIGHED, asked)}
    circle = [str(code) for code in connection.execute(_CIRCLE, asked).scalars()]
    known = find_by_codes(connection, community.number, circle)
    met = [code for code, one in known.items() if not community.parts(member.record, one.record)]
    counted = connection.execute(_in_common(_linked(met)), asked)
    return {row.id: step(row.common, row.common * WHOLE) for row in counted}


def renew_neighbours(write: Write, codes: Collection[str]) -> None:
    """Give everybody who is connected to one of these a new stamp: whom they have in common has changed."""
    named = sorted(codes)
    for start in range(0, len(named), CODES_PER_STATEMENT):
        asked = {"here": write.community.number, "codes": named[start : start + CODES_PER_STATEMENT]}
        write.connection.execute(_RENEW, asked | {"stamp": write.stamp()})


def _within(codes: Any) -> Callable[[ColumnElement[str]], ColumnElement[bool]]:
    return lambda column: column.in_(codes)


def _halves(
    chosen: Callable[[ColumnElement[str]], ColumnElement[bool]],
) -> list[Select[tuple[str, str, int]]]:
    """Return both ways to read a pair that is connected, from the side that `chosen` chooses."""
    connected = (
        pairs.c.community == bindparam("here"),
        pairs.c.since.is_not(None),
        pairs.c.low_blocked_at.is_(None),
        pairs.c.high_blocked_at.is_(None),
    )
    return [
        select(near.label("friend"), far.label("peer"), pairs.c.since.label("since")).where(
            *connected, chosen(near)
        )
        for near, far in ((pairs.c.low, pairs.c.high), (pairs.c.high, pairs.c.low))
    ]


def _circle() -> Select[tuple[str]]:
    own: CompoundSelect[tuple[str, str, int]] = union_all(
        *_halves(lambda column: column == bindparam("code"))
    )
    known = own.subquery()
    return select(known.c.peer).order_by(known.c.since.desc(), known.c.peer).limit(MOST_CONNECTIONS)


def _linked(circle: Any) -> CTE:
    return union_all(*_halves(_within(circle))).cte("linked")


def _in_common(linked: CTE) -> Select[tuple[str, int]]:
    """Return the statement that counts for everybody how many of a circle they are connected to."""
    here = profiles.c.community == bindparam("here")
    counted = select(profiles.c.id, func.count().label("common")).join_from(
        linked, profiles, profiles.c.code == linked.c.peer
    )
    return counted.where(here, linked.c.peer != bindparam("code")).group_by(profiles.c.id)


def _weighed(linked: CTE) -> Select[tuple[str, int, int]]:
    """Return the same with the sum of the shares of those they are connected to."""
    known = select(linked.c.friend, func.count().label("known")).group_by(linked.c.friend).subquery()
    shares = cast(func.sum(WHOLE // known.c.known), BigInteger).label("shares")
    return _in_common(linked).add_columns(shares).join(known, known.c.friend == linked.c.friend)


def _renewing() -> Update:
    near = union(*_halves(_within(bindparam("codes", expanding=True)))).subquery()
    here = profiles.c.community == bindparam("here")
    renewed = update(profiles).where(here, profiles.c.code.in_(select(near.c.peer)))
    return renewed.values(pairs=bindparam("stamp"))


# Built once: building them costs many times what running them does.
_RENEW = _renewing()
_CIRCLE = _circle()
_WEIGHED = _weighed(_linked(select(_CIRCLE.cte("circle").c.peer)))
