"""Over random walks, two processes with a cache answer as one without that has just read everything."""

from __future__ import annotations

import secrets

import pytest

from tests.freshness.regions import REGIONS, Region
from tests.freshness.walk import Disagreement, Tally, World
from tests.freshness.walker import Walker

# The states that responses led to, the lists in which somebody stood, and the third unblocking of a day.
DEALINGS = {"pending", "connected", "declined", "later", "429", "invited_me"}
LISTS = {"invitations", "connections", "reconnects", "blocks", "reports"}


def _walk(world: World, seed: int, region: Region, writes: int, reads: int) -> Tally:
    walker = Walker(seed, region)
    try:
        return world.check(list(walker.steps(writes, reads)), walker.beginning)
    except Disagreement as found:
        raise AssertionError(f"seed {seed}, {region.name}: {found}") from None


def _assert_worth_it(tally: Tally) -> None:
    """Hold a walk to what could have gone wrong in it: many hits, and many that came through writes."""
    assert tally.done >= 0.7 * tally.writes, tally
    assert 0.4 * tally.reads <= tally.hits <= 0.9 * tally.reads, tally
    assert tally.outlived >= 0.15 * tally.reads, tally


def test_two_apps_answer_as_a_fresh_one_without_a_cache(world: World) -> None:
    tally = Tally()
    # PostgreSQL takes twice as long, and differs in nothing that a region changes; the drill has many more.
    on_postgresql = world.judge.kith.database.dialect == "postgresql"
    for seed, region in enumerate(REGIONS[:1] if on_postgresql else REGIONS[:3]):
        tally.add(_walk(world, seed, region, writes=27, reads=3))
    _assert_worth_it(tally)
    assert on_postgresql or tally.met.keys() >= DEALINGS | LISTS - {"reconnects"}, tally


@pytest.mark.parametrize("module_url", ["postgresql"], indirect=True)
def test_two_real_processes_answer_as_a_fresh_one_without_a_cache(real_world: World) -> None:
    tally = _walk(real_world, 101, REGIONS[0], writes=36, reads=3)
    _assert_worth_it(tally)


@pytest.mark.parametrize("module_url", ["sqlite"], indirect=True)
def test_two_apps_with_caches_of_their_own_answer_as_a_fresh_one_without(world_without_redis: World) -> None:
    tally = _walk(world_without_redis, 200, REGIONS[0], writes=30, reads=3)
    assert tally.outlived >= 0.15 * tally.reads, tally


@pytest.mark.drill
@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.name)
def test_many_more_walks_of_two_apps(world: World, region: Region) -> None:
    tally, first = Tally(), secrets.randbits(32)
    for seed in range(first, first + 25):
        tally.add(_walk(world, seed, region, writes=120, reads=3))
    _assert_worth_it(tally)


@pytest.mark.drill
def test_many_more_walks_of_two_real_processes(real_world: World) -> None:
    tally, first = Tally(), secrets.randbits(32)
    for seed in range(first, first + 20):
        tally.add(_walk(real_world, seed, REGIONS[seed % len(REGIONS)], writes=120, reads=3))
    _assert_worth_it(tally)
