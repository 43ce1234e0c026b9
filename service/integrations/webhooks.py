"""Webhooks out: one signed POST to an address that was looked up once, checked, and held on to.

In: a URL, a secret, a message. Out: the status that the receiver answered, or `NotSent`. Every address that
the name leads to must be one that may be reached; the connection goes to such an address, never to the name
again, while Host, SNI and the certificate stay the name's. No redirect is followed, no proxy asked, and all
of it has ten seconds.
"""

import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from http.client import HTTPConnection, HTTPException
from io import BufferedReader, RawIOBase
from typing import Any, Literal
from urllib.parse import urlsplit

from standardwebhooks.webhooks import Webhook

from service.integrations.addresses import is_refused

SECONDS = 10.0
MOST_ADDRESSES = 4
LARGEST_ANSWER = 4096
PORTS = {"http": 80, "https": 443}
Reason = Literal["refused_address", "unresolved", "unreachable", "timed_out", "tls_failed", "bad_answer"]
Resolve = Callable[[str, int], list[str]]


class NotSent(Exception):
    """No answer came; `reason` says in one word why. Later it may."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses that a name has now."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@cache
def trusted() -> ssl.SSLContext:
    """Return what certificates are checked by: the machine's authorities."""
    return ssl.create_default_context()


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent: its id, the same however often it is sent, and its body as it is signed."""

    id: str
    body: str


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends messages; `private` lets them into one's own networks."""

    private: bool = False
    resolve: Resolve = resolve
    trusted: Callable[[], ssl.SSLContext] = trusted

    def send(self, url: str, secret: str, message: Message) -> int:
        """Send a message, signed after the Standard Webhooks specification; return the answer's status."""
        until = time.monotonic() + SECONDS
        parts = urlsplit(url)
        host, port = str(parts.hostname), parts.port or PORTS[parts.scheme]
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Host": parts.netloc} | _headers(secret, message)
        try:
            plain = _connect(self._addresses(host, port), port, until)
            with plain, self._wrapped(plain, parts.scheme, host, until) as connected:
                return _ask(_Timed(connected, until), path, message.body.encode(), headers)
        except TimeoutError:
            raise NotSent("timed_out") from None
        except ssl.SSLError:
            raise NotSent("tls_failed") from None
        except OSError:
            raise NotSent("unreachable") from None
        except (HTTPException, ValueError):
            raise NotSent("bad_answer") from None

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            found = self.resolve(host, port)
        except (OSError, UnicodeError):
            raise NotSent("unresolved") from None
        # One bad answer among good ones is an attempt too.
        if any(is_refused(address, private=self.private) for address in found):
            raise NotSent("refused_address")
        return found[:MOST_ADDRESSES]

    def _wrapped(self, plain: socket.socket, scheme: str, host: str, until: float) -> socket.socket:
        if scheme == "http":
            return plain
        plain.settimeout(_left(until))
        return self.trusted().wrap_socket(plain, server_hostname=host)


def _headers(secret: str, message: Message) -> dict[str, str]:
    # The receiver holds it against its own clock: no database's time, nor one moved for tests.
    at = datetime.fromtimestamp(int(time.time()), UTC)
    return {
        "Content-Type": "application/json",
        "User-Agent": "Kith",
        "webhook-id": message.id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message.id, at, message.body),
    }


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _connect(addresses: list[str], port: int, until: float) -> socket.socket:
    failure: OSError = OSError("no address")
    for tried, address in enumerate(addresses):
        try:
            # Who answers nothing at one address may at the next.
            return socket.create_connection((address, port), _left(until) / (len(addresses) - tried))
        except OSError as error:
            failure = error
    raise failure


def _ask(connected: "_Timed", path: str, body: bytes, headers: dict[str, str]) -> int:
    connection = HTTPConnection("unused")
    # With a socket of ours it opens none.
    connection.sock = connected
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    try:
        answer.read(LARGEST_ANSWER)
    except (OSError, HTTPException):
        pass  # the status is all that counts
    finally:
        answer.close()
    return answer.status


class _Timed:
    """A socket whose every step ends when the whole must: drop by drop an answer takes no longer either."""

    def __init__(self, connected: socket.socket, until: float) -> None:
        self._connected, self._until = connected, until

    def sendall(self, content: Any) -> None:
        """Send all of it in time."""
        self._connected.settimeout(_left(self._until))
        self._connected.sendall(content)

    def makefile(self, *_: Any) -> BufferedReader:
        """Return what reads from it."""
        return BufferedReader(_TimedReader(self._connected, self._until))

    def close(self) -> None:
        """Leave the closing to whoever opened it."""


class _TimedReader(RawIOBase):
    def __init__(self, connected: socket.socket, until: float) -> None:
        self._connected, self._until = connected, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connected.settimeout(_left(self._until))
        return self._connected.recv_into(buffer)
