"""A process that is killed at a chosen moment of a call: an order comes in, and no goodbye goes out.

One interpreter imports the service once and forks a process for each order, so that a moment costs no start.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

from service.app import create_app
from service.settings import read_settings
from service.storage.cache import open_cache
from service.storage.database import Database
from service.storage.kept_answers import keep_answer
from service.web import idempotency

ROOT = Path(__file__).parent.parent.parent


def kill_during(orders: list[dict[str, Any]]) -> list[int]:
    """Let a process of its own carry out each order; return by which signal each of them died, 0 for none."""
    command = [sys.executable, "-c", "from tests.contract.killed import main; main()"]
    environ = os.environ | {"PYTHONWARNINGS": "ignore", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, input=json.dumps(orders), capture_output=True, text=True, cwd=ROOT, env=environ, check=True
    )
    signals: list[int] = json.loads(done.stdout.splitlines()[-1])
    return signals


def main() -> None:
    """Fork for every order, in turn."""
    signals = []
    for order in json.load(sys.stdin):
        child = os.fork()
        if child == 0:
            _carry_out(order)
            os._exit(0)
        signals.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    sys.stdout.write("\n" + json.dumps([-code for code in signals]))


def _carry_out(order: dict[str, Any]) -> None:
    settings = read_settings({"KITH_DATABASE_URL": order["database"], "KITH_RATE_LIMIT": "off"})
    database = Database(settings.database)
    MOMENTS[order["moment"]]()
    client = create_app(settings, database, open_cache("off")).test_client()
    headers = {"Authorization": f"Bearer {order['key']}", "Idempotency-Key": order["idempotency_key"]}
    client.post(order["path"], data=order["body"], content_type="application/json", headers=headers)


def _die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _instead(name: str, call: Callable[..., Any]) -> None:
    patch.object(idempotency, name, call).start()


def _before_the_work() -> None:
    _instead("_run", _die)


def _after_the_work() -> None:
    _instead("keep_answer", _die)


def _after_the_answer_is_kept() -> None:
    def keep_and_die(*arguments: Any) -> None:
        keep_answer(*arguments)
        _die()

    _instead("keep_answer", keep_and_die)


def _after_the_commit() -> None:
    once = idempotency._once

    def answer_and_die(*arguments: Any) -> None:
        once(*arguments)
        _die()

    _instead("_once", answer_and_die)


MOMENTS: dict[str, Callable[[], None]] = {
    "before the work": _before_the_work,
    "after the work": _after_the_work,
    "after the answer is kept": _after_the_answer_is_kept,
    "after the commit": _after_the_commit,
}
