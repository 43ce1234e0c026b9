"""Bodies that are not what their header says, sent to a real server: a 4xx at once, and nothing half done."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator

import pytest

from tests.attacks.inputs import FDFA, Served, serving, status_of, until_closed

NAMED = b'{"id": "%s", "name": "M"}'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("home")) as server:
        yield server


@pytest.fixture
def key(served: Served) -> str:
    return served.new_key()


def members(served: Served, key: str) -> list[str]:
    status, body = served.call("GET", "/v1/profiles", key)
    assert status == 200
    return [item["id"] for item in json.loads(body)["items"]]


def post(served: Served, key: str, body: bytes, *headers: str, path: str = "/v1/profiles") -> int:
    """Send a body under these headers, hang up that side, and return the status."""
    with served.connect() as connection:
        connection.sendall(served.head("POST", path, key, *headers) + body)
        connection.shutdown(1)  # no more comes, also where more was announced
        answer = until_closed(connection)
    if not answer:
        return 400  # a small body is awaited outside the threads: who hangs up in it is hung up on
    head, _, document = answer.partition(b"\r\n\r\n")
    status = status_of(answer)
    assert status < 500
    if status >= 400:
        assert b"\r\nContent-Type: application/problem+json\r\n" in head
        assert json.loads(document)["status"] == status
    return status


JSON = "Content-Type: application/json"
LINES = "Content-Type: application/x-ndjson"
BODY = NAMED % b"liar"


@pytest.mark.parametrize(
    "headers",
    [
        (f"Content-Length: {len(BODY) + 1}",),
        (f"Content-Length: {len(BODY) + 100_000}",),
        (f"Content-Length: {len(BODY) - 1}",),
        ("Content-Length: 1",),
        ("Content-Length: 0",),
        (),
        ("Content-Length: -1",),
        ("Content-Length: +25",),
        ("Content-Length: 0x19",),
        ("Content-Length: 25, 25",),
        ("Content-Length: 1e3",),
        (f"Content-Length: {'9' * 30}",),
        (f"Content-Length: {2**63}",),
        (f"Content-Length: {len(BODY)}", f"Content-Length: {len(BODY) + 1}"),
        (f"Content-Length: {len(BODY)}", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding : chunked",),
        ("Transfer-Encoding: \x0bchunked",),
    ],
)
def test_a_length_that_lies_is_refused_and_nothing_is_kept(
    served: Served, key: str, headers: tuple[str, ...]
) -> None:
    began = time.monotonic()

    assert post(served, key, BODY, JSON, *headers) in {400, 413, 415, 422}

    assert time.monotonic() - began < 5
    assert members(served, key) == []


@pytest.mark.parametrize("lines", [1, 400, 499])
def test_an_import_that_breaks_off_keeps_nothing_of_the_last_batch(
    served: Served, key: str, lines: int
) -> None:
    body = b"".join(NAMED % (b"m%d" % number) + b"\n" for number in range(lines))

    status = post(served, key, body, LINES, f"Content-Length: {len(body) + 500}", path="/v1/profiles/import")

    assert status == 400
    assert members(served, key) == []


def test_an_import_that_breaks_off_within_a_line_does_not_take_half_of_it(served: Served, key: str) -> None:
    whole = NAMED % b"ana"
    body = whole + b"\n" + whole[:-1]

    status = post(served, key, body, LINES, f"Content-Length: {len(body)}", path="/v1/profiles/import")

    assert status == 200
    assert members(served, key) == ["ana"]


@pytest.mark.parametrize(
    ("chunks", "status"),
    [
        (b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY), 201),
        (b"%x;a=b\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY), 201),
        (b"%x\r\n%s\r\n" % (len(BODY), BODY), 400),
        (b"%x\r\n%s\r\n0\r\n" % (len(BODY), BODY), 400),
        (b"%x\r\n%s" % (len(BODY), BODY), 400),
        (b"%x\r\n%sxx0\r\n\r\n" % (len(BODY), BODY), 400),
        (b"-5\r\n%s\r\n0\r\n\r\n" % BODY, 400),
        (b"0x19\r\n%s\r\n0\r\n\r\n" % BODY, 400),
        (b"ffffffffffffffffff\r\n%s\r\n0\r\n\r\n" % BODY, 400),
        (b"%s\r\n" % BODY, 400),
        (b"\r\n\r\n", 400),
    ],
)
def test_chunks_that_lie_are_refused(served: Served, key: str, chunks: bytes, status: int) -> None:
    assert post(served, key, chunks, JSON, "Transfer-Encoding: chunked") == status
    assert members(served, key) == (["liar"] if status == 201 else [])


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (gzip.compress(BODY), ("Content-Encoding: gzip",), 415),
        (gzip.compress(b" " * 50_000_000), ("Content-Encoding: gzip",), 415),
        (gzip.compress(BODY), (), 400),
        (BODY.decode().encode("utf-16"), (), 400),
        (BODY.decode().encode("utf-16-le"), ("Content-Type: application/json; charset=utf-16",), 415),
        (b"\xef\xbb\xbf" + BODY, (), 400),
        (b" " * (1024 * 1024) + BODY, (), 413),
        (b"[" * 1_000_000, (), 400),
        (b'{"a":' * 200_000, (), 400),
        (b'{"name": "M", "interests": [' + b'"a",' * 200_000 + b'"a"]}', (), 422),
        (b'{"name": ' + b"9" * 1_000_000 + b"}", (), 422),
        (b'{"name": "' + FDFA.encode() * 300_000 + b'"}', (), 422),
        (b'{"name": "\\ud800"}', (), 422),
    ],
    ids=range(13),
)
def test_a_hostile_body_is_refused_in_time(
    served: Served, key: str, body: bytes, headers: tuple[str, ...], status: int
) -> None:
    began = time.monotonic()

    kinds = headers if any("Type" in header for header in headers) else (JSON, *headers)
    assert post(served, key, body, *kinds, f"Content-Length: {len(body)}") == status

    assert time.monotonic() - began < 5
    assert members(served, key) == []


def test_a_body_where_none_belongs_is_no_second_request(served: Served, key: str) -> None:
    smuggled = served.head("DELETE", "/v1/profiles/ana", key)
    assert served.call("PUT", "/v1/profiles/ana", key, b'{"name": "Ana"}')[0] == 201

    with served.connect() as connection:
        sized = f"Content-Length: {len(smuggled)}"
        connection.sendall(served.head("GET", "/v1/community", key, sized, close=False) + smuggled)
        connection.sendall(served.head("GET", "/v1/profiles/ana", key))
        answer = until_closed(connection)

    assert answer.count(b"HTTP/1.1 200") == 2
    assert members(served, key) == ["ana"]
