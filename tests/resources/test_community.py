"""The community over HTTP: its settings, who may change them, and what null sets."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import Kith, peers
from tests.problems import errors, problem
from tests.tenants import neighbour, with_key

DEFAULTS: dict[str, Any] = {
    "radius_km": 25, "group_size": 2, "cooldown_days": 90, "facet_weights": None, "support_text": None,
    "acquaintances": True, "admin_attributes": [], "separate_by": [],
}  # fmt: skip
WHOLE: dict[str, Any] = {
    "name": "Walkers",
    "radius_km": 60.5,
    "group_size": 4,
    "cooldown_days": 0,
    "facet_weights": {"interests": 1, "activities": 0.5, "goals": 0},
    "support_text": "Write to us.\nAny time.",
    "acquaintances": False,
    "admin_attributes": ["verified"],
    "separate_by": ["school", "city"],
}


def change(kith: Kith, **changes: Any) -> Any:
    return kith.call("PATCH", "/v1/community", changes)


def test_a_new_community_has_the_defaults(kith: Kith) -> None:
    assert kith.get("/v1/community") == {"id": kith.community, "name": "Neighbours"} | DEFAULTS


def test_settings_are_read_as_they_were_set(kith: Kith) -> None:
    changed = change(kith, **WHOLE)

    assert changed.status_code == 200
    assert changed.json == WHOLE | {"id": kith.community} == kith.get("/v1/community")
    assert change(kith, **changed.json).json == changed.json
    assert neighbour(kith).get("/v1/community")["radius_km"] == 25


@pytest.mark.parametrize("field", sorted(DEFAULTS))
def test_null_sets_the_default_and_nothing_else_changes(kith: Kith, field: str) -> None:
    change(kith, **WHOLE)

    assert change(kith, **{field: None}).json == WHOLE | {"id": kith.community, field: DEFAULTS[field]}


def test_one_weight_alone_leaves_the_others_as_they_were(kith: Kith) -> None:
    assert change(kith, facet_weights={"interests": 1}).json["facet_weights"] == {
        "interests": 1, "activities": 0, "goals": 0,
    }  # fmt: skip

    changed = change(kith, facet_weights={"goals": 2})
    assert changed.json["facet_weights"] == {"interests": 1, "activities": 0, "goals": 2}
    changed = change(kith, facet_weights={"interests": None})
    assert changed.json["facet_weights"] == {"interests": 0, "activities": 0, "goals": 2}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a" * 101}, "name"),
        ({"radius_km": 0.5}, "radius_km"),
        ({"radius_km": 201}, "radius_km"),
        ({"radius_km": "25"}, "radius_km"),
        ({"group_size": 1}, "group_size"),
        ({"group_size": 2.0}, "group_size"),
        ({"group_size": True}, "group_size"),
        ({"cooldown_days": -1}, "cooldown_days"),
        ({"facet_weights": []}, "facet_weights"),
        ({"facet_weights": {"hobbies": 1}}, "facet_weights.hobbies"),
        ({"facet_weights": {"interests": -1}}, "facet_weights.interests"),
        ({"facet_weights": {"interests": "1"}}, "facet_weights.interests"),
        ({"facet_weights": {"interests": True}}, "facet_weights.interests"),
        ({"facet_weights": {"interests": 0, "activities": 0, "goals": 0}}, "facet_weights"),
        ({"support_text": ""}, "support_text"),
        ({"support_text": "a" * 2001}, "support_text"),
        ({"support_text": 1}, "support_text"),
        ({"acquaintances": 1}, "acquaintances"),
        ({"admin_attributes": "verified"}, "admin_attributes"),
        ({"admin_attributes": [""]}, "admin_attributes.0"),
        ({"admin_attributes": ["a" * 61]}, "admin_attributes.0"),
        ({"separate_by": [f"name {n}" for n in range(21)]}, "separate_by"),
        ({"separate_by": [1]}, "separate_by.0"),
        ({"surprise": 1}, "surprise"),
        ({"surprise": None}, "surprise"),
    ],
)
def test_a_setting_outside_its_rule_is_refused_and_nothing_changes(
    sqlite_kith: Kith, changes: dict[str, Any], path: str
) -> None:
    before = sqlite_kith.get("/v1/community")

    assert list(errors(change(sqlite_kith, radius_km=30, **changes) if "radius_km" not in changes
                       else change(sqlite_kith, **changes))) == [path]  # fmt: skip
    assert sqlite_kith.get("/v1/community") == before


def test_an_id_sent_back_is_ignored(kith: Kith) -> None:
    assert change(kith, id="com_other").json["id"] == kith.community


def test_only_admins_change_settings_and_everyone_reads_them(kith: Kith) -> None:
    for scope in ("read", "write"):
        guest = with_key(kith, scope)
        problem(change(guest, radius_km=3), 403)
        assert guest.get("/v1/community")["radius_km"] == 25


def test_fixed_weights_count_at_the_next_question(kith: Kith) -> None:
    kith.post_profile("ana", interests=["hiking"], goals=["rest"])
    kith.post_profile("hiker", interests=["hiking"], goals=["fame"])
    kith.post_profile("rester", interests=["chess"], goals=["rest"])
    change(kith, facet_weights={"interests": 1, "goals": 0.1})
    assert peers(kith.suggestions("ana")) == ["hiker", "rester"]

    change(kith, facet_weights={"interests": 0.1, "goals": 1})

    answer = kith.suggestions("ana")
    assert (peers(answer), answer["cache"]) == (["rester", "hiker"], "miss")


def test_a_setting_that_stays_as_it_was_moves_no_answer(kith: Kith) -> None:
    kith.post_profile("ana")
    kith.suggestions("ana")

    change(kith, radius_km=25, separate_by=[])

    assert kith.suggestions("ana")["cache"] == "hit"
