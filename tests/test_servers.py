"""The servers that tests use: real, separate, and gone when the test run is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis
from sqlalchemy import create_engine, text

from tests.servers import PostgresServer

OWNER = """
import time
from tests.servers import {kind}
server = {kind}()
server.start()
print(server.pid, flush=True)
time.sleep(60)
"""


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_each_database_is_empty_and_its_own(postgres_server: PostgresServer) -> None:
    first, second = postgres_server.create(), postgres_server.create()
    engine = create_engine(postgres_server.url(first))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE seen (id int)"))
    engine.dispose()

    engine = create_engine(postgres_server.url(second))
    with engine.connect() as connection:
        found = connection.execute(text("SELECT count(*) FROM pg_tables WHERE tablename = 'seen'")).scalar()
    engine.dispose()

    assert found == 0


def test_a_database_copies_its_template(postgres_server: PostgresServer) -> None:
    template = postgres_server.create()
    engine = create_engine(postgres_server.url(template))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE seen (id int)"))
    engine.dispose()

    engine = create_engine(postgres_server.url(postgres_server.create(template)))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM seen")).scalar() == 0
    engine.dispose()


def test_a_test_on_a_database_runs_on_both(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1
    engine.dispose()
    assert database_url.startswith(engine.dialect.name)


@pytest.mark.parametrize("turn", [1, 2])
def test_a_test_finds_redis_empty(turn: int, redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", turn)


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
@pytest.mark.parametrize("kind", ["RedisServer", "PostgresServer"])
def test_a_server_dies_with_a_killed_test_run(kind: str) -> None:
    root = Path(__file__).parents[1]
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER.format(kind=kind)], stdout=subprocess.PIPE, text=True, cwd=root
    )
    assert owner.stdout is not None
    server = int(owner.stdout.readline())
    assert is_running(server)

    os.kill(owner.pid, signal.SIGKILL)
    owner.communicate()

    until = time.monotonic() + 10
    while is_running(server) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_running(server)
