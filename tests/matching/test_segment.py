"""Whoever is within a radius stands in the ranges of a segment, and hardly anybody else."""

import random
from collections.abc import Sequence

import numpy as np
import pytest

from matching import FACETS, Place
from matching.arrays import Growing, Ragged
from matching.rules import Places
from matching.segment import Segment, reach, sort_keys
from tests.matching.values import RADIUS_KM

CENTRES = [(52.52, 13.405), (0.0, 179.99), (-17.8, -179.98), (89.6, 10.0), (-88.9, -120.0), (64.125, -21.9)]


def around(lat: float, lon: float, degrees: float, count: int, seed: int = 1) -> list[Place]:
    chance = random.Random(seed)
    return [
        Place.at(
            max(-90.0, min(90.0, lat + chance.uniform(-degrees, degrees))),
            (lon + chance.uniform(-degrees, degrees) * 3 + 180) % 360 - 180,
        )
        for _ in range(count)
    ]


def segment_of(people: Sequence[tuple[Place | None, bool]], first: int = 0) -> tuple[Segment, list[int]]:
    """Return the segment of these places and who is online, and the order of the people in it."""
    places, numbers = Places(), []
    for place, _ in people:
        numbers.append(places.number_of(place))
    online = np.array([one for _, one in people], np.bool_)
    keys = sort_keys(places, np.array(numbers, np.int32), online)
    order = np.argsort(keys, kind="stable")
    terms = {facet: Ragged() for facet in FACETS}
    for facet, rows in terms.items():
        rows.extend([[1]] * first)
        rows.extend([[int(at) % 3, 3] if facet == "goals" else [0] for at in order])
    return Segment.of(first, keys[order], terms, dict.fromkeys(FACETS, 5)), order.tolist()


def found(segment: Segment, order: list[int], place: Place | None, km: float, *, online: bool) -> list[int]:
    ranges = segment.within(reach(place, km, online=online))
    return [order[row - segment.first] for first, last in ranges.tolist() for row in range(first, last)]


def kilometres(a: Place, b: Place) -> float:
    one, other = np.radians([a.lat, a.lon]), np.radians([b.lat, b.lon])
    half = np.sin((one - other) / 2) ** 2
    return float(2 * RADIUS_KM * np.arcsin(np.sqrt(half[0] + np.cos(one[0]) * np.cos(other[0]) * half[1])))


@pytest.mark.parametrize("centre", CENTRES)
@pytest.mark.parametrize("km", [1.0, 25.0, 200.0])
def test_everybody_within_the_radius_is_found_once(centre: tuple[float, float], km: float) -> None:
    here = Place.at(*centre)
    people = [(place, number % 3 == 0) for number, place in enumerate(around(*centre, km / 40, 600))]
    segment, order = segment_of(people)

    near = {at for at, (place, _) in enumerate(people) if kilometres(here, place) <= km}
    everybody = found(segment, order, here, km, online=False)

    assert near <= set(everybody)
    assert len(everybody) == len(set(everybody))


def test_hardly_anybody_else_is_found() -> None:
    here = Place.at(52.52, 13.405)
    people = [(place, False) for place in around(52.52, 13.405, 1.0, 4000)]
    segment, order = segment_of(people)

    near = [at for at, (place, _) in enumerate(people) if kilometres(here, place) <= 50]

    assert 100 < len(near) < len(found(segment, order, here, 50.0, online=False)) < 1.4 * len(near)


def test_who_can_be_met_online_is_found_from_everywhere() -> None:
    people: list[tuple[Place | None, bool]] = [(None, True), (None, False), (Place.at(-33.9, 151.2), True)]
    people += [(place, False) for place in around(52.52, 13.405, 0.1, 5)]
    segment, order = segment_of(people)
    berlin = Place.at(52.52, 13.405)

    assert sorted(found(segment, order, None, 25.0, online=True)) == [0, 2]
    assert sorted(found(segment, order, berlin, 25.0, online=True)) == [0, 2, 3, 4, 5, 6, 7]
    assert found(segment, order, None, 25.0, online=False) == []


def test_spans_are_the_rows_of_a_column() -> None:
    people = [(place, False) for place in around(10, 10, 1, 30)]
    segment, order = segment_of(people, first=7)

    spans = segment.spans("goals", np.array([0, 1, 3, 4, 99])).tolist()

    rows = [segment.postings[first:last].tolist() for first, last in spans]
    assert rows[0] == [7 + row for row, at in enumerate(order) if at % 3 == 0]
    assert rows[1] == [7 + row for row, at in enumerate(order) if at % 3 == 1]
    assert rows[2] == list(range(7, 37))
    assert rows[3] == rows[4] == []


def test_what_its_parts_are_given_to_is_the_same() -> None:
    segment, _ = segment_of([(place, False) for place in around(10, 10, 1, 30)], first=3)

    copy = Segment.restored(segment.first, segment.last, segment.parts())

    nearby = reach(Place.at(10, 10), 90.0, online=False)
    assert len(nearby) > 1
    assert copy.within(nearby).tolist() == segment.within(nearby).tolist()
    assert all(isinstance(part, Growing) for part in copy.parts().values())
