"""Many new rows cost the database no more statements than one, and fail as one does."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from service.errors import NotReady
from service.storage.bulk import insert_rows
from service.storage.tables import departures
from tests.harness import NDJSON, Kith
from tests.statements import statements_sent

HERE = {"lat": 52.52, "lon": 13.405}
NAMES = ("community", "number", "changed")


def import_so_many(kith: Kith, name: str, count: int) -> list[str]:
    """Import new members who all live in one place, and return the statements that it took."""
    people = [{"id": f"{name}{number}", "name": "X", "location": HERE} for number in range(count)]
    lines = "".join(json.dumps(person) + "\n" for person in people).encode()
    with statements_sent(kith) as sent:
        answer = kith.call("POST", "/v1/profiles/import", lines, Content_Type=NDJSON)
    assert answer.json["created"] == count
    return sent


def test_a_portion_of_an_import_takes_as_many_statements_as_one_line(kith: Kith) -> None:
    # Each of the two has the community learn anew: the first by a tenth of it, the second by all of it.
    few, many = import_so_many(kith, "few", 2), import_so_many(kith, "many", 300)

    assert len(many) == len(few)


def row(number: int) -> dict[str, int]:
    return {"community": 1, "number": number, "changed": 1}


def numbers_above(kith: Kith, least: int) -> list[int]:
    chosen = select(departures.c.number).where(departures.c.number > least).order_by(departures.c.number)
    with kith.database.read() as connection:
        return list(connection.execute(chosen).scalars())


def test_rows_are_made_one_by_one_and_arrive_whole(kith: Kith) -> None:
    with kith.database.write() as connection:
        insert_rows(connection, departures, NAMES, (row(number) for number in (10_001, 10_002)))

    assert numbers_above(kith, 10_000) == [10_001, 10_002]


def test_one_row_that_is_refused_leaves_none_and_fails_as_any_statement(kith: Kith) -> None:
    twice = [row(number) for number in (20_001, 20_002, 20_001)]
    with pytest.raises(IntegrityError), kith.database.write() as connection:
        insert_rows(connection, departures, NAMES, twice)

    assert numbers_above(kith, 20_000) == []


def test_a_connection_cut_while_rows_are_sent_is_a_database_that_cannot_be_used(
    fresh_postgres_url: str,
) -> None:
    with Kith.open(fresh_postgres_url) as kith:
        with pytest.raises(NotReady):
            insert_and_be_cut(kith)

        assert numbers_above(kith, 0) == []


def insert_and_be_cut(kith: Kith) -> None:
    """Insert many rows; after the first somebody ends the server's side of the connection."""

    def rows() -> Iterator[dict[str, int]]:
        yield row(1)
        with kith.database.read() as other:
            other.execute(text("SELECT pg_terminate_backend(:victim, 5000)"), {"victim": victim})
        yield from map(row, range(2, 10_000))

    with kith.database.write() as connection:
        victim = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        insert_rows(connection, departures, NAMES, rows())
