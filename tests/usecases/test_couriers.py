"""Couriers: what is due reaches its webhooks at least once, and nobody else, however receivers behave."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import update

from service.errors import NotReady
from service.integrations import webhooks as integration
from service.integrations.webhooks import Sender
from service.storage import deliveries as waiting
from service.storage.deliveries import KEPT_MS, LEASE_MS
from service.storage.tables import deliveries
from service.usecases import couriers
from service.usecases.couriers import RETRIES_MS, Courier, deliver_due
from service.usecases.jobs import JobContext
from service.worker import run, work_once
from tests.harness import Kith
from tests.hooks import SENDER, deliver, hook, module_kith, module_receiver, receiver, rows
from tests.logged import logged
from tests.receiver import Receiver, receiving
from tests.tenants import TestClock

__all__ = ["module_kith", "module_receiver", "receiver"]
ROOT = Path(__file__).resolve().parents[2]


def test_a_failure_is_tried_again_later_and_later_and_then_no_more(
    kith: Kith, receiver: Receiver, clock: TestClock
) -> None:
    webhook = hook(kith, receiver.url, "profile.created")
    kith.post_profile("ana")
    receiver.answer = 500
    for tried, wait_ms in enumerate(RETRIES_MS, 1):
        assert deliver(kith) == 1
        (row,) = rows(kith, webhook)
        assert (row["state"], row["attempts"], row["status"], row["error"]) == (
            "pending",
            tried,
            500,
            "refused",
        )
        assert row["next_attempt_at"]
        clock.forward(seconds=wait_ms / 1000 - 2)
        assert deliver(kith) == 0
        clock.forward(seconds=2)
    assert deliver(kith) == 1
    (row,) = rows(kith, webhook)
    assert (row["state"], row["attempts"], row["next_attempt_at"]) == ("failed", len(RETRIES_MS) + 1, None)
    clock.forward(hours=100)
    assert deliver(kith) == 0
    assert len({one.headers["webhook-id"] for one in receiver.received}) == 1

    receiver.answer = 200
    path = f"/v1/webhooks/{webhook['id']}/deliveries/{row['id']}/redeliver"
    again = kith.call("POST", path)
    assert (again.status_code, again.json["state"], again.json["attempts"]) == (200, "pending", 0)
    deliver(kith)
    assert [one["state"] for one in rows(kith, webhook)] == ["delivered"]
    assert receiver.received[-1].headers["webhook-id"] == row["id"]
    clock.forward(seconds=KEPT_MS / 1000 + 1)
    work_once(kith.database, kith.cache, Path(os.devnull))
    assert rows(kith, webhook) == []


@pytest.mark.parametrize(
    ("status", "error", "state"), [(302, "redirected", "pending"), (410, "refused", "failed")]
)
def test_a_redirect_is_a_failure_and_gone_is_final(
    kith: Kith, receiver: Receiver, status: int, error: str, state: str
) -> None:
    webhook = hook(kith, receiver.url, "profile.created")
    kith.post_profile("ana")
    receiver.answer = status

    deliver(kith)

    (row,) = rows(kith, webhook)
    assert (row["status"], row["error"], row["state"]) == (status, error, state)


def test_an_address_that_became_private_is_refused(kith: Kith, receiver: Receiver) -> None:
    webhook = hook(kith, receiver.url, "profile.created")
    kith.post_profile("ana")

    assert deliver_due(kith.database, Sender()) == 1

    (row,) = rows(kith, webhook)
    assert (row["state"], row["status"], row["error"]) == ("pending", None, "refused_address")
    assert receiver.received == []


def test_a_deleted_webhook_gets_nothing_more(kith: Kith, receiver: Receiver) -> None:
    gone, stays = hook(kith, f"{receiver.url}/gone"), hook(kith, f"{receiver.url}/stays")
    kith.post_profile("ana")
    kith.call("DELETE", f"/v1/webhooks/{gone['id']}")
    kith.post_profile("ben")

    deliver(kith)

    assert {one.path for one in receiver.received} == {"/kith/stays"}
    assert len(rows(kith, stays)) == 2


def test_what_was_deleted_or_erased_while_its_turn_ran_is_not_sent(kith: Kith, receiver: Receiver) -> None:
    hook(kith, receiver.url, "profile.created")
    for name in ("ana", "ben", "cem"):
        kith.post_profile(name)

    def erase_the_others(request: Any) -> None:
        for name in {"ana", "ben", "cem"} - {receiver.received[0].told["data"]["profile"]}:
            kith.call("DELETE", f"/v1/profiles/{name}")
        request.send_response(204)
        request.end_headers()

    receiver.answer = erase_the_others

    assert deliver(kith) == 1
    assert len(receiver.received) == 1


# ---------------------------------------------------------------- slow, killed, many


def test_who_answers_slowly_holds_up_nobody_else(
    kith: Kith, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integration, "SECONDS", 60.0)
    monkeypatch.setattr(couriers, "SECONDS_BETWEEN_LOOKS", 0.02)
    seen, stop = Event(), Event()

    def wait(_: object) -> None:
        seen.wait(60)

    with receiving() as slow:
        slow.answer = wait
        hook(kith, slow.url, "profile.created")
        hook(kith, receiver.url, "profile.created")
        courier = Thread(target=Courier(kith.database, SENDER).run, args=(stop,))
        courier.start()
        try:
            for name in ("ana", "ben", "cem"):
                kith.post_profile(name)
            until = time.monotonic() + 30
            while (len(receiver.received), len(slow.received)) != (3, 1) and time.monotonic() < until:
                time.sleep(0.01)
            received = len(receiver.received), len(slow.received)
        finally:
            stop.set()
            seen.set()
            courier.join()
    assert received == (3, 1)


def test_a_turn_ends_with_a_failure_and_leaves_the_rest_due(kith: Kith, receiver: Receiver) -> None:
    webhook = hook(kith, receiver.url, "profile.created")
    kith.import_profiles(*({"id": f"m{number}", "name": "N"} for number in range(45)))
    receiver.answer = 500
    assert deliver(kith) == 1

    receiver.answer = 204
    assert deliver(kith) == 44
    assert len(receiver.received) == 45
    states = [row["state"] for row in rows(kith, webhook)]
    assert (states.count("delivered"), states.count("pending")) == (44, 1)


KILLED = """
import os, signal, sys
from service.integrations.webhooks import Sender
from service.storage import deliveries
from service.storage.database import Database
from service.usecases.couriers import deliver_due
deliveries.note_attempts = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
deliver_due(Database(sys.argv[1]), Sender(private=True))
"""


def test_a_courier_that_is_killed_before_it_notes_leaves_what_it_sent_to_the_next(
    kith: Kith, receiver: Receiver, clock: TestClock
) -> None:
    webhook = hook(kith, receiver.url, "profile.created")
    kith.post_profile("ana")
    url = kith.database.engine.url.render_as_string(hide_password=False)
    environ = os.environ | {"PYTHONPATH": str(ROOT)}

    done = subprocess.run([sys.executable, "-c", KILLED, url], check=False, env=environ)

    assert done.returncode == -signal.SIGKILL
    assert len(receiver.received) == 1
    assert [(row["state"], row["attempts"]) for row in rows(kith, webhook)] == [("pending", 0)]
    assert deliver(kith) == 0  # still leased
    clock.forward(seconds=LEASE_MS / 1000)
    assert deliver(kith) == 1
    first, second = receiver.received
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert [row["state"] for row in rows(kith, webhook)] == ["delivered"]


def test_two_couriers_at_once_send_each_delivery_once(kith: Kith, receiver: Receiver) -> None:
    hook(kith, receiver.url, "profile.created")
    kith.import_profiles(*({"id": f"m{number}", "name": "N"} for number in range(60)))
    both = [Thread(target=deliver, args=(kith,)) for _ in range(2)]

    for one in both:
        one.start()
    for one in both:
        one.join()

    assert len({one.headers["webhook-id"] for one in receiver.received}) == len(receiver.received) == 60


def test_a_database_that_was_away_is_asked_again(
    kith: Kith, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(couriers, "SECONDS_BETWEEN_LOOKS", 0.01)
    hook(kith, receiver.url, "profile.created")
    kith.post_profile("ana")
    failures = [NotReady("Away."), NotReady("Away.")]

    def failing(call: Any) -> Any:
        first = [failures.pop()]

        def called(*arguments: Any) -> Any:
            if first:
                raise first.pop()
            return call(*arguments)

        return called

    for name in ("webhooks_due", "lease"):
        monkeypatch.setattr(waiting, name, failing(getattr(waiting, name)))
    stop = Event()
    with logged("debug", io.StringIO()) as log:
        courier = Thread(target=Courier(kith.database, SENDER).run, args=(stop,))
        courier.start()
        until = time.monotonic() + 10
        while not receiver.received and time.monotonic() < until:
            time.sleep(0.01)
        stop.set()
        courier.join()

    assert len(receiver.received) == 1
    assert {"dispatch_failed", "turn_failed"} <= {*re.findall(r"\w+_failed", log.getvalue())}


def test_a_courier_that_breaks_ends_the_worker(kith: Kith, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "webhooks_due", None)
    stop = Event()

    with pytest.raises(TypeError):
        Courier(kith.database, SENDER).run(stop)

    assert stop.is_set()


def test_a_lease_that_is_over_notes_nothing(kith: Kith, receiver: Receiver) -> None:
    webhook = hook(kith, receiver.url, "profile.created")
    kith.post_profile("ana")

    def lose_the_lease(request: Any) -> None:
        with kith.database.write() as connection:
            connection.execute(update(deliveries).values(lease="another", leased_until=2**50))
        request.send_response(204)
        request.end_headers()

    receiver.answer = lose_the_lease

    deliver(kith)

    assert [row["state"] for row in rows(kith, webhook)] == ["pending"]


def test_the_worker_delivers_beside_its_rounds(kith: Kith, receiver: Receiver, tmp_path: Path) -> None:
    webhook = hook(kith, receiver.url, "report.filed")
    tried = kith.call("POST", f"/v1/webhooks/{webhook['id']}/test")
    stop = Event()
    worker = Thread(
        target=run,
        args=(JobContext(kith.database, kith.cache), tmp_path / "erased.log", stop),
        kwargs={"private_webhooks": True},
    )
    worker.start()
    until = time.monotonic() + 10
    while not receiver.received and time.monotonic() < until:
        time.sleep(0.01)
    stop.set()
    worker.join()

    assert tried.status_code == 201
    assert receiver.events() == [("webhook.test", {"webhook": webhook["id"]})]
    assert receiver.received[0].headers["webhook-id"] == tried.json["id"]
    assert json.loads(receiver.received[0].body)["timestamp"] == tried.json["created_at"]
