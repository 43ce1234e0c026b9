"""A gunicorn worker that waits for slow clients in its poller and not in its threads.

gunicorn's own gives a connection a thread when it is accepted, so that eight clients that send nothing hold a
whole worker. Here a request gets a thread when its header and a small body have arrived; a large body is
read in the thread, at some least speed.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from gunicorn import util
from gunicorn.workers.gthread import TConn, ThreadWorker

from service.serving.body import SlowClientError
from service.serving.lanes import CLAIM, FairThreads, Head
from service.serving.refusal import as_answer, refusal_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed import ReadableBuffer
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

REQUEST_SECONDS = 15.0  # for the header and a small body
SMALL_BODY_BYTES = 64 * 1024
LARGEST_HEADER_BYTES = 32 * 1024  # what is longer goes to gunicorn's parser, which refuses it
READ_BYTES = 64 * 1024

SILENCE_SECONDS = 10.0  # between two pieces of a large body, or of an answer that the client takes
LEAST_BYTES_PER_SECOND = 1024  # of a large body, beyond that silence
LINGER_SECONDS = 2.0  # for who has got the last answer to close the connection
STOP_SECONDS = 2.0  # for who is connected when the worker is told to stop, and says nothing

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
_STREAMED = re.compile(rb"\r\n(transfer-encoding|expect|upgrade):", re.IGNORECASE)


class ClientSocket(socket.socket):
    """A client's connection that takes its bytes in time or ends."""

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        self.begin_request()

    def begin_request(self) -> None:
        """Count waiting from here."""
        self.waited_seconds = 0.0
        self.received_bytes = 0

    def setblocking(self, flag: bool) -> None:
        """Block, which gunicorn asks for in a thread, but not for ever."""
        self.settimeout(SILENCE_SECONDS if flag else 0.0)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Receive some bytes; raise if too few came in too long."""
        began = time.monotonic()
        try:
            piece = super().recv(size, flags)
        except TimeoutError as error:
            raise SlowClientError("silent for too long") from error
        self.waited_seconds += time.monotonic() - began
        self.received_bytes += len(piece)
        if self.waited_seconds > SILENCE_SECONDS + self.received_bytes / LEAST_BYTES_PER_SECOND:
            raise SlowClientError("too slow")
        return piece

    def sendall(self, content: ReadableBuffer, flags: int = 0) -> None:
        """Send a piece of an answer; raise if the client doesn't take it."""
        try:
            super().sendall(content, flags)
        except TimeoutError as error:
            raise SlowClientError("takes nothing") from error


class PatientConnection(TConn):
    """A connection, with what of the next request has come so far."""

    def __init__(self, worker: PatientWorker, sock: ClientSocket, client: Any) -> None:
        super().__init__(worker.cfg, sock, client, sock.getsockname())
        self.worker = worker
        self.received = bytearray()
        self.data_ready = True  # whenever it gets to a thread

    def init(self) -> None:
        """Begin a request in a thread: hand what was received to the parser."""
        super().init()
        self.sock.begin_request()
        if self.received:
            self.parser.unreader.unread(bytes(self.received))
            self.received.clear()

    def head(self) -> Head:
        """Tell what the header of the next request says, before it gets a thread."""
        # Of requests sent at once the parser holds those that follow the first.
        return Head.of(bytes(self.received) or self.parser.unreader.buf.getvalue())

    def wait_until(self, deadline: float) -> None:
        """Wait in the poller, until then at most."""
        self.sock.setblocking(False)
        self.timeout = deadline

    def take(self) -> bool:
        """Receive what is there; False where the client has gone."""
        try:
            piece = self.sock.recv(READ_BYTES)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.received += piece
        return bool(piece)

    def close(self, graceful: bool = False) -> None:
        """Close at once, or when the client has read the last answer."""
        if graceful:
            self.worker.hang_up(self)
        else:
            super().close()


def is_ready(received: bytes | bytearray) -> bool:
    """Tell whether so much of a request has come that a thread may take it."""
    end = received.find(b"\r\n\r\n", 0, LARGEST_HEADER_BYTES)
    if end < 0:
        return len(received) >= LARGEST_HEADER_BYTES
    header = bytes(received[: end + 2])
    length = _LENGTH.search(header)
    if length is None or _STREAMED.search(header):
        return True
    body = int(length[1])
    return body > SMALL_BODY_BYTES or len(received) - end - 4 >= body


class PatientWorker(ThreadWorker):
    """Serve with threads; wait without them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.closing: deque[PatientConnection] = deque()

    def get_thread_pool(self) -> FairThreads:
        """Make threads that take turns between communities."""
        return FairThreads(self.cfg.threads, PatientConnection.head)

    def load_wsgi(self) -> None:
        """Make the app, which tells the threads whose request they are at."""
        app: WSGIApplication = self.app.wsgi()

        def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            environ[CLAIM] = self.tpool.claim
            return app(environ, start_response)

        self.wsgi = call

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer a request that never got to the app, or an app that failed."""
        status, title = refusal_of(exc)
        if status >= 500:
            self.log.error("Error handling request", exc_info=exc)
        try:
            util.write_nonblock(client, as_answer(status, title))
        except OSError:
            self.log.debug("Failed to send error message.")

    def accept(self, listener: Any) -> None:
        """Take a new connection into the poller."""
        try:
            accepted, client = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        sock = ClientSocket(accepted)
        self.nr_conns += 1
        self.await_request(PatientConnection(self, sock, client))

    def await_request(self, connection: PatientConnection) -> None:
        """Wait for a request; all wait equally long, so that the first in line is the first to go."""
        patience = REQUEST_SECONDS if self.alive else STOP_SECONDS
        connection.wait_until(time.monotonic() + patience)
        self.pending_conns.append(connection)
        arrived = partial(self.on_pending_socket_readable, connection)
        self.poller.register(connection.sock, selectors.EVENT_READ, arrived)

    def on_client_socket_readable(self, connection: PatientConnection, client: Any) -> None:
        """Begin the next request of a kept connection."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(connection)
        self.await_request(connection)
        self.on_pending_socket_readable(connection, client)

    def on_pending_socket_readable(self, connection: PatientConnection, client: Any) -> None:
        """Receive more of a request; give it a thread when it is ready."""
        is_open = connection.take()
        if is_open and not is_ready(connection.received):
            return
        self.poller.unregister(client)
        self.pending_conns.remove(connection)
        if is_open:
            self.enqueue_req(connection)
        else:
            self.nr_conns -= 1
            connection.close()

    def _keepalive_after(self, connection: PatientConnection, keepalive: bool) -> bool:
        """Keep a connection unless some of its body is still to come; gunicorn waits 5 s in the thread."""
        parser = connection.parser
        reader = parser.mesg.body.reader
        missing = getattr(reader, "length", None)  # None: chunked
        here = reader.parser is None if missing is None else missing <= len(parser.unreader.buf.getvalue())
        return bool(here and super()._keepalive_after(connection, keepalive))

    def hang_up(self, connection: PatientConnection) -> None:
        """Say that no more comes, then wait in the poller for the client to close.

        Closed at once with unread bytes in it, a connection is reset and the client loses the answer;
        gunicorn waits here, and every other client with it.
        """
        try:
            connection.sock.shutdown(socket.SHUT_WR)
        except OSError:
            connection.close()
            return
        connection.wait_until(time.monotonic() + LINGER_SECONDS)
        self.closing.append(connection)
        self.poller.register(
            connection.sock, selectors.EVENT_READ, partial(self.on_closing_readable, connection)
        )

    def on_closing_readable(self, connection: PatientConnection, client: Any) -> None:
        """Throw away what still comes from a client that was answered."""
        is_open = connection.take()
        connection.received.clear()
        if not is_open:
            self.forget(connection)

    def forget(self, connection: PatientConnection) -> None:
        """Close a connection that was hung up."""
        self.closing.remove(connection)
        self.poller.unregister(connection.sock)
        connection.close()

    def murder_pending(self) -> None:
        """Close who keeps us waiting; gunicorn calls this at least once a second."""
        super().murder_pending()
        while self.closing and self.closing[0].timeout <= time.monotonic():
            self.forget(self.closing[0])

    def set_accept_enabled(self, enabled: bool) -> None:
        """Accept or not; a worker that stops first takes those who are already in line, then hangs up."""
        super().set_accept_enabled(enabled)
        if self.alive or enabled:
            return
        for listener in self.sockets:
            before = -1
            while before != self.nr_conns:
                before = self.nr_conns
                self.accept(listener)
            listener.close()

    def _cap_keepalive(self, deadline: float) -> None:
        """When stopping, wait for no silent connection beyond the deadline."""
        super()._cap_keepalive(deadline)
        for connection in self.pending_conns:
            connection.timeout = min(connection.timeout, deadline)
