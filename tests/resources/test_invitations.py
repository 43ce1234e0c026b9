"""Invitations, and the room that open introductions take on both sides."""

from __future__ import annotations

from datetime import timedelta
from itertools import chain
from typing import Any

import pytest

from tests.harness import Kith, peers
from tests.problems import problem
from tests.resources.people import (
    block,
    change,
    community_of,
    connect,
    disconnect,
    erase,
    listed,
    moment,
    open_introductions,
    pages,
    report,
    respond,
    seen,
    unblock,
)
from tests.tenants import TestClock, neighbour, with_key
from tests.tenants import sqlite_first_url as module_url

__all__ = ["module_url"]

ITEM = {"peer", "since", "expires_at", "shared", "reasons", "openers"}


@pytest.fixture
def four(kith: Kith, clock: TestClock) -> Kith:
    """Four members with room for one introduction each."""
    return community_of(kith, "ana", "ben", "cem", "dan", capacity=1)


def item_of(kith: Kith, profile_id: str) -> Any:
    return kith.get(f"/v1/profiles/{profile_id}/invitations")["items"][0]


# ---------------------------------------------------------------- the list


def test_an_invitation_has_the_shape_of_the_contract(kith: Kith, clock: TestClock) -> None:
    kith.post_profile("ana", interests=["hiking", "Chess"], goals=["learn Spanish"])
    kith.post_profile("ben", interests=["chess"], goals=["rest"])
    as_of = moment(kith.suggestions("ana")["as_of"])

    respond(kith, "ben", "ana", "accept")

    item = item_of(kith, "ana")
    assert set(item) == ITEM
    assert item["peer"] == {"id": "ben", "name": "Ben"}
    assert timedelta(0) <= moment(item["since"]) - as_of < timedelta(minutes=5)
    assert moment(item["expires_at"]) - moment(item["since"]) == timedelta(days=14)
    assert item["shared"] == {"interests": ["Chess"], "activities": [], "goals": []}
    assert "You both like Chess" in item["reasons"]
    assert 1 <= len(item["openers"]) <= 3
    assert listed(kith, "ben", "invitations") == []


def test_invitations_come_newest_first_in_pages(kith: Kith, clock: TestClock) -> None:
    names = [f"m{number}" for number in range(5)]
    community_of(kith, "ana", *names)
    for name in ("m3", "m0", "m4", "m1", "m2"):
        respond(kith, name, "ana", "accept")
        clock.forward(hours=1)

    newest_first = ["m2", "m1", "m4", "m0", "m3"]
    assert listed(kith, "ana", "invitations") == newest_first
    for limit in (1, 2, 4, 5):
        walked = list(pages(kith, "/v1/profiles/ana/invitations", limit))
        assert [len(page) for page in walked[:-1]] == [limit] * (len(walked) - 1)
        assert list(chain(*walked)) == newest_first


def test_an_invitation_answered_is_gone(four: Kith) -> None:
    change(four, "ana", capacity=3)
    for peer in ("ben", "cem", "dan"):
        respond(four, peer, "ana", "accept")

    for peer, response in (("ben", "accept"), ("cem", "decline"), ("dan", "later")):
        assert peer in listed(four, "ana", "invitations")
        respond(four, "ana", peer, response)
        assert peer not in listed(four, "ana", "invitations")


def test_who_may_not_be_met_does_not_invite(four: Kith) -> None:
    change(four, "ana", capacity=3)
    for peer in ("ben", "cem", "dan"):
        respond(four, peer, "ana", "accept")
    change(four, "ben", attributes={"school": "north"})
    four.call("PATCH", "/v1/community", {"separate_by": ["school"]})
    assert set(listed(four, "ana", "invitations")) == {"cem", "dan"}
    assert list(chain(*pages(four, "/v1/profiles/ana/invitations", 1))) == listed(four, "ana", "invitations")

    erase(four, "cem")

    assert listed(four, "ana", "invitations") == ["dan"]
    change(four, "ana", attributes={"school": "north"})
    assert listed(four, "ana", "invitations") == ["ben"]


def test_invitations_are_read_with_any_key_and_of_members_alone(four: Kith) -> None:
    respond(four, "ben", "ana", "accept")

    assert listed(with_key(four, "read"), "ana", "invitations") == ["ben"]
    problem(four.call("GET", "/v1/profiles/never-was/invitations"), 404)
    problem(neighbour(four).call("GET", "/v1/profiles/ana/invitations"), 404)


@pytest.mark.parametrize("fields", [{"status": "paused"}, {"capacity": 0}, {"languages": ["fr"]}])
def test_an_invitation_stands_whatever_the_inviting_one_changes(four: Kith, fields: dict[str, Any]) -> None:
    change(four, "ana", languages=["de"])
    respond(four, "ben", "ana", "accept")

    change(four, "ben", **fields)

    assert listed(four, "ana", "invitations") == ["ben"]
    assert "ben" not in seen(four, "ana")
    assert respond(four, "ana", "ben", "accept") == "connected"


# ---------------------------------------------------------------- capacity


def test_an_introduction_takes_room_on_both_sides(four: Kith) -> None:
    assert set(seen(four, "cem")) == {"ana", "ben", "dan"}
    assert four.suggestions("cem", "?limit=100")["cache"] == "hit"

    respond(four, "ana", "ben", "accept")

    assert seen(four, "cem") == {"dan": False}
    assert seen(four, "dan") == {"cem": False}
    # Who is full still gets suggestions; the two stay visible until each has answered.
    assert seen(four, "ana") == {"cem": False, "dan": False}
    assert seen(four, "ben") == {"ana": True, "cem": False, "dan": False}
    assert open_introductions(four) == {"ana": 1, "ben": 1, "cem": 0, "dan": 0}


@pytest.mark.parametrize("answer", ["accept", "decline", "later"])
def test_an_answer_frees_the_room_of_both(four: Kith, answer: str) -> None:
    respond(four, "ana", "ben", "accept")
    assert seen(four, "cem") == {"dan": False}

    respond(four, "ben", "ana", answer)

    assert set(seen(four, "cem")) == {"ana", "ben", "dan"}
    assert set(open_introductions(four).values()) == {0}
    assert seen(four, "ben") == {"cem": False, "dan": False}


@pytest.mark.parametrize("way", ["decline", "later", "lapse", "block", "erase", "connect", "report"])
def test_whatever_ends_an_introduction_frees_the_room(four: Kith, clock: TestClock, way: str) -> None:
    respond(four, "ana", "ben", "accept")
    assert "ben" not in seen(four, "cem")

    if way == "lapse":
        clock.forward(hours=24 * 14.1)
    elif way == "block":
        block(four, "ben", "ana")
    elif way == "erase":
        erase(four, "ana")
    elif way == "connect":
        connect(four, "ben", "ana")
    elif way == "report":
        report(four, "ben", "ana")
    else:
        respond(four, "ana", "ben", way)

    assert seen(four, "cem")["ben"] is False
    assert set(open_introductions(four).values()) == {0}


def test_a_decline_before_leaves_all_room(four: Kith) -> None:
    respond(four, "ben", "ana", "decline")
    respond(four, "ana", "ben", "accept")

    assert set(seen(four, "cem")) == {"ana", "ben", "dan"}


def test_the_full_are_invited_all_the_same_and_see_who_did(four: Kith) -> None:
    respond(four, "ana", "ben", "accept")
    respond(four, "cem", "ben", "accept")

    assert open_introductions(four) == {"ana": 1, "ben": 2, "cem": 1, "dan": 0}
    assert seen(four, "ben") == {"ana": True, "cem": True, "dan": False}
    assert seen(four, "dan") == {}
    respond(four, "ben", "ana", "accept")
    assert open_introductions(four) == {"ana": 0, "ben": 1, "cem": 1, "dan": 0}
    assert set(seen(four, "dan")) == {"ana"}
    disconnect(four, "ben", "ana")
    assert set(seen(four, "dan")) == {"ana"}


def test_room_follows_the_capacity_at_once(four: Kith) -> None:
    respond(four, "ana", "ben", "accept")
    change(four, "ben", capacity=2)
    assert seen(four, "cem") == {"ben": False, "dan": False}

    change(four, "ben", capacity=1)
    assert seen(four, "cem") == {"dan": False}
    four.call("PUT", "/v1/profiles/ben", {"name": "Ben", "interests": ["hiking"]})
    assert seen(four, "cem") == {"ben": False, "dan": False}
    four.import_profiles({"id": "ben", "name": "Ben", "interests": ["hiking"], "capacity": 1})
    assert seen(four, "cem") == {"dan": False}

    respond(four, "ben", "ana", "later")
    assert set(seen(four, "cem")) == {"ana", "ben", "dan"}


def test_without_any_capacity_nobody_is_suggested_not_even_to_whom_they_invited(four: Kith) -> None:
    change(four, "ana", capacity=0)
    assert "ana" not in seen(four, "ben")

    respond(four, "ana", "ben", "accept")

    assert "ana" not in seen(four, "ben")
    assert listed(four, "ben", "invitations") == ["ana"]
    assert set(seen(four, "ana")) == {"cem", "dan"}


def test_who_was_erased_comes_back_with_all_their_room(four: Kith) -> None:
    respond(four, "ana", "ben", "accept")
    erase(four, "ben")
    four.post_profile("ben", interests=["hiking"], capacity=1)

    assert seen(four, "cem")["ben"] is False
    assert open_introductions(four)["ben"] == 0


# ---------------------------------------------------------------- entity tags


def test_what_others_do_never_changes_a_members_tag(four: Kith, clock: TestClock) -> None:
    read = four.call("GET", "/v1/profiles/ana")
    tag = read.headers["ETag"]
    acts = (
        lambda: respond(four, "ben", "ana", "accept"),
        lambda: respond(four, "ana", "ben", "accept"),
        lambda: disconnect(four, "ben", "ana"),
        lambda: respond(four, "cem", "ana", "later"),
        lambda: respond(four, "cem", "ana", "decline"),
        lambda: connect(four, "dan", "ana"),
        lambda: block(four, "dan", "ana"),
        lambda: unblock(four, "dan", "ana"),
        lambda: report(four, "cem", "ana"),
        lambda: respond(four, "ana", "dan", "accept"),
        lambda: clock.forward(hours=24 * 31),
        lambda: erase(four, "ben"),
    )
    for act in acts:
        act()
        again = four.call("GET", "/v1/profiles/ana", If_None_Match=tag)
        assert (again.status_code, again.headers["ETag"]) == (304, tag)
    assert four.call("GET", "/v1/profiles/ana").data == read.data
    patched = four.call("PATCH", "/v1/profiles/ana", {"capacity": 5}, If_Match=tag)
    assert patched.status_code == 200


def test_a_shown_peer_says_nothing_of_their_room(four: Kith) -> None:
    respond(four, "ana", "ben", "accept")

    assert "introductions" not in four.call("GET", "/v1/profiles/ben").text
    assert peers(four.get("/v1/profiles/ben/invitations")) == ["ana"]
