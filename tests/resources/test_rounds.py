"""Rounds over HTTP: everyone who joins gets a meetup, once, with nobody they must not meet."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from service.storage import jobs
from service.usecases import round_plans
from service.usecases.round_plans import MOST_ATTEMPTS
from service.usecases.rounds import PLANNING
from tests.gatherings import (
    HERE,
    NAMES,
    act,
    days,
    drafted,
    groups,
    left_out,
    meetups,
    open_round,
    people,
    published,
    work,
)
from tests.harness import Kith, peers
from tests.problems import errors, problem
from tests.tenants import TestClock


def test_everyone_who_joins_gets_a_meetup(kith: Kith) -> None:
    people(kith)
    kith.post_profile("shy", location=HERE, interests=["hiking"])
    made = drafted(kith)

    draft = kith.get(f"/v1/rounds/{made}")
    assert draft["stats"]["participants"] == draft["stats"]["placed"] == 6
    assert sorted(name for group in groups(kith, made) for name in group) == sorted(NAMES)
    assert meetups(kith) == []
    item = kith.get(f"/v1/rounds/{made}/groups")["items"][0]
    assert item["reasons"][0] == "You both like hiking"
    assert item["slot"]["starts_at"] > datetime.now(UTC).isoformat()

    answer = act(kith, made, "publish")
    assert (answer.status_code, answer.json["state"]) == (200, "published")
    assert act(kith, made, "publish").data == answer.data
    found = meetups(kith, f"&round={made}")
    assert sorted(sorted(one["members"]) for one in found) == sorted(map(sorted, groups(kith, made)))
    assert {one["state"] for one in found} == {"scheduled"}
    assert found[0]["reasons"][0] == "You both like hiking"
    assert [set(one["members"]) for one in meetups(kith, "&profile=ana")] == [
        group for group in groups(kith, made) if "ana" in group
    ]
    problem(act(kith, made, "cancel"), 409)
    problem(act(kith, made, "replan", {}), 409)


def test_an_odd_member_makes_a_group_of_three(kith: Kith) -> None:
    people(kith, *NAMES[:5])
    made = drafted(kith)
    assert sorted(map(len, groups(kith, made))) == [2, 3]
    assert left_out(kith, made) == {}


def test_the_named_take_part_and_nobody_else(kith: Kith) -> None:
    people(kith)
    kith.post_profile("shy", location=HERE)
    kith.call("PATCH", "/v1/profiles/ben", {"status": "paused"})
    made = drafted(kith, participants=["shy", "ana", "ben"])
    assert groups(kith, made) == [{"shy", "ana"}]
    assert left_out(kith, made) == {"ben": "no_feasible_peer"}
    assert list(
        errors(kith.call("POST", "/v1/rounds", {"name": "N", "participants": ["ana", "who"]} | days()))
    ) == ["participants.1"]


def test_nobody_meets_whom_a_hard_rule_rules_out(kith: Kith) -> None:
    people(kith, "ana", "ben")
    kith.post_profile("far", location={"lat": 48.1, "lon": 11.6}, joins_rounds=True)
    kith.call("PUT", "/v1/profiles/ben/blocks/ana")
    assert left_out(kith, drafted(kith)) == dict.fromkeys(("ana", "ben", "far"), "no_feasible_peer")


def test_those_whom_the_community_separates_are_never_grouped(kith: Kith) -> None:
    kith.call("PATCH", "/v1/community", {"separate_by": ["age_band"]})
    people(kith, "ana", "ben", attributes={"age_band": "adult"})
    people(kith, "cem", attributes={"age_band": "minor"})
    made = drafted(kith)
    assert (groups(kith, made), left_out(kith, made)) == ([{"ana", "ben"}], {"cem": "no_feasible_peer"})
    pin = {"together": [["ana", "cem"]]}
    assert list(errors(act(kith, made, "replan", pin))) == ["together.0"]


@pytest.mark.parametrize("names", [(), ("ana",)])
def test_a_round_of_nobody_or_one_is_planned_too(sqlite_kith: Kith, names: tuple[str, ...]) -> None:
    if names:
        people(sqlite_kith, *names)
    made = published(sqlite_kith)
    assert (groups(sqlite_kith, made), meetups(sqlite_kith)) == ([], [])
    assert left_out(sqlite_kith, made) == dict.fromkeys(names, "no_feasible_peer")


def test_a_round_whose_days_are_over_when_it_is_published_leaves_the_time_open(
    kith: Kith, clock: TestClock
) -> None:
    people(kith, "ana", "ben")
    made = drafted(kith, **days(1, 2))
    clock.forward(hours=24 * 5)
    assert act(kith, made, "publish").status_code == 200
    assert [meetup["starts_at"] for meetup in meetups(kith)] == [None]
    assert kith.call("GET", f"/v1/meetups/{meetups(kith)[0]['id']}.ics").status_code == 404


def test_pins_are_kept_and_refused_where_a_hard_rule_forbids_them(kith: Kith) -> None:
    people(kith)
    kith.post_profile("shy")
    made = drafted(kith)
    apart = sorted(groups(kith, made)[0])
    pinned = {"together": [["ana", "finn"]], "apart": [apart]} if "finn" not in apart else {"apart": [apart]}
    assert act(kith, made, "replan", pinned).status_code == 202
    work(kith)
    assert set(apart) not in groups(kith, made)
    kith.call("POST", "/v1/profiles/ana/responses", {"peer": "ben", "response": "decline"})
    for body, path in (
        ({"together": [["ana", "ben"]]}, "together.0"),
        ({"together": [["cem", "dora"], ["dora", "eve"]]}, "together.1"),
        ({"together": [["cem", "dora", "eve"]]}, "together.0"),
        ({"together": [["cem", "dora"]], "apart": [["cem", "dora"]]}, "together.0"),
        ({"together": [["cem", "shy"]]}, "together.0.1"),
        ({"apart": [["cem", "who"]]}, "apart.0.1"),
    ):
        assert list(errors(act(kith, made, "replan", body))) == [path], body
    assert kith.get(f"/v1/rounds/{made}")["state"] == "draft"


def test_a_plan_that_a_pin_rules_out_fails_and_says_why(kith: Kith) -> None:
    people(kith, "ana", "ben", "cem")
    made = drafted(kith)
    assert act(kith, made, "replan", {"together": [["ana", "ben"]]}).status_code == 202
    kith.call("PUT", "/v1/profiles/ben/blocks/ana")
    work(kith)
    failed = kith.get(f"/v1/rounds/{made}")
    assert (failed["state"], failed["stats"]) == ("failed", None)
    assert "pinned together" in failed["error"]
    problem(act(kith, made, "publish"), 409)
    assert act(kith, made, "replan", {}).status_code == 202
    work(kith)
    assert kith.get(f"/v1/rounds/{made}")["state"] == "draft"


def test_a_round_whose_worker_always_dies_fails(sqlite_kith: Kith, clock: TestClock) -> None:
    people(sqlite_kith, "ana", "ben")
    made = open_round(sqlite_kith)
    for _ in range(MOST_ATTEMPTS):
        assert jobs.lease(sqlite_kith.database, [PLANNING])
        clock.forward(seconds=60)
    work(sqlite_kith)
    failed = sqlite_kith.get(f"/v1/rounds/{made}")
    assert (failed["state"], failed["error"]) == ("failed", "Its worker ended each time that it was planned.")


def test_pins_set_while_it_is_planned_are_kept(sqlite_kith: Kith, monkeypatch: pytest.MonkeyPatch) -> None:
    people(sqlite_kith)
    made, real = open_round(sqlite_kith), round_plans._save

    def save(*given: Any) -> None:
        monkeypatch.setattr(round_plans, "_save", real)
        assert act(sqlite_kith, made, "replan", {"together": [["ana", "finn"]]}).status_code == 202
        real(*given)
        assert sqlite_kith.get(f"/v1/rounds/{made}")["state"] == "planning"

    monkeypatch.setattr(round_plans, "_save", save)
    work(sqlite_kith)
    assert {"ana", "finn"} in groups(sqlite_kith, made)


def test_who_is_erased_while_it_is_planned_has_no_seat(
    sqlite_kith: Kith, monkeypatch: pytest.MonkeyPatch
) -> None:
    people(sqlite_kith, "ana", "ben")
    made, real = open_round(sqlite_kith), round_plans._save

    def save(*given: Any) -> None:
        assert sqlite_kith.call("DELETE", "/v1/profiles/ben").status_code == 204
        real(*given)

    monkeypatch.setattr(round_plans, "_save", save)
    work(sqlite_kith)
    assert (groups(sqlite_kith, made), left_out(sqlite_kith, made)) == ([], {"ana": "erased"})
    assert sqlite_kith.get(f"/v1/rounds/{made}")["stats"]["participants"] == 1


def test_the_same_seed_and_members_give_the_same_draft(kith: Kith) -> None:
    people(kith)
    assert groups(kith, drafted(kith)) == groups(kith, drafted(kith))


def test_whom_a_round_brought_together_is_suggested_and_paired_again_only_after_the_cool_down(
    kith: Kith, clock: TestClock
) -> None:
    people(kith, *NAMES[:4])
    assert len(peers(kith.suggestions("ana"))) == 3
    first = published(kith, cooldown_days=30)
    partner = next(iter(next(group for group in groups(kith, first) if "ana" in group) - {"ana"}))
    assert partner not in peers(kith.suggestions("ana"))
    assert "ana" not in peers(kith.suggestions(partner))
    second = drafted(kith, cooldown_days=30)
    assert not [group for group in groups(kith, second) if group in groups(kith, first)]
    assert list(errors(act(kith, second, "replan", {"together": [["ana", partner]]}))) == ["together.0"]
    clock.forward(hours=30 * 24 + 1)
    assert partner in peers(kith.suggestions("ana"))
    assert kith.call("GET", f"/v1/rounds/{second}").status_code == 200


def test_whoever_was_left_out_last_time_comes_first(kith: Kith) -> None:
    people(kith, "ana", "ben", "zoe", modes=["online"], languages=["de"])
    kith.post_profile("lone", modes=["online"], languages=["fi"], joins_rounds=True)
    first = published(kith, participants=["ana", "ben", "lone"])
    assert left_out(kith, first) == {"lone": "no_feasible_peer"}
    kith.call("PATCH", "/v1/profiles/lone", {"languages": ["de"]})
    second = drafted(kith, participants=["ana", "zoe", "lone"], cooldown_days=0)
    assert any("lone" in group for group in groups(kith, second))


def test_publishing_looks_again_at_who_can_meet(kith: Kith) -> None:
    people(kith, *(f"m{number}" for number in range(8)))
    made = drafted(kith)
    pairs = [sorted(group) for group in groups(kith, made)]
    assert len(pairs) == 4
    kith.call("PUT", f"/v1/profiles/{pairs[0][0]}/blocks/{pairs[0][1]}")
    kith.call("DELETE", f"/v1/profiles/{pairs[1][0]}")
    kith.call("PATCH", f"/v1/profiles/{pairs[2][0]}", {"joins_rounds": False})
    assert left_out(kith, made) == {pairs[1][1]: "erased"}
    answer = act(kith, made, "publish")
    assert [set(one["members"]) for one in meetups(kith)] == [set(pairs[3])]
    assert left_out(kith, made) == {
        pairs[0][0]: "erased",
        pairs[0][1]: "erased",
        pairs[1][1]: "erased",
        pairs[2][0]: "no_feasible_peer",
        pairs[2][1]: "erased",
    }
    assert answer.json["stats"]["placed"] == 2
    assert answer.json["stats"]["left_out"] == 5


def test_publishing_looks_again_at_changed_profiles(kith: Kith) -> None:
    people(kith, "ana", "ben")
    made = drafted(kith)
    kith.call("PATCH", "/v1/profiles/ben", {"modes": ["online"]})
    assert act(kith, made, "publish").status_code == 200
    assert meetups(kith) == []
    assert set(left_out(kith, made)) == {"ana", "ben"}


def test_nobody_has_two_meetups_at_once(kith: Kith) -> None:
    people(kith, "ana", "ben", "cem")
    kith.call(
        "PATCH",
        "/v1/profiles/ana",
        {"timezone": "UTC", "availability": [{"day": "tue", "from": "18:00", "to": "20:00"}]},
    )
    one, other = (drafted(kith, participants=["ana", name], cooldown_days=0) for name in ("ben", "cem"))
    for made in (one, other):
        assert act(kith, made, "publish").status_code == 200
    times = [(meetup["starts_at"], meetup["ends_at"]) for meetup in meetups(kith, "&profile=ana")]
    assert len(times) == 2
    (_, first_ends), (second_starts, _) = sorted(times)
    assert first_ends <= second_starts


def test_a_round_may_be_cancelled_until_it_is_published(kith: Kith) -> None:
    people(kith)
    for made in (open_round(kith), drafted(kith)):
        for _ in range(2):
            assert act(kith, made, "cancel").json["state"] == "cancelled"
        problem(act(kith, made, "publish"), 409)
        work(kith)
        assert kith.get(f"/v1/rounds/{made}")["state"] == "cancelled"
    assert meetups(kith) == []


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"name": ""}, "name"),
        ({"starts_on": "2026-12-32"}, "starts_on"),
        ({"starts_on": 20261201}, "starts_on"),
        (days(3, 2), "ends_on"),
        (days(1, 93), "ends_on"),
        (days(-3, -1), "ends_on"),
        ({"group_size": 1}, "group_size"),
        ({"group_size": 9}, "group_size"),
        ({"seed": 2**31}, "seed"),
        ({"participants": []}, "participants"),
        ({"cooldown_days": -1}, "cooldown_days"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_a_round_must_not_be(sqlite_kith: Kith, fields: dict[str, Any], path: str) -> None:
    answer = sqlite_kith.call("POST", "/v1/rounds", {"name": "N"} | days() | fields)
    assert list(errors(answer)) == [path]
