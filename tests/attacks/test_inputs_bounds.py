"""What is told of a hostile body is bounded, whatever the body holds."""

from __future__ import annotations

import json

import pytest

from tests.attacks.inputs import BODIES, IMPORTS, LINES, WITH_JSON, Town
from tests.harness import NDJSON
from tests.problems import errors
from tests.routes import Route, each, each_nth

UNKNOWN = {f"a{number}": 1 for number in range(10_000)}


@each_nth(WITH_JSON, 2)
def test_at_most_a_hundred_faults_are_told(town: Town, route: Route) -> None:
    answer = town.send(route, json.dumps(BODIES[route.name] | UNKNOWN).encode())

    assert len(errors(answer)) <= 100


@each(IMPORTS)
def test_at_most_a_hundred_faults_of_a_line_are_told(town: Town, route: Route) -> None:
    line = json.dumps(LINES[route.name] | UNKNOWN).encode() + b"\n"

    answer = town.send(route, line * 4, Content_Type=NDJSON)

    assert answer.get_json()["failed"] == 4
    assert all(len(error["errors"]) <= 100 for error in answer.get_json()["errors"])
    assert len(answer.data) < 20_000


@pytest.mark.parametrize(
    "weights", [UNKNOWN, {f"a{number}": None for number in range(10_000)}], ids=["numbers", "nulls"]
)
def test_facets_are_counted_before_they_are_read(town: Town, weights: dict[str, object]) -> None:
    answer = town.kith.call("PATCH", "/v1/community", {"facet_weights": {"goals": 1} | weights})

    assert answer.status_code in {200, 422}
    assert answer.status_code == 200 or list(errors(answer)) == ["facet_weights"]
