"""Jobs as tests put them in and look at them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from service.storage import jobs
from service.storage.communities import Write, find_community, write
from service.storage.jobs import Job
from tests.harness import Kith

KIND = "plan"


def number_of(kith: Kith) -> int:
    with kith.database.read() as connection:
        return find_community(connection, kith.community).number


@contextmanager
def writing(kith: Kith) -> Iterator[Write]:
    with write(kith.database, number_of(kith)) as opened:
        yield opened


def enqueue(kith: Kith, subject: str = "", seconds: float | None = None, kind: str = KIND) -> None:
    """Enqueue a job, due so many seconds from now."""
    with writing(kith) as opened:
        run_at = None if seconds is None else opened.now + int(seconds * 1000)
        jobs.enqueue(opened, kind, subject, run_at)


def found(kith: Kith, subject: str = "") -> Job | None:
    with kith.database.read() as connection:
        return jobs.find_job(connection, number_of(kith), KIND, subject)
