"""The worker: carries out what has ended by time, as ordinary writes, and sweeps after erasures."""

from pathlib import Path
from threading import Event

import structlog

from service.errors import KithError, NotFound
from service.storage.cache import Cache
from service.storage.communities import communities_due
from service.storage.database import Database
from service.storage.session import Session
from service.usecases.erasures import sweep_due
from service.usecases.profiles import settle_due

SECONDS_BETWEEN_ROUNDS = 5.0
log = structlog.get_logger(__name__)


def run(database: Database, cache: Cache, erased: Path, stop: Event) -> None:
    """Work until told to stop; a database that is away is asked again in the next round."""
    while not stop.is_set():
        try:
            work_once(database, cache, erased)
        except KithError:
            log.warning("worker_round_failed", exc_info=True)
        stop.wait(SECONDS_BETWEEN_ROUNDS)


def work_once(database: Database, cache: Cache, erased: Path) -> int:
    """Do one round; return in how many communities there was something to do.

    `erased` is the file to which erasures go.
    """
    due = communities_due(database)
    for number in due:
        try:
            settle_due(Session(database, number))
        except NotFound:
            # Deleted since the round began.
            continue
    sweep_due(database, cache, erased)
    return len(due)
