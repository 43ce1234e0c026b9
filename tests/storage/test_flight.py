"""One computation per key: shared when it succeeds, not when it fails, never waited for in vain."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.storage.flight import SingleFlight

WAITERS = 7


class Slow:
    """A computation that goes on until released, and counts its runs."""

    def __init__(self, fails: int = 0) -> None:
        self.started = threading.Event()
        self.release = threading.Event()
        self.runs = 0
        self._fails = fails
        self._lock = threading.Lock()

    def __call__(self) -> str:
        with self._lock:
            self.runs += 1
            run = self.runs
        self.started.set()
        assert self.release.wait(10)
        if run <= self._fails:
            raise LookupError("the leader's own trouble")
        return "result"


def join(flight: SingleFlight[str], compute: Slow, key: str = "key") -> Callable[[], list[str | Exception]]:
    """Start a leader and waiters; return what waits for what they got."""
    threads = ThreadPoolExecutor(WAITERS + 1)
    running = [threads.submit(flight.run, key, compute)]
    assert compute.started.wait(10)
    running += [threads.submit(flight.run, key, compute) for _ in range(WAITERS)]
    time.sleep(0.05)  # let them reach the wait

    def results() -> list[str | Exception]:
        compute.release.set()
        got: list[str | Exception] = []
        for future in running:
            error = future.exception(10)
            assert error is None or isinstance(error, Exception)
            got.append(future.result() if error is None else error)
        threads.shutdown()
        return got

    return results


def test_all_who_ask_meanwhile_get_the_one_result() -> None:
    flight, compute = SingleFlight[str](), Slow()
    assert join(flight, compute)() == ["result"] * (WAITERS + 1)
    assert compute.runs == 1
    assert len(flight) == 0


def test_another_key_is_another_computation() -> None:
    flight, slow = SingleFlight[str](), Slow()
    results = join(flight, slow)
    assert flight.run("another key", lambda: "other") == "other"
    assert set(results()) == {"result"}


def test_who_asks_later_computes_anew() -> None:
    flight = SingleFlight[int]()
    numbers = iter(range(9))
    assert [flight.run("key", lambda: next(numbers)) for _ in range(3)] == [0, 1, 2]


def test_a_failure_is_the_leaders_alone() -> None:
    flight, compute = SingleFlight[str](), Slow(fails=1)
    got = join(flight, compute)()
    assert isinstance(got[0], LookupError)
    assert got[1:] == ["result"] * WAITERS
    assert len(flight) == 0


def test_after_a_failure_waiters_compute_side_by_side() -> None:
    flight, compute = SingleFlight[str](), Slow(fails=1)
    together = threading.Barrier(WAITERS)
    original = compute.__call__

    def meet() -> str:
        if compute.runs:  # every run but the leader's
            together.wait(10)
        return original()

    with ThreadPoolExecutor(WAITERS + 1) as threads:
        leader = threads.submit(flight.run, "key", meet)
        assert compute.started.wait(10)
        waiters = [threads.submit(flight.run, "key", meet) for _ in range(WAITERS)]
        time.sleep(0.05)
        compute.release.set()
        assert {waiter.result(10) for waiter in waiters} == {"result"}
        with pytest.raises(LookupError):
            leader.result(10)


def test_a_result_of_none_is_a_result() -> None:
    flight = SingleFlight[None]()
    runs: list[int] = []
    started, release = threading.Event(), threading.Event()

    def compute() -> None:
        runs.append(1)
        started.set()
        release.wait(10)

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(flight.run, "key", compute)
        started.wait(10)
        second = threads.submit(flight.run, "key", compute)
        time.sleep(0.05)
        release.set()
        first.result(10)
        second.result(10)
    assert runs == [1]


def test_nobody_waits_for_ever() -> None:
    flight, compute = SingleFlight[str](patience_seconds=0.05), Slow()
    with ThreadPoolExecutor(1) as threads:
        leader = threads.submit(flight.run, "key", compute)
        assert compute.started.wait(10)
        assert flight.run("key", lambda: "own") == "own"
        compute.release.set()
        assert leader.result(10) == "result"
    assert len(flight) == 0


def test_a_computation_that_asks_for_itself_does_not_wait_for_itself() -> None:
    flight = SingleFlight[str]()
    began = time.monotonic()
    assert flight.run("key", lambda: flight.run("key", lambda: "inner")) == "inner"
    assert time.monotonic() - began < 5
