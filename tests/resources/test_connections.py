"""Connections over HTTP: told one by one, listed, ended; and reconnects, those worth writing to again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pytest

from tests.harness import Kith
from tests.problems import errors, problem
from tests.resources.people import (
    ago,
    block,
    change,
    community_of,
    connect,
    disconnect,
    erase,
    import_connections,
    listed,
    moment,
    nobody_there,
    open_introductions,
    pages,
    pair_rows,
    respond,
    seen,
    unblock,
)
from tests.tenants import TestClock, neighbour, with_key

ITEM = {"peer", "since", "last_met", "times_met", "shared", "reasons", "openers"}
SPRING, SUMMER, AUTUMN = "2026-03-08T18:00:00Z", "2026-06-01T18:00:00Z", "2026-09-01T18:00:00Z"
FUTURE = "2999-01-01T00:00:00Z"
PATH = "/v1/profiles/ana/connections"


@pytest.fixture
def four(kith: Kith, clock: TestClock) -> Kith:
    """Four members, each suggested to the other three."""
    return community_of(kith, "ana", "ben", "cem", "dan")


def told(kith: Kith, profile_id: str = "ana", what: str = "connections") -> Any:
    """Return the first of a member's connections."""
    return kith.get(f"/v1/profiles/{profile_id}/{what}")["items"][0]


# ---------------------------------------------------------------- told by the platform


def test_two_who_know_each_other_are_connected_from_either_side(four: Kith) -> None:
    assert connect(four, "ana", "ben", since=SPRING, last_met=SUMMER) == {
        "peer": {"id": "ben", "name": "Ben"}, "since": SPRING, "last_met": SUMMER, "times_met": 1,
    }  # fmt: skip

    for me, peer in (("ana", "ben"), ("ben", "ana")):
        item = told(four, me)
        assert set(item) == ITEM
        assert item["peer"] == {"id": peer, "name": peer.title()}
        assert (item["since"], item["last_met"], item["times_met"]) == (SPRING, SUMMER, 1)
        assert item["shared"] == {"interests": ["hiking"], "activities": [], "goals": []}
        assert "June 2026" in item["reasons"][0]
        assert "You both like hiking" in item["reasons"]
        assert 1 <= len(item["openers"]) <= 3
        assert set(seen(four, me)) == {"cem", "dan"}
    assert pair_rows(four) == 1


def test_what_is_left_out_stays(four: Kith) -> None:
    first = connect(four, "ana", "ben")
    assert (first["last_met"], first["times_met"]) == (None, 0)
    since = moment(first["since"])
    assert timedelta(0) <= datetime.now(UTC) - since < timedelta(minutes=5)
    assert f"{since:%B %Y}" in told(four)["reasons"][0]

    assert connect(four, "ana", "ben", last_met=SPRING)["since"] == first["since"]
    changed = connect(four, "ben", "ana", since=SPRING)

    assert (changed["since"], changed["last_met"], changed["times_met"]) == (SPRING, SPRING, 1)
    assert connect(four, "ana", "ben") == changed | {"peer": {"id": "ben", "name": "Ben"}}


def test_each_later_meeting_counts_once(four: Kith) -> None:
    connect(four, "ana", "ben", last_met=SPRING)

    assert connect(four, "ben", "ana", last_met=SUMMER)["times_met"] == 2
    assert connect(four, "ana", "ben", last_met=SUMMER)["times_met"] == 2
    assert connect(four, "ana", "ben", last_met=AUTUMN)["times_met"] == 3
    item = told(four, "ben")
    assert (item["last_met"], item["times_met"]) == (AUTUMN, 3)
    assert "3 times" in item["reasons"][0]
    assert "September 2026" in item["reasons"][0]


def test_older_news_undo_no_newer_and_count_nothing(four: Kith) -> None:
    connect(four, "ana", "ben", last_met=AUTUMN)

    for _ in range(2):
        assert connect(four, "ana", "ben", last_met=SPRING)["last_met"] == AUTUMN

    assert connect(four, "ana", "ben", last_met=AUTUMN)["times_met"] == 1
    zero = "1970-01-01T00:00:00Z"
    assert [connect(four, "cem", "dan", last_met=zero)["times_met"] for _ in range(2)] == [1, 1]


def test_what_was_read_can_be_told_again(four: Kith) -> None:
    before = connect(four, "ana", "ben", since=SPRING, last_met=SUMMER)

    again = four.call("PUT", f"{PATH}/ben", told(four))
    assert (again.status_code, again.json) == (200, before)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"since": FUTURE}, "since"),
        ({"last_met": FUTURE}, "last_met"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-03-08"}, "since"),
        ({"last_met": 1772992800}, "last_met"),
        ({"until": SPRING}, "until"),
    ],
)
@pytest.mark.parametrize("already", [False, True])
def test_a_wrong_time_is_named_and_changes_nothing(
    four: Kith, body: Any, field: str, *, already: bool
) -> None:
    before = connect(four, "ana", "ben", last_met=SPRING) if already else None

    assert set(errors(four.call("PUT", f"{PATH}/ben", body))) == {field}

    assert listed(four, "ana", "connections") == (["ben"] if already else [])
    assert before is None or connect(four, "ana", "ben") == before


def test_time_passes_also_for_the_future(four: Kith, clock: TestClock) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=2)).isoformat(timespec="seconds")
    assert set(errors(four.call("PUT", f"{PATH}/ben", {"since": soon, "last_met": soon}))) == {
        "since", "last_met",
    }  # fmt: skip
    clock.forward(hours=3)
    assert connect(four, "ana", "ben", last_met=soon)["times_met"] == 1


def test_with_whom_nobody_can_be_connected(four: Kith) -> None:
    assert set(errors(four.call("PUT", f"{PATH}/ana", {}))) == {"peer"}
    problem(four.call("PUT", "/v1/profiles/never-was/connections/ana", {}), 404)
    problem(four.call("PUT", f"{PATH}/-", {}), 404)
    problem(four.call("GET", "/v1/profiles/never-was/connections"), 404)
    problem(four.call("GET", "/v1/profiles/never-was/reconnects"), 404)
    block(four, "ana", "ben")
    problem(four.call("PUT", f"{PATH}/ben", {}), 409)
    nobody_there(four, "ben", "ana")
    erase(four, "cem")
    nobody_there(four, "ana", "cem")
    change(four, "dan", attributes={"school": "north"})
    four.call("PATCH", "/v1/community", {"separate_by": ["school"]})
    problem(four.call("PUT", f"{PATH}/dan", {}), 404)
    assert listed(four, "ana", "connections") == []


def test_connecting_settles_what_the_two_had_answered(four: Kith) -> None:
    respond(four, "ana", "ben", "decline")
    respond(four, "ana", "cem", "accept")
    respond(four, "dan", "ana", "later")

    for peer in ("ben", "cem", "dan"):
        connect(four, "ana", peer)

    assert set(listed(four, "ana", "connections")) == {"ben", "cem", "dan"}
    assert listed(four, "cem", "invitations") == []
    assert set(open_introductions(four).values()) == {0}
    assert four.get("/v1/profiles/ana/export")["responses"] == []


def test_a_key_to_read_reads_and_no_more(four: Kith) -> None:
    reader = with_key(four, "read")
    for method in ("PUT", "DELETE"):
        problem(reader.call(method, f"{PATH}/ben", {}), 403)
    connect(with_key(four, "write"), "ana", "ben")

    assert listed(reader, "ana", "connections") == ["ben"]
    problem(neighbour(four).call("GET", PATH), 404)


# ---------------------------------------------------------------- ended


@pytest.mark.parametrize(("me", "peer"), [("ana", "ben"), ("ben", "ana")])
def test_an_end_counts_as_a_decline_by_who_did_it(four: Kith, clock: TestClock, me: str, peer: str) -> None:
    connect(four, "ana", "ben", last_met=SPRING)

    disconnect(four, me, peer)

    assert (listed(four, me, "connections"), listed(four, peer, "connections")) == ([], [])
    clock.forward(hours=24 * 60)
    assert set(seen(four, me)) == set(seen(four, peer)) == {"cem", "dan"}
    assert respond(four, peer, me, "accept") == "pending"
    assert listed(four, me, "invitations") == []
    assert four.get(f"/v1/profiles/{peer}/export")["responses"][0]["response"] == "accept"
    assert four.get(f"/v1/profiles/{me}/export")["responses"][0]["response"] == "decline"
    assert respond(four, me, peer, "accept") == "connected"
    assert (told(four, me)["times_met"], told(four, me)["last_met"]) == (0, None)


def test_only_a_connection_can_be_ended(four: Kith) -> None:
    connect(four, "ana", "ben")
    disconnect(four, "ana", "ben")

    for peer in ("ben", "cem", "never-was", "ana"):
        problem(four.call("DELETE", f"{PATH}/{peer}"), 404)

    respond(four, "ana", "cem", "accept")
    problem(four.call("DELETE", f"{PATH}/cem"), 404)
    assert listed(four, "cem", "invitations") == ["ana"]


# ---------------------------------------------------------------- lists


def test_connections_come_newest_first_in_pages(kith: Kith) -> None:
    names = [f"m{number}" for number in range(7)]
    community_of(kith, "ana", *names)
    for days, name in zip((5, 1, 9, 3, 3, 3, 3), names, strict=True):
        connect(kith, "ana", name, since=f"2026-01-{10 - days:02}T00:00:00Z")

    whole = listed(kith, "ana", "connections")

    assert (whole[0], whole[5:]) == ("m1", ["m0", "m2"])
    assert set(whole[1:5]) == {"m3", "m4", "m5", "m6"}  # of one moment, each once
    for limit in (1, 2, 3, 7):
        assert list(chain(*pages(kith, PATH, limit))) == whole


def test_the_list_shows_who_can_be_met_as_they_are_now(four: Kith) -> None:
    for peer in ("ben", "cem", "dan"):
        connect(four, "ana", peer, since=SPRING)
    change(four, "ben", name="Benno", interests=["chess"], status="paused", capacity=0)
    item = next(i for i in four.get(PATH)["items"] if i["peer"]["id"] == "ben")
    assert (item["peer"]["name"], item["shared"]["interests"]) == ("Benno", [])
    assert item["openers"]

    erase(four, "cem")
    assert set(listed(four, "ana", "connections")) == {"ben", "dan"}
    four.call("PATCH", "/v1/community", {"separate_by": ["school"]})
    change(four, "dan", attributes={"school": "north"})
    assert listed(four, "ana", "connections") == ["ben"]
    assert listed(four, "dan", "connections") == []
    change(four, "dan", attributes=None)
    assert set(listed(four, "ana", "connections")) == {"ben", "dan"}


# ---------------------------------------------------------------- reconnects


def test_worth_writing_to_are_those_unmet_for_60_days(kith: Kith, clock: TestClock) -> None:
    community_of(kith, "ana", "long", "just", "still", "old", "new", "met")
    connect(kith, "ana", "long", since=ago(days=400), last_met=ago(days=300))
    connect(kith, "ana", "just", since=ago(days=400), last_met=ago(days=60, minutes=5))
    connect(kith, "ana", "still", since=ago(days=400), last_met=ago(days=60, minutes=-5))
    connect(kith, "ana", "old", since=ago(days=100))
    connect(kith, "ana", "new")
    connect(kith, "ana", "met", since=ago(days=500), last_met=ago(days=1))

    assert set(listed(kith, "ana", "reconnects")) == {"long", "just", "old"}
    assert listed(kith, "long", "reconnects") == ["ana"]
    assert listed(kith, "met", "reconnects") == []
    clock.forward(hours=0.2)
    assert set(listed(kith, "ana", "reconnects")) == {"long", "just", "old", "still"}
    connect(kith, "ana", "long", last_met=ago(days=1))
    assert "long" not in listed(kith, "ana", "reconnects")
    clock.forward(hours=24 * 61)
    assert set(listed(kith, "ana", "reconnects")) == {"long", "just", "old", "still", "new", "met"}


def test_reconnects_say_how_long_ago_and_how_to_begin(kith: Kith) -> None:
    kith.post_profile("ana", interests=["hiking"])
    kith.post_profile("ben", interests=["hiking"])
    kith.post_profile("cem")
    connect(kith, "ana", "ben", since="2025-01-02T00:00:00Z", last_met="2025-05-17T12:00:00Z")
    connect(kith, "ana", "cem", since="2024-12-24T12:00:00Z")

    ben, cem = kith.get("/v1/profiles/ana/reconnects")["items"]

    assert (set(ben), ben["peer"]["id"], cem["peer"]["id"]) == (ITEM, "ben", "cem")
    assert "May 2025" in ben["reasons"][0]
    assert "December 2024" in cem["reasons"][0]
    assert any("hiking" in opener for opener in ben["openers"])
    assert cem["openers"]
    first_time = kith.get("/v1/profiles/ben/suggestions?limit=1")["items"][0]["openers"]
    assert not set(ben["openers"]) & set(first_time)


def test_reconnects_come_newest_first_in_pages_without_those_who_are_gone(kith: Kith) -> None:
    names = [f"m{number}" for number in range(8)]
    community_of(kith, "ana", *names)
    lines = [{"a": "ana", "b": n, "since": f"2025-01-0{k + 1}T00:00:00Z"} for k, n in enumerate(names)]
    assert import_connections(kith, *lines)["created"] == 8
    assert listed(kith, "ana", "reconnects") == names[::-1]

    block(kith, "m6", "ana")
    block(kith, "ana", "m5")
    erase(kith, "m4")
    disconnect(kith, "m3", "ana")
    change(kith, "m2", attributes={"school": "north"})
    kith.call("PATCH", "/v1/community", {"separate_by": ["school"]})

    assert listed(kith, "ana", "reconnects") == ["m7", "m1", "m0"]
    assert list(pages(kith, "/v1/profiles/ana/reconnects", 2)) == [["m7", "m1"], ["m0"]]
    unblock(kith, "m6", "ana")
    assert listed(kith, "ana", "reconnects") == ["m7", "m1", "m0"]
