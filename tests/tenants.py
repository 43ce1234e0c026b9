"""Fixtures of the HTTP tests: one database per module and kind, a community of its own for each test.

A test folder's conftest imports them. `kith` runs a test on SQLite and on PostgreSQL, `sqlite_kith` only on
SQLite, for what no SQL has a part in. Time moves through `clock`, which every test starts at now.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from service.usecases.communities import create_community
from tests.harness import Kith
from tests.servers import PostgresServer


@dataclass(frozen=True, slots=True)
class TestClock:
    """The file of KITH_CLOCK_FILE."""

    __test__ = False
    file: Path

    def forward(self, *, hours: float = 0, seconds: float = 0) -> None:
        """Move Kith's time."""
        now = float(self.file.read_text())
        self.file.write_text(str(now + hours * 3600 + seconds))

    def reset(self) -> None:
        """Go back to the real time."""
        self.file.write_text("0")


@pytest.fixture(scope="module")
def clock_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clock file that moves nothing yet."""
    file = tmp_path_factory.mktemp("clock") / "seconds"
    file.write_text("0")
    return file


@pytest.fixture
def clock(clock_file: Path) -> Iterator[TestClock]:
    """What moves the time of this module's Kith; back at the real time when the test is over."""
    clock = TestClock(clock_file)
    clock.reset()
    yield clock
    clock.reset()


POSTGRESQL_FIRST = [pytest.param("sqlite", marks=pytest.mark.drill), "postgresql"]
SQLITE_FIRST = ["sqlite", pytest.param("postgresql", marks=pytest.mark.drill)]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def module_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an empty database for a whole module, once of each kind."""
    yield from _module_url(request, tmp_path_factory)


@pytest.fixture(scope="module", params=SQLITE_FIRST)
def sqlite_first_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The same, but with PostgreSQL only in the drill; import it as `module_url` in its place."""
    yield from _module_url(request, tmp_path_factory)


@pytest.fixture(scope="module", params=POSTGRESQL_FIRST)
def postgresql_first_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The same, but with SQLite, where writers take turns anyway, only in the drill."""
    yield from _module_url(request, tmp_path_factory)


def _module_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('database') / 'kith.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    name = server.create(request.getfixturevalue("postgres_template"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture(scope="module")
def module_kith(module_url: str, clock_file: Path) -> Iterator[Kith]:
    """One Kith for a whole module, on each kind of database."""
    with Kith.open(module_url, KITH_CLOCK_FILE=str(clock_file), KITH_TESTING="1") as kith:
        yield kith


@pytest.fixture
def kith(module_kith: Kith) -> Kith:
    """A community of its own for this test, with an admin key."""
    return neighbour(module_kith)


@pytest.fixture(scope="module")
def module_sqlite_kith(tmp_path_factory: pytest.TempPathFactory, clock_file: Path) -> Iterator[Kith]:
    """One Kith for a whole module, on SQLite alone."""
    url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'kith.db'}"
    with Kith.open(url, KITH_CLOCK_FILE=str(clock_file), KITH_TESTING="1") as kith:
        yield kith


@pytest.fixture
def sqlite_kith(module_sqlite_kith: Kith) -> Kith:
    """A community of its own for this test, on SQLite alone."""
    return neighbour(module_sqlite_kith)


def neighbour(kith: Kith) -> Kith:
    """Return a new community of the same service, under an admin key of its own."""
    community, _, key = create_community(kith.database, "Neighbours")
    return replace(kith, community=community.id, key=key)


def with_key(kith: Kith, *scopes: str) -> Kith:
    """Return the same community under a new key of these scopes."""
    made = kith.call("POST", "/v1/keys", {"name": "for a test", "scopes": list(scopes)})
    assert made.status_code == 201, made.text
    return replace(kith, key=made.json["key"])
