"""The short form runs on SQLite; the drill runs everything on PostgreSQL too. What the attacks share."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.inputs import Both, Town, two_kiths
from tests.harness import Kith
from tests.logged import logged
from tests.servers import PostgresServer
from tests.tenants import sqlite_first_url as module_url

__all__ = ["module_url"]


@pytest.fixture(scope="module")
def kiths(
    module_sqlite_kith: Kith, postgres_server: PostgresServer, postgres_template: str, clock_file: Path
) -> Iterator[tuple[Kith, Kith]]:
    """A Kith on each kind of database."""
    with two_kiths(module_sqlite_kith, postgres_server, postgres_template, clock_file) as opened:
        yield opened


@pytest.fixture
def both(kiths: tuple[Kith, Kith]) -> Both:
    """The same town on each kind of database."""
    return Both((Town.of(kiths[0]), Town.of(kiths[1])))


@pytest.fixture(scope="module")
def still_both(kiths: tuple[Kith, Kith]) -> Both:
    """The same, for the tests of a module that change nothing in it."""
    return Both((Town.of(kiths[0]), Town.of(kiths[1])))


@pytest.fixture(scope="module")
def still_states(still_both: Both) -> list[dict[str, Any]]:
    """What can be read of each of those towns, before and after each of those tests."""
    return still_both.states()


@pytest.fixture
def town(sqlite_kith: Kith) -> Town:
    """A town on SQLite alone."""
    return Town.of(sqlite_kith)


@pytest.fixture(scope="module")
def still_town(module_sqlite_kith: Kith) -> Town:
    """A town on SQLite for the tests of a module that change nothing in it."""
    return Town.of(module_sqlite_kith)


@pytest.fixture(scope="module")
def still(still_town: Town) -> dict[str, Any]:
    """What can be read of that town, before and after each of those tests."""
    return still_town.state()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The log of this process at its most talkative; put back as it was afterwards."""
    with logged("debug", io.StringIO()) as stream:
        yield stream
