"""The worker: carries out what has ended by time, sweeps after erasures, delivers, and does jobs.

Jobs may take long, so they have a thread of their own: a sweep must not wait for a round to be planned.
"""

from collections.abc import Mapping
from pathlib import Path
from threading import Event, Thread

import structlog

from service.errors import KithError, NotFound
from service.integrations.webhooks import Sender
from service.storage.cache import Cache
from service.storage.communities import communities_due
from service.storage.database import Database
from service.storage.deliveries import forget_old
from service.storage.session import Session
from service.usecases.couriers import Courier, deliver_due
from service.usecases.due import settle_due
from service.usecases.erasures import sweep_due
from service.usecases.feedback import REFIT
from service.usecases.jobs import Handler, JobContext, run_one
from service.usecases.refits import refit
from service.usecases.round_plans import plan
from service.usecases.rounds import PLANNING

SECONDS_BETWEEN_ROUNDS = 5.0
SECONDS_BETWEEN_JOBS = 1.0
# A job that takes longer to end is left: its lease runs out, and another worker does it.
SECONDS_TO_END = 10.0
JOBS_AT_ONCE = 1000

HANDLERS: Mapping[str, Handler] = {PLANNING: plan, REFIT: refit}
log = structlog.get_logger(__name__)


def run(context: JobContext, erased: Path, stop: Event, *, private_webhooks: bool = False) -> None:
    """Work until told to stop; a database that is away is asked again in the next round."""
    database, cache = context.database, context.cache
    # Beside the rounds: no receiver and no job holds them up, and no round a delivery.
    courier = Thread(target=Courier(database, Sender(private_webhooks)).run, args=(stop,), daemon=True)
    doing = Thread(target=_do_jobs, args=(context, stop), daemon=True)
    for beside in (courier, doing):
        beside.start()
    while not stop.is_set():
        try:
            _settle(database, cache, erased)
        except KithError:
            log.warning("worker_round_failed", exc_info=True)
        stop.wait(SECONDS_BETWEEN_ROUNDS)
    doing.join(SECONDS_TO_END)
    courier.join()


def _do_jobs(context: JobContext, stop: Event) -> None:
    while not stop.is_set():
        try:
            if run_one(context, HANDLERS):
                continue
        except KithError:
            log.warning("worker_jobs_failed", exc_info=True)
        stop.wait(SECONDS_BETWEEN_JOBS)


def work_once(
    database: Database,
    cache: Cache,
    erased: Path,
    handlers: Mapping[str, Handler] = HANDLERS,
    *,
    private_webhooks: bool = False,
) -> int:
    """Do one round, the jobs that are due, and deliver; return how many communities and jobs had work.

    `erased` is the file to which erasures go.
    """
    settled = _settle(database, cache, erased)
    context, done = JobContext(database, cache), 0
    while done < JOBS_AT_ONCE and run_one(context, handlers):
        done += 1
    deliver_due(database, Sender(private_webhooks))
    return settled + done


def _settle(database: Database, cache: Cache, erased: Path) -> int:
    due = communities_due(database)
    for number in due:
        try:
            settle_due(Session(database, number))
        except NotFound:
            # Deleted since the round began.
            continue
    sweep_due(database, cache, erased)
    forget_old(database)
    return len(due)
