"""One process's way to Redis: an operation in, its result or `RedisOff` out, and never a long wait.

The first failure opens the breaker. From then on no request touches Redis, until one background thread has
written to it again. Requests never look up host names either, which can take seconds: that thread does.
"""

import os
import socket
import threading
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.connection import Connection, ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from service.storage.keys_table import PROBE_SECONDS, probe_name

# Together below the 0.15 s that a failing Redis may cost the first answer.
CONNECT_SECONDS = 0.05
READ_SECONDS = 0.09

log = structlog.get_logger(__name__)
T = TypeVar("T")
Observer = Callable[[str], None]


class RedisOff(Exception):
    """Redis can't be used now."""


class OddEntry(Exception):
    """What stands under a key is not what Kith writes there."""


def unobserved(event: str) -> None:
    """Count nothing."""


class Addresses:
    """What a host name stood for when last looked up; nothing for a unix socket."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host = None if parts.scheme == "unix" else parts.hostname or "localhost"
        self.known: tuple[str, ...] = ()

    def look_up(self) -> None:
        """Ask for the host's addresses; may take seconds."""
        if self._host is not None:
            found = socket.getaddrinfo(self._host, None, type=socket.SOCK_STREAM)
            self.known = tuple(dict.fromkeys(str(entry[4][0]) for entry in found))


class KnownAddressConnection(Connection):
    """A connection to addresses that are already known."""

    def __init__(self, *, addresses: Addresses, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._addresses = addresses

    def _connect(self) -> socket.socket:
        name, failure = self._host, OSError("the host's address is not known")
        for address in self._addresses.known:
            self._host = address
            try:
                return super()._connect()  # type: ignore[no-any-return, no-untyped-call]
            except OSError as error:
                failure = error
            finally:
                self._host = name  # TLS checks the certificate against it
        raise failure


class KnownAddressTlsConnection(SSLConnection, KnownAddressConnection):
    """The same over TLS."""


def open_client(url: str, addresses: Addresses) -> Redis:
    """Make a client that fails fast: no retries, no handshake, short time-outs."""
    kinds = {"rediss": KnownAddressTlsConnection, "unix": UnixDomainSocketConnection}
    scheme = urlsplit(url).scheme
    pool = ConnectionPool.from_url(
        url,
        connection_class=kinds.get(scheme, KnownAddressConnection),
        protocol=2,  # RESP3 begins with a round trip
        driver_info=None,  # so do two CLIENT SETINFO
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=READ_SECONDS,
        **({} if scheme == "unix" else {"addresses": addresses}),
    )
    return Redis(connection_pool=pool)


def _is_odd(error: ResponseError) -> bool:
    # In a pipeline the server's words stand after redis-py's own.
    return "WRONGTYPE" in str(error) or "not an integer" in str(error)


class RedisLink:
    """A pool of connections and its breaker; safe with threads and after a fork.

    `revive` is called before each probe and returns the address to use: it brings an embedded server back.
    """

    def __init__(
        self,
        url: str,
        *,
        probe_seconds: float = 1.0,
        revive: Callable[[], str] | None = None,
        observe: Observer = unobserved,
    ) -> None:
        self._url = url
        self._addresses = Addresses(url)
        self._probe_seconds = probe_seconds
        self._revive = revive
        self._observe = observe
        self._begin()
        try:
            self._addresses.look_up()
        except OSError as error:
            self._trip(error)

    def _begin(self) -> None:
        """Set up what belongs to one process: a child's copy of a lock may be held by nobody for ever."""
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._broken = False
        self._client = open_client(self._url, self._addresses)

    @property
    def broken(self) -> bool:
        """Whether the breaker is open: Redis failed and has not come back yet."""
        return self._broken

    def run(self, operation: Callable[[Redis], T]) -> T:
        """Return what `operation` returns; raise `RedisOff`, or `OddEntry` for an entry of another kind."""
        if self._pid != os.getpid():
            self._begin()
        if self._broken:
            raise RedisOff
        try:
            return operation(self._client)
        except ResponseError as error:
            if _is_odd(error):
                raise OddEntry from error
            self._trip(error)
            raise RedisOff from error
        except (RedisError, OSError) as error:
            self._trip(error)
            raise RedisOff from error

    def answers(self) -> bool:
        """Tell whether Redis answers now; takes no longer than an operation."""
        try:
            return bool(self.run(lambda client: client.ping()))
        except RedisOff:
            return False

    def close(self) -> None:
        """Stop probing and close every connection."""
        self._closing.set()
        self._broken = True
        self._client.connection_pool.disconnect()

    def _trip(self, error: Exception) -> None:
        with self._lock:
            if self._broken:
                return
            self._broken = True
        log.warning("redis_off", error=type(error).__name__)
        self._observe("redis_off")
        self._client.connection_pool.disconnect(inuse_connections=False)
        try:
            threading.Thread(target=self._mend, name="redis-probe", daemon=True).start()
        except RuntimeError:  # no thread to be had: the next request tries Redis again instead
            self._broken = False

    def _mend(self) -> None:
        """Probe until Redis can be written to, then close the breaker."""
        closing = self._closing
        while not closing.wait(self._probe_seconds):
            if self._probe():
                self._broken = closing.is_set()
                log.info("redis_back")
                self._observe("redis_back")
                return

    def _probe(self) -> bool:
        try:
            url = self._revive() if self._revive else self._url
            if url != self._url:
                self._url, self._addresses = url, Addresses(url)
                self._client = open_client(url, self._addresses)
            self._addresses.look_up()
            return bool(self._client.set(probe_name(self._pid), b"1", ex=PROBE_SECONDS))
        except Exception as error:  # noqa: BLE001 - whatever it is, the only thread that can mend must go on
            log.debug("redis_still_off", error=type(error).__name__)
            return False
