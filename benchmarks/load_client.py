"""`python -m benchmarks.load_client`: ask a server over kept connections, as fast as it answers.

In, on standard input: a `Load` as one JSON object. Out, on standard output: a `Result` as another. A process
of its own, so that what it costs is neither the server's nor the benchmark's; raw sockets, since a client
library would take longer than the server.
"""

import json
import resource
import selectors
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle

RECEIVED_BYTES = 256 * 1024
Asked = tuple[str, str, str | None]  # method, path, body


@dataclass(frozen=True, slots=True)
class Load:
    """What to ask for: each request once, or over and over, until the seconds are over."""

    port: int
    headers: Mapping[str, str]
    requests: Sequence[Asked]
    connections: int
    seconds: float
    again: bool = True


@dataclass(frozen=True, slots=True)
class Result:
    """The seconds of every answer, those of all together, and what this client spent on a processor.

    `refused` names the statuses above 299 that came back; `size` is that of the last body.
    """

    latencies: Sequence[float]
    seconds: float
    spent: float
    refused: Sequence[int]
    size: int


class Line:
    """One connection, with one request under way at most."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = bytearray()
        self.began = 0.0

    def ask(self, request: bytes) -> None:
        """Send a request."""
        self._received.clear()
        self.began = time.perf_counter()
        self.sock.sendall(request)

    def answer(self) -> tuple[int, int] | None:
        """Receive what is there; return status and size of the body once it is whole."""
        piece = self.sock.recv(RECEIVED_BYTES)
        if not piece:
            raise ConnectionError("the server hung up")
        self._received += piece
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self._received[:end]).lower()
        size = int(head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0] or 0)
        return (int(head[9:12]), size) if len(self._received) >= end + 4 + size else None


def written(load: Load) -> Iterator[bytes]:
    """Yield the requests as bytes."""
    kept = "".join(f"{name}: {text}\r\n" for name, text in load.headers.items())
    requests = [_written(asked, kept) for asked in load.requests]
    return cycle(requests) if load.again else iter(requests)


def _written(asked: Asked, kept: str) -> bytes:
    method, path, body = asked
    sent = (body or "").encode()
    length = f"Content-Length: {len(sent)}\r\n" if sent else ""
    return f"{method} {path} HTTP/1.1\r\nHost: kith\r\n{kept}{length}\r\n".encode() + sent


def run(load: Load) -> Result:
    """Ask until the time is over or nothing is left to ask, and every answer has come."""
    requests, latencies, refused, size = written(load), [], [], 0
    with selectors.DefaultSelector() as ready:
        lines = [Line(load.port) for _ in range(load.connections)]
        began, spent = time.perf_counter(), _spent()
        until, busy = began + load.seconds, 0
        for line in lines:
            ready.register(line.sock, selectors.EVENT_READ, line)
            busy += _go_on(line, requests, until)
        while busy:
            for key, _ in ready.select():
                found = key.data.answer()
                if found is None:
                    continue
                now = time.perf_counter()
                latencies.append(now - key.data.began)
                status, size = found
                refused += [status] if status > 299 else []
                busy -= not _go_on(key.data, requests, until)
        seconds, used = time.perf_counter() - began, _spent() - spent
    for line in lines:
        line.sock.close()
    return Result(latencies, seconds, used, refused, size)


def _go_on(line: Line, requests: Iterator[bytes], until: float) -> bool:
    request = next(requests, None) if time.perf_counter() < until else None
    if request is not None:
        line.ask(request)
    return request is not None


def _spent() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    print(json.dumps(asdict(run(Load(**json.load(sys.stdin))))))
