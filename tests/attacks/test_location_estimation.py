"""Nobody is found finer than their cell, by whatever an attacker's own profiles are answered.

C is the square root of the cell's area; guessing the cell's middle gives a median error of about 0.40 C and
3 % of members within 0.1 C. The same attack finds members of naive designs to the metre, so it is a good one,
and of Kith it finds the cell, so it is at its best there. Fails where any of what a question shows (who is
there, distance, score, order, shortfall) is computed from a position finer than the cell.
"""

from __future__ import annotations

import pytest

from benchmarks.attacks import attack_table
from benchmarks.page import PAGE, put
from tests.attacks.location_attack import Effort
from tests.attacks.location_members import Result, by_way, guesses, look_for, members
from tests.attacks.location_services import DESIGNS, KITHS_WAYS, Design, HttpKith, NaiveService, SimulatedKith
from tests.harness import Kith
from tests.tenants import TestClock, neighbour

LEAST_MEDIAN = 0.36  # of C
MOST_CLOSE = 0.07
METRES = 0.02  # kilometres
SEED = 28  # a sample in which the middle of the cell is as good a guess as it is on average
QUICK = Effort(spots=5, finest_km=0.02, decoys=12, askers=6, rounds=10)
QUICKEST = Effort(spots=3, finest_km=0.05, decoys=6, askers=3, rounds=3)
THOROUGH = Effort(spots=20)
UTMOST = Effort(spots=96)
OVER_HTTP = Effort(spots=8, finest_km=0.002, decoys=12, askers=6, rounds=5)


def check_withstands(results: dict[str, Result]) -> None:
    """Check every way alone, since a leak in one is a leak; and that the attack got as far as the cell."""
    assert results.keys() == {*KITHS_WAYS, "all", "cell"}
    for way, result in results.items():
        if way != "cell":
            assert result.median >= LEAST_MEDIAN, way
            assert result.close <= max(MOST_CLOSE, 1 / len(result.found)), way  # of a few, one is chance
    assert results["cell"].median_km < METRES


def simulated(count: int, effort: Effort, seed: int = SEED) -> dict[str, Result]:
    """Look for members in the matcher, without HTTP."""
    return by_way(
        [look_for(one, SimulatedKith(one.at, one.radius_km), effort) for one in members(count, seed)]
    )


def over_http(kith: Kith, count: int, effort: Effort) -> dict[str, Result]:
    """Look for members over HTTP, each in a community of their own."""
    found = []
    for one in members(count, SEED):
        service = HttpKith(neighbour(kith))
        service.kith.post_profile(
            "victim", location=one.at.as_wire(), radius_km=one.radius_km, interests=["hiking"]
        )
        found.append(look_for(one, service, effort))
    return by_way(found)


def test_guessing_the_middle_of_the_cell_is_the_measure() -> None:
    guess = guesses(members(4000, SEED))

    assert guess.median == pytest.approx(0.40, abs=0.02)
    assert guess.close == pytest.approx(0.03, abs=0.01)


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_the_attack_finds_members_of_a_naive_design_to_the_metre(design: Design) -> None:
    found = by_way([look_for(one, NaiveService(design, one.at), QUICK) for one in members(5, SEED)])

    assert found["all"].median_km < METRES


def test_a_member_is_not_found_finer_than_their_cell() -> None:
    check_withstands(simulated(5, QUICKEST))


def test_a_member_is_not_found_finer_than_their_cell_over_http(sqlite_kith: Kith, clock: TestClock) -> None:
    check_withstands(over_http(sqlite_kith, 1, QUICKEST))


def test_the_benchmark_sets_kith_beside_every_naive_design_and_a_guess() -> None:
    table = attack_table(
        [list(members(1, SEED))], Effort(spots=3, finest_km=0.1, decoys=6, askers=3, rounds=2)
    )

    named = [row.split("|")[1].strip() for row in table.splitlines()[2:]]
    assert named[: len(DESIGNS)] == [f"naive: {design.name}" for design in DESIGNS]
    assert sum(name.startswith("Kith") for name in named) == len(KITHS_WAYS) + 1
    assert "guessed" in named[-2]
    assert table in put(PAGE.read_text(), "attacks", table)


@pytest.mark.drill
def test_200_members_are_not_found_finer_than_their_cells() -> None:
    check_withstands(simulated(200, THOROUGH))


@pytest.mark.drill
def test_nearly_10000_calls_find_nobody_either() -> None:
    found = simulated(8, UTMOST)

    check_withstands(found)
    assert 8_000 < found["all"].most_calls <= 10_000


@pytest.mark.drill
def test_100_members_are_not_found_finer_than_their_cells_over_http(kith: Kith, clock: TestClock) -> None:
    check_withstands(over_http(kith, 100, OVER_HTTP))
