"""A process killed with a write under way: whole batches stay, no lock does, and the others answer right."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

from sqlalchemy import func, select

from service.storage.tables import communities, profiles
from service.usecases.communities import create_community
from tests.freshness.nursery import Nursery
from tests.freshness.walk import World

HERE = {"lat": 52.52, "lon": 13.405}
LINES = 5000
BATCH = 500


def test_a_process_killed_in_the_middle_of_an_import_leaves_whole_batches_and_no_lock(
    world: World, module_url: str, module_redis_url: str, clock_file: Path, nursery: Nursery
) -> None:
    clock_file.write_text("0")
    community, _, key = create_community(world.judge.kith.database, "Killed")
    victim = nursery.start(module_url, module_redis_url, clock_file)
    common = {"name": "N", "location": HERE, "interests": ["chess"]}
    lines = [{"id": f"m{number}"} | common for number in range(LINES)]
    broken: list[str] = []

    def load() -> None:
        try:
            victim.ask(key, "POST", "/v1/profiles/import", lines)
        except OSError as error:
            broken.append(type(error).__name__)

    loading = threading.Thread(target=load)
    loading.start()
    until = time.monotonic() + 20
    while not _rows(world, community.number)[0] and time.monotonic() < until:
        time.sleep(0.01)
    os.kill(victim.pid, signal.SIGKILL)
    loading.join(30)
    assert broken

    posted = world.processes[0].ask(key, "POST", "/v1/profiles", {"id": "ana"} | common)
    assert posted.status == 201
    rows, members = _rows(world, community.number)
    assert rows == members
    assert rows % BATCH == 1
    assert 1 < rows < LINES
    path = "/v1/profiles/ana/suggestions?limit=100"
    right = world.judge.ask(key, path).content
    assert [process.ask(key, "GET", path).content for process in world.processes] == [right] * 2


def _rows(world: World, community: int) -> tuple[int, int]:
    """Return how many profiles there are, and how many the community's row counts."""
    with world.judge.kith.database.read() as connection:
        rows = connection.execute(select(func.count()).where(profiles.c.community == community)).scalar_one()
        counted = select(communities.c.members).where(communities.c.number == community)
        return rows, int(connection.execute(counted).scalar_one())
