"""The worker: carries out what has ended by time, as ordinary writes, sweeps after erasures, and delivers."""

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
from service.usecases.erasures import sweep_due
from service.usecases.profiles import settle_due

SECONDS_BETWEEN_ROUNDS = 5.0
log = structlog.get_logger(__name__)


def run(
    database: Database, cache: Cache, erased: Path, stop: Event, *, private_webhooks: bool = False
) -> None:
    """Work until told to stop; a database that is away is asked again in the next round."""
    # Beside the rounds: no receiver holds them up, and no round a delivery.
    courier = Thread(target=Courier(database, Sender(private_webhooks)).run, args=(stop,), daemon=True)
    courier.start()
    while not stop.is_set():
        try:
            _settle(database, cache, erased)
        except KithError:
            log.warning("worker_round_failed", exc_info=True)
        stop.wait(SECONDS_BETWEEN_ROUNDS)
    courier.join()


def work_once(database: Database, cache: Cache, erased: Path, *, private_webhooks: bool = False) -> int:
    """Do one round; return in how many communities there was something to do.

    `erased` is the file to which erasures go.
    """
    settled = _settle(database, cache, erased)
    deliver_due(database, Sender(private_webhooks))
    return settled


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
