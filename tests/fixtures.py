"""Fixtures that hand real servers to tests: one of each per test process, started when first asked for.

With xdist each worker has its own, so workers never meet. A test gets its own empty database and an
emptied Redis. What tests write lies in memory where there is room: each commit waits for a disk otherwise.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# Coverage sees the kernels of the index as the Python that they are written in, which is slow: here only
# tests of them take them. Processes that tests start have them compiled.
os.environ["NUMBA_DISABLE_JIT"] = "1"
import numba  # noqa: F401 - it reads that once

del os.environ["NUMBA_DISABLE_JIT"]

import matching.search
from tests.harness import migrate_at
from tests.servers import (
    PostgresServer,
    RedisServer,
    ServerUnavailableError,
    running_postgres,
    running_redis,
)
from tests.tenants import (
    clock,
    clock_file,
    kith,
    module_kith,
    module_sqlite_kith,
    module_url,
    sqlite_kith,
)

# Fixtures that stand in a module of their own.
__all__ = ["clock", "clock_file", "kith", "module_kith", "module_sqlite_kith", "module_url", "sqlite_kith"]


matching.search.COMPILED = False


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One server of the Redis protocol on a private unix socket; leave it running and thawed."""
    try:
        with running_redis() as server:
            yield server
    except ServerUnavailableError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The address of an empty Redis."""
    redis_server.client.flushall()
    return redis_server.url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL on a private unix socket."""
    try:
        with running_postgres() as server:
            yield server
    except ServerUnavailableError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> str:
    """The name of a PostgreSQL database with our tables and nothing in them, to copy."""
    name = postgres_server.create()
    migrate_at(postgres_server.url(name))
    return name


@pytest.fixture
def fresh_postgres_url(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The address of a new PostgreSQL database with our tables and nothing in them."""
    name = postgres_server.create(postgres_template)
    yield postgres_server.url(name)
    postgres_server.drop(name)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """The address of a SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'kith.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a database with nothing in it, once of each kind: the test runs on both."""
    fixture = {"sqlite": "sqlite_url", "postgresql": "fresh_postgres_url"}[request.param]
    return str(request.getfixturevalue(fixture))
