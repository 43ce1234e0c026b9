"""Responses over HTTP: accept, decline, later; two accepts connect, and a decline is never told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from service.worker import work_once
from tests.harness import Kith, peers
from tests.problems import errors, problem
from tests.resources.people import (
    acting,
    block,
    change,
    community_of,
    connect,
    erase,
    listed,
    moment,
    nobody_there,
    open_introductions,
    other_client,
    pair_rows,
    reading,
    respond,
    seen,
)
from tests.tenants import TestClock, neighbour
from tests.tenants import sqlite_first_url as module_url

__all__ = ["module_url"]

STATES = {"accept": "pending", "decline": "declined", "later": "later"}


@pytest.fixture
def three(kith: Kith, clock: TestClock) -> Kith:
    """Ana, Ben and Cem, each suggested to the other two."""
    return community_of(kith, "ana", "ben", "cem")


def ask(kith: Kith, body: Any, me: str = "ana") -> Any:
    return kith.call("POST", f"/v1/profiles/{me}/responses", body)


# ---------------------------------------------------------------- states and refusals


@pytest.mark.parametrize(("response", "state"), list(STATES.items()))
def test_each_response_has_its_state_and_may_be_said_again(three: Kith, response: str, state: str) -> None:
    assert [respond(three, "ana", "ben", response) for _ in range(2)] == [state, state]
    assert "ben" not in seen(three, "ana")
    assert pair_rows(three) == 1


def test_nobody_answers_themself(three: Kith) -> None:
    assert set(errors(ask(three, {"peer": "ana", "response": "accept"}))) == {"peer"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"response": "accept"}, "peer"),
        ({"peer": "ben"}, "response"),
        ({"peer": "ben", "response": "Accept"}, "response"),
        ({"peer": "ben", "response": None}, "response"),
        ({"peer": "no such/id", "response": "accept"}, "peer"),
        ({"peer": ["ben"], "response": "accept"}, "peer"),
        ({"peer": "ben", "response": "accept", "state": "connected"}, "state"),
    ],
)
def test_a_wrong_response_names_its_field_and_does_nothing(three: Kith, body: Any, field: str) -> None:
    assert set(errors(ask(three, body))) == {field}
    assert pair_rows(three) == 0


def test_a_peer_unknown_erased_or_having_blocked_is_the_same_nobody(three: Kith) -> None:
    erase(three, "ben")
    nobody_there(three, "ana", "ben")

    block(three, "cem", "ana")

    nobody_there(three, "ana", "cem")
    problem(ask(three, {"peer": "ana", "response": "accept"}, me="never-was"), 404)


def test_who_is_connected_already_is_a_conflict(three: Kith) -> None:
    connect(three, "ana", "ben")

    for me, peer in (("ana", "ben"), ("ben", "ana")):
        for response in STATES:
            problem(ask(three, {"peer": peer, "response": response}, me=me), 409)

    assert listed(three, "ana", "connections") == ["ben"]


@pytest.mark.parametrize(
    "fields", [{"status": "paused"}, {"capacity": 0}, {"languages": ["fr"]}, {"modes": ["in_person"]}]
)
def test_anybody_may_be_answered_suggested_or_not(three: Kith, fields: dict[str, Any]) -> None:
    change(three, "ana", languages=["de"])
    change(three, "ben", **fields)
    assert "ben" not in seen(three, "ana")

    assert respond(three, "ana", "ben", "accept") == "pending"
    assert respond(three, "ben", "ana", "accept") == "connected"


# ---------------------------------------------------------------- two accepts connect


@pytest.mark.parametrize(("first", "second"), list(permutations(("ana", "ben"))))
def test_two_accepts_connect_in_either_order(three: Kith, first: str, second: str) -> None:
    assert respond(three, first, second, "accept") == "pending"
    assert respond(three, second, first, "accept") == "connected"

    for me, peer in ((first, second), (second, first)):
        item = three.get(f"/v1/profiles/{me}/connections")["items"][0]
        assert (item["peer"]["id"], item["last_met"], item["times_met"]) == (peer, None, 0)
        assert listed(three, me, "invitations") == []
        assert list(seen(three, me)) == ["cem"]
    assert open_introductions(three) == {"ana": 0, "ben": 0, "cem": 0}


def test_two_accepts_at_once_connect_once(three: Kith) -> None:
    for number in range(5):
        one, other = (f"{name}-{number}" for name in ("one", "other"))
        community_of(three, one, other)
        meeting = Barrier(2)

        def accept(me: str, peer: str, meeting: Barrier = meeting) -> str:
            alone = other_client(three)
            meeting.wait()
            return respond(alone, me, peer, "accept")

        with ThreadPoolExecutor(2) as threads:
            states = list(threads.map(accept, (one, other), (other, one)))

        assert sorted(states) == ["connected", "pending"]
        assert (listed(three, one, "connections"), listed(three, other, "connections")) == ([other], [one])
        assert pair_rows(three) == number + 1
    assert set(open_introductions(three).values()) == {0}


def test_an_accept_takes_back_what_was_said_before_and_meets_a_waiting_one(three: Kith) -> None:
    respond(three, "ben", "ana", "accept")
    for response in ("decline", "later"):
        respond(three, "ana", "ben", response)

    assert respond(three, "ana", "ben", "accept") == "connected"


# ---------------------------------------------------------------- the last word counts


@pytest.mark.parametrize(("before", "last"), list(permutations(STATES, 2)))
def test_the_last_word_counts(three: Kith, before: str, last: str) -> None:
    respond(three, "ana", "ben", before)

    assert respond(three, "ana", "ben", last) == STATES[last]

    accepted = last == "accept"
    assert seen(three, "ben").get("ana") == (True if accepted else None)
    assert listed(three, "ben", "invitations") == (["ana"] if accepted else [])
    assert "ben" not in seen(three, "ana")
    assert open_introductions(three) == {"ana": accepted, "ben": accepted, "cem": 0}


def test_a_decline_lasts_until_another_response_takes_it_back(three: Kith, clock: TestClock) -> None:
    respond(three, "ana", "ben", "decline")
    clock.forward(hours=24 * 400)
    assert "ben" not in seen(three, "ana")
    assert "ana" not in seen(three, "ben")

    respond(three, "ana", "ben", "later")
    clock.forward(hours=24 * 30 + 1)

    assert seen(three, "ana")["ben"] is False
    assert seen(three, "ben")["ana"] is False


# ---------------------------------------------------------------- what ends by time

WAYS = ("request", "worker")


def pass_time(kith: Kith, clock: TestClock, way: str, hours: float, log: Path) -> None:
    """Move the clock; then nobody asks before the worker has worked, or nobody works at all."""
    clock.forward(hours=hours)
    if way == "worker":
        assert work_once(kith.database, kith.cache, log) >= 1


@pytest.mark.parametrize("way", WAYS)
def test_later_hides_both_for_30_days(three: Kith, clock: TestClock, tmp_path: Path, way: str) -> None:
    respond(three, "ana", "ben", "later")
    for _ in range(2):  # computed and kept
        assert (list(seen(three, "ana")), list(seen(three, "ben"))) == (["cem"], ["cem"])
    clock.forward(hours=24 * 30 - 0.1)
    assert (list(seen(three, "ana")), list(seen(three, "ben"))) == (["cem"], ["cem"])

    pass_time(three, clock, way, 0.2, tmp_path / "erased.log")

    if way == "worker":
        assert pair_rows(three) == 0
    assert set(seen(three, "ana")) == {"ben", "cem"}
    assert set(seen(three, "ben")) == {"ana", "cem"}
    assert pair_rows(three) == 0


def test_later_said_again_counts_anew(three: Kith, clock: TestClock) -> None:
    respond(three, "ana", "ben", "later")
    clock.forward(hours=24 * 20)
    respond(three, "ana", "ben", "later")

    clock.forward(hours=24 * 29)
    assert "ben" not in seen(three, "ana")
    clock.forward(hours=24 * 1.1)
    assert "ben" in seen(three, "ana")


@pytest.mark.parametrize("way", WAYS)
def test_an_accept_lapses_after_14_days(three: Kith, clock: TestClock, tmp_path: Path, way: str) -> None:
    respond(three, "ana", "ben", "accept")
    clock.forward(hours=24 * 14 - 0.1)
    assert listed(three, "ben", "invitations") == ["ana"]
    assert seen(three, "ben")["ana"] is True
    assert "ben" not in seen(three, "ana")
    assert open_introductions(three) == {"ana": 1, "ben": 1, "cem": 0}

    pass_time(three, clock, way, 0.2, tmp_path / "erased.log")

    if way == "worker":
        assert open_introductions(three) == {"ana": 0, "ben": 0, "cem": 0}
    assert listed(three, "ben", "invitations") == []
    assert (seen(three, "ana")["ben"], seen(three, "ben")["ana"]) == (False, False)
    assert open_introductions(three) == {"ana": 0, "ben": 0, "cem": 0}
    assert respond(three, "ben", "ana", "accept") == "pending"


def test_accepting_again_does_not_prolong(three: Kith, clock: TestClock) -> None:
    respond(three, "ana", "ben", "accept")
    before = three.get("/v1/profiles/ben/invitations")["items"][0]
    assert moment(before["expires_at"]) - moment(before["since"]) == timedelta(days=14)
    clock.forward(hours=24 * 10)

    respond(three, "ana", "ben", "accept")

    assert three.get("/v1/profiles/ben/invitations")["items"] == [before]
    clock.forward(hours=24 * 4.1)
    assert listed(three, "ben", "invitations") == []


def test_the_last_moment_still_connects(three: Kith, clock: TestClock) -> None:
    respond(three, "ana", "ben", "accept")
    clock.forward(hours=24 * 14 - 0.1)

    assert respond(three, "ben", "ana", "accept") == "connected"

    clock.forward(hours=24 * 50)
    assert listed(three, "ana", "connections") == ["ben"]


def test_an_accept_waits_for_who_has_put_it_off(three: Kith, clock: TestClock) -> None:
    respond(three, "ben", "ana", "later")
    clock.forward(hours=24 * 20)
    assert respond(three, "ana", "ben", "accept") == "pending"
    assert listed(three, "ben", "invitations") == []
    assert open_introductions(three) == {"ana": 0, "ben": 0, "cem": 0}

    clock.forward(hours=24 * 10.1)

    assert listed(three, "ben", "invitations") == ["ana"]
    assert seen(three, "ben")["ana"] is True
    assert open_introductions(three) == {"ana": 1, "ben": 1, "cem": 0}
    clock.forward(hours=24 * 4)
    assert listed(three, "ben", "invitations") == []
    assert open_introductions(three) == {"ana": 0, "ben": 0, "cem": 0}


# ---------------------------------------------------------------- a decline is never told

DAYS = (0, 13, 2, 17)  # the accept lapses in the third of these steps


def watched(kith: Kith, clock: TestClock, acts: list[tuple[str, str]], *, unseen: bool) -> list[str]:
    """Return all that Ana can see, for a month, after she and Ben have said this of each other."""
    clock.reset()
    community_of(kith, "ana", "cem", capacity=2)
    community_of(kith, "ben", capacity=2, status="paused" if unseen else "active")
    lines = []
    for me, response in acts:
        state = respond(kith, me, "ben" if me == "ana" else "ana", response)
        lines += [state] if me == "ana" else []
    for days in DAYS:
        clock.forward(hours=24 * days)
        lines += reading(kith, "ana")
    return [*lines, *acting(kith, "ana", "ben")]


@pytest.mark.parametrize(
    ("declined", "unanswered"),
    [
        ([("ana", "accept"), ("ben", "decline")], [("ana", "accept")]),
        ([("ben", "decline"), ("ana", "accept")], [("ana", "accept")]),
        ([("ben", "accept"), ("ben", "decline")], []),
        ([("ben", "decline"), ("ana", "later")], [("ana", "later")]),
        ([("ben", "later"), ("ben", "decline"), ("ana", "decline")], [("ana", "decline")]),
    ],
)
def test_the_declined_one_sees_what_they_would_see_unanswered(
    kith: Kith, clock: TestClock, declined: list[tuple[str, str]], unanswered: list[tuple[str, str]]
) -> None:
    """But that the other is not suggested: here nobody would be suggested to whom they are paused."""
    told = watched(kith, clock, declined, unseen=True)
    untold = watched(neighbour(kith), clock, unanswered, unseen=True)

    assert told == untold
    assert len(told) > 80


def test_a_decline_after_an_accept_is_not_even_told_by_suggestions(kith: Kith, clock: TestClock) -> None:
    answers = []
    for other, acts in ((kith, ["accept", "decline"]), (neighbour(kith), ["accept"])):
        clock.reset()
        community_of(other, "ana", "ben", "cem")
        respond(other, "ana", "ben", "accept")
        for response in acts[1:]:
            respond(other, "ben", "ana", response)
        clock.forward(hours=24 * 13)
        answers.append(reading(other, "ana"))

    assert answers[0] == answers[1]


def test_a_decline_stays_untold_by_the_timing_of_a_second_accept(three: Kith, clock: TestClock) -> None:
    respond(three, "ana", "ben", "accept")
    respond(three, "ben", "ana", "decline")
    clock.forward(hours=24 * 20)

    assert respond(three, "ana", "ben", "accept") == "pending"
    assert listed(three, "ben", "invitations") == []
    assert peers(three.suggestions("ben")) == ["cem"]
    assert respond(three, "ben", "ana", "accept") == "connected"
