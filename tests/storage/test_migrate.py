"""The migrations make the tables that the code speaks of, once, however many begin at the same moment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, insert, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError

from service.errors import NotReady
from service.storage.communities import find_community
from service.storage.database import Database
from service.storage.migrate import HEAD, MIGRATIONS, check_current, is_current, migrate
from service.storage.tables import ByBytes, metadata, profiles
from tests.harness import Kith
from tests.rows import rows_of
from tests.servers import PostgresServer
from tests.tenants import neighbour


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, sqlite_url: str) -> Iterator[str]:
    """The address of a database without tables, once of each kind."""
    if request.param == "sqlite":
        yield sqlite_url
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


def defaults_differ(*told: Any) -> bool | None:
    """Tell alembic that an empty text in brackets is one: it takes brackets off only something."""
    inspected, rendered = told[3], told[5]
    return False if (inspected, rendered) in {("''", ""), ("('')", "")} else None


def test_the_migrations_make_the_tables_that_the_code_knows(database: Database) -> None:
    migrate(database)
    with database.read() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": defaults_differ}
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


# ---------------------------------------------------------------- from one version to the next

NUMBERS_FROM = 1000  # so that what is copied is in no sequence's way
MEMBERS = 1050  # more than one statement of the migration takes
SHARED = ["ana", "ben"]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Kith]]:
    """Two communities of a real service; tests only call again what was called, which changes nothing."""
    with Kith.open(f"sqlite:///{tmp_path_factory.mktemp('filled') / 'source.db'}") as one:
        two = neighbour(one)
        one.import_profiles(*({"id": f"m{number}", "name": "N"} for number in range(MEMBERS)))
        for kith in (one, two):
            for name in SHARED:
                assert _post(kith, name).status_code == 201
            assert _post(kith, "ben", "taken").status_code == 409
            made = kith.call("POST", "/v1/keys", {"name": "k", "scopes": ["read"]}, Idempotency_Key="secret")
            assert made.status_code == 201
        yield [one, two]


@pytest.fixture
def at_0001(database: Database, filled: list[Kith]) -> tuple[Database, list[Kith]]:
    """A database as the first version left it, and what two communities of it were called and opened by.

    Members and answers come from a real service; of their rows, what that version knew is copied.
    """
    _upgrade(database, "0001")
    _copy(filled[0].database, database)
    return database, filled


def _post(kith: Kith, name: str, key: str = "") -> Any:
    body = {"id": name, "name": name.title()}
    return kith.call("POST", "/v1/profiles", body, Idempotency_Key=key or f"made-{name}")


def _upgrade(database: Database, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _copy(source: Database, target: Database) -> None:
    known = MetaData()
    known.reflect(target.engine)
    with source.read() as reading, target.write() as writing:
        ids = {row.code: row.id for row in reading.execute(select(metadata.tables["profiles"]))}
        for table in metadata.sorted_tables:
            if table.name not in known.tables:
                continue
            rows = [dict(row._mapping) for row in reading.execute(select(table))]
            for row in rows:
                row |= {name: row[name] + NUMBERS_FROM for name in ("number", "community") if name in row}
                # The first version kept an answer by the member's id, and by nothing where it had none.
                if "about" in row:
                    row["about"] = ids[row["about"]] if row["about"] else ""
            columns = known.tables[table.name].c
            kept = [{name: row[name] for name in row if name in columns} for row in rows]
            if kept:
                writing.execute(insert(known.tables[table.name]), kept)


def _opened(kith: Kith, of: Kith) -> Kith:
    return replace(kith, community=of.community, key=of.key)


def test_the_second_version_names_everybody_by_code(at_0001: tuple[Database, list[Kith]]) -> None:
    database, old = at_0001
    assert "code" not in {column["name"] for column in inspect(database.engine).get_columns("profiles")}

    assert migrate(database)

    secrets, codes = [], []
    for kith in old:
        with database.read() as connection:
            community = find_community(connection, kith.community)
            chosen = select(profiles).where(profiles.c.community == community.number)
            rows = connection.execute(chosen).all()
        secrets.append(community.secret)
        codes += [row.code for row in rows]
        assert [row.code for row in rows] == [community.code_of(row.id) for row in rows]
        assert {row.introductions for row in rows} == {0}
    assert len({*codes}) == len(codes) == MEMBERS + 2 * len(SHARED)
    assert len({*secrets}) == len(old)
    assert all(re.fullmatch("[0-9a-f]{64}", secret) for secret in secrets)


def test_answers_kept_before_are_found_after(at_0001: tuple[Database, list[Kith]], database_url: str) -> None:
    _, old = at_0001
    with Kith.open(database_url) as kith:
        for was in old:
            now = _opened(kith, was)
            for name, key in (("ana", ""), ("ben", ""), ("ben", "taken")):
                first, again = _post(was, name, key), _post(now, name, key)
                assert (again.status_code, again.data) == (first.status_code, first.data)
                assert again.headers.get("ETag") == first.headers.get("ETag")
            secret = now.call("POST", "/v1/keys", {"name": "k", "scopes": ["read"]}, Idempotency_Key="secret")
            assert secret.status_code == 409
            assert len(now.get("/v1/keys")["items"]) == 2


def test_answers_kept_before_go_with_an_erasure_after(
    at_0001: tuple[Database, list[Kith]], database_url: str
) -> None:
    _, old = at_0001
    with Kith.open(database_url) as kith:
        one, two = (_opened(kith, was) for was in old)
        before = [rows_of(each)["kept_answers"] for each in (one, two)]

        assert one.call("DELETE", "/v1/profiles/ben").status_code == 204

        after = [rows_of(each)["kept_answers"] for each in (one, two)]
        assert [len(rows) for rows in before] == [4, 4]
        assert len(after[0]) == 2
        assert not any('"ben"' in row for row in after[0])
        assert after[1] == before[1]
        assert _post(one, "ben").status_code == 201
        assert _post(two, "ben").data == _post(old[1], "ben").data


def test_members_of_before_meet_and_are_kept_apart_after(
    at_0001: tuple[Database, list[Kith]], database_url: str
) -> None:
    _, old = at_0001
    with Kith.open(database_url) as kith:
        now = _opened(kith, old[0])
        for who, peer, state in (("ana", "ben", "pending"), ("ben", "ana", "connected")):
            answer = now.call("POST", f"/v1/profiles/{who}/responses", {"peer": peer, "response": "accept"})
            assert answer.json == {"state": state}
        assert now.call("PUT", "/v1/profiles/ana/blocks/m7").status_code == 204
        assert now.get("/v1/profiles/ana/blocks")["items"][0]["peer"] == {"id": "m7", "name": "N"}
        assert now.get("/v1/profiles/ben/connections")["items"][0]["peer"]["id"] == "ana"
