"""Real processes for tests: one interpreter imports the service once and forks a server for each order.

Run as a program it reads orders (JSON lines: a database, a Redis, a clock file) from stdin and writes the
port of each new process to stdout. Its end of input, or its death, ends them all.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.app import create_app
from service.settings import read_settings
from service.storage.cache import open_cache
from service.storage.database import Database
from tests.freshness.walk import Reply, encoded

ROOT = Path(__file__).parent.parent.parent
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class RealProcess:
    """A process of the service on a port of 127.0.0.1."""

    pid: int
    port: int

    def ask(self, key: str, method: str, path: str, body: Any = None) -> Reply:
        """Send a request under this API key."""
        sent, kind = encoded(body)
        headers = {"Authorization": f"Bearer {key}"} | ({"Content-Type": kind} if kind else {})
        with closing(
            http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        ) as connection:
            connection.request(method, path, sent, headers)
            answer = connection.getresponse()
            text = answer.read()
            return Reply(answer.status, json.loads(text) if text else {})


@dataclass(frozen=True, slots=True)
class Nursery:
    """The interpreter that forks them."""

    program: subprocess.Popen[str]

    def start(self, database_url: str, cache_url: str, clock_file: Path) -> RealProcess:
        """Start a process of the service."""
        assert self.program.stdin is not None
        assert self.program.stdout is not None
        order = {"database": database_url, "cache": cache_url, "clock": str(clock_file)}
        print(json.dumps(order), file=self.program.stdin, flush=True)
        return RealProcess(**json.loads(self.program.stdout.readline()))


@contextmanager
def open_nursery() -> Iterator[Nursery]:
    """Run the interpreter for as long as the block."""
    command = [sys.executable, "-c", "from tests.freshness.nursery import main; main()"]
    environ = os.environ | {"PYTHONWARNINGS": "ignore", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, env=environ) as program:
        try:
            yield Nursery(program)
        finally:
            program.kill()


def main() -> None:
    """Fork a server for every order."""
    import matching.matcher  # noqa: F401 - all that is slow to import, before the first fork

    # The service logs to stdout, where nobody reads but for ports.
    ports = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for line in sys.stdin:
        if os.fork() == 0:
            _serve(json.loads(line), ports)


def _serve(order: dict[str, str], ports: int) -> None:
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log_request(self, *_: object) -> None:
            """Say nothing."""

    threading.Thread(target=_die_with, args=(os.getppid(),), daemon=True).start()
    environ = {"KITH_DATABASE_URL": order["database"], "KITH_RATE_LIMIT": "off", "KITH_TESTING": "1"}
    settings = read_settings(environ | {"KITH_CLOCK_FILE": order["clock"]})
    database = Database(settings.database, settings.clock_file)
    app = create_app(settings, database, open_cache(order["cache"]))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    os.write(ports, json.dumps({"pid": os.getpid(), "port": server.port}).encode() + b"\n")
    server.serve_forever()


def _die_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(0)
