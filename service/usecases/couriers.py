"""Couriers: send what is due to webhooks, at least once, each webhook's deliveries one after the other.

A turn leases some deliveries of one webhook, sends them, and notes what became of them. A courier that is
killed in between leaves a lease that ends: the deliveries are sent again. A failure ends the turn, so whoever
answers slowly holds one thread for ten seconds and then waits in line with the others.
"""

import json
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event
from types import TracebackType
from typing import Self

import structlog

from service.errors import KithError
from service.integrations.webhooks import Message, NotSent, Sender
from service.storage import deliveries
from service.storage.database import Database
from service.storage.deliveries import Attempt, Parcel

THREADS = 16
SECONDS_BETWEEN_LOOKS = 1.0
DELIVERIES_PER_TURN = 20
# With the longest look-up of a name and the longest sending after it, less than a lease.
SECONDS_PER_TURN = 10.0
# How long after each attempt the next one follows: eleven over three days.
RETRIES_MS = [seconds * 1000 for seconds in (5, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)]
GONE = 410
log = structlog.get_logger(__name__)


class Courier:
    """Sends what is due, some webhooks at a time."""

    def __init__(self, database: Database, sender: Sender) -> None:
        self._database, self._sender = database, sender
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="courier")
        # Added to by whoever dispatches, taken from by the threads: one step each.
        self._busy = set[str]()
        self._closing = Event()

    def run(self, stop: Event) -> None:
        """Look for what is due until told to stop."""
        try:
            with self:
                while not stop.is_set():
                    self._look()
                    stop.wait(SECONDS_BETWEEN_LOOKS)
        finally:
            # Who broke takes the worker along: better none than one that only seems to deliver.
            stop.set()

    def _look(self) -> None:
        try:
            for turn in self.dispatch():
                turn.add_done_callback(_tell_of_failure)
        except KithError:
            log.warning("dispatch_failed", exc_info=True)

    def dispatch(self) -> list[Future[int]]:
        """Begin a turn for each webhook to which something is due and that has none."""
        due = [webhook for webhook in deliveries.webhooks_due(self._database) if webhook not in self._busy]
        self._busy.update(due)
        return [self._pool.submit(self._serve, webhook) for webhook in due]

    def _serve(self, webhook_id: str) -> int:
        try:
            return self._take_turn(webhook_id)
        finally:
            self._busy.discard(webhook_id)

    def _take_turn(self, webhook_id: str) -> int:
        until, sent = time.monotonic() + SECONDS_PER_TURN, 0
        while True:
            token, ids = deliveries.lease(self._database, webhook_id, DELIVERIES_PER_TURN)
            if not ids:
                return sent
            attempts = self._send(token, ids, until)
            deliveries.note_attempts(self._database, token, ids, attempts)
            sent += len(attempts)
            if len(attempts) < DELIVERIES_PER_TURN:
                return sent

    def _send(self, token: str, ids: Sequence[str], until: float) -> list[Attempt]:
        attempts: list[Attempt] = []
        for delivery_id in ids:
            if self._closing.is_set() or time.monotonic() > until:
                break
            # Read only now: an erasure, a deletion or a change in the meantime has the last word.
            parcel = deliveries.find_parcel(self._database, token, delivery_id)
            if parcel is None:
                continue
            attempts.append(attempt(self._sender, parcel))
            if attempts[-1].state != "delivered":
                break
        return attempts

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait until what is under way has been sent and noted."""
        self._closing.set()
        self._pool.shutdown(cancel_futures=True)


def _tell_of_failure(turn: Future[int]) -> None:
    # What was leased comes again when the lease is over.
    failure = None if turn.cancelled() else turn.exception()
    if failure is not None:
        log.warning("turn_failed", exc_info=failure)


def deliver_due(database: Database, sender: Sender) -> int:
    """Take one turn for each webhook to which something is due; return how many attempts that were."""
    with Courier(database, sender) as courier:
        return sum(turn.result() for turn in courier.dispatch())


def attempt(sender: Sender, parcel: Parcel) -> Attempt:
    """Send one delivery, and say what became of it."""
    try:
        status = sender.send(parcel.url, parcel.secret, Message(parcel.id, body_of(parcel)))
    except NotSent as failure:
        return _failed(parcel, None, failure.reason)
    if 200 <= status < 300:
        return Attempt(parcel.id, "delivered", status=status)
    return _failed(parcel, status, "redirected" if 300 <= status < 400 else "refused")


def body_of(parcel: Parcel) -> str:
    """Return what the receiver reads."""
    at = datetime.fromtimestamp(parcel.created_at / 1000, UTC).isoformat(timespec="milliseconds")
    told = {
        "type": parcel.type,
        "timestamp": at.replace("+00:00", "Z"),
        "data": json.loads(parcel.payload),
    }
    return json.dumps(told, separators=(",", ":"))


def _failed(parcel: Parcel, status: int | None, reason: str) -> Attempt:
    log.info("delivery_failed", attempt=parcel.attempts + 1, status=status, error=reason)
    if status == GONE or parcel.attempts >= len(RETRIES_MS):
        return Attempt(parcel.id, "failed", status=status, error=reason)
    return Attempt(parcel.id, "pending", RETRIES_MS[parcel.attempts], status, reason)
