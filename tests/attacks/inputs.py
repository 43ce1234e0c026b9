"""Hostile values, a body that is right for every route that takes one, and what to hold answers against.

A new route with a body fails `test_inputs_bodies.py` until its body stands in `BODIES`.
"""

from __future__ import annotations

import contextlib
import copy
import gc
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from service.storage.database import Database
from service.usecases.communities import create_community
from tests.gatherings import days
from tests.harness import Kith
from tests.routes import BODILESS, IDS, KEYED, Route, gathered, settle
from tests.servers import PostgresServer, free_port
from tests.tenants import neighbour

SECONDS = 1.0  # an attack may keep us at work; on a quiet machine nearly all take less than 0.1
# A file to which every attack's seconds are written, for docs/measurements.md.
TIMES = os.environ.get("KITH_TEST_TIMES")

ROOT = Path(__file__).resolve().parents[2]
PROFILE: dict[str, Any] = {
    "name": "Ana",
    "interests": ["hiking", "board games"],
    "activities": ["trail running"],
    "goals": ["learn Spanish"],
    "location": {"lat": 52.52, "lon": 13.405},
    "radius_km": 15,
    "modes": ["in_person", "online"],
    "timezone": "Europe/Berlin",
    "availability": [{"day": "tue", "from": "18:00", "to": "21:00"}],
    "languages": ["de", "en"],
    "attributes": {"role": "mentee"},
    "seeks": {"role": ["mentor"]},
    "capacity": 3,
    "joins_rounds": True,
    "status": "paused",
    "paused_until": "2099-01-01T00:00:00Z",
}
COMMUNITY: dict[str, Any] = {
    "name": "Testers",
    "radius_km": 30,
    "group_size": 3,
    "cooldown_days": 60,
    "facet_weights": {"interests": 1, "goals": 0.5},
    "support_text": "Call us.",
    "acquaintances": False,
    "admin_attributes": ["age_band"],
    "separate_by": ["age_band"],
}
VENUE: dict[str, Any] = {
    "name": "Café",
    "timezone": "Europe/Berlin",
    "hours": [{"day": "tue", "from": "18:00", "to": "21:00"}],
}
# What each route takes, with as many fields as it may have.
BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/profiles": PROFILE | {"id": "new"},
    "PUT /v1/profiles/{profile_id}": PROFILE,
    "PATCH /v1/profiles/{profile_id}": PROFILE,
    "PATCH /v1/community": COMMUNITY,
    "POST /v1/keys": {"name": "mine", "scopes": ["read"]},
    "POST /v1/profiles/{profile_id}/responses": {"peer": IDS["other_id"], "response": "later"},
    "PUT /v1/profiles/{profile_id}/connections/{peer_id}": {
        "since": "2026-01-01T00:00:00Z",
        "last_met": "2026-02-01T00:00:00Z",
    },
    "POST /v1/profiles/{profile_id}/reports": {
        "peer": IDS["other_id"],
        "reason": "spam",
        "detail": "Sells things.",
    },
    "PATCH /v1/reports/{report_id}": {"state": "resolved"},
    "POST /v1/rounds": {
        "name": "December",
        "group_size": 3,
        "cooldown_days": 30,
        "seed": 7,
        "participants": [IDS["profile_id"], IDS["other_id"]],
    }
    | days(),
    "POST /v1/rounds/{round_id}/replan": {
        "together": [[IDS["profile_id"], IDS["other_id"]]],
        "apart": [],
    },
    "POST /v1/meetups": {"members": [IDS["profile_id"], IDS["peer_id"]]},
    "POST /v1/meetups/{meetup_id}/replies": {"profile": IDS["profile_id"], "reply": "yes"},
    "POST /v1/meetups/{meetup_id}/outcomes": {
        "profile": IDS["profile_id"],
        "outcome": "met",
        "again": True,
    },
    "PUT /v1/venues/{venue_id}": VENUE | {"location": {"lat": 52.52, "lon": 13.405}},
    "POST /v1/webhooks": {"url": "https://example.org/new", "events": ["profile.created", "profile.erased"]},
    "PATCH /v1/webhooks/{webhook_id}": {"url": "https://example.org/changed", "events": ["report.filed"]},
}
LINES: dict[str, dict[str, Any]] = {
    "POST /v1/profiles/import": PROFILE | {"id": "new"},
    "POST /v1/connections/import": {
        "a": IDS["profile_id"],
        "b": IDS["other_id"],
        "since": "2026-01-01T00:00:00Z",
        "last_met": "2026-02-01T00:00:00Z",
    },
    "POST /v1/venues/import": {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [13.405, 52.52]},
        "properties": VENUE | {"id": "new"},
    },
}
WRITES = [route for route in KEYED if route.method in {"POST", "PUT", "PATCH"}]
IMPORTS = [route for route in WRITES if route.rule.endswith("/import")]
WITH_JSON = [route for route in WRITES if route not in IMPORTS and route.name not in BODILESS]


@dataclass(slots=True)
class Town:
    """One Kith with a few members, and the ids that stand in its paths."""

    kith: Kith
    ids: dict[str, str]

    @classmethod
    def of(cls, kith: Kith) -> Town:
        """Fill a new community with what paths name."""
        own = neighbour(kith)
        return cls(own, settle(own) | gathered(own))

    def path(self, route: Route) -> str:
        """Return a route's path in this town."""
        return route.path(self.ids)

    def send(self, route: Route, body: bytes, **headers: str) -> TestResponse:
        """Send bytes to a route, as JSON unless told otherwise."""
        answer: TestResponse = self.kith.call(
            route.method, self.path(route), body, **({"Content_Type": "application/json"} | headers)
        )
        return answer

    def state(self) -> dict[str, Any]:
        """Return everything that can be read of this town."""
        seen: dict[str, Any] = {}
        for route in KEYED:
            if route.method == "GET":
                answer = self.kith.call("GET", self.path(route))
                seen[str(route)] = (answer.status_code, shown(answer))
        return seen


def shown(answer: TestResponse) -> Any:
    """Return an answer's content without what differs from call to call."""
    content = answer.get_data(as_text=True)
    answer.close()
    with contextlib.suppress(ValueError):
        content = json.loads(content)
    if isinstance(content, dict):
        return {name: value for name, value in content.items() if name not in {"cache", "as_of"}}
    return content


@dataclass(slots=True)
class Both:
    """The same town on SQLite and on PostgreSQL: what is asked of one is asked of the other."""

    towns: tuple[Town, Town]

    def attack(self, send: Callable[[Town], TestResponse]) -> TestResponse:
        """Send the same to both, and hold status, document and time of the two against each other."""
        first, second = (timed(send, town) for town in self.towns)
        assert first.status_code == second.status_code, (first.text[:300], second.text[:300])
        assert first.content_type == second.content_type
        if first.status_code >= 400:
            assert first.get_data() == second.get_data()
        assert first.status_code < 500
        return first

    def states(self) -> list[dict[str, Any]]:
        """Return what can be read of each."""
        return [town.state() for town in self.towns]


@contextlib.contextmanager
def two_kiths(
    sqlite: Kith, server: PostgresServer, template: str, clock_file: Path
) -> Iterator[tuple[Kith, Kith]]:
    """Open a Kith on PostgreSQL beside the one on SQLite."""
    name = server.create(template)
    with Kith.open(server.url(name), KITH_CLOCK_FILE=str(clock_file), KITH_TESTING="1") as other:
        yield sqlite, other
    server.drop(name)


def timed(send: Callable[[Town], TestResponse], town: Town) -> TestResponse:
    """Send, and hold the time against what an attack may take."""
    # Of this thread, which is at work on nothing else: other tests may keep the machine busy. Nor is what
    # they left behind in this process the attack's: looking through all of it can take a second.
    gc.disable()
    try:
        began = time.thread_time()
        answer = send(town)
        answer.get_data()
        seconds = time.thread_time() - began
    finally:
        gc.enable()
    if TIMES:
        with Path(TIMES).open("a") as file:
            file.write(f"{seconds:.4f} {answer.request.method} {answer.request.path[:60]}\n")
    assert seconds < SECONDS
    return answer


def refusal_fault(answer: TestResponse, name: str, path: str) -> str:
    """Return what is wrong with the refusal of a value at a path; nothing where it is as it must be."""
    if answer.status_code == (400 if name in NO_JSON else 422):
        found = {} if name in NO_JSON else answer.get_json()["errors"]
        if name in NO_JSON or any(_fits(shown, path) for shown in found):
            return ""
    return f"{name} at {path}: {answer.status_code} {answer.get_data(as_text=True)[:200]}"


def _fits(shown: str, path: str) -> bool:
    return shown == path or shown.startswith(f"{path}.") or path.startswith(f"{shown}.")


# ---------------------------------------------------------------- values


MARK = "@raw@"
FDFA = "\ufdfa"  # one character whose normal form has eighteen
# Wrong wherever a field stands: each a value's JSON text.
NEVER: dict[str, bytes] = {
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "1e999": b"1e999",
    "2**63": b"9223372036854775808",
    "10**400": b"1" + b"0" * 400,
    "half a surrogate pair": b'"a\\ud800b"',
    "half a pair in UTF-8": b'"a\xed\xa0\x80b"',
    "overlong UTF-8": b'"a\xc0\xafb"',
    "a NUL": b'"a\\u0000b"',
    "a raw NUL": b'"a\0b"',
    "zero width": b'"\\u200b\\u2060\\ufeff\\u200d"',
    "a key twice": b'{"role": ["mentor"], "role": ["mentor"]}',
    "13 deep": b"[" * 13 + b"]" * 13,
    "an operator": b'{"$ne": 1}',
    "a class": b'{"__class__": {"__init__": 1}}',
}
# The same, and large.
HEAVY: dict[str, bytes] = {
    "100,000 digits": b"9" * 100_000,
    "a long fraction": b"0." + b"3" * 50_000 + b"e999999999",
    "100,000 characters": b'"' + b"a" * 100_000 + b'"',
    "U+FDFA by 5,000": b'"' + FDFA.encode() * 5_000 + b'"',
    "100,000 marks": b'"a' + "\u0301".encode() * 100_000 + b'"',
    "100,000 terms": b"[" + b",".join(b'"a%d"' % number for number in range(100_000)) + b"]",
    "10,000 names": b"{" + b",".join(b'"a%d":["b"]' % number for number in range(10_000)) + b"}",
    "100,000 faults": b"[" + b",".join([b"1e999"] * 100_000) + b"]",
    "100,000 deep": b"[" * 100_000,
    "objects 100,000 deep": b'{"a":' * 100_000,
}
# Those that are no JSON at all: 400, for no field can be named.
NO_JSON = {
    "NaN", "Infinity", "half a pair in UTF-8", "overlong UTF-8", "a raw NUL", "13 deep", "100,000 deep",
    "objects 100,000 deep",
}  # fmt: skip


def places(value: Any, path: str = "") -> Iterator[str]:
    """Yield the path of every value in a body, containers too."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in inner:
        yield from places(item, f"{path}.{step}" if path else str(step))


def broken(body: Mapping[str, Any], path: str, text: bytes) -> bytes:
    """Return a body's JSON with other text at one path."""
    changed = copy.deepcopy(dict(body))
    *above, last = path.split(".")
    place: Any = changed
    for step in above:
        place = place[int(step)] if isinstance(place, list) else place[step]
    place[int(last) if isinstance(place, list) else last] = MARK
    return json.dumps(changed).encode().replace(f'"{MARK}"'.encode(), text)


# ---------------------------------------------------------------- a real server


@dataclass(slots=True)
class Served:
    """A running `kith serve` on SQLite, and its log."""

    port: int
    log: Path
    database: Database

    def connect(self, seconds: float = 20) -> socket.socket:
        """Connect, with a time limit for every answer."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=seconds)

    def ask(self, request: bytes) -> bytes:
        """Send bytes and read until the server hangs up."""
        with self.connect() as connection:
            connection.sendall(request)
            return until_closed(connection)

    def new_key(self) -> str:
        """Make a community; return an admin key of it."""
        return create_community(self.database, "Neighbours")[2]

    def head(self, method: str, path: str, key: str, *headers: str, close: bool = True) -> bytes:
        """Write a request's header."""
        lines = [f"{method} {path} HTTP/1.1", "Host: kith", f"Authorization: Bearer {key}", *headers]
        return "\r\n".join([*lines, *["Connection: close"][:close], "", ""]).encode("latin-1")

    def call(self, method: str, path: str, key: str, body: bytes = b"", *headers: str) -> tuple[int, bytes]:
        """Send a whole request; return status and body."""
        sized = (f"Content-Length: {len(body)}", "Content-Type: application/json", *headers)
        answer = self.ask(self.head(method, path, key, *sized) + body)
        return status_of(answer), answer.partition(b"\r\n\r\n")[2]


def until_closed(connection: socket.socket) -> bytes:
    """Read all that the server sends until it hangs up."""
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def status_of(answer: bytes) -> int:
    """Return an answer's status."""
    return int(answer.split(b" ", 2)[1])


@contextlib.contextmanager
def serving(home: Path, **environ: str) -> Iterator[Served]:
    """Serve Kith for as long as the block, with the real log."""
    port, log = free_port(), home / "log"
    words = [sys.executable, "-m", "service.cli", "serve", "--port", str(port), "--no-worker"]
    kept = {name: text for name, text in os.environ.items() if not name.startswith("KITH_")}
    settings = {"KITH_HOME": str(home), "KITH_REDIS_URL": "off", "KITH_RATE_LIMIT": "off"} | environ
    with log.open("wb") as output:
        process = subprocess.Popen(words, cwd=ROOT, env=kept | settings, stdout=output, stderr=output)
    database = Database(f"sqlite:///{home / 'kith.db'}")
    served = Served(port, log, database)
    try:
        wait_for(lambda: b" 200 " in served.ask(served.head("GET", "/readyz", "none")))
        yield served
    finally:
        database.close()
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        process.kill()
        process.wait()


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is true."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            if condition():
                return
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain")
