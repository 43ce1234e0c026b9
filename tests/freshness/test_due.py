"""What ends by time is carried out by whoever comes first, also in the middle of a request."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.records import Access
from service.storage.access import AccessReader
from service.storage.session import Session
from service.usecases.due import settle_due
from service.usecases.keys import digest_of
from service.usecases.profiles import change_profile
from service.worker import work_once
from tests.freshness.walk import InProcess, World
from tests.harness import Kith, peers
from tests.tenants import TestClock, neighbour

HERE, NEAR, FAR = ({"lat": lat, "lon": 13.4} for lat in (52.5, 52.55, 48.1))


@pytest.fixture
def kith(world: World, clock: TestClock) -> Kith:
    process = world.processes[0]
    assert isinstance(process, InProcess)
    return neighbour(process.kith)


def _access(kith: Kith) -> tuple[Access, bool]:
    found = AccessReader(kith.database).find(digest_of(kith.key))
    assert found is not None
    return found


def _in_an_hour() -> str:
    return (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_change_that_meets_the_end_of_a_pause_is_made(kith: Kith, clock: TestClock) -> None:
    kith.post_profile("ana", status="paused", paused_until=_in_an_hour())
    access, due = _access(kith)
    assert not due
    clock.forward(hours=2)
    session = Session(kith.database, access.community.number)
    member = change_profile(session, access, "ana", lambda record: replace(record, name="Anna"))
    assert (member.record.name, member.record.status, member.record.paused_until) == ("Anna", "active", None)
    assert member.due_at is None


def test_a_change_that_meets_the_end_of_a_wait_leaves_the_member_where_they_moved(
    kith: Kith, clock: TestClock
) -> None:
    kith.post_profile("ana", location=HERE)
    for place in (NEAR, FAR):
        moved = kith.call("PATCH", "/v1/profiles/ana", {"location": place})
    assert moved.json is not None
    assert moved.json["moves_at"]
    access, _ = _access(kith)
    clock.forward(hours=25)
    session = Session(kith.database, access.community.number)
    member = change_profile(session, access, "ana", lambda record: replace(record, name="Anna"))
    assert member.record.place is not None
    assert member.record.place.lat == pytest.approx(FAR["lat"], abs=0.02)
    assert member.due_at is None
    assert kith.get("/v1/profiles/ana")["moves_at"] is None


def test_what_one_carried_out_the_others_leave_alone(kith: Kith, clock: TestClock) -> None:
    kith.post_profile("ana", status="paused", paused_until=_in_an_hour(), location=HERE)
    clock.forward(hours=2)
    access, due = _access(kith)
    assert due
    session = Session(kith.database, access.community.number)
    settle_due(session)
    after = _access(kith)
    assert not after[1]
    settle_due(session)
    assert _access(kith)[0].community == after[0].community


def test_more_that_is_due_than_one_write_carries_out_is_all_done_before_the_answer(
    kith: Kith, clock: TestClock
) -> None:
    line = {"name": "N", "location": HERE, "status": "paused", "paused_until": _in_an_hour()}
    kith.import_profiles(
        {"id": "ana", "name": "A", "location": HERE}, *(line | {"id": f"m{n}"} for n in range(450))
    )
    assert peers(kith.suggestions("ana")) == []
    clock.forward(hours=2)
    assert len(peers(kith.suggestions("ana", "?limit=100"))) == 100
    assert not _access(kith)[1]
    with kith.database.read() as connection:
        due = connection.exec_driver_sql("SELECT count(*) FROM profiles WHERE due_at IS NOT NULL").scalar()
    assert due == 0


def test_the_worker_carries_out_what_no_request_comes_for(
    kith: Kith, clock: TestClock, tmp_path: Path
) -> None:
    def work() -> int:
        return work_once(kith.database, kith.cache, tmp_path / "erased.log")

    kith.post_profile("ana", status="paused", paused_until=_in_an_hour())
    kith.post_profile("ben")
    kith.suggestions("ben")
    assert work() == 0
    clock.forward(hours=2)
    assert work() == 1
    assert work() == 0
    assert not _access(kith)[1]
    assert peers(kith.suggestions("ben")) == ["ana"]
