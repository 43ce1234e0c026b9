"""The promise as it is made: sixty seconds after the 204 of a real server with its worker, nothing is left.

The worker sweeps by the real time here, and Redis is the embedded one.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import redis

from service.settings import read_settings
from service.start import find_redis
from service.storage.database import Database
from tests.attacks.erasure_canary import (
    Canary,
    files_with_canary,
    holds_canary,
    keys_with_canary,
    others,
    rows_with_canary,
)
from tests.harness import Kith
from tests.servers import free_port

PROMISED_SECONDS = 60
START_SECONDS = 60
MEMBERS = 3000


@dataclass(slots=True)
class Remote(Kith):
    """A Kith behind a socket; its database is for looking only."""

    port: int = 0

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        sent = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"} | named
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        address = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with closing(address) as connection:
            connection.request(method, path, content, sent)
            answer = connection.getresponse()
            data = answer.read()
        is_json = "json" in (answer.headers["Content-Type"] or "") and b"\n{" not in data
        document = json.loads(data) if data and is_json else None
        return SimpleNamespace(status_code=answer.status, data=data, text=data.decode(), json=document)


@contextmanager
def serving(folder: Path) -> Iterator[Remote]:
    """Run `kith serve` with two processes and its worker, all that it says going to a file."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith("KITH_")}
    environ |= {"KITH_HOME": str(folder / "home"), "KITH_RATE_LIMIT": "off", "KITH_LOG_LEVEL": "debug"}
    environ |= {"KITH_WEBHOOK_PRIVATE": "1"}
    kith = [sys.executable, "-m", "service.cli"]
    created = subprocess.run(
        [*kith, "community", "create", "Town"], env=environ, check=True, capture_output=True
    )
    made = json.loads(created.stdout)
    port = free_port()
    command = [*kith, "serve", "--port", str(port), "--workers", "2"]
    with (folder / "log").open("wb") as said:
        process = subprocess.Popen(command, env=environ, stdout=said, stderr=subprocess.STDOUT)
    database = Database(f"sqlite:///{folder / 'home' / 'kith.db'}")
    nobody = cast("Any", None)
    remote = Remote(database, nobody, nobody, made["community"], made["key"], port)
    try:
        wait_for(remote)
        yield remote
    finally:
        database.close()
        process.terminate()
        process.wait(30)


def wait_for(remote: Remote) -> None:
    """Wait until a server answers."""
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            assert remote.call("GET", "/readyz").status_code == 200
            return
        except OSError:
            assert time.monotonic() < until
            time.sleep(0.1)


@pytest.mark.drill
def test_within_sixty_seconds_nothing_is_left(tmp_path: Path) -> None:
    with serving(tmp_path) as kith:
        crowd = others(0, MEMBERS)
        assert kith.import_profiles(*crowd[: MEMBERS // 2])["created"] == MEMBERS // 2
        canary = Canary(kith)
        canary.spread()
        assert kith.import_profiles(*crowd[MEMBERS // 2 :])["created"] == MEMBERS // 2
        canary.ask()
        settings = read_settings({"KITH_HOME": str(tmp_path / "home")})
        with closing(redis.Redis.from_url(find_redis(settings)[0], protocol=2)) as client:
            assert files_with_canary(tmp_path)
            assert keys_with_canary(client)
            canary.erase()
            time.sleep(PROMISED_SECONDS)
            assert keys_with_canary(client) == []
            assert files_with_canary(tmp_path) == []
        assert rows_with_canary(kith.database) == []
        assert not holds_canary(kith.call("GET", "/v1/profiles/export").data)
    assert (tmp_path / "home" / "erased.log").stat().st_size
    assert b'"request"' in (tmp_path / "log").read_bytes()
    assert files_with_canary(tmp_path) == []
