"""Meetups over HTTP: arranged, answered, left, held, and held again."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select

from service.storage.tables import pairs
from tests.gatherings import (
    HERE,
    arranged,
    connect,
    days,
    left_out,
    meetups,
    people,
    published,
    say,
    tell,
    work,
)
from tests.harness import Kith
from tests.problems import errors, problem
from tests.tenants import TestClock

A_FORTNIGHT = 15 * 24
THREE = ("ana", "ben", "cem")


@pytest.fixture
def town(kith: Kith) -> Kith:
    people(kith, *THREE)
    return kith


def read(kith: Kith, meetup: Any) -> Any:
    return kith.get(f"/v1/meetups/{meetup['id']}")


def test_people_who_know_each_other_may_meet(town: Kith) -> None:
    meetup = arranged(town, *THREE)
    assert (meetup["members"], meetup["state"], meetup["round"]) == (list(THREE), "scheduled", None)
    assert meetup["starts_at"] < meetup["ends_at"]
    assert meetup["place"]["location"]["accuracy_km"] > 1
    assert meetup["reasons"][0] == "You all like hiking"
    assert any("hiking" in opener for opener in meetup["openers"])
    assert read(town, meetup) == meetup
    assert meetups(town, "&profile=ben") == [meetup]
    assert meetups(town, "&profile=nobody") == meetups(town, "&round=rnd_0") == []


@pytest.mark.parametrize(
    ("members", "path"),
    [
        (["ana", "ben", "cem"], "members"),
        (["ana", "ana"], "members"),
        (["ana"], "members"),
        (["ana", "nobody"], "members.1"),
        ([f"m{number}" for number in range(10)], "members"),
    ],
)
def test_those_who_do_not_all_know_each_other_may_not(town: Kith, members: list[str], path: str) -> None:
    connect(town, "ana", "ben")
    assert list(errors(town.call("POST", "/v1/meetups", {"members": members}))) == [path]
    assert meetups(town) == []


def test_a_no_takes_one_out_and_with_fewer_than_two_it_is_cancelled(town: Kith) -> None:
    meetup = arranged(town, *THREE)
    assert say(town, meetup["id"], "ana", "yes").json["replies"] == [{"profile": "ana", "reply": "yes"}]
    left = say(town, meetup["id"], "ben", "no").json
    assert (left["members"], left["state"], left["starts_at"]) == (
        ["ana", "cem"],
        "scheduled",
        meetup["starts_at"],
    )
    assert meetups(town, "&profile=ben") == []
    assert list(errors(say(town, meetup["id"], "ben", "yes"))) == ["profile"]
    assert say(town, meetup["id"], "cem", "no").json["state"] == "cancelled"
    problem(say(town, meetup["id"], "ana", "yes"), 409)
    problem(tell(town, meetup["id"], "ana", "met"), 409)


def test_another_time_is_found_while_there_is_one(town: Kith) -> None:
    slots = [{"day": day, "from": "18:00", "to": "19:00"} for day in ("tue", "fri")]
    town.call("PATCH", "/v1/profiles/ana", {"timezone": "Europe/Berlin", "availability": slots})
    meetup = arranged(town, "ana", "ben")
    assert meetup["timezone"] == "Europe/Berlin"
    say(town, meetup["id"], "ben", "yes")
    times = [meetup["starts_at"]]
    while (moved := say(town, meetup["id"], "ana", "other_time").json)["starts_at"] != times[-1]:
        assert moved["replies"] == [{"profile": "ana", "reply": "other_time"}]
        times.append(moved["starts_at"])
    # A fortnight has two of each; of one of them today may be too late.
    assert len(set(times)) == len(times)
    assert 3 <= len(times) <= 4


def test_another_time_for_a_meetup_of_a_round_is_in_its_days(town: Kith) -> None:
    ahead = days(5, 6)
    published(town, participants=["ana", "ben"], **ahead)
    (meetup,) = meetups(town)
    moved = say(town, meetup["id"], "ana", "other_time").json
    assert moved["starts_at"] != meetup["starts_at"]
    assert ahead["starts_on"] <= moved["starts_at"][:10] <= ahead["ends_on"]


def test_nobody_has_two_meetups_at_once(town: Kith) -> None:
    slots = [{"day": day, "from": "18:00", "to": "20:00"} for day in ("tue", "fri")]
    town.call("PATCH", "/v1/profiles/ana", {"timezone": "UTC", "availability": slots})
    found = [arranged(town, "ana", peer) for peer in ("ben", "cem", "ben", "cem", "ben")]
    times = sorted((one["starts_at"], one["ends_at"]) for one in found if one["starts_at"])
    assert 3 <= len(times) <= 4
    assert all(ends <= starts for (_, ends), (starts, _) in pairwise(times))
    assert found[-1]["starts_at"] is None


@pytest.mark.parametrize("act", ["block", "report", "unsafe", "erase"])
def test_who_acts_leaves_every_coming_meetup_that_the_two_share(town: Kith, act: str) -> None:
    three, two = arranged(town, *THREE), arranged(town, "ana", "ben")
    other = arranged(town, "ana", "cem")
    answer = {
        "block": lambda: town.call("PUT", "/v1/profiles/ana/blocks/ben"),
        "report": lambda: town.call("POST", "/v1/profiles/ana/reports", {"peer": "ben", "reason": "spam"}),
        "unsafe": lambda: tell(town, two["id"], "ana", "unsafe"),
        "erase": lambda: town.call("DELETE", "/v1/profiles/ana"),
    }[act]()
    assert answer.status_code < 300, answer.text
    assert read(town, three)["members"] == ["ben", "cem"]
    assert (read(town, three)["state"], read(town, two)["state"]) == ("scheduled", "cancelled")
    assert read(town, other)["state"] == ("cancelled" if act == "erase" else "scheduled")
    blocked = act in {"report", "unsafe", "block"}
    assert [item["reason"] for item in town.get("/v1/reports")["items"]] == (
        {"report": ["spam"], "unsafe": ["unsafe"]}.get(act, [])
    )
    if blocked:
        assert [item["peer"]["id"] for item in town.get("/v1/profiles/ana/blocks")["items"]] == ["ben"]


def test_a_meeting_counts_once_and_what_each_said_is_kept(town: Kith, clock: TestClock) -> None:
    meetup = arranged(town, "ana", "ben")
    clock.forward(hours=A_FORTNIGHT)
    work(town)
    assert read(town, meetup)["state"] == "over"
    assert tell(town, meetup["id"], "ana", "met", again=True).status_code == 200
    assert tell(town, meetup["id"], "ben", "did_not_happen").status_code == 200
    known = town.get("/v1/profiles/ben/connections")["items"][0]
    assert (known["times_met"], known["last_met"]) == (1, meetup["starts_at"])
    assert said(town) == {"again", "no_show"}
    assert tell(town, meetup["id"], "ben", "met").status_code == 200
    assert tell(town, meetup["id"], "ben", "not_yet").status_code == 200
    assert said(town) == {"again", "met"}
    assert town.get("/v1/profiles/ben/connections")["items"][0]["times_met"] == 1
    assert len(meetups(town)) == 1
    assert list(errors(tell(town, meetup["id"], "cem", "met"))) == ["profile"]


def said(kith: Kith) -> set[str]:
    """Return what is kept of both sides' outcomes in the one pair of this community."""
    with kith.database.read() as connection:
        row = connection.execute(
            select(pairs.c.low_outcome, pairs.c.high_outcome).order_by(pairs.c.community.desc()).limit(1)
        ).one()
    return set(row)


def test_when_all_want_to_meet_again_they_do_once(town: Kith, clock: TestClock) -> None:
    meetup = arranged(town, "ana", "ben")
    clock.forward(hours=A_FORTNIGHT)
    for who in ("ana", "ben", "ana"):
        assert tell(town, meetup["id"], who, "met", again=True).status_code == 200
    first, second = meetups(town)
    assert (first["id"], second["members"], second["state"]) == (meetup["id"], ["ana", "ben"], "scheduled")
    assert second["starts_at"] > meetup["starts_at"]


def test_the_next_meetup_is_a_day_after_the_last_however_early_all_say_they_met(town: Kith) -> None:
    last = arranged(town, "ana", "ben")
    for who in ("ana", "ben"):
        assert tell(town, last["id"], who, "met", again=True).status_code == 200
    following = next(meetup for meetup in meetups(town) if meetup["id"] != last["id"])
    ended, begins = (datetime.fromisoformat(at) for at in (last["ends_at"], following["starts_at"]))
    assert timedelta(days=1) <= begins - ended <= timedelta(days=14)


def test_who_leaves_three_meetups_unanswered_is_left_in_peace_until_they_return(
    town: Kith, clock: TestClock
) -> None:
    for turn in range(3):
        assert town.get("/v1/profiles/ana")["joins_rounds"] is True
        published(town, participants=["ana", "ben"], cooldown_days=0, **days(1 + 16 * turn, 14 + 16 * turn))
        meetup = meetups(town, "&profile=ben")[-1]
        say(town, meetup["id"], "ben", "yes")
        clock.forward(hours=24 * 16)
    work(town)
    assert town.get("/v1/profiles/ana")["joins_rounds"] is False
    assert town.get("/v1/profiles/ben")["joins_rounds"] is True
    assert town.call("PATCH", "/v1/profiles/ana", {"joins_rounds": True}).status_code == 200
    made = published(town, participants=["ana", "ben"], cooldown_days=0, **days(49, 62))
    assert left_out(town, made) == {}
    clock.forward(hours=24 * 16)
    work(town)
    assert town.get("/v1/profiles/ana")["joins_rounds"] is True


def test_a_late_word_counts_as_an_answer(town: Kith, clock: TestClock) -> None:
    for turn in range(3):
        published(town, participants=["ana", "ben"], cooldown_days=0, **days(1 + 16 * turn, 14 + 16 * turn))
        clock.forward(hours=24 * 16)
        work(town)
        if turn == 1:
            tell(town, meetups(town, "&profile=ben")[-1]["id"], "ben", "not_yet")
    assert town.get("/v1/profiles/ana")["joins_rounds"] is False
    assert town.get("/v1/profiles/ben")["joins_rounds"] is True


def test_a_meetup_is_none_in_another_community(town: Kith, module_kith: Kith) -> None:
    meetup = arranged(town, "ana", "ben")
    for method, path, body in (
        ("GET", "", None),
        ("POST", "/replies", {"profile": "ana", "reply": "no"}),
        ("POST", "/outcomes", {"profile": "ana", "outcome": "met"}),
    ):
        problem(module_kith.call(method, f"/v1/meetups/{meetup['id']}{path}", body), 404)
    assert read(town, meetup) == meetup


def test_people_who_only_meet_online_have_no_place(kith: Kith) -> None:
    people(kith, "ana", "ben", modes=["online"])
    kith.post_profile("far", location=HERE, joins_rounds=True)
    published(kith)
    (meetup,) = meetups(kith)
    assert (meetup["members"], meetup["place"]) == (["ana", "ben"], None)
