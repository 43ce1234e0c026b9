"""Many new rows at once: by COPY into PostgreSQL, by one prepared statement into SQLite.

SQLAlchemy's own way to insert many spends more on the parameters of a row than either database on the row.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.exc import DBAPIError


def insert_rows(
    connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Mapping[str, Any]]
) -> None:
    """Insert rows whose values stand in the order of these columns, as the database itself takes them.

    PostgreSQL takes in what was sent while the next rows are being made, if `rows` makes them one by one.
    """
    quote = connection.dialect.identifier_preparer.quote
    columns = f"{quote(table.name)} ({', '.join(map(quote, names))})"
    values = (tuple(row.values()) for row in rows)
    if connection.dialect.name == "sqlite":
        places = ", ".join("?" for _ in names)
        statement = f"INSERT INTO {columns} VALUES ({places})"  # noqa: S608 - names of our own columns
        connection.exec_driver_sql(statement, list(values))
    else:
        _copy(connection, f"COPY {columns} FROM STDIN", values)


def _copy(connection: Connection, statement: str, values: Iterable[Sequence[Any]]) -> None:
    driver: Any = connection.connection.driver_connection
    failure: type[Exception] = connection.dialect.loaded_dbapi.Error
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in values:
                copy.write_row(row)
    except failure as error:
        # As SQLAlchemy wraps what goes through it: whoever calls knows its errors alone.
        raise DBAPIError.instance(statement, None, error, failure, hide_parameters=True) from error
