"""The tables of `tests/routes.py` are complete: no test of all routes passes a new one by."""

from __future__ import annotations

from service.schemas.base import StrictSchema
from tests.harness import Kith
from tests.routes import BODIES, BODILESS, DONE, IDS, KEYED, LINES, ROUTES, Route, each, settle

WRITES = {"POST", "PUT", "PATCH"}


def test_every_route_that_writes_says_what_it_takes_and_no_other_does() -> None:
    assert {route.name for route in ROUTES if route.method in WRITES} == {*BODIES, *LINES, *BODILESS}
    assert len(BODIES) + len(LINES) + len(BODILESS) == len({*BODIES, *LINES, *BODILESS})
    assert {route.name for route in ROUTES if route.rule.endswith("/import")} == set(LINES)


def test_every_id_of_a_path_has_a_value() -> None:
    named = {
        name for route in ROUTES for name in route.template.split("{")[1:] for name in [name.split("}")[0]]
    }

    assert named <= set(IDS)
    assert {"profile_id", "peer_id", "key_id", "report_id", "webhook_id", "delivery_id"} <= named


@each(KEYED)
def test_what_a_route_takes_is_taken(sqlite_kith: Kith, route: Route) -> None:
    answer = route.send(sqlite_kith, settle(sqlite_kith, route))
    answer.close()

    assert answer.status_code in DONE, answer.text


def test_a_read_only_field_is_none_that_can_be_written() -> None:
    found = list(StrictSchema.__subclasses__())

    for schema in found:
        found += schema.__subclasses__()
        if "read_only" in vars(schema):
            assert not set(schema.read_only) & set(schema._declared_fields), schema
    assert len([schema for schema in found if schema.read_only]) >= 4
