"""One nursery of real processes for all tests of this folder, and a world on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.freshness.nursery import Nursery, open_nursery
from tests.freshness.walk import InProcess, Judge, World
from tests.harness import Kith
from tests.servers import RedisServer
from tests.tenants import clock, clock_file, module_url

__all__ = ["clock", "clock_file", "module_url"]


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """The interpreter that forks real processes of the service."""
    with open_nursery() as nursery:
        yield nursery


@pytest.fixture(scope="module")
def module_redis_url(redis_server: RedisServer) -> str:
    """The address of a Redis that the tests of a module share; no two communities meet in it."""
    redis_server.client.flushall()
    return redis_server.url


@pytest.fixture(scope="module")
def judge(module_url: str, clock_file: Path) -> Iterator[Judge]:
    """The service without a cache, freshly loaded for each answer."""
    with Kith.open(module_url, "off", KITH_CLOCK_FILE=str(clock_file), KITH_TESTING="1") as kith:
        yield Judge(kith)


@contextmanager
def _two_apps(judge: Judge, database_url: str, cache_url: str, clock_file: Path) -> Iterator[World]:
    clock = str(clock_file)
    with (
        Kith.open(database_url, cache_url, like=judge.kith, KITH_CLOCK_FILE=clock, KITH_TESTING="1") as one,
        Kith.open(database_url, cache_url, like=judge.kith, KITH_CLOCK_FILE=clock, KITH_TESTING="1") as two,
    ):
        yield World([InProcess(one), InProcess(two)], judge, clock_file)


@pytest.fixture(scope="module")
def world(module_url: str, module_redis_url: str, clock_file: Path, judge: Judge) -> Iterator[World]:
    """Two apps in this process, with their own indexes and links, on one database and one Redis."""
    with _two_apps(judge, module_url, module_redis_url, clock_file) as world:
        yield world


@pytest.fixture(scope="module")
def world_without_redis(module_url: str, clock_file: Path, judge: Judge) -> Iterator[World]:
    """Two apps on one database, each with a cache of its own."""
    with _two_apps(judge, module_url, "local", clock_file) as world:
        yield world


@pytest.fixture(scope="module")
def real_world(
    module_url: str, module_redis_url: str, clock_file: Path, judge: Judge, nursery: Nursery
) -> World:
    """Two real processes on one database and one Redis."""
    processes = [nursery.start(module_url, module_redis_url, clock_file) for _ in range(2)]
    return World(processes, judge, clock_file)
