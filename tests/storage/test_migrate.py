"""The migrations make the tables that the code speaks of, once, however many begin at the same moment."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from service.errors import NotReady
from service.storage.database import Database
from service.storage.migrate import HEAD, MIGRATIONS, check_current, is_current, migrate
from service.storage.tables import ByBytes, metadata


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


def test_the_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    migrate(database)
    with database.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


def test_the_comparison_sees_what_a_migration_lacks(database: Database) -> None:
    migrate(database)
    with database.write() as connection:
        connection.execute(text("DROP INDEX profiles_by_due_time"))
        connection.execute(text("ALTER TABLE communities ADD COLUMN forgotten INTEGER"))
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert len(compare_metadata(context, metadata)) == 2


def test_columns_by_bytes_are_compared_by_bytes(database: Database) -> None:
    migrate(database)
    if database.dialect == "sqlite":
        # There it is so by default; a column with another collation would say COLLATE in its table's SQL.
        with database.read() as connection:
            made = connection.execute(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")).scalars()
            assert not [sql for sql in made if "COLLATE" in sql]
        return
    by_bytes = {
        (table.name, column.name)
        for table in metadata.tables.values()
        for column in table.c
        if column.type is ByBytes
    }
    with database.read() as connection:
        found = connection.execute(
            text("SELECT table_name, column_name FROM information_schema.columns WHERE collation_name = 'C'")
        )
        assert by_bytes <= {(row[0], row[1]) for row in found}
    assert ("profiles", "id") in by_bytes


def test_deletes_reach_everything_of_a_community(database: Database) -> None:
    migrate(database)
    inspector = inspect(database.engine)
    for name, table in metadata.tables.items():
        if "community" in table.c:
            keys = [key for key in inspector.get_foreign_keys(name) if key["referred_table"] == "communities"]
            assert [key["options"].get("ondelete") for key in keys] == ["CASCADE"], name


def test_head_is_the_newest_script() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_second_migration_changes_nothing(database: Database) -> None:
    assert not is_current(database)
    with pytest.raises(NotReady):
        check_current(database)
    assert migrate(database)
    before = _state(database)
    assert not migrate(database)
    assert is_current(database)
    check_current(database)
    assert _state(database) == before


def test_migrations_that_begin_together_all_end_well(database_url: str) -> None:
    at_once = 6
    start = Barrier(at_once)

    def one(_: int) -> bool:
        database = Database(database_url)
        try:
            start.wait()
            migrate(database)
            return is_current(database)
        finally:
            database.close()

    with ThreadPoolExecutor(at_once) as pool:
        assert list(pool.map(one, range(at_once))) == [True] * at_once


def test_a_migration_that_fails_leaves_nothing_behind(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as connection:
        connection.execute(text("CREATE TABLE kept_answers (in_the_way INTEGER)"))
    with pytest.raises((SQLAlchemyError, NotReady)):
        migrate(database)
    assert not is_current(database)
    assert set(inspect(database.engine).get_table_names()) <= {"kept_answers", "alembic_version"}


def _state(database: Database) -> Any:
    inspector = inspect(database.engine)
    tables = inspector.get_table_names()
    return {name: [column["name"] for column in inspector.get_columns(name)] for name in tables}
