"""Nothing that a client sends gets into a log line, wherever it sends it, in and out of process."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service import logs
from tests.attacks.inputs import BODIES, LINES, Served, Town, serving
from tests.harness import NDJSON
from tests.routes import KEYED, ROUTES, Route, each_nth

MARK = "iNjEcTeD"
EVIL = f'{MARK}\r\n{{"event": "forged"}}\n\x1b[31m{MARK}\x1b]0;{MARK}\x07\x00\u2028\x85%s%n${{jndi:x}}'
# As it may stand in an address, and in a header.
QUOTED = f"{MARK}%0d%0a%7B%22event%22:%22forged%22%7D%1b%5b31m{MARK}%00%e2%80%a8%s%n"
HEADER = f"{MARK}\t\x1b[31m\x85 {{}} %s ${{jndi:ldap://x}} \x9b31m"
FIELD = re.compile(r"[\x20-\x7e]*")


def check(text: str, at_least: int = 1) -> list[dict[str, Any]]:
    """Return the lines of a log in which nothing stands that was sent."""
    lines = text.splitlines()
    assert len(lines) >= at_least
    for line in lines:
        assert MARK.casefold() not in line.casefold()
        assert FIELD.fullmatch(line), line
    found = [json.loads(line) for line in lines if line.startswith("{")]
    assert not any(line["event"] == "forged" for line in found)
    assert all(logs.WORD.fullmatch(line["event"]) for line in found)
    return found


@each_nth(ROUTES, 3)
def test_no_route_logs_what_it_was_sent(town: Town, route: Route, log: io.StringIO) -> None:
    before = len(log.getvalue())
    hostile = dict.fromkeys(town.ids, QUOTED)
    body = BODIES.get(route.name) or LINES.get(route.name) or {}
    kind = NDJSON if route.rule.endswith("/import") else "application/json"
    paths = (
        route.path(hostile),
        town.path(route) + f"?{QUOTED}={QUOTED}&limit={QUOTED}",
        town.path(route),
    )
    bodies = (
        json.dumps(body | {EVIL: EVIL, "name": EVIL}).encode(),
        EVIL.encode(),
        b"\xff" + EVIL.encode(),
    )
    calls = 0
    for headers in hostile_headers(kind):
        for number, path in enumerate(paths):
            # With each header each path and each body, in turns.
            town.kith.call(route.method, path, bodies[(calls + number) % 3], **headers).close()
            calls += 1

    requests = [line for line in check(log.getvalue()[before:], calls) if line["event"] == "request"]
    assert len(requests) == calls
    assert {line["route"] for line in requests} <= {"none", route.rule}


def hostile_headers(kind: str) -> list[dict[str, str]]:
    """Return headers of which one in each holds what must not be logged."""
    typed = {"Content_Type": kind}
    texts = [typed | {name: HEADER} for name in ("User_Agent", "Referer", "X_Forwarded_For", "Accept")]
    texts += [typed | {name: HEADER} for name in ("If_Match", "Idempotency_Key", "Content_Encoding")]
    return [typed, *texts, {"Content_Type": HEADER}, typed | {"Authorization": f"Bearer {HEADER}"}]


@pytest.mark.parametrize("method", [MARK, f"{MARK}\x1b[31m", f"GET{MARK}", "TRACE"])
def test_a_method_made_up_is_not_logged(town: Town, method: str, log: io.StringIO) -> None:
    town.kith.call(method, "/v1/profiles").close()

    assert [line["method"] for line in check(log.getvalue())] == ["other"]


def test_what_is_kept_is_not_logged_when_it_is_worked_with(town: Town, log: io.StringIO) -> None:
    shown = f"{MARK} [31m %s ${{jndi:x}}"
    fields = {"name": shown, "interests": [shown], "attributes": {shown: shown}, "seeks": {shown: [shown]}}
    for name in ("eve", MARK):
        assert town.kith.call("PUT", f"/v1/profiles/{name}", fields).status_code == 201
    town.kith.call("PATCH", "/v1/community", {"name": shown, "support_text": shown, "separate_by": [shown]})
    for route in KEYED:
        if route.method == "GET":
            town.kith.call("GET", route.path(town.ids | {"profile_id": MARK})).close()

    check(log.getvalue(), 10)


def test_an_error_is_logged_without_what_it_failed_on(
    town: Town, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError(EVIL) from ValueError(EVIL)

    app = town.kith.client.application
    monkeypatch.setattr(app, "view_functions", dict.fromkeys(app.view_functions, fail))

    assert town.kith.call("GET", "/v1/profiles").status_code == 500

    assert "unhandled_error" in [line["event"] for line in check(log.getvalue(), 2)]


# ---------------------------------------------------------------- the real server


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("home"), KITH_LOG_LEVEL="debug") as server:
        yield server


ONE = " HTTP/1.1\r\nHost: k\r\n"
LAST = "Connection: close\r\n\r\n"
BROKEN = {
    "a request line": f"GET /{MARK} {MARK} HTTP/1.1\r\n\r\n",
    "no method": f"\x1b[31m{MARK} / HTTP/1.1\r\n\r\n",
    "a lower method": f"get{MARK} / HTTP/1.1\r\n\r\n",
    "a version": f"GET /{MARK} HTTP/{MARK}\r\n\r\n",
    "no version": f"GET /{MARK}\r\n\r\n",
    "a header's name": f"GET /{MARK}{ONE}{MARK}\x1b[31m: x\r\n\r\n",
    "a header's value": f"GET /{MARK}{ONE}X: {MARK}\0\r\n\r\n",
    "a line feed": f"GET /{MARK}{ONE}X: a\n{MARK}: b\r\n\r\n",
    "a folded header": f"GET /{MARK}{ONE}X: a\r\n {MARK}\r\n\r\n",
    "a space before the colon": f"GET /{ONE}{MARK} : x\r\n\r\n",
    "a coding": f"POST /{MARK}{ONE}Transfer-Encoding: {MARK}\r\n\r\n",
    "a length": f"POST /{MARK}{ONE}Content-Length: {MARK}\r\n\r\n",
    "an expectation": f"POST /{MARK}{ONE}Expect: {MARK}\r\nContent-Length: 1\r\n\r\nx",
    "a long line": f"GET /{MARK * 4000}{ONE}\r\n",
    "a long header": f"GET /{ONE}X: {MARK * 4000}\r\n\r\n",
    "many headers": f"GET /{ONE}" + f"{MARK}: x\r\n" * 200 + "\r\n",
    "a chunk": f"POST /v1/profiles{ONE}Transfer-Encoding: chunked\r\n\r\n{MARK}\r\n{MARK}\r\n0\r\n\r\n",
    "the host": f"GET /{MARK} HTTP/1.1\r\nHost: {MARK}\x1b[31m\r\n{LAST}",
    "a whole address": f"GET http://{MARK}/{MARK}\x1b[31m{ONE}{LAST}",
    "a tunnel": f"CONNECT {MARK}:443{ONE}{LAST}",
    "another protocol": f"\x16\x03\x01\x02\x00\x01{MARK}" + "\0" * 40 + "\r\n\r\n",
    "HTTP/2": f"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{MARK}",
    "a proxy's line": f"PROXY TCP4 {MARK} 1.2.3.4 1 2\r\nGET /{ONE}\r\n",
    "a bare feed": f"GET /{MARK} HTTP/1.1\nHost: k\n\n\r\n\r\n",
    "a user agent": f"GET /{MARK}%0a?{QUOTED}{ONE}User-Agent: {MARK}\x1b[31m\r\n{LAST}",
}  # fmt: skip


@pytest.mark.parametrize("request_text", BROKEN.values(), ids=BROKEN)
def test_what_is_no_request_is_refused_and_neither_logged_nor_repeated(
    served: Served, request_text: str
) -> None:
    answer = served.ask(request_text.encode("latin-1"))

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 4")
    assert b"\r\nContent-Type: application/problem+json\r\n" in head + b"\r\n"
    assert b"\r\nX-Content-Type-Options: nosniff\r\n" in head + b"\r\n"
    assert b"frame-ancestors 'none'" in head
    assert MARK.encode() not in answer
    document = json.loads(body)
    assert document["status"] == int(head.split(b" ")[1])
    assert document["type"].startswith("urn:kith:problem:")
    check(Path(served.log).read_text())
