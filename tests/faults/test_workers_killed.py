"""kill -9 and rounds: however workers die, each round is planned, and published exactly once."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tests.faults.doomed_workers import kill_at_random
from tests.gatherings import groups, left_out, people
from tests.gatherings import meetups as meetups_of
from tests.harness import Kith
from tests.rows import rows_of
from tests.tenants import postgresql_first_url as module_url

__all__ = ["module_url"]

MEMBERS = tuple(f"m{number:02}" for number in range(13))


@pytest.mark.parametrize("kills", [8, pytest.param(200, marks=pytest.mark.drill)])
def test_workers_killed_at_random_publish_each_round_once(
    module_url: str, tmp_path: Path, kills: int
) -> None:
    clock = tmp_path / "seconds"
    clock.write_text("0")
    with Kith.open(module_url, KITH_CLOCK_FILE=str(clock), KITH_TESTING="1") as kith:
        people(kith, *MEMBERS)

        opened = kill_at_random(
            database=module_url, clock=str(clock), community=kith.community, kills=kills, seed=kills
        )

        assert opened
        assert {kith.get(f"/v1/rounds/{made}")["state"] for made in opened} == {"published"}
        for made in opened:
            seated = Counter(name for one in meetups_of(kith, f"&round={made}") for name in one["members"])
            assert seated == dict.fromkeys(MEMBERS, 1)
            assert (len(groups(kith, made)), left_out(kith, made)) == (6, {})
        for name in MEMBERS:
            times = sorted((one["starts_at"], one["ends_at"]) for one in meetups_of(kith, f"&profile={name}"))
            assert all(ends <= starts for (_, ends), (starts, _) in pairwise(times))
        assert not [job for job in rows_of(kith)["jobs"] if "'refit'" not in job]
        assert len(rows_of(kith)["meetups"]) == 6 * len(opened)
