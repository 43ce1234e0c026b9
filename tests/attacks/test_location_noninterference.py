"""Two positions in one cell: nothing that anybody is answered tells them apart.

Two fresh communities see the same calls; in one the member is in one corner of the cell, in the other in the
corner farthest from it. The transcripts must be equal byte by byte. Fails where a position is kept, shown,
counted with, hashed or quoted before it is moved to its cell.
"""

from __future__ import annotations

import pytest

from tests.attacks import transcripts
from tests.attacks.location_corners import PLACES, around, corners, elsewhere
from tests.attacks.location_geometry import Spot, km
from tests.attacks.transcript import Transcript
from tests.harness import Kith
from tests.routes import ROUTES
from tests.tenants import TestClock, neighbour

FEWEST_CALLS = 200
Runs = tuple[Transcript, Transcript]


def two_runs(kith: Kith, place: tuple[float, float]) -> Runs:
    """Write the transcripts of the same calls with the member in one corner and in the other."""
    one, other = corners(*place)
    assert km(one, other) > 2.0
    first, second = (
        transcripts.write(neighbour(kith), stated, elsewhere(*place), around(*place))
        for stated in ((one, other, one), (other, one, other))
    )
    return first, second


def check_equal(runs: Runs) -> None:
    """Compare the two transcripts call by call, so that a failure names the call."""
    for one, other in zip(runs[0].lines, runs[1].lines, strict=True):
        assert one == other


@pytest.fixture(scope="module", params=PLACES[1:2], ids=str)
def runs(request: pytest.FixtureRequest, module_sqlite_kith: Kith) -> Runs:
    return two_runs(module_sqlite_kith, request.param)


def test_two_positions_in_a_cell_give_the_same_transcript(runs: Runs) -> None:
    check_equal(runs)


def test_the_transcript_is_long_enough(runs: Runs) -> None:
    assert runs[0].calls >= FEWEST_CALLS


def test_the_transcript_walks_every_route(runs: Runs) -> None:
    wanted = {(route.method, route.rule) for route in ROUTES}

    assert wanted - runs[0].routes == set(), "add a call for these to tests/attacks/transcripts.py"


@pytest.mark.drill
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_two_positions_in_a_cell_give_the_same_transcript_everywhere(
    kith: Kith, clock: TestClock, place: tuple[float, float]
) -> None:
    check_equal(two_runs(kith, place))


@pytest.mark.drill
def test_another_cell_gives_another_transcript(sqlite_kith: Kith, clock: TestClock) -> None:
    place = PLACES[1]
    one, other = corners(*place)
    outside = Spot(one.lat + 0.05, one.lon)

    inside, moved = (
        transcripts.write(neighbour(sqlite_kith), stated, elsewhere(*place), around(*place))
        for stated in ((one, other, one), (outside, outside, outside))
    )

    assert inside.lines != moved.lines
