"""Insert rows, or replace those that have their primary key already."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Insert, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows that all name the same columns."""
    if rows:
        connection.execute(_statement(connection.dialect.name, table, tuple(rows[0])), rows)


def insert_into(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return the beginning of an insert that may meet rows which are there already."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


@cache
def _statement(dialect: str, table: Table, names: Sequence[str]) -> Insert:
    """Return the statement for rows of these columns; building it takes longer than running it."""
    keys = [column.name for column in table.primary_key]
    statement = insert_into(dialect, table)
    rest = {name: statement.excluded[name] for name in names if name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=rest)
