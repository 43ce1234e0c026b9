"""Fixtures of the tests of webhooks: a receiver, a Kith that may send to it, a webhook between the two."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.integrations.webhooks import Sender
from service.storage.events import EVENTS
from service.storage.tables import deliveries
from service.usecases.couriers import deliver_due
from tests.harness import Kith
from tests.receiver import Receiver, receiving

SENDER = Sender(private=True)


@pytest.fixture(scope="module")
def module_receiver() -> Iterator[Receiver]:
    """A receiver for a whole module."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def receiver(module_receiver: Receiver, module_kith: Kith) -> Receiver:
    """A receiver that has got nothing yet and takes everything; no delivery of an earlier test is due."""
    with module_kith.database.write() as connection:
        connection.execute(deliveries.delete())
    module_receiver.received.clear()
    module_receiver.answer = 204
    return module_receiver


@pytest.fixture(scope="module")
def module_kith(module_url: str, clock_file: Path) -> Iterator[Kith]:
    """A Kith whose webhooks may lead to loopback."""
    environ = {"KITH_CLOCK_FILE": str(clock_file), "KITH_TESTING": "1", "KITH_WEBHOOK_PRIVATE": "1"}
    with Kith.open(module_url, "local", like=None, **environ) as opened:
        yield opened


def hook(kith: Kith, url: str, *events: str) -> Any:
    """Add a webhook that asks for these events, else for all."""
    made = kith.call("POST", "/v1/webhooks", {"url": url, "events": list(events or EVENTS)})
    assert made.status_code == 201, made.text
    return made.json


def deliver(kith: Kith) -> int:
    """Attempt what is due; return how many attempts that were."""
    return deliver_due(kith.database, SENDER)


def rows(kith: Kith, webhook: Any) -> list[Any]:
    """Return what is listed of a webhook's deliveries."""
    items: list[Any] = kith.get(f"/v1/webhooks/{webhook['id']}/deliveries?limit=100")["items"]
    return items
