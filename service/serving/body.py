"""A request's body, whole or not at all.

gunicorn ends a body early where the client does, and the app would take half an import for all of it. This
stands between: the app reads to the length that was announced, or gets an HTTP error to answer with.
"""

from __future__ import annotations

import errno
import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from werkzeug.exceptions import ClientDisconnected, RequestTimeout

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BUFFER_BYTES = 64 * 1024


class SlowClientError(ConnectionResetError):
    """The client sends too little in too long, or takes nothing; to gunicorn it is as good as gone."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.ECONNRESET, reason)


class Source(Protocol):
    """What a server gives as `wsgi.input`; all that is asked of it."""

    def read(self, size: int, /) -> bytes:
        """Read so many bytes, fewer only at the end."""
        ...


class WholeBody(io.RawIOBase):
    """Read a body from the server, and say so when it isn't all there."""

    def __init__(self, source: Source, length: int | None) -> None:
        self.source = source
        self.missing = length

    def readable(self) -> bool:
        """Tell that this is for reading."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer, less at the end, or raise what to answer."""
        target = memoryview(buffer).cast("B")
        wanted = len(target) if self.missing is None else min(len(target), self.missing)
        piece = self.read_source(wanted)
        if self.missing is not None:
            self.missing -= len(piece)
            if self.missing and not piece:
                raise ClientDisconnected
        target[: len(piece)] = piece
        return len(piece)

    def read_source(self, size: int) -> bytes:
        """Read from the server; whatever it makes of a broken body is the client's fault, or its absence."""
        try:
            return self.source.read(size)
        except (SlowClientError, TimeoutError) as error:
            raise RequestTimeout from error
        except Exception as error:  # gunicorn's errors of malformed chunks have no common base
            raise ClientDisconnected from error


def with_whole_bodies(app: WSGIApplication) -> WSGIApplication:
    """Put the body between server and app."""

    def call(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH")
        body = WholeBody(environ["wsgi.input"], int(length) if length else None)
        # Buffered: a line is then found in C, not read byte by byte.
        environ["wsgi.input"] = io.BufferedReader(body, BUFFER_BYTES)
        return app(environ, start_response)

    return call
