"""A running small service, and a client that speaks bytes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Service:
    """A served small app, by its arbiter's process."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    def connect(self, seconds: float = 10) -> socket.socket:
        """Connect, with a time limit for every answer."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=seconds)

    def ask(self, request: bytes) -> bytes:
        """Send one request and read until the server hangs up."""
        with self.connect() as connection:
            connection.sendall(request)
            return until_closed(connection)

    def get(self, path: str) -> Any:
        """Get a JSON answer."""
        answer = self.ask(f"GET {path} HTTP/1.1\r\nHost: kith\r\nConnection: close\r\n\r\n".encode())
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n")[0], answer[:200]
        return json.loads(body)

    def workers(self) -> set[int]:
        """Name the live worker processes by their ids."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return {int(child) for child in children.split()}


def until_closed(connection: socket.socket) -> bytes:
    """Read all that the server sends until it hangs up."""
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def wait_for(condition: Callable[[], Any], seconds: float = 15) -> Any:
    """Wait until something is true, and give it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, StopIteration, ValueError):
            if found := condition():
                return found
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s in vain")


def answer_on(connection: socket.socket) -> bytes:
    """Read one JSON answer on a connection that stays open."""
    received = b""
    while not received.endswith(b"}\n"):
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    return received


def begin(log: Path, workers: int, *more: object) -> Service:
    """Start a small service and wait until it answers."""
    words = [sys.executable, "-m", "tests.serving.small_service", str(workers), *map(str, more)]
    with log.open("w") as errors:
        process = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True)
    told = wait_for(lambda: next(line for line in log.read_text().splitlines() if "port" in line))
    service = Service(process, int(told.split()[1]), log)
    wait_for(lambda: service.get("/who"))
    return service


def end(service: Service) -> None:
    """Stop a service that the test has not stopped."""
    try:
        service.process.send_signal(signal.SIGTERM)
        service.process.wait(20)
    finally:
        service.process.kill()
        if service.process.stdout:
            service.process.stdout.close()


Start = Callable[..., Service]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start services that end with the test."""
    running: list[Service] = []

    def start_another(workers: int = 1, *more: object) -> Service:
        running.append(begin(tmp_path / f"log-{len(running)}", workers, *more))
        return running[-1]

    yield start_another
    for service in running:
        end(service)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One small service with one worker, for tests that leave it as it is."""
    running = begin(tmp_path_factory.mktemp("small") / "log", 1)
    yield running
    end(running)


def exists(pid: int) -> bool:
    """Tell whether a process is still there, and no zombie."""
    with contextlib.suppress(OSError):
        os.kill(pid, 0)
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False
