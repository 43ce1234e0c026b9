"""Tombstones: one for each member erased, with the sweeps that are still to come after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from service.storage.communities import Write, find_community, write
from service.storage.tombstones import (
    Tombstone,
    communities_sweeping,
    erased_codes,
    note_sweeps,
    set_tombstone,
    tombstones_until,
)
from tests.harness import Kith
from tests.tenants import TestClock, neighbour

FAR_FUTURE = 2**52
ONE, OTHER = "a" * 32, "b" * 32


@pytest.fixture
def town(database_url: str, clock: TestClock) -> Iterator[Kith]:
    """A database of its own: what is due is asked for all communities at once."""
    with Kith.open(database_url, KITH_CLOCK_FILE=str(clock.file), KITH_TESTING="1") as kith:
        yield kith


def number_of(kith: Kith) -> int:
    with kith.database.read() as connection:
        return find_community(connection, kith.community).number


def erase(kith: Kith, *codes: str) -> int:
    """Set tombstones in one transaction; return its time."""
    with write(kith.database, number_of(kith)) as opened:
        assert isinstance(opened, Write)
        for code in codes:
            set_tombstone(opened, code)
        return opened.now


def coming(kith: Kith, at: int = FAR_FUTURE, limit: int = 100) -> list[Tombstone]:
    return tombstones_until(kith.database, at, limit)


def test_the_first_sweep_is_due_at_once(town: Kith) -> None:
    at = erase(town, ONE)
    stone = Tombstone(number_of(town), town.community, ONE, at, logged=False, sweeps=0, sweep_at=at)
    assert coming(town, at) == [stone]
    assert coming(town, at - 1) == []


def test_the_longest_due_come_first_of_all_communities(town: Kith, clock: TestClock) -> None:
    other = neighbour(town)
    erase(other, OTHER)
    clock.forward(seconds=1)
    erase(town, ONE)
    assert [(stone.community_id, stone.code) for stone in coming(town)] == [
        (other.community, OTHER),
        (town.community, ONE),
    ]
    assert [stone.code for stone in coming(town, limit=1)] == [OTHER]


def test_what_was_done_is_noted_and_the_last_sweep_leaves_nothing_due(town: Kith) -> None:
    at = erase(town, ONE, OTHER)
    one, other = sorted(coming(town), key=lambda stone: stone.code)
    note_sweeps(town.database, [(one, True, 1, at + 20_000), (other, True, 3, None)])
    (left,) = coming(town)
    assert (left.code, left.logged, left.sweeps, left.sweep_at) == (ONE, True, 1, at + 20_000)


def test_what_was_done_for_an_earlier_erasure_counts_nothing_for_a_later_one(
    town: Kith, clock: TestClock
) -> None:
    erase(town, ONE)
    (earlier,) = coming(town)
    clock.forward(seconds=1)
    at = erase(town, ONE)
    note_sweeps(town.database, [(earlier, True, 3, None)])
    (stone,) = coming(town)
    assert (stone.erased_at, stone.logged, stone.sweeps) == (at, False, 0)


def test_a_community_is_sweeping_until_its_last_sweep(town: Kith) -> None:
    quiet = neighbour(town)
    assert communities_sweeping(town.database) == set()
    erase(town, ONE, OTHER)
    assert communities_sweeping(town.database) == {town.community}
    assert quiet.community not in communities_sweeping(town.database)
    note_sweeps(town.database, [(stone, True, 3, None) for stone in coming(town)])
    assert communities_sweeping(town.database) == set()


def test_erased_codes_are_those_of_this_community_alone(town: Kith) -> None:
    other = neighbour(town)
    erase(town, ONE)
    erase(other, OTHER)
    with town.database.read() as connection:
        assert erased_codes(connection, number_of(town), [ONE, OTHER]) == {ONE}
        assert erased_codes(connection, number_of(other), [ONE, OTHER]) == {OTHER}
        assert erased_codes(connection, number_of(town), []) == set()
