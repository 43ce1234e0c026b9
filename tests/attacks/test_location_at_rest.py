"""At rest: what a member stated is nowhere once it was moved to its cell, not even where something failed.

A canary position is sent by every way in, rightly and wrongly, and then looked for as text (to 4 decimals,
some 11 m, with and without its point) and as the bytes of a number, in the database, in Redis, in the log at
its most talkative, in exports and in every answer. Fails where a position is kept, logged or quoted.
"""

from __future__ import annotations

import http.client
import io
import json
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis
from sqlalchemy import MetaData, func, select, text

from benchmarks.running import environment, run_kith, serving
from service.storage.database import Database
from tests.attacks.location_geometry import Spot, away
from tests.attacks.transcripts import CSV, MEMBER, PATH, wire
from tests.harness import NDJSON, Kith
from tests.servers import RedisServer

CANARY = Spot(52.520837194652, 13.408172639485)
MOVED = Spot(48.137214958317, 11.575618293746)
OUTSIDE = Spot(95.283719465217, 187.461928375164)
EVERY = (CANARY, MOVED, OUTSIDE)


def traces() -> list[bytes]:
    """Return all that a canary leaves where it is kept: text in three forms, and 8 bytes in both orders."""
    found = []
    for degrees in [degrees for spot in EVERY for degrees in (spot.lat, spot.lon)]:
        whole, _, rest = f"{degrees:.12f}".partition(".")
        # More digits without a point: six of them in a row stand in many a time.
        found += [f"{whole}.{rest[:4]}", f"{whole},{rest[:4]}", f"{whole}{rest[:8]}"]
    numbers = [struct.pack(f"{order}2d", *spot.as_wire().values()) for spot in EVERY for order in "<>"]
    return [text.encode() for text in found] + [pair[at : at + 8] for pair in numbers for at in (0, 8)]


def assert_free_of_traces(content: bytes, where: str) -> None:
    """Look for every trace."""
    found = [trace for trace in traces() if trace in content]
    assert not found, f"{where} holds {found}"


@dataclass(slots=True)
class Sender:
    """Sends requests of every kind and keeps what is answered."""

    kith: Kith
    answers: list[tuple[str, bytes]] = field(default_factory=list)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> int:
        """Send one request, whose path may state a position, too."""
        response = self.kith.call(method, path, body, **headers)
        told = f"{dict(response.headers)}".encode() + response.get_data()
        self.answers.append((f"{method} {response.status_code}", told))
        return int(response.status_code)


def state_everywhere(sender: Sender) -> None:
    """State the canaries by every way in, and ask for what came of it."""
    send = sender.send
    send("POST", "/v1/profiles", wire(CANARY), Idempotency_Key="k1")
    send("POST", "/v1/profiles", wire(MOVED), Idempotency_Key="k1")
    send("POST", "/v1/profiles", wire(CANARY), Idempotency_Key="k2")
    send("PATCH", PATH, {"location": CANARY.as_wire() | {"accuracy_km": 1}})
    send("PUT", PATH, wire(MOVED))
    send("PATCH", PATH, {"location": CANARY.as_wire()})
    lines = json.dumps(wire(MOVED, id="other")) + "\n" + json.dumps(wire(CANARY, id="third")) + "\n"
    send("POST", "/v1/profiles/import", lines.encode(), Content_Type=NDJSON)
    table = "id,name,lat,lon,interests\n" + f"fourth,Four,{CANARY.lat:.12f},{CANARY.lon:.12f},hiking\n"
    send("POST", "/v1/profiles/import", table.encode(), Content_Type=CSV)
    for who in (MEMBER, "other", "third", "fourth"):
        for what in ("", "/export", "/suggestions", "/suggestions?radius_km=200&mode=in_person"):
            assert send("GET", f"/v1/profiles/{who}{what}") == 200
    for path in ("/v1/profiles", "/v1/profiles/export", "/v1/terms?prefix=5", "/metrics"):
        send("GET", path)


def state_wrongly(sender: Sender) -> None:
    """State the canaries in every wrong place: each is refused, and none is quoted."""
    send, bad = sender.send, OUTSIDE.as_wire()
    for location in (bad, [bad["lat"], bad["lon"]], f"{CANARY.lat},{CANARY.lon}", CANARY.lat):
        assert send("PATCH", PATH, {"location": location}) == 422
        assert send("POST", "/v1/profiles", {"id": "wrong", "name": "W", "location": location}) == 422
    assert send("POST", "/v1/profiles", wire(OUTSIDE), Idempotency_Key="k3") == 422
    assert send("PATCH", PATH, {"radius_km": OUTSIDE.lon * 2, "capacity": CANARY.lat}) == 422
    cut = b'{"location": {"lat": %.12f, "lon": %.12f' % (CANARY.lat, CANARY.lon)
    assert send("PATCH", PATH, cut, Content_Type="application/json") == 400
    assert send("PATCH", PATH, wire(CANARY), Content_Type="text/plain") == 415
    assert send("GET", f"{PATH}/suggestions?radius_km={OUTSIDE.lon}&mode={CANARY.lat}") == 422
    assert send("GET", f"/v1/profiles?cursor={CANARY.lat}") == 422
    assert send("GET", f"/v1/profiles/{CANARY.lat},{CANARY.lon}") == 404
    bad_lines = [wire(OUTSIDE, id="wrong"), wire(CANARY, id="wrong", radius_km=OUTSIDE.lon * 3)]
    lines = "".join(json.dumps(line) + "\n" for line in bad_lines) + f'{{"lat": {CANARY.lat}\n'
    send("POST", "/v1/profiles/import", lines.encode(), Content_Type=NDJSON)
    table = "id,name,lat,lon,radius_km,availability\n"
    for row in ("w,W,{}north,{},5,", 'w,W,"{},{},5,', "w,W,1,1,{},{}", "w,W,{},{}", "w,W,{}e1,{}.5,5,mon"):
        table += row.format(CANARY.lat, OUTSIDE.lon) + "\n"
    send("POST", "/v1/profiles/import", table.encode(), Content_Type=CSV)


def fail_inside(sender: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    """Break the step that turns a position into a cell, with a message that quotes it."""

    def broken(lat: float, lon: float, resolution: int) -> str:
        raise RuntimeError(f"no cell at {lat}, {lon} of {resolution}")

    with monkeypatch.context() as patch:
        patch.setattr("matching.profile.h3.latlng_to_cell", broken)
        assert sender.send("PATCH", PATH, {"location": MOVED.as_wire()}) == 500
        assert sender.send("POST", "/v1/profiles", wire(CANARY, id="fifth"), Idempotency_Key="k4") == 500
        lines = json.dumps(wire(CANARY, id="sixth")).encode()
        assert sender.send("POST", "/v1/profiles/import", lines, Content_Type=NDJSON) == 500


def rows_of(database: Database) -> bytes:
    """Return every value of every row of every table as text, as a dump would hold it."""
    with database.read() as connection:
        metadata = MetaData()
        metadata.reflect(connection)
        counts = [
            connection.execute(select(func.count()).select_from(t)).scalar_one()
            for t in metadata.sorted_tables
        ]
        rows = [
            row for t in metadata.sorted_tables for row in connection.execute(text(f"SELECT * FROM {t.name}"))
        ]
    assert len(rows) == sum(counts)
    return "\n".join(repr(tuple(row)) for row in rows).encode()


def files_of(url: str) -> bytes:
    """Return the bytes of SQLite's files; none of another database."""
    if not url.startswith("sqlite:///"):
        return b""
    main = Path(url.removeprefix("sqlite:///"))
    files = sorted(main.parent.glob(f"{main.name}*"))
    assert main in files
    return b"".join(file.read_bytes() for file in files)


def values_in(server: redis.Redis) -> bytes:
    """Return every name and value in Redis."""
    names: Any = server.keys("*")
    dumps: Any = [server.get(name) if server.type(name) == b"string" else server.dump(name) for name in names]
    return b"\n".join([*names, *dumps])


def test_a_position_is_nowhere_at_rest(
    database_url: str,
    redis_url: str,
    redis_server: RedisServer,
    log: io.StringIO,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Kith.open(database_url, redis_url) as kith:
        sender = Sender(kith)
        state_everywhere(sender)
        state_wrongly(sender)
        fail_inside(sender, monkeypatch)

        rows, kept = rows_of(kith.database), values_in(redis_server.client)
        assert_free_of_traces(files_of(database_url), "the database's files, still open")

    assert b"Vic" in rows
    assert b"hiking" in kept, "no answer was kept: there was nothing to look through"
    assert "unhandled_error" in log.getvalue(), "the failures were not logged: nothing to look through"
    assert_free_of_traces(rows, "a table")
    assert_free_of_traces(files_of(database_url), "the database's files")
    assert_free_of_traces(kept, "Redis")
    assert_free_of_traces(log.getvalue().encode(), "the log")
    for call, answer in sender.answers:
        assert_free_of_traces(answer, f"the answer to {call}")


def test_traces_would_be_found(tmp_path: Path) -> None:
    """Check the check: each form of a position is found where it is."""
    degrees = CANARY.lon
    for kept in (repr(degrees).encode(), f"{degrees:.5f}".encode(), struct.pack("<d", degrees)):
        with pytest.raises(AssertionError, match="holds"):
            assert_free_of_traces(b"\0" + kept + b"\0", "this")


def test_a_table_without_a_header_is_not_quoted(sqlite_kith: Kith) -> None:
    row = f"ana,Ana,{CANARY.lat:.12f},{CANARY.lon:.12f}\n"

    refused = sqlite_kith.call("POST", "/v1/profiles/import", row.encode(), Content_Type=CSV)

    assert_free_of_traces(refused.get_data(), "the refusal")


def test_no_position_can_be_tried_out_against_what_an_idempotent_call_left(kith: Kith) -> None:
    """A bare hash of a body would be found by trying every position in the cell: it must hang on the key."""
    for key in ("one-key", "another-key"):
        kith.call("POST", "/v1/profiles", wire(CANARY), Idempotency_Key=key)

    with kith.database.read() as connection:
        left = list(connection.execute(text("SELECT fingerprint FROM kept_answers")).scalars())

    assert len(set(left)) == len(left) >= 2


@pytest.mark.drill
def test_a_real_server_logs_no_position(tmp_path: Path) -> None:
    environ = environment(tmp_path / "home", KITH_LOG_LEVEL="debug")
    key = run_kith(environ, "community", "create", "Canaries")["key"]
    lines = tmp_path / "log"
    with serving(environ, lines) as port:
        statuses = {raw_request(port, *request, key=key) for request in real_requests()}

    assert {201, 400, 404, 422} <= statuses
    assert '"event": "request"' in lines.read_text()
    assert_free_of_traces(lines.read_bytes(), "the server's log")
    for file in (tmp_path / "home").rglob("*"):
        if file.is_file():
            assert_free_of_traces(file.read_bytes(), file.name)


def real_requests() -> list[tuple[str, str, bytes]]:
    """Return requests with a canary in the body, the path and the query, rightly and wrongly."""
    body, cut = json.dumps(wire(CANARY)).encode(), b'{"location": {"lat": %.12f' % CANARY.lat
    beside = away(CANARY, 1.0, 5.0)
    return [
        ("POST", "/v1/profiles", body),
        ("PUT", PATH, json.dumps(wire(MOVED)).encode()),
        ("PATCH", PATH, json.dumps({"location": OUTSIDE.as_wire()}).encode()),
        ("POST", "/v1/profiles", json.dumps(wire(beside, id="beside")).encode()),
        ("PATCH", PATH, cut),
        ("GET", f"/v1/profiles/{CANARY.lat},{CANARY.lon}", b""),
        ("GET", f"/v1/profiles?lat={CANARY.lat}", b""),
        (f"G{CANARY.lat}", f"/v1/profiles?lat={CANARY.lat}", b""),
        ("GET", f"/%zz{CANARY.lat}", b""),
        ("GET", f"{PATH}/suggestions", b""),
    ]


def raw_request(port: int, method: str, path: str, body: bytes, *, key: str) -> int:
    """Send one request over a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        headers = {
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/json",
            "X-Lat": f"{CANARY.lat}",
        }
        connection.request(method, path, body or None, headers)
        return connection.getresponse().status
    finally:
        connection.close()
