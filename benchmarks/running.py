"""A real `kith serve` of its own: a home and an environment in, a port to call out, nothing left behind."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from service.settings import read_settings
from service.start import open_database
from service.usecases.communities import create_community

KITH = (sys.executable, "-m", "service.cli")
ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60.0
STOP_SECONDS = 15.0
ANSWER_SECONDS = 600.0
NDJSON = "application/x-ndjson"


class FailedError(Exception):
    """Something that was to be measured did not work."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, and how long it took from the first byte sent to the last one read."""

    status: int
    body: bytes
    seconds: float

    @property
    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


class Caller:
    """One key's calls over one connection that is kept."""

    def __init__(self, port: int, key: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)
        self._headers = {"Authorization": f"Bearer {key}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def call(self, method: str, path: str, body: bytes | None = None, content_type: str = NDJSON) -> Reply:
        """Send one request, which must be answered with 200."""
        headers = self._headers | ({} if body is None else {"Content-Type": content_type})
        began = time.perf_counter()
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        received = response.read()
        seconds = time.perf_counter() - began
        if response.status != 200:
            raise FailedError(f"{method}: {response.status} {received[:500]!r}")
        return Reply(response.status, received, seconds)

    def get(self, path: str) -> Reply:
        """Send a GET."""
        return self.call("GET", path)

    def import_lines(self, body: bytes) -> Reply:
        """Import profiles; a single failed line is one too many."""
        reply = self.call("POST", "/v1/profiles/import", body)
        if reply.json["failed"]:
            raise FailedError(f"{reply.json['failed']} lines failed, as {reply.json['errors'][:3]}")
        return reply

    def suggestions(self, profile_id: str, query: str = "") -> Reply:
        """Ask for a member's suggestions."""
        return self.get(f"/v1/profiles/{profile_id}/suggestions{query}")


def environment(home: Path, **more: str) -> dict[str, str]:
    """Return what a Kith in this home is started with: our environment without its settings, and these."""
    plain = {name: text for name, text in os.environ.items() if not name.startswith("KITH_")}
    return plain | {"KITH_HOME": str(home), "KITH_RATE_LIMIT": "off"} | more


def run_kith(environ: Mapping[str, str], *words: str) -> Any:
    """Run a command of Kith's to its end and return what it says."""
    done = subprocess.run([*KITH, *words], env=environ, cwd=ROOT, capture_output=True, check=False, text=True)
    if done.returncode:
        raise FailedError(f"kith {' '.join(words[:2])} ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout)


def new_key(environ: Mapping[str, str]) -> str:
    """Make a community and return its key."""
    with open_database(read_settings(environ)) as database:  # here: a process would take a second
        return create_community(database, "Measured")[2]


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(environ: Mapping[str, str], log: Path) -> Iterator[int]:
    """Run `kith serve` with one worker process for as long as the block; give its port once it is ready."""
    port = free_port()
    with running(environ, log, [*KITH, "serve", "--port", str(port), "--workers", "1"], port):
        yield port


@contextmanager
def running(environ: Mapping[str, str], log: Path, command: Sequence[str], port: int) -> Iterator[int]:
    """Run a server for as long as the block; give its group of processes once it answers on its port."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, env=environ, cwd=ROOT, stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_until_ready(port, process, log)
        yield process.pid
    except (OSError, http.client.HTTPException) as failure:
        raise FailedError(f"{failure!r}, and the service said: {_end_of(log)}") from failure
    finally:
        stop(process)


def wait_until_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait for the first 200 of `/readyz`."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if is_ready(port):
            return
        time.sleep(0.005)
    raise FailedError(f"kith serve did not start: {_end_of(log)}")


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


def is_ready(port: int) -> bool:
    """Tell whether the service on this port says that it is ready."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the service as an operator would; after a while, with everything that it started."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
