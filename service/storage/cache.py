"""Finished answers under keys that carry everything they depend on: nothing in here is ever invalidated.

A key comes in, and bytes or the news that there are none go out. Redis holds them for all processes, or this
process holds them itself, or nobody does. Whatever goes wrong is a miss or `off`, never an error.
"""

import hashlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import SystemRandom
from typing import Literal, Protocol

import structlog
from redis import Redis

from service.storage.keys_table import ANSWER_SPREAD, LIFETIMES, Kind, answer_name, answer_prefix
from service.storage.redis_link import Observer, OddEntry, RedisLink, RedisOff, unobserved

LOCAL_BYTES = 64 * 2**20
SCAN_COUNT = 1000

log = structlog.get_logger(__name__)
_random = SystemRandom()
_in_json = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True)
class CacheKey:
    """All that an answer depends on.

    Keys that differ in `version` alone have one place: what is kept there last takes the room of what was
    there before, and is found under its own version only.
    """

    community: str
    profile: str
    parts: tuple[str, ...]
    kind: Kind = "answer"
    version: str = ""

    # Kept, which slots don't allow: a look-up needs them several times.
    @cached_property
    def place(self) -> bytes:
        """What a header begins with, whatever the version."""
        return _in_json([self.community, self.profile, *self.parts])[:-1].encode() + b","

    @cached_property
    def header(self) -> bytes:
        """The whole key as one line of JSON, in which no two keys are alike."""
        return self.place + _in_json(self.version).encode() + b"]"

    @cached_property
    def name(self) -> str:
        """The short name of its place in Redis."""
        digest = hashlib.blake2b(self.place, digest_size=20).hexdigest()
        return answer_name(self.community, digest, self.kind)


@dataclass(frozen=True, slots=True)
class Lookup:
    """What a cache said: `body` only with a hit, `off` where there is no cache to ask."""

    status: Literal["hit", "miss", "off"]
    body: bytes | None = None


MISS = Lookup("miss")
OFF = Lookup("off")
_NOTHING: tuple[None, float, bytes] = (None, 0.0, b"")


class Cache(Protocol):
    """What every cache does."""

    @property
    def link(self) -> RedisLink | None:
        """The way to Redis that the rate limits share, if this cache has one."""
        ...

    def look_up(self, keys: Sequence[CacheKey]) -> list[Lookup]:
        """Look up some answers at once."""
        ...

    def keep(self, entries: Mapping[CacheKey, bytes]) -> bool:
        """Keep some answers; False where one of them could not be kept."""
        ...

    def get(self, key: CacheKey) -> Lookup:
        """Look an answer up."""
        return self.look_up([key])[0]

    def put(self, key: CacheKey, body: bytes) -> bool:
        """Keep an answer; False where it could not be kept."""
        return self.keep({key: body})

    def forget_community(self, community: str) -> bool:
        """Remove every answer of a community; False where that could not be done now."""
        ...

    def status(self) -> Literal["ok", "off"]:
        """Tell whether Redis answers."""
        ...

    def close(self) -> None:
        """Let go of every connection and thread."""
        ...


def encode(key: CacheKey, body: bytes) -> bytes:
    """Return what is stored: the whole key, a checksum, the body."""
    return b"\n".join((key.header, _checksum(key.header, body), body))


def decode(key: CacheKey, stored: object) -> bytes | None:
    """Return the body of what was stored under this key, None if it was under another version.

    Raise `OddEntry` unless it was stored in this place, whole.
    """
    if not isinstance(stored, bytes):
        raise OddEntry
    header, _, rest = stored.partition(b"\n")
    checksum, _, body = rest.partition(b"\n")
    if not header.startswith(key.place) or checksum != _checksum(header, body):
        raise OddEntry
    return body if header == key.header else None


def _checksum(header: bytes, body: bytes) -> bytes:
    return hashlib.blake2b(header + b"\n" + body, digest_size=16).hexdigest().encode()


def _spread(seconds: float) -> float:
    """Spread a lifetime, lest everything that was computed together expires together."""
    return seconds * _random.uniform(1 - ANSWER_SPREAD, 1 + ANSWER_SPREAD)


class RedisCache(Cache):
    """Answers that all processes share; off while Redis is refused, frozen or full."""

    def __init__(
        self, link: RedisLink, *, lifetime_seconds: float | None = None, observe: Observer = unobserved
    ) -> None:
        self._link = link
        self._lifetime_seconds = lifetime_seconds
        self._observe = observe

    @property
    def link(self) -> RedisLink:
        """The way to Redis."""
        return self._link

    def look_up(self, keys: Sequence[CacheKey]) -> list[Lookup]:
        """Look answers up in one round trip; anything odd is a miss, `off` if Redis can't be used."""
        try:
            stored = self._link.run(lambda client: client.mget([key.name for key in keys]))
        except (OddEntry, RedisOff):
            return [OFF for _ in keys]
        return [self._read(key, one) for key, one in zip(keys, stored, strict=True)]

    def keep(self, entries: Mapping[CacheKey, bytes]) -> bool:
        """Keep answers in one round trip; False if Redis can't be used."""

        def write(client: Redis) -> bool:
            pipeline = client.pipeline(transaction=False)
            for key, body in entries.items():
                lifetime = int(_spread(self._lifetime_seconds or LIFETIMES[key.kind]) * 1000)
                pipeline.set(key.name, encode(key, body), px=lifetime)
            return all(pipeline.execute())

        try:
            return self._link.run(write)
        except (OddEntry, RedisOff):
            return False

    def _read(self, key: CacheKey, stored: object) -> Lookup:
        if stored is None:
            return MISS
        try:
            body = decode(key, stored)
        except OddEntry:
            log.warning("cache_entry_odd", community=key.community)
            self._observe("cache_entry_odd")
            return MISS
        return MISS if body is None else Lookup("hit", body)

    def forget_community(self, community: str) -> bool:
        """Remove every answer of a community; False if Redis can't be used, so that the job comes again."""

        def sweep(client: Redis) -> bool:
            for kind in LIFETIMES:
                cursor = -1
                while cursor:
                    pattern = f"{answer_prefix(community, kind)}*"
                    cursor, names = client.scan(max(cursor, 0), pattern, SCAN_COUNT)
                    if names:
                        client.unlink(*names)
            return True

        try:
            return self._link.run(sweep)
        except (OddEntry, RedisOff):
            return False

    def status(self) -> Literal["ok", "off"]:
        """Tell whether Redis answers; takes no longer than a look-up."""
        return "ok" if self._link.answers() else "off"

    def close(self) -> None:
        """Close the connections and stop probing."""
        self._link.close()


class LocalCache(Cache):
    """Answers that this process alone keeps, the least recently used going first."""

    link = None

    def __init__(
        self,
        *,
        max_bytes: int = LOCAL_BYTES,
        lifetime_seconds: float | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_bytes = max_bytes
        self._lifetime_seconds = lifetime_seconds
        self._now = now
        self._lock = threading.Lock()
        self._bytes = 0
        self._kept: OrderedDict[str, tuple[CacheKey, float, bytes]] = OrderedDict()  # by name

    def look_up(self, keys: Sequence[CacheKey]) -> list[Lookup]:
        """Look answers up."""
        return [self._find(key) for key in keys]

    def keep(self, entries: Mapping[CacheKey, bytes]) -> bool:
        """Keep answers; False if one alone is larger than the whole cache."""
        kept = [self._put(key, body) for key, body in entries.items()]
        return all(kept)

    def _find(self, key: CacheKey) -> Lookup:
        with self._lock:
            kept, until, body = self._kept.get(key.name, _NOTHING)
            if kept != key:
                return MISS
            if until <= self._now():
                self._drop(key.name)
                return MISS
            self._kept.move_to_end(key.name)
            return Lookup("hit", body)

    def _put(self, key: CacheKey, body: bytes) -> bool:
        size = self._size(key, body)
        if size > self._max_bytes:
            return False
        with self._lock:
            if key.name in self._kept:
                self._drop(key.name)
            lifetime = _spread(self._lifetime_seconds or LIFETIMES[key.kind])
            self._kept[key.name] = (key, self._now() + lifetime, body)
            self._bytes += size
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._kept)))
        return True

    def forget_community(self, community: str) -> bool:
        """Remove every answer of a community that this process keeps."""
        with self._lock:
            for key in [key for key, _, _ in self._kept.values() if key.community == community]:
                self._drop(key.name)
        return True

    def status(self) -> Literal["ok", "off"]:
        """Tell that there is no Redis."""
        return "off"

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _drop(self, name: str) -> None:
        key, _, body = self._kept.pop(name)
        self._bytes -= self._size(key, body)

    @staticmethod
    def _size(key: CacheKey, body: bytes) -> int:
        return len(body) + len(key.header) + 500  # what Python's objects around them take


class NoCache(Cache):
    """Keeps nothing."""

    link = None

    def look_up(self, keys: Sequence[CacheKey]) -> list[Lookup]:
        """Tell that there is no cache."""
        return [OFF for _ in keys]

    def keep(self, entries: Mapping[CacheKey, bytes]) -> bool:
        """Keep nothing."""
        return False

    def forget_community(self, community: str) -> bool:
        """Have nothing to forget."""
        return True

    def status(self) -> Literal["ok", "off"]:
        """Tell that there is no Redis."""
        return "off"

    def close(self) -> None:
        """Have nothing to let go of."""


def open_cache(
    url: str | None, *, revive: Callable[[], str] | None = None, observe: Observer = unobserved
) -> Cache:
    """Open the cache at an address; None or `local` keeps answers in this process, `off` nowhere."""
    if url == "off":
        return NoCache()
    if url is None or url == "local":
        return LocalCache()
    return RedisCache(RedisLink(url, revive=revive, observe=observe), observe=observe)
