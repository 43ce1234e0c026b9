"""Requests per API key (or address) and window: who asks comes in, nothing or the seconds to wait go out.

A window begins with the first request and is counted in Redis for all processes. Each process leases a few
requests at once and spends them by itself, so that most requests cost no round trip and the processes
together never exceed the limit. While Redis is off each process counts for itself. Every community has
windows of its own (`of`): ten thousand keys of one drop nothing that another has leased.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis

from service.settings import Rate
from service.storage.keys_table import rate_name
from service.storage.redis_link import OddEntry, RedisLink, RedisOff

LEASES_PER_WINDOW = 100
MOST_WINDOWS = 10_000


@dataclass(frozen=True, slots=True)
class _Lease:
    """Requests that Redis handed out to this process, good until the window ends."""

    granted: int
    ends: float


@dataclass(slots=True)
class _Window:
    """One API key's window as this process knows it."""

    ends: float
    left: int = 0
    spent: int = 0
    full: bool = False


class RateLimiter:
    """Counts requests; safe with threads, and off at the same time as the cache whose link it shares."""

    def __init__(
        self, rate: Rate | None, link: RedisLink | None = None, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._link = link
        self._now = now
        self._lock = threading.Lock()
        self._windows: OrderedDict[str, _Window] = OrderedDict()
        self._owners: dict[str, RateLimiter] = {}

    def of(self, owner: str) -> "RateLimiter":
        """Return the limiter of one community, or of all addresses; there are as many as communities."""
        with self._lock:
            if owner not in self._owners:
                self._owners[owner] = RateLimiter(self._rate, self._link, now=self._now)
            return self._owners[owner]

    def take(self, key_id: str) -> float | None:
        """Count a request of an API key: None if it may go on, else the seconds until it may."""
        if self._rate is None:
            return None
        with self._lock:
            window = self._current(key_id)
            if window and (window.left or window.full):
                return self._spend(window)
        # Outside the lock: whoever has requests left must not wait for another's round trip.
        lease = self._lease(self._rate, key_id)
        with self._lock:
            if lease is None:
                return self._count_alone(self._rate, key_id)
            return self._settle(self._rate, key_id, lease)

    def _current(self, key_id: str) -> _Window | None:
        window = self._windows.get(key_id)
        return window if window and window.ends > self._now() else None

    def _spend(self, window: _Window) -> float | None:
        if not window.left:
            return self._wait(window.ends)
        window.left -= 1
        window.spent += 1
        return None

    def _wait(self, ends: float) -> float:
        return max(ends - self._now(), 0.001)

    def _lease(self, rate: Rate, key_id: str) -> _Lease | None:
        """Take some requests out of the shared window; None while there is none."""
        if self._link is None:
            return None
        name, wanted = (
            rate_name(f"{rate.count}/{rate.seconds}", key_id),
            max(1, rate.count // LEASES_PER_WINDOW),
        )
        asked = self._now()
        try:
            taken, ends = self._link.run(lambda client: _take_from(client, name, wanted, rate.seconds))
        except (RedisOff, OddEntry):
            return None
        return _Lease(max(0, min(wanted, rate.count - (taken - wanted))), asked + ends)

    def _settle(self, rate: Rate, key_id: str, lease: _Lease) -> float | None:
        """Spend one request of a lease and keep the others."""
        window = self._current(key_id)
        if window is None or lease.ends - window.ends > rate.seconds / 2:
            window = self._open(key_id, lease.ends)  # the next window has begun
        elif window.ends - lease.ends > rate.seconds / 2:
            # It began while we asked: what is left of a lease in the last one must not enter it.
            return None if lease.granted else self._wait(lease.ends)
        window.left += lease.granted
        window.full = not lease.granted
        return self._spend(window)

    def _count_alone(self, rate: Rate, key_id: str) -> float | None:
        """Count in this process only, with the same limit."""
        window = self._current(key_id) or self._open(key_id, self._now() + rate.seconds)
        window.left = 1 if window.spent < rate.count else 0
        return self._spend(window)

    def _open(self, key_id: str, ends: float) -> _Window:
        """Begin a window and drop those that are over, or one too many."""
        self._windows.pop(key_id, None)
        window = self._windows[key_id] = _Window(ends)
        now = self._now()
        while len(self._windows) > MOST_WINDOWS or self._oldest_ends() <= now:
            self._windows.popitem(last=False)
        return window

    def _oldest_ends(self) -> float:
        return next((window.ends for window in self._windows.values()), float("inf"))


def _take_from(client: Redis, name: str, wanted: int, seconds: int) -> tuple[int, float]:
    """Add to a window in one round trip; return the sum so far and the seconds until the window ends."""
    with client.pipeline(transaction=True) as steps:
        steps.set(name, 0, ex=seconds, nx=True)
        steps.incrby(name, wanted)
        steps.pttl(name)
        _, taken, milliseconds = steps.execute()
    if milliseconds < 0:  # older servers may let it expire between two steps and begin one that never ends
        client.expire(name, seconds)
        return int(taken), float(seconds)
    return int(taken), milliseconds / 1000
