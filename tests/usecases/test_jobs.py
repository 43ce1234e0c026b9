"""Workers do what is due, hold it while they do, and outlive whatever a job throws."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from service import worker
from service.storage import jobs
from service.storage.jobs import Job
from service.storage.session import Session
from service.usecases import jobs as running
from service.usecases.jobs import Handler, JobContext
from service.worker import work_once
from tests.harness import Kith
from tests.jobs import KIND, enqueue, found
from tests.tenants import TestClock, neighbour


@pytest.fixture
def town(module_sqlite_kith: Kith, clock: TestClock) -> Iterator[Kith]:
    """A community on a database without jobs."""
    yield neighbour(module_sqlite_kith)
    with module_sqlite_kith.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM jobs")


def work(kith: Kith, handler: Handler, tmp_path: Path) -> int:
    return work_once(kith.database, kith.cache, tmp_path / "erased.log", {KIND: handler})


def end(context: JobContext, job: Job) -> None:
    """End a job with no effect but that."""
    with Session(context.database, job.community).write() as write:
        jobs.finish(write, job)


def test_a_worker_does_all_that_is_due_and_no_more(town: Kith, tmp_path: Path) -> None:
    done = []

    def note(context: JobContext, job: Job) -> None:
        done.append(job.subject)
        end(context, job)

    for subject, seconds in (("b", -1), ("a", -2), ("later", 30)):
        enqueue(town, subject, seconds)
    assert work(town, note, tmp_path) == 2
    assert done == ["a", "b"]
    assert work(town, note, tmp_path) == 0


def test_one_that_fails_is_put_back_and_the_next_is_done(town: Kith, tmp_path: Path) -> None:
    def trip(context: JobContext, job: Job) -> None:
        if job.subject == "bad":
            raise ZeroDivisionError("a person's name")
        end(context, job)

    enqueue(town, "bad", -2)
    enqueue(town, "good", -1)
    assert work(town, trip, tmp_path) == 2
    bad = found(town, "bad")
    assert bad is not None
    assert bad.error == "ZeroDivisionError"
    assert found(town, "good") is None


def test_one_whose_worker_always_dies_is_given_up_unrun(town: Kith, tmp_path: Path, clock: TestClock) -> None:
    enqueue(town)
    for _ in range(jobs.MOST_ATTEMPTS):
        assert jobs.lease(town.database, [KIND])
        clock.forward(seconds=60)
    assert work(town, lambda *_: pytest.fail("It was run."), tmp_path) == 1
    given_up = found(town)
    assert given_up is not None
    assert (given_up.run_at, given_up.error) == (None, "Abandoned")


def test_one_that_another_worker_has_taken_leaves_no_effect(
    town: Kith, tmp_path: Path, clock: TestClock
) -> None:
    def dawdle(context: JobContext, job: Job) -> None:
        clock.forward(seconds=60)
        assert jobs.lease(context.database, [KIND])
        with Session(context.database, job.community).write() as write:
            jobs.enqueue(write, KIND, "effect", run_at=0)
            jobs.finish(write, job)

    enqueue(town)
    assert work(town, dawdle, tmp_path) == 1
    assert found(town, "effect") is None
    assert found(town) is not None


def test_one_that_takes_long_is_held_meanwhile(
    town: Kith, tmp_path: Path, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "SECONDS_BETWEEN_RENEWALS", 0.01)
    renewed, real = Event(), jobs.renew

    def renew(*given: Any) -> None:
        real(*given)
        renewed.set()

    def take_long(context: JobContext, job: Job) -> None:
        for _ in range(3):
            renewed.clear()
            clock.forward(seconds=50)
            assert renewed.wait(10)
        end(context, job)

    monkeypatch.setattr(jobs, "renew", renew)
    enqueue(town)
    assert work(town, take_long, tmp_path) == 1
    assert found(town) is None


def test_a_running_worker_does_jobs_and_stops_when_told(
    town: Kith, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, stop = Event(), Event()

    def note(context: JobContext, job: Job) -> None:
        end(context, job)
        done.set()

    monkeypatch.setattr(worker, "HANDLERS", {KIND: note})
    monkeypatch.setattr(worker, "SECONDS_BETWEEN_JOBS", 0.01)
    context = JobContext(town.database, town.cache)
    running_one = Thread(target=worker.run, args=(context, tmp_path / "erased.log", stop))
    running_one.start()
    enqueue(town)
    assert done.wait(10)
    stop.set()
    running_one.join(10)
    assert not running_one.is_alive()
    assert found(town) is None
