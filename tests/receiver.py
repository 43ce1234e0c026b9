"""A real HTTP receiver of webhooks on loopback, which notes what comes and answers as it is told to."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import Webhook


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came: the headers' names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> Any:
        """What the body says."""
        return json.loads(self.body)

    @property
    def event(self) -> tuple[str, Any]:
        """Its type and data."""
        return self.told["type"], self.told["data"]

    def is_signed_with(self, secret: str) -> bool:
        """Verify the signature as a receiver does; raise where it is none."""
        Webhook(secret).verify(self.body, self.headers)
        return True


@dataclass
class Receiver:
    """What came, and what the next ones are answered: a status, or a call that answers by itself."""

    port: int = 0
    received: list[Received] = field(default_factory=list)
    answer: int | Callable[[BaseHTTPRequestHandler], None] = 204

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/kith"

    def events(self) -> list[tuple[str, Any]]:
        """Return types and data of all that came."""
        return [one.event for one in self.received]


@contextmanager
def receiving(context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Run a receiver on a free port."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): text for name, text in self.headers.items()}
            receiver.received.append(Received(self.path, headers, body))
            answer = receiver.answer
            if not isinstance(answer, int):
                answer(self)
                return
            self.send_response(answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    # Who hangs up in the middle is part of these tests.
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver.port = server.server_address[1]
    serving = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    serving.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        serving.join()
