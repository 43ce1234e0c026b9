"""The export of one member: all that is kept of them, and nothing of those who blocked or reported them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.gatherings import arranged, published, say, tell
from tests.harness import Kith
from tests.problems import problem
from tests.resources.people import (
    TIME,
    ago,
    block,
    change,
    community_of,
    connect,
    disconnect,
    erase,
    listed,
    report,
    respond,
    unblock,
)
from tests.tenants import TestClock, neighbour, with_key
from tests.tenants import sqlite_first_url as module_url

__all__ = ["module_url"]

PATH = "/v1/profiles/ana/export"
KEPT = {
    "profile", "created_at", "responses", "connections", "blocks", "reports", "last_location", "moved_at",
    "waiting_location", "calendar_since", "meetups", "rounds",
}  # fmt: skip
PEOPLE = tuple(f"p{number}" for number in range(8))


@pytest.fixture
def ana(kith: Kith, clock: TestClock) -> Kith:
    """Ana among many."""
    kith.post_profile("ana", interests=["hiking"], location={"lat": 52.52, "lon": 13.405})
    return community_of(kith, *PEOPLE)


def export(kith: Kith, profile_id: str = "ana") -> Any:
    return kith.get(f"/v1/profiles/{profile_id}/export")


def test_it_holds_all_that_a_member_did(ana: Kith) -> None:
    respond(ana, "ana", "p0", "accept")
    respond(ana, "ana", "p1", "decline")
    respond(ana, "ana", "p2", "later")
    connect(ana, "p3", "ana", since=ago(days=9), last_met=ago(days=3))
    connect(ana, "ana", "p4")
    disconnect(ana, "ana", "p4")
    block(ana, "ana", "p5")
    block(ana, "ana", "stranger")
    filed = report(ana, "ana", "p6", "unsafe", detail="Followed me.")

    kept = export(ana)

    assert set(kept) == KEPT
    assert kept["profile"] == ana.get("/v1/profiles/ana")
    said = {answer["peer"]: answer["response"] for answer in kept["responses"]}
    assert said == {"p0": "accept", "p1": "decline", "p2": "later", "p4": "decline"}
    (known,) = kept["connections"]
    assert (known["peer"], known["times_met"]) == ("p3", 1)
    listed_since = ana.get("/v1/profiles/ana/connections")["items"][0]["since"]
    assert known["since"] == listed_since
    assert [item["peer"] for item in kept["blocks"]] == ["p5", "p6", "stranger"]
    told = {name: filed[name] for name in ("id", "peer", "reason", "detail", "created_at")}
    assert kept["reports"] == [told]
    times = [item["at"] for item in kept["responses"]] + [item["since"] for item in kept["blocks"]]
    assert len(times) == 7
    assert all(TIME.fullmatch(time) for time in [*times, kept["created_at"]])


def test_it_holds_the_members_own_part_in_rounds_and_meetups(ana: Kith) -> None:
    connect(ana, "ana", "p0")
    made = published(ana, participants=["ana", "p1"])
    meetup = arranged(ana, "ana", "p0")["id"]
    say(ana, meetup, "ana", "yes")
    say(ana, meetup, "p0", "other_time")
    tell(ana, meetup, "ana", "met", again=True)

    kept = export(ana)

    assert kept["rounds"] == [{"id": made, "name": "December", "left_out": "no_feasible_peer"}]
    assert kept["meetups"] == [
        {"id": meetup, "round": None, "comes": True, "reply": None, "outcome": "met", "again": True}
    ]


def test_it_holds_nothing_of_those_who_blocked_or_reported(ana: Kith) -> None:
    bare = ana.call("GET", PATH)
    respond(ana, "ana", "p0", "accept")
    connect(ana, "ana", "p1")
    respond(ana, "ana", "p2", "decline")
    block(ana, "p0", "ana")
    report(ana, "p1", "ana", "harassment", detail="Ana, Ana, Ana!")
    block(ana, "p2", "ana")
    report(ana, "p3", "ana", "spam")

    after = ana.call("GET", PATH)

    assert after.json == bare.json
    assert after.headers["ETag"] == bare.headers["ETag"]


def test_it_holds_nothing_that_others_said(ana: Kith) -> None:
    before = ana.call("GET", PATH)
    for peer, response in zip(PEOPLE, ("accept", "decline", "later"), strict=False):
        respond(ana, peer, "ana", response)

    after = ana.call("GET", PATH, If_None_Match=before.headers["ETag"])

    assert after.status_code == 304
    assert after.data == b""


def test_who_blocks_a_member_is_as_if_erased_in_what_the_member_did(ana: Kith) -> None:
    block(ana, "ana", "p0")
    report(ana, "ana", "p1", detail="It was p1.")
    erased = community_of(neighbour(ana), "ana", *PEOPLE)
    block(erased, "ana", "p0")
    report(erased, "ana", "p1", detail="It was p1.")

    for peer in ("p0", "p1"):
        block(ana, peer, "ana")
        erase(erased, peer)

    blocked, gone = export(ana), export(erased)
    assert "p0" not in json.dumps(blocked)
    assert "p1" not in json.dumps(blocked)
    unlike = {"id": "", "created_at": ""}
    assert [item | unlike for item in blocked["reports"]] == [item | unlike for item in gone["reports"]]
    assert (blocked["blocks"], listed(ana, "ana", "blocks")) == ([], [])
    unblock(ana, "p1", "ana")
    assert export(ana)["reports"][0] == blocked["reports"][0] | {"peer": "p1", "detail": "It was p1."}
    assert listed(ana, "ana", "blocks") == ["p1"]


def test_it_says_when_a_move_waits_and_where_a_member_was(ana: Kith) -> None:
    change(ana, "ana", location={"lat": 48.1, "lon": 11.5})
    change(ana, "ana", location={"lat": 53.5, "lon": 10.0})

    kept = export(ana)

    assert round(kept["waiting_location"]["lat"]) == 53 or round(kept["waiting_location"]["lat"]) == 54
    assert round(kept["last_location"]["lat"]) == 48
    assert TIME.fullmatch(kept["moved_at"])


def test_the_erased_are_named_nowhere(ana: Kith) -> None:
    respond(ana, "ana", "p0", "accept")
    connect(ana, "ana", "p1")
    block(ana, "ana", "p2")
    report(ana, "ana", "p3", detail="This p3 again.")

    for peer in ("p0", "p1", "p2", "p3"):
        erase(ana, peer)

    kept = export(ana)
    assert (kept["responses"], kept["connections"], kept["blocks"]) == ([], [], [])
    assert [(item["peer"], item["detail"], item["reason"]) for item in kept["reports"]] == [
        (None, None, "spam"),
    ]  # fmt: skip
    assert not any(f"p{number}" in json.dumps(kept) for number in range(4))


def test_who_comes_back_starts_empty(ana: Kith, clock: TestClock) -> None:
    before = export(ana)
    respond(ana, "ana", "p0", "accept")
    connect(ana, "ana", "p1")
    block(ana, "ana", "p2")
    report(ana, "ana", "p3")
    erase(ana, "ana")
    problem(ana.call("GET", PATH), 404)
    clock.forward(hours=1)
    ana.import_profiles({"id": "ana", "name": "Ana again"})

    kept = export(ana)

    assert kept["created_at"] > before["created_at"]
    assert kept["profile"]["name"] == "Ana again"
    empty = {name: kept[name] for name in KEPT - {"profile", "created_at"}}
    assert not any(empty.values())


def test_the_time_of_the_first_post_stays(ana: Kith, clock: TestClock) -> None:
    before = export(ana)["created_at"]
    clock.forward(hours=5)

    ana.call("PUT", "/v1/profiles/ana", {"name": "Ana"})
    ana.import_profiles({"id": "ana", "name": "Anabel"})

    assert export(ana)["created_at"] == before


def test_its_tag_follows_what_is_in_it(ana: Kith) -> None:
    tags = [ana.call("GET", PATH).headers["ETag"]]
    for act in (
        lambda: respond(ana, "ana", "p0", "accept"),
        lambda: block(ana, "ana", "p1"),
        lambda: change(ana, "ana", goals=["rest"]),
    ):
        act()
        fresh = ana.call("GET", PATH, If_None_Match=tags[-1])
        assert fresh.status_code == 200
        tags.append(fresh.headers["ETag"])
        assert ana.call("GET", PATH, If_None_Match=f'"other", {tags[-1]}').status_code == 304
        assert ana.call("GET", PATH, If_None_Match="*").status_code == 304

    assert len(set(tags)) == 4


def test_only_admins_of_the_same_community_read_it(ana: Kith) -> None:
    for scope in ("read", "write"):
        problem(with_key(ana, scope).call("GET", PATH), 403)
    problem(neighbour(ana).call("GET", PATH), 404)
    problem(ana.call("GET", "/v1/profiles/never-was/export"), 404)
    problem(ana.call("GET", f"{PATH}?format=csv"), 422)
