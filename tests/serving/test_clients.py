"""Slow, rude and leaving clients keep nobody else from an answer."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from service.serving import patience
from service.serving.body import SlowClientError
from service.serving.patience import ClientSocket, is_ready
from tests.serving.conftest import Service, answer_on, until_closed

HEADER = b"POST /lines HTTP/1.1\r\nHost: kith\r\n"


@pytest.mark.parametrize(
    ("case", "received", "ready"),
    [
        ("nothing", b"", False),
        ("half a header", HEADER, False),
        ("a header", HEADER + b"\r\n", True),
        ("a header, and a body to come", HEADER + b"Content-Length: 4\r\n\r\nab", False),
        ("a header and its body", HEADER + b"content-length:4\r\n\r\nabcd", True),
        ("a large body to come", HEADER + b"Content-Length: 70000\r\n\r\n", True),
        ("a body in chunks", HEADER + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n", True),
        ("a client that asks first", HEADER + b"Content-Length: 4\r\nExpect: 100-continue\r\n\r\n", True),
        ("a length that is none", HEADER + b"Content-Length: four\r\n\r\n", True),
        ("a header without end", b"x" * 40_000, True),
    ],
)
def test_a_request_gets_a_thread_when_it_can_be_answered(case: str, received: bytes, ready: bool) -> None:
    assert is_ready(received) is ready, case


@pytest.mark.parametrize("sent", [b"", b"GET /who HT", HEADER + b"Content-Length: 100\r\n\r\nab"])
def test_forty_waiting_clients_hold_no_thread(service: Service, sent: bytes) -> None:
    waiting = [service.connect() for _ in range(40)]
    for connection in waiting:
        connection.sendall(sent)
    began = time.monotonic()
    assert service.get("/who")
    assert time.monotonic() - began < 2
    for connection in waiting:
        connection.close()


def test_a_request_that_comes_byte_by_byte_is_answered(service: Service) -> None:
    with service.connect() as connection:
        for byte in b"GET /who HTTP/1.1\r\nHost: kith\r\n\r\n":
            connection.sendall(bytes([byte]))
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")


def test_a_connection_is_kept_for_further_requests(service: Service) -> None:
    with service.connect() as connection:
        for _ in range(3):
            connection.sendall(b"GET /who HTTP/1.1\r\nHost: kith\r\n\r\n")
            assert answer_on(connection).startswith(b"HTTP/1.1 200")


def test_requests_sent_at_once_are_all_answered(service: Service) -> None:
    request = b"GET /who HTTP/1.1\r\nHost: kith\r\n"
    answer = service.ask(request + b"\r\n" + request + b"\r\n" + request + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") == 3


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: kith\r\n\r\n", b"414"),
        (b"GET /who HTTP/1.1\r\nHost: kith\r\nX: " + b"a" * 100_000 + b"\r\n\r\n", b"431"),
        (HEADER + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", b"400"),
        (HEADER + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
    ],
)
def test_a_header_that_is_too_long_or_says_two_things_is_refused(
    service: Service, request_head: bytes, status: bytes
) -> None:
    with service.connect() as connection:
        connection.sendall(request_head)
        assert connection.recv(4096).startswith(b"HTTP/1.1 " + status)


@pytest.fixture
def pair() -> Iterator[tuple[ClientSocket, socket.socket]]:
    """A client's socket as the service sees it, and the client's own end."""
    ours, theirs = socket.socketpair()
    client = ClientSocket(ours)
    client.setblocking(True)
    yield client, theirs
    client.close()
    theirs.close()


def test_silence_ends(pair: tuple[ClientSocket, socket.socket], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "SILENCE_SECONDS", 0.05)
    pair[0].setblocking(True)
    with pytest.raises(SlowClientError):
        pair[0].recv(10)


def test_a_trickle_ends(pair: tuple[ClientSocket, socket.socket], monkeypatch: pytest.MonkeyPatch) -> None:
    client, theirs = pair
    monkeypatch.setattr(patience, "SILENCE_SECONDS", 0.05)
    client.waited_seconds = 0.06
    theirs.sendall(b"x")
    with pytest.raises(SlowClientError):
        client.recv(10)


def test_what_comes_fast_enough_is_received(pair: tuple[ClientSocket, socket.socket]) -> None:
    client, theirs = pair
    theirs.sendall(b"abc")
    assert client.recv(10) == b"abc"
    assert client.received_bytes == 3


def test_an_answer_that_nobody_takes_ends(
    pair: tuple[ClientSocket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "SILENCE_SECONDS", 0.05)
    pair[0].setblocking(True)
    with pytest.raises(SlowClientError):
        pair[0].sendall(b"x" * 10_000_000)


def test_an_answer_is_whole_before_the_connection_closes(service: Service) -> None:
    with service.connect() as connection:
        connection.sendall(b"GET /who HTTP/1.1\r\nHost: kith\r\nConnection: close\r\n\r\nand more, unasked")
        assert until_closed(connection).endswith(b"}\n")
