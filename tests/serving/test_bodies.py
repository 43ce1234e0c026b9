"""A request's body arrives whole, as a stream, or not at all."""

from __future__ import annotations

import io
import json
import time

import pytest
from werkzeug.exceptions import ClientDisconnected, RequestTimeout

from service.serving.body import SlowClientError, WholeBody
from tests.serving.conftest import Service, Start, answer_on, until_closed

CHUNKED = b"POST /lines HTTP/1.1\r\nHost: kith\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"


def announced(length: int, path: str = "/lines") -> bytes:
    return f"POST {path} HTTP/1.1\r\nHost: kith\r\nContent-Length: {length}\r\n\r\n".encode()


def send_half(service: Service, request: bytes) -> bytes:
    """Send so much and then close the sending side."""
    with service.connect() as connection:
        connection.sendall(request)
        connection.shutdown(1)
        return until_closed(connection)


def test_a_large_body_that_ends_before_its_announced_length_is_refused(service: Service) -> None:
    assert send_half(service, announced(100_000) + b"a\n").startswith(b"HTTP/1.1 400")


def test_a_chunked_body_cut_short_is_refused(service: Service) -> None:
    assert send_half(service, CHUNKED + b"4\r\na\nb\n\r\n").startswith(b"HTTP/1.1 400")


def test_a_malformed_chunk_is_refused(service: Service) -> None:
    assert service.ask(CHUNKED + b"4\r\na\nb\n\r\nzz\r\n").startswith(b"HTTP/1.1 400")


def test_a_chunked_body_is_read_to_its_end(service: Service) -> None:
    answer = service.ask(CHUNKED + b"4\r\na\nb\n\r\n3\r\nc\nd\r\n0\r\n\r\n")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["lines"] == 4


def test_a_body_of_30_megabytes_is_streamed_in_little_memory(start: Start) -> None:
    service = start(1, 10, 0, 1)  # one thread: each has buffers of its own, full after 3 MB
    block = (b"x" * 99 + b"\n") * 10_000
    before = post_blocks(service, block, 3)["peak_kib"]
    after = post_blocks(service, block, 30)
    assert after["lines"] == 300_000
    assert after["peak_kib"] - before < 1024


def post_blocks(service: Service, block: bytes, count: int) -> dict[str, int]:
    with service.connect(60) as connection:
        connection.sendall(
            announced(len(block) * count).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        )
        for _ in range(count):
            connection.sendall(block)
        counted: dict[str, int] = json.loads(until_closed(connection).partition(b"\r\n\r\n")[2])
    return counted


def test_a_client_that_falls_silent_in_a_large_body_is_told_so(start: Start) -> None:
    service = start(1, 0.3)
    assert service.ask(announced(100_000) + b"a\n").startswith(b"HTTP/1.1 408")


def test_an_unread_body_is_not_waited_for(service: Service) -> None:
    refused = []
    began = time.monotonic()
    for _ in range(16):  # twice as many as threads
        connection = service.connect()
        connection.sendall(announced(10**9, "/refuse") + b"some")
        refused.append(connection)
    assert all(connection.recv(100).startswith(b"HTTP/1.1 413") for connection in refused)
    assert service.get("/who")
    assert time.monotonic() - began < 4  # gunicorn alone waits 5 s for each
    for connection in refused:
        connection.close()


def test_a_kept_connection_answers_again_after_a_body_that_was_not_read(service: Service) -> None:
    with service.connect() as connection:
        for _ in range(3):
            connection.sendall(announced(4, "/refuse") + b"some")
            assert answer_on(connection).startswith(b"HTTP/1.1 413")


class Source:
    """Gives pieces, or raises what stands among them."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = list(pieces)

    def read(self, size: int, /) -> bytes:
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece[:size]


def read(body: WholeBody) -> bytes:
    return io.BufferedReader(body, 4).read()


def test_no_more_is_read_than_was_announced() -> None:
    assert read(WholeBody(Source(b"abcd", b"efgh"), 6)) == b"abcdef"


def test_a_body_without_a_length_ends_where_the_server_says() -> None:
    assert read(WholeBody(Source(b"abcd", b"ef"), None)) == b"abcdef"


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        (b"", ClientDisconnected),
        (ConnectionResetError(), ClientDisconnected),
        (ValueError("a malformed chunk"), ClientDisconnected),
        (SlowClientError("silent"), RequestTimeout),
        (TimeoutError(), RequestTimeout),
    ],
)
def test_a_body_that_breaks_off_is_an_http_error(fault: bytes | Exception, answer: type[Exception]) -> None:
    with pytest.raises(answer):
        read(WholeBody(Source(b"abcd", fault), 8))
