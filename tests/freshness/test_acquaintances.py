"""Acquaintances in common: they raise the order, and whoever's order they change gets no older answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from service.usecases import pairs as pair_rules
from tests.freshness.test_hits import Pair, pair_at_noon
from tests.freshness.walk import World
from tests.harness import NDJSON, peers
from tests.tenants import TestClock
from tests.tenants import sqlite_first_url as module_url

__all__ = ["module_url"]

HERE = {"lat": 52.52, "lon": 13.405}
SYDNEY = {"lat": -33.87, "lon": 151.21}
# Ana asks. Bea, Cal and Dot could be suggested to her; she knows Hub, and Far, who lives in Sydney.
HOME = dict.fromkeys(("ana", "bea", "cal", "dot", "hub"), HERE) | {"far": SYDNEY, "out": SYDNEY}


@pytest.fixture
def circle(world: World, clock: TestClock) -> Pair:
    """Ana, who knows Hub and Far, and others who know nobody yet, on a day at noon."""
    pair = pair_at_noon(world, clock)
    one = pair.one
    common = {"interests": ["chess"], "modes": ["in_person"]}
    one.import_profiles(*({"id": name, "name": name, "location": at} | common for name, at in HOME.items()))
    connect(pair, "ana", "hub")
    connect(pair, "far", "ana")
    return pair


def connect(pair: Pair, member: str, peer: str) -> None:
    pair.write("PUT", f"/v1/profiles/{member}/connections/{peer}", {})


def order(pair: Pair, member: str = "ana") -> list[str]:
    """Return whom a member is suggested, which must not be an older answer, and which is kept then."""
    answer = pair.two.suggestions(member)
    assert answer["cache"] == "miss"
    assert pair.one.suggestions(member)["cache"] == "hit"
    return peers(answer)


def last(pair: Pair) -> str:
    """Return who comes last for Ana while nobody has anybody in common with her."""
    return peers(pair.one.suggestions("ana"))[-1]


def test_the_order_is_raised_but_no_score_and_no_reason(circle: Pair) -> None:
    before = circle.one.suggestions("ana")
    who = peers(before)[-1]
    connect(circle, who, "hub")

    assert order(circle)[0] == who
    after = {item["peer"]["id"]: item for item in circle.one.suggestions("ana")["items"]}
    assert after == {item["peer"]["id"]: item for item in before["items"]}


def test_somebody_far_away_counts_and_moves_the_key_at_once(circle: Pair) -> None:
    who = last(circle)
    connect(circle, "far", who)
    assert order(circle)[0] == who


def _end(pair: Pair, who: str) -> None:
    pair.write("DELETE", f"/v1/profiles/{who}/connections/far")


def _end_from_afar(pair: Pair, who: str) -> None:
    pair.write("DELETE", f"/v1/profiles/far/connections/{who}")


def _block(pair: Pair, who: str) -> None:
    pair.write("PUT", f"/v1/profiles/far/blocks/{who}")


def _erase(pair: Pair, _: str) -> None:
    pair.write("DELETE", "/v1/profiles/far")


def _part_with(pair: Pair, _: str) -> None:
    pair.write("DELETE", "/v1/profiles/ana/connections/far")


def _switch_off(pair: Pair, _: str) -> None:
    pair.write("PATCH", "/v1/community", {"acquaintances": False})


def _move_to_another_group(pair: Pair, _: str) -> None:
    pair.write("PATCH", "/v1/community", {"separate_by": ["school"]})
    assert pair.one.suggestions("ana")["cache"] == "miss"
    pair.write("PATCH", "/v1/profiles/far", {"attributes": {"school": "north"}})


ENDINGS: dict[str, Callable[[Pair, str], None]] = {
    "an ended connection": _end,
    "one ended by the other": _end_from_afar,
    "a block": _block,
    "an erasure": _erase,
    "the asking member's own parting": _part_with,
    "switching it off": _switch_off,
    "somebody in another group": _move_to_another_group,
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS)
def test_what_ends_a_connection_takes_its_weight_away_at_once(
    circle: Pair, ending: Callable[[Pair, str], None]
) -> None:
    before, who = peers(circle.one.suggestions("ana")), last(circle)
    connect(circle, "far", who)
    assert order(circle)[0] == who

    ending(circle, who)

    assert order(circle) == before


def test_more_in_common_comes_before_less(circle: Pair) -> None:
    connect(circle, "ana", "out")
    first, second, _ = peers(circle.one.suggestions("ana"))
    connect(circle, first, "hub")
    for friend in ("hub", "far", "out"):
        connect(circle, second, friend)
    assert order(circle)[:2] == [second, first]


def crowd(pair: Pair, around: str, school: str | None = None) -> list[str]:
    """Let somebody know so many others that it says nothing of two that both know them."""
    names = [f"crowd-{number}" for number in range(40)]
    stated = {"attributes": {"school": school}} if school else {}
    pair.one.import_profiles(*({"id": name, "name": name, "location": SYDNEY} | stated for name in names))
    lines = "".join(f'{{"a": "{around}", "b": "{name}"}}\n' for name in names)
    made = pair.one.call("POST", "/v1/connections/import", lines.encode(), Content_Type=NDJSON)
    assert made.json["created"] == len(names)
    return names


def test_who_knows_everybody_counts_once_they_know_few(circle: Pair) -> None:
    names = crowd(circle, "far")
    before, who = peers(circle.one.suggestions("ana")), last(circle)
    connect(circle, "far", who)
    assert order(circle) == before

    for name in names[:20]:
        circle.write("DELETE", f"/v1/profiles/far/connections/{name}")

    assert order(circle)[0] == who


def test_who_is_known_in_another_group_counts_for_nothing(circle: Pair) -> None:
    crowd(circle, "far", school="north")
    circle.write("PATCH", "/v1/community", {"separate_by": ["school"]})
    who = last(circle)
    connect(circle, "far", who)
    assert order(circle)[0] == who


def test_a_connection_moves_no_key_of_who_knows_neither(circle: Pair) -> None:
    circle.warm(("bea", "out"))
    connect(circle, "hub", "cal")
    assert circle.found(("bea", "out", "ana")) == {"bea": "hit", "out": "hit", "ana": "miss"}


def test_where_it_is_off_a_connection_moves_the_keys_of_the_two_alone(circle: Pair) -> None:
    _switch_off(circle, "")
    circle.warm(("ana", "bea"))
    connect(circle, "hub", "cal")
    assert circle.found(("ana", "bea")) == {"ana": "hit", "bea": "hit"}
    assert circle.found(("cal",)) == {"cal": "miss"}


@pytest.mark.parametrize("most", [100, 1])
def test_an_import_of_connections_counts_at_once(
    circle: Pair, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pair_rules, "MOST_RENEWED", most)
    who = last(circle)
    lines = f'{{"a": "far", "b": "{who}"}}\n{{"a": "hub", "b": "{who}"}}\n'.encode()
    made = circle.one.call("POST", "/v1/connections/import", lines, Content_Type=NDJSON)
    assert made.json["created"] == 2
    assert order(circle)[0] == who
