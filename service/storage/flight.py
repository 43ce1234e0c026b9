"""One computation per process and key: whoever asks while it is under way waits and gets the same result."""

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

PATIENCE_SECONDS = 30.0

T = TypeVar("T")


class _Flight(Generic[T]):
    """A computation under way; `results` stays empty if it failed."""

    __slots__ = ("landed", "leader", "results")

    def __init__(self) -> None:
        self.landed = threading.Event()
        self.leader = threading.get_ident()
        self.results: list[T] = []


class SingleFlight(Generic[T]):
    """Shares computations between the threads of a process.

    A failure is not shared: it may be the leader's own (its connection, its time limit), so every waiter then
    computes for itself, all at once and not in turn. No one waits longer than `patience_seconds`.
    """

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds
        self._lock = threading.Lock()
        self._flights: dict[Hashable, _Flight[T]] = {}

    def run(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return the result of `compute`, or of the same computation that is under way in another thread."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is None:
                mine = self._flights[key] = _Flight[T]()
        if flight is None:
            return self._lead(key, mine, compute)
        if flight.leader != threading.get_ident():  # a computation that asks for itself would wait for ever
            flight.landed.wait(self._patience_seconds)
        return flight.results[0] if flight.results else compute()

    def _lead(self, key: Hashable, flight: _Flight[T], compute: Callable[[], T]) -> T:
        try:
            result = compute()
            flight.results.append(result)
            return result
        finally:
            with self._lock:
                del self._flights[key]
            flight.landed.set()

    def __len__(self) -> int:
        """Return how many computations are under way."""
        with self._lock:
            return len(self._flights)
