"""The worker: carries out what has ended by time, in every community, as ordinary writes."""

from threading import Event

import structlog

from service.errors import KithError, NotFound
from service.storage.communities import communities_due
from service.storage.database import Database
from service.storage.session import Session
from service.usecases.profiles import settle_due

SECONDS_BETWEEN_ROUNDS = 5.0
log = structlog.get_logger(__name__)


def run(database: Database, stop: Event) -> None:
    """Work until told to stop; a database that is away is asked again in the next round."""
    while not stop.is_set():
        try:
            work_once(database)
        except KithError:
            log.warning("worker_round_failed", exc_info=True)
        stop.wait(SECONDS_BETWEEN_ROUNDS)


def work_once(database: Database) -> int:
    """Do one round; return in how many communities there was something to do."""
    due = communities_due(database)
    for number in due:
        try:
            settle_due(Session(database, number))
        except NotFound:
            # Deleted since the round began.
            continue
    return len(due)
