"""Idempotency-Key and kill -9: whenever a process dies, the call sent again acts once, without a wait."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

from tests.contract.killed import MOMENTS, kill_during
from tests.harness import Kith
from tests.rows import rows_of
from tests.tenants import sqlite_first_url as module_url

__all__ = ["module_url"]

KINDS: dict[str, dict[str, Any]] = {
    "responses": {"peer": "ben", "response": "accept"},
    "reports": {"peer": "ben", "reason": "unsafe", "detail": "Followed me."},
}
SECONDS = 5.0  # far less than a lock's time-out


def test_a_process_killed_in_a_call_leaves_neither_double_nor_lock(module_url: str, kith: Kith) -> None:
    kith.post_profile("ben")
    orders = [
        {
            "database": module_url,
            "key": kith.key,
            "moment": moment,
            "idempotency_key": f"{kind}-{moment}".replace(" ", "-"),
            "path": f"/v1/profiles/ana-{kind}-{place}/{kind}",
            "body": json.dumps(body),
        }
        for kind, body in KINDS.items()
        for place, moment in enumerate(MOMENTS)
    ]
    for order in orders:
        kith.post_profile(order["path"].split("/")[3])
    before = {name: len(rows) for name, rows in rows_of(kith).items()}

    assert kill_during(orders) == [signal.SIGKILL] * len(orders)

    # What was not committed is not there; what was, is whole.
    assert _more(kith, before) == {"pairs": 2, "reports": 1, "kept_answers": 2}
    for order in orders:
        began = time.perf_counter()
        first, again = (_send(kith, order) for _ in range(2))
        assert time.perf_counter() - began < SECONDS
        assert (first.status_code, first.data) == (again.status_code, again.data)
        assert first.status_code in {200, 201}, first.text
    assert _more(kith, before) == {"pairs": 8, "reports": 4, "kept_answers": 8}


def _more(kith: Kith, before: dict[str, int]) -> dict[str, int]:
    """Return of which tables there are more rows than before, and how many."""
    now = {name: len(rows) for name, rows in rows_of(kith).items()}
    return {name: count - before[name] for name, count in now.items() if count != before[name]}


def _send(kith: Kith, order: dict[str, Any]) -> Any:
    headers = {"Content_Type": "application/json", "Idempotency_Key": order["idempotency_key"]}
    return kith.call("POST", order["path"], order["body"].encode(), **headers)
