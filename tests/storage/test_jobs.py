"""Jobs: never held by two workers, never lost with one, and their effects kept just once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.errors import LeaseLost
from service.storage import jobs
from service.storage.jobs import Job
from tests.harness import Kith
from tests.jobs import KIND, enqueue, found, number_of, writing
from tests.tenants import TestClock, neighbour

KINDS = (KIND, "deliver")
MINUTE = 60.0


@pytest.fixture
def town(module_kith: Kith, clock: TestClock) -> Iterator[Kith]:
    """A community on a database without jobs: what is due is asked for in all communities at once."""
    yield neighbour(module_kith)
    with module_kith.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM jobs")


def leased(kith: Kith) -> Job:
    job = jobs.lease(kith.database, KINDS)
    assert job is not None
    return job


def nothing_is_due(kith: Kith) -> bool:
    return jobs.lease(kith.database, KINDS) is None


def finish(kith: Kith, job: Job) -> None:
    with writing(kith) as opened:
        jobs.finish(opened, job)


def finish_with_effect(kith: Kith, job: Job) -> None:
    with writing(kith) as opened:
        jobs.enqueue(opened, KIND, "effect")
        jobs.finish(opened, job)


def test_a_job_is_there_only_if_its_cause_is(town: Kith) -> None:
    def cause_and_fail() -> None:
        with writing(town) as opened:
            jobs.enqueue(opened, KIND)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cause_and_fail()
    assert nothing_is_due(town)


def test_the_longest_due_comes_first_of_all_communities_and_only_of_kinds_asked_for(
    town: Kith, clock: TestClock
) -> None:
    other = neighbour(town)
    enqueue(town, "third", 20)
    enqueue(town, "second", 10)
    enqueue(other, "first", 5, kind="deliver")
    enqueue(town, "never", 0, kind="unknown")
    assert nothing_is_due(town)
    clock.forward(seconds=30)
    assert [leased(town).subject for _ in range(3)] == ["first", "second", "third"]
    assert nothing_is_due(town)


def test_two_workers_never_hold_one_job(town: Kith) -> None:
    count, workers = 40, 4
    for number in range(count):
        enqueue(town, f"{number:02}")

    def work(_: int) -> list[str]:
        held = []
        while (job := jobs.lease(town.database, KINDS)) is not None:
            held.append(job.subject)
        return held

    with ThreadPoolExecutor(workers) as pool:
        held = [subject for some in pool.map(work, range(workers)) for subject in some]
    assert sorted(held) == [f"{number:02}" for number in range(count)]


def test_a_dead_holders_lease_ends_and_its_effect_is_rolled_back(town: Kith, clock: TestClock) -> None:
    enqueue(town)
    first = leased(town)
    clock.forward(seconds=MINUTE - 1)
    assert nothing_is_due(town)
    clock.forward(seconds=1)
    second = leased(town)
    assert (second.number, second.attempts) == (first.number, 2)
    with pytest.raises(LeaseLost):
        finish_with_effect(town, first)
    with pytest.raises(LeaseLost):
        jobs.renew(town.database, first)
    jobs.fail(town.database, first, "TooLate")
    assert found(town, "effect") is None
    assert found(town) == second

    finish_with_effect(town, second)
    assert found(town) is None
    assert found(town, "effect") is not None
    with pytest.raises(LeaseLost):
        finish(town, second)


def test_a_renewed_lease_holds_on_and_tells_how_far_it_is(town: Kith, clock: TestClock) -> None:
    enqueue(town)
    job = leased(town)
    clock.forward(seconds=MINUTE - 1)
    jobs.renew(town.database, job, 0.5)
    clock.forward(seconds=MINUTE - 1)
    jobs.renew(town.database, job)
    assert nothing_is_due(town)
    half_way = found(town)
    assert half_way is not None
    assert half_way.progress == 0.5
    clock.forward(seconds=MINUTE)
    assert leased(town).progress == 0


def test_what_is_queued_twice_is_done_once_at_the_earlier_time(town: Kith, clock: TestClock) -> None:
    enqueue(town, seconds=20)
    enqueue(town, seconds=10)
    enqueue(town, seconds=30)
    enqueue(neighbour(town), seconds=10)
    clock.forward(seconds=11)
    own, others = sorted((leased(town), leased(town)), key=lambda job: job.community)
    assert own.community < others.community
    assert nothing_is_due(town)
    finish(town, own)
    clock.forward(seconds=MINUTE)
    assert leased(town).number == others.number


def test_what_is_queued_while_it_is_being_done_is_done_again(town: Kith, clock: TestClock) -> None:
    enqueue(town)
    job = leased(town)
    enqueue(town, seconds=40)
    enqueue(town, seconds=20)
    enqueue(town, seconds=30)
    assert nothing_is_due(town)
    finish(town, job)
    assert nothing_is_due(town)
    clock.forward(seconds=20)
    again = leased(town)
    assert (again.number, again.attempts) == (job.number, 1)
    finish(town, again)
    assert found(town) is None


def test_what_was_queued_while_a_worker_that_died_had_it_is_done_once(town: Kith, clock: TestClock) -> None:
    enqueue(town)
    leased(town)
    enqueue(town)
    clock.forward(seconds=MINUTE)
    finish(town, leased(town))
    assert found(town) is None


def test_what_fails_is_tried_later_and_later_and_at_last_kept_with_its_error(
    town: Kith, clock: TestClock
) -> None:
    enqueue(town)
    for attempt in range(1, jobs.MOST_ATTEMPTS + 1):
        job = leased(town)
        assert job.attempts == attempt
        jobs.fail(town.database, job, f"Error{attempt}")
        wait = 5 * 3 ** (attempt - 1)
        clock.forward(seconds=wait - 1)
        assert nothing_is_due(town)
        clock.forward(seconds=1)
    clock.forward(hours=1000)
    assert nothing_is_due(town)
    given_up = found(town)
    assert given_up is not None
    assert (given_up.run_at, given_up.error) == (None, "Error8")

    enqueue(town)
    anew = leased(town)
    assert (anew.number, anew.attempts, anew.error) == (job.number, 1, None)


def test_what_was_queued_during_the_last_attempt_begins_anew(town: Kith, clock: TestClock) -> None:
    enqueue(town)
    for _ in range(jobs.MOST_ATTEMPTS):
        clock.forward(hours=2)
        job = leased(town)
    enqueue(town)
    jobs.fail(town.database, job, "Unlucky")
    assert leased(town).attempts == 1


def test_jobs_go_with_their_community(town: Kith) -> None:
    enqueue(town)
    with town.database.write() as connection:
        connection.exec_driver_sql(f"DELETE FROM communities WHERE number = {number_of(town)}")
    assert nothing_is_due(town)
