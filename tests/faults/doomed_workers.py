"""Two workers that plan and publish rounds while they are killed at random: an order in, rounds out.

One interpreter imports the service once and forks a worker for each that dies. After each death the clock
moves on by a minute, so that the lease of the dead is over, and so is that of the living.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import select

from matching import gathering, pairing, round_check
from service.errors import KithError
from service.records_meetups import NewRound
from service.storage import jobs
from service.storage.cache import open_cache
from service.storage.communities import find_community
from service.storage.database import Database
from service.storage.round_tables import rounds
from service.storage.session import Session
from service.usecases import round_plans
from service.usecases.jobs import JobContext, run_one
from service.usecases.publishing import publish_round
from service.usecases.rounds import open_round
from service.worker import HANDLERS

# Imported before the fork, once for all workers.
PLANNED_WITH = (gathering, pairing, round_check)
ROOT = Path(__file__).parent.parent.parent
LEASE_SECONDS = 61
LONGEST_LIFE = 0.15  # seconds, of a worker that is killed
SECONDS = 300


def kill_at_random(**order: Any) -> list[str]:
    """Let workers of an order's database be killed so many times; return the ids of the rounds opened."""
    command = [sys.executable, "-c", "from tests.faults.doomed_workers import main; main()"]
    environ = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, input=json.dumps(order), capture_output=True, text=True, cwd=ROOT, env=environ, check=False
    )
    assert done.returncode == 0, done.stderr
    opened: list[str] = json.loads(done.stdout.splitlines()[-1])
    return opened


def main() -> None:
    """Keep two workers alive, kill one of them at a time, and open a round whenever none waits."""
    order = json.load(sys.stdin)
    # A worker that dies again and again is what is tried here: nothing is given up for it.
    jobs.MOST_ATTEMPTS = round_plans.MOST_ATTEMPTS = 10**6
    drawn, clock = random.Random(order["seed"]), Path(order["clock"])
    workers = [_fork(order) for _ in range(2)]
    session = _session(order)
    opened: list[str] = []
    until = time.monotonic() + SECONDS
    for _ in range(order["kills"]):
        if not _waiting(session):
            opened.append(open_round(session, _wanted()).id)
        time.sleep(drawn.random() * LONGEST_LIFE)
        doomed = drawn.randrange(2)
        _kill(workers[doomed])
        clock.write_text(str(float(clock.read_text()) + LEASE_SECONDS))
        workers[doomed] = _fork(order)
    while _waiting(session) and time.monotonic() < until:
        time.sleep(0.05)
    for worker in workers:
        _kill(worker)
    sys.stdout.write("\n" + json.dumps(opened))


def _session(order: dict[str, Any]) -> Session:
    database = Database(order["database"], Path(order["clock"]))
    with database.read() as connection:
        return Session(database, find_community(connection, order["community"]).number)


def _wanted() -> NewRound:
    today = datetime.now(UTC).date()
    first, last = ((today + timedelta(days=ahead)).isoformat() for ahead in (2, 30))
    return NewRound("Doomed", first, last, cooldown_days=0)


def _waiting(session: Session) -> list[str]:
    chosen = select(rounds.c.id).where(rounds.c.state != "published")
    return list(session.read(lambda connection, _: connection.execute(chosen).scalars().all()))


def _kill(worker: int) -> None:
    os.kill(worker, signal.SIGKILL)
    os.waitpid(worker, 0)


def _fork(order: dict[str, Any]) -> int:
    worker = os.fork()
    if worker == 0:
        _work(order)
    return worker


def _work(order: dict[str, Any]) -> NoReturn:
    session = _session(order)
    context = JobContext(session._database, open_cache("off"))
    while True:
        try:
            busy = run_one(context, HANDLERS)
            for waiting in _waiting(session):
                # Both publish: the one that comes second gets the first one's answer.
                publish_round(session, waiting)
        except KithError:
            busy = False  # it is still being planned
        if not busy:
            time.sleep(0.01)
