"""Blocks over HTTP: both ways and at once, never refused, and to the blocked side the blocker is erased."""

from __future__ import annotations

from dataclasses import replace

import pytest

from service.app import create_app
from service.settings import read_settings
from tests.harness import Kith, peers
from tests.problems import errors, problem
from tests.resources.people import (
    ago,
    block,
    community_of,
    connect,
    erase,
    listed,
    nobody_there,
    open_introductions,
    pages,
    pair_rows,
    respond,
    seen,
    unblock,
)
from tests.tenants import TestClock, neighbour, with_key


@pytest.fixture
def four(kith: Kith, clock: TestClock) -> Kith:
    """Four members, each suggested to the other three."""
    return community_of(kith, "ana", "ben", "cem", "dan")


# ---------------------------------------------------------------- both ways and at once


def test_a_block_acts_both_ways_at_once_in_answers_that_were_kept(four: Kith) -> None:
    queries = ("", "?limit=1", "?limit=3", "?facet=interests", "?mode=online")
    for _ in range(2):
        kept = {me: [four.suggestions(me, query) for query in queries] for me in ("ana", "ben")}
    assert {answer["cache"] for answers in kept.values() for answer in answers} == {"hit"}
    assert "ben" in peers(kept["ana"][0])

    block(four, "ben", "ana")

    for me, peer in (("ana", "ben"), ("ben", "ana")):
        for _ in range(2):
            answers = [four.suggestions(me, query) for query in queries]
            assert all(peer not in peers(answer) for answer in answers)
        assert [len(answer["items"]) for answer in answers] == [2, 1, 2, 2, 2]
        assert {answer["cache"] for answer in answers} == {"hit"}
    assert set(seen(four, "cem")) == {"ana", "ben", "dan"}


def test_a_block_ends_connection_accepts_and_put_offs_for_good(four: Kith, clock: TestClock) -> None:
    connect(four, "ana", "ben", last_met=ago(days=90))
    respond(four, "ben", "cem", "accept")
    respond(four, "dan", "ben", "accept")
    assert open_introductions(four) == {"ana": 0, "ben": 2, "cem": 1, "dan": 1}

    for peer in ("ana", "cem", "dan"):
        block(four, "ben", peer)

    assert open_introductions(four) == dict.fromkeys(("ana", "ben", "cem", "dan"), 0)
    for what in ("invitations", "connections", "reconnects"):
        assert [listed(four, me, what) for me in ("ana", "ben", "cem", "dan")] == [[], [], [], []]

    for peer in ("ana", "cem", "dan"):
        unblock(four, "ben", peer)

    for what in ("invitations", "connections", "reconnects"):
        assert [listed(four, me, what) for me in ("ana", "ben", "cem", "dan")] == [[], [], [], []]
    assert seen(four, "ben") == {"ana": False, "cem": False, "dan": False}
    assert seen(four, "dan")["ben"] is False
    assert respond(four, "cem", "ben", "accept") == "pending"
    clock.forward(hours=25)
    assert set(seen(four, "dan")) == {"ana", "ben", "cem"}
    assert pair_rows(four) == 1  # what is counted of the unblockings is forgotten after a day


def test_declines_outlive_a_block(four: Kith) -> None:
    respond(four, "ana", "ben", "decline")
    block(four, "ben", "ana")
    unblock(four, "ben", "ana")

    assert "ben" not in seen(four, "ana")
    assert "ana" not in seen(four, "ben")


def test_a_block_is_taken_back_only_by_whose_it_is(four: Kith) -> None:
    block(four, "ana", "ben")
    block(four, "ben", "ana")

    unblock(four, "ana", "ben")
    assert "ana" not in seen(four, "ben")
    unblock(four, "ben", "ana")

    assert "ana" in seen(four, "ben")
    assert "ben" in seen(four, "ana")


def test_the_blocker_may_change_their_mind_but_nobody_hears_before(four: Kith) -> None:
    block(four, "ana", "ben")

    assert respond(four, "ana", "ben", "accept") == "pending"

    assert listed(four, "ben", "invitations") == []
    assert open_introductions(four) == {"ana": 0, "ben": 0, "cem": 0, "dan": 0}
    problem(four.call("PUT", "/v1/profiles/ana/connections/ben", {}), 409)
    unblock(four, "ana", "ben")
    assert listed(four, "ben", "invitations") == ["ana"]
    assert open_introductions(four) == {"ana": 1, "ben": 1, "cem": 0, "dan": 0}


# ---------------------------------------------------------------- pages and cursors


def invited_by_five(kith: Kith) -> list[str]:
    """Let five members accept Ana; return them, the newest first."""
    names = [f"m{number}" for number in range(5)]
    for name in names:
        kith.post_profile(name)
        respond(kith, name, "ana", "accept")
    return names[::-1]


def connected_to_five(kith: Kith) -> list[str]:
    """Connect Ana to five members who have not met for long; return them, the newest first."""
    names = [f"m{number}" for number in range(5)]
    for number, name in enumerate(names):
        kith.post_profile(name)
        connect(kith, "ana", name, since=ago(days=100 - number))
    return names[::-1]


LISTED = {"invitations": invited_by_five, "connections": connected_to_five, "reconnects": connected_to_five}


@pytest.mark.parametrize("what", LISTED)
def test_a_blocker_leaves_no_gap_in_a_page(kith: Kith, what: str) -> None:
    kith.post_profile("ana")
    newest_first = LISTED[what](kith)
    assert listed(kith, "ana", what) == newest_first
    first = kith.get(f"/v1/profiles/ana/{what}?limit=2")

    block(kith, "m3", "ana")

    assert listed(kith, "ana", what, "?limit=2") == ["m4", "m2"]
    assert list(pages(kith, f"/v1/profiles/ana/{what}", 2)) == [["m4", "m2"], ["m1", "m0"]]
    # The cursor that stood right behind the blocker goes on where it stood.
    again = kith.get(f"/v1/profiles/ana/{what}?limit=2&cursor={first['next']}")
    assert peers(again) == ["m2", "m1"]
    erase(kith, "m2")
    assert listed(kith, "ana", what, f"?limit=2&cursor={first['next']}") == ["m1", "m0"]


def test_a_page_that_a_block_makes_the_last_one_says_so(kith: Kith) -> None:
    kith.post_profile("ana")
    invited_by_five(kith)

    block(kith, "m0", "ana")

    answer = kith.get("/v1/profiles/ana/invitations?limit=4")
    assert peers(answer) == ["m4", "m3", "m2", "m1"]
    assert "next" not in answer


# ---------------------------------------------------------------- whom, and how often


def test_the_list_of_blocks(four: Kith, clock: TestClock) -> None:
    for peer in ("dan", "stranger", "ben"):
        block(four, "ana", peer)
        clock.forward(hours=1)

    items = four.get("/v1/profiles/ana/blocks")["items"]

    assert [item["peer"] for item in items] == [
        {"id": "ben", "name": "Ben"}, {"id": "dan", "name": "Dan"}, {"id": "stranger", "name": None},
    ]  # fmt: skip
    assert all(set(item) == {"peer", "since"} for item in items)
    assert items[1]["since"] < items[2]["since"] < items[0]["since"]
    assert list(pages(four, "/v1/profiles/ana/blocks", 2)) == [["ben", "dan"], ["stranger"]]
    assert [listed(four, me, "blocks") for me in ("ben", "dan")] == [[], []]


def test_a_block_said_again_is_the_same_block(four: Kith, clock: TestClock) -> None:
    block(four, "ana", "ben")
    before = four.get("/v1/profiles/ana/blocks")
    clock.forward(hours=1)

    block(four, "ana", "ben")

    assert four.get("/v1/profiles/ana/blocks") == before


def test_a_stranger_who_comes_later_is_blocked_from_the_start(four: Kith) -> None:
    block(four, "ana", "eve")

    four.post_profile("eve")

    assert "eve" not in seen(four, "ana")
    assert "ana" not in seen(four, "eve")
    nobody_there(four, "eve", "ana")
    assert four.get("/v1/profiles/ana/blocks")["items"][0]["peer"] == {"id": "eve", "name": "Eve"}


def test_nobody_blocks_themself_and_only_members_block(four: Kith) -> None:
    for method in ("PUT", "DELETE"):
        assert set(errors(four.call(method, "/v1/profiles/ana/blocks/ana"))) == {"peer"}
        problem(four.call(method, "/v1/profiles/never-was/blocks/ana"), 404)
    problem(four.call("GET", "/v1/profiles/never-was/blocks"), 404)
    assert pair_rows(four) == 0


@pytest.mark.parametrize("wrong", ["-dash", "a%20b", "a%2Fb", "a" * 129, "import", "export", "%00", "é"])
def test_an_id_outside_the_grammar_is_no_id(four: Kith, wrong: str) -> None:
    for method in ("PUT", "DELETE"):
        problem(four.call(method, f"/v1/profiles/ana/blocks/{wrong}"), 404)
    assert pair_rows(four) == 0


def test_any_well_formed_id_may_be_blocked(four: Kith) -> None:
    wanted = ["a" * 128, "0.~_@:-", "A", "a"]
    for peer in wanted:
        block(four, "ana", peer)

    assert listed(four, "ana", "blocks") == sorted(wanted)


def test_the_third_time_within_a_day_a_block_can_not_be_taken_back(four: Kith, clock: TestClock) -> None:
    path = "/v1/profiles/ana/blocks/ben"
    for _ in range(2):
        block(four, "ana", "ben")
        unblock(four, "ana", "ben")
        clock.forward(hours=1)
    block(four, "ana", "ben")

    refused = four.call("DELETE", path)

    problem(refused, 429)
    wait = int(refused.headers["Retry-After"])
    assert 21.9 * 3600 < wait <= 22 * 3600
    assert "ben" not in seen(four, "ana")
    unblock(four, "ana", "cem")  # another's count, and nobody else's
    unblock(four, "ben", "ana")
    clock.forward(seconds=wait - 5)
    problem(four.call("DELETE", path), 429)
    clock.forward(seconds=6)
    unblock(four, "ana", "ben")
    assert "ben" in seen(four, "ana")
    block(four, "ana", "ben")
    problem(four.call("DELETE", path), 429)


def test_to_take_back_what_is_not_blocked_is_no_error_and_counts_nothing(four: Kith) -> None:
    for _ in range(5):
        unblock(four, "ana", "ben")
        unblock(four, "ana", "stranger")

    assert pair_rows(four) == 0


def test_a_block_is_never_refused_by_a_rate_limit(module_url: str) -> None:
    with Kith.open(module_url, KITH_RATE_LIMIT="5/minute") as kith:
        for name in ("ana", "ben"):
            kith.post_profile(name)
        while kith.call("GET", "/v1/profiles/ana").status_code == 200:
            pass
        problem(kith.call("DELETE", "/v1/profiles/ana/blocks/ben"), 429)

        for number in range(20):
            block(kith, "ana", f"stranger-{number}")
        block(kith, "ana", "ben")

        problem(kith.call("GET", "/v1/profiles/ana/blocks"), 429)
        patient = without_limits(kith)
        assert len(listed(patient, "ana", "blocks", "?limit=100")) == 21


def without_limits(kith: Kith) -> Kith:
    """Return the same Kith in a process of its own, whose limits are untouched."""
    settings = read_settings({"KITH_RATE_LIMIT": "off"})
    return replace(kith, client=create_app(settings, kith.database, kith.cache).test_client())


def test_blocks_need_the_scopes_of_reading_and_writing(four: Kith) -> None:
    reader = with_key(four, "read")
    problem(reader.call("PUT", "/v1/profiles/ana/blocks/ben"), 403)
    problem(reader.call("DELETE", "/v1/profiles/ana/blocks/ben"), 403)

    block(with_key(four, "write"), "ana", "ben")

    assert listed(reader, "ana", "blocks") == ["ben"]


# ---------------------------------------------------------------- erased and come back


@pytest.mark.parametrize("blocker", ["ana", "eve"])
def test_blocks_survive_the_erasure_of_who_is_blocked(four: Kith, blocker: str) -> None:
    four.post_profile("eve")
    block(four, blocker, "ben")
    erase(four, "ben")
    assert listed(four, blocker, "blocks") == []
    assert four.get(f"/v1/profiles/{blocker}/export")["blocks"] == []

    four.import_profiles({"id": "ben", "name": "Ben again", "interests": ["hiking"]})

    assert four.get(f"/v1/profiles/{blocker}/blocks")["items"][0]["peer"]["name"] == "Ben again"
    assert blocker not in seen(four, "ben")
    assert "ben" not in seen(four, blocker)
    nobody_there(four, "ben", blocker)
    assert "cem" in seen(four, "ben")
    unblock(four, blocker, "ben")
    assert seen(four, "ben")[blocker] is False


def test_who_blocked_starts_again_without_their_blocks(four: Kith) -> None:
    block(four, "ana", "ben")
    block(four, "ana", "stranger")
    block(four, "cem", "ana")
    erase(four, "ana")
    four.import_profiles({"id": "ana", "name": "Ana again", "interests": ["hiking"]})

    assert listed(four, "ana", "blocks") == []
    assert set(seen(four, "ana")) == {"ben", "dan"}
    assert "ana" in seen(four, "ben")
    assert respond(four, "ben", "ana", "accept") == "pending"
    assert pair_rows(four) == 2


def test_the_erased_are_blocked_without_being_listed(four: Kith) -> None:
    erase(four, "ben")

    block(four, "ana", "ben")

    assert listed(four, "ana", "blocks") == []
    four.post_profile("ben")
    assert listed(four, "ana", "blocks") == ["ben"]
    assert "ana" not in seen(four, "ben")


def test_communities_block_for_themselves(four: Kith) -> None:
    other = community_of(neighbour(four), "ana", "ben")

    block(four, "ana", "ben")

    assert "ben" in seen(other, "ana")
    assert listed(other, "ana", "blocks") == []
