"""Running jobs: one after the other, each held while it is done, failures put back for later."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

import structlog

from service.errors import KithError, LeaseLost
from service.storage import jobs
from service.storage.cache import Cache
from service.storage.database import Database
from service.storage.jobs import Job
from service.storage.saved_index import SavedIndexes

SECONDS_BETWEEN_RENEWALS = 15.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a worker has at hand for its jobs."""

    database: Database
    cache: Cache
    saved: SavedIndexes | None = None


# Does the long work without the community's lock, then ends in one short write with `jobs.finish`.
Handler = Callable[[JobContext, Job], None]


class Abandoned(KithError):
    """A job whose worker died each time that it was begun."""


def run_one(context: JobContext, handlers: Mapping[str, Handler]) -> bool:
    """Do the job that has been due for longest; False where none is due."""
    job = jobs.lease(context.database, handlers.keys())
    if job is None:
        return False
    try:
        if job.attempts > jobs.MOST_ATTEMPTS:
            raise Abandoned("This job has ended its worker each time.")
        with _held(context.database, job):
            handlers[job.kind](context, job)
    except LeaseLost:
        log.warning("job_lost", job=job.kind, attempt=job.attempts)
    except Exception as error:
        # Whatever one job does, the next one is done.
        log.warning("job_failed", job=job.kind, attempt=job.attempts, exc_info=True)
        jobs.fail(context.database, job, type(error).__name__)
    return True


@contextmanager
def _held(database: Database, job: Job) -> Iterator[None]:
    """Renew a lease for as long as its job is being done in this process."""
    done = Event()

    def hold() -> None:
        while not done.wait(SECONDS_BETWEEN_RENEWALS):
            try:
                jobs.renew(database, job)
            except LeaseLost:
                return
            except KithError:
                # Away for a moment: the lease holds for three more tries.
                log.warning("renewal_failed", job=job.kind, exc_info=True)

    thread = Thread(target=hold, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
