"""Real processes race over what stands between people: the blocked stay away, and all counts agree."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from sqlalchemy import select

from service.storage.tables import pairs, profiles
from tests.freshness.town import HERE, Town, together
from tests.freshness.walk import World
from tests.tenants import sqlite_first_url as module_url

__all__ = ["module_url"]

READERS = 2
BLOCKED = 10
CROWD = tuple(f"m{number}" for number in range(20))


@pytest.fixture
def town(real_world: World) -> Town:
    """A new community through two real processes."""
    return Town.found(real_world)


def test_nobody_is_shown_whom_they_blocked_however_they_go_and_come_back(town: Town) -> None:
    ids = [f"b{number}" for number in range(BLOCKED)]
    town.settle("ana", "cem", *ids)
    blocked: set[str] = set()
    done = threading.Event()
    answers = [0] * READERS

    def read(reader: int) -> None:
        while not done.is_set():
            before = set(blocked)
            shown = set(town.seen(reader, "ana"))
            assert not before & shown
            assert "cem" in shown
            answers[reader] += 1

    def live() -> None:
        try:
            for number, one in enumerate(ids):
                assert one in town.seen(number, "ana")
                blocked.add(_keep_apart(town, number, one))
                town.write(number, "DELETE", f"/v1/profiles/{one}")
                # What a member blocked ends with them; what was blocked of them doesn't.
                for turn in range(2 if number % 2 == 0 else 0):
                    body = {"id": one, "name": "Again", "location": HERE}
                    town.write(number + turn + 1, "POST", "/v1/profiles", body)
                    if turn == 0:
                        town.write(number, "DELETE", f"/v1/profiles/{one}")
        finally:
            done.set()

    together([live, *(partial(read, reader) for reader in range(READERS))])
    assert sum(answers) > 20
    assert set(town.seen(0, "ana")) == set(town.seen(1, "ana")) == {"cem"}
    assert town.listed(0, "ana", "blocks") == ids[::2]


def _keep_apart(town: Town, number: int, one: str) -> str:
    """Let Ana block somebody, or, every second time, be blocked."""
    me, peer = ("ana", one) if number % 2 == 0 else (one, "ana")
    town.write(number, "PUT", f"/v1/profiles/{me}/blocks/{peer}")
    return one


def _introductions(town: Town) -> dict[str, tuple[int, int]]:
    """Return for each member how many introductions their row counts, and how many are open."""
    c = pairs.c
    statement = (
        select(profiles.c.id, profiles.c.introductions, c.low_response, c.high_response)
        .outerjoin(
            pairs,
            (c.community == profiles.c.community)
            & ((c.low == profiles.c.code) | (c.high == profiles.c.code))
            & c.since.is_(None)
            & c.low_blocked_at.is_(None)
            & c.high_blocked_at.is_(None),
        )
        .where(profiles.c.community == town.number)
    )
    with town.world.judge.kith.database.read() as connection:
        rows = connection.execute(statement).all()
    found: dict[str, tuple[int, int]] = {}
    for row in rows:
        is_open = {row.low_response, row.high_response} == {"accept", None}
        found[row.id] = (row.introductions, found.get(row.id, (0, 0))[1] + is_open)
    return found


def test_two_accepts_at_once_connect_exactly_once(town: Town) -> None:
    for turn in range(6):
        ana, ben = f"ana{turn}", f"ben{turn}"
        town.settle(ana, ben)
        said = together([partial(town.say, 0, ana, ben, "accept"), partial(town.say, 1, ben, ana, "accept")])
        assert sorted(reply.document["state"] for reply in said) == ["connected", "pending"]
        assert [town.listed(0, ana, "connections"), town.listed(1, ben, "connections")] == [[ben], [ana]]
        assert town.listed(1, ana, "invitations") == town.listed(0, ben, "invitations") == []
        assert town.say(turn, ana, ben, "accept").status == 409
    assert set(_introductions(town).values()) == {(0, 0)}


def test_an_accept_and_a_block_at_once_end_as_blocked(town: Town) -> None:
    for turn in range(6):
        ana, ben = f"ana{turn}", f"ben{turn}"
        town.settle(ana, ben)
        assert town.say(0, ana, ben, "accept").document["state"] == "pending"
        path = f"/v1/profiles/{ana}/blocks/{ben}"
        said, block = together(
            [partial(town.say, turn, ben, ana, "accept"), partial(town.ask, turn + 1, "PUT", path)]
        )
        assert block.status == 204
        assert said.status == 404 or said.document["state"] == "connected"
        assert town.listed(turn, ana, "blocks") == [ben]
        for member in (ana, ben):
            assert town.listed(turn + 1, member, "connections") == []
            assert town.listed(turn, member, "invitations") == []
        assert ben not in town.seen(turn, ana)
        assert ana not in town.seen(turn, ben)
    assert set(_introductions(town).values()) == {(0, 0)}


def test_introductions_counted_are_those_that_are_open_however_many_accept_at_once(town: Town) -> None:
    town.settle("ana", "cem", *CROWD)
    done = threading.Event()
    seen: list[tuple[int, int]] = []

    def watch() -> None:
        while not done.wait(0.01):
            seen.extend(_introductions(town).values())

    def accept(number: int) -> int:
        return town.say(number, CROWD[number], "ana", "accept").status

    with_watch = threading.Thread(target=watch)
    with_watch.start()
    try:
        assert together([partial(accept, number) for number in range(20)]) == [200] * 20
        assert _introductions(town)["ana"] == (20, 20)
        together([partial(_answer, town, number) for number in range(20)])
    finally:
        done.set()
        with_watch.join()
    found = _introductions(town)
    assert found["ana"] == (4, 4)
    assert all(counted == are_open for counted, are_open in (*seen, *found.values()))
    assert len(seen) > 5 * len(found)
    # Still full for those who are new, and not for those who wait.
    assert "ana" not in town.seen(0, "cem")
    for process in range(2):
        assert set(town.listed(process, "ana", "invitations")) == set(CROWD[4::5])


def _answer(town: Town, number: int) -> None:
    """Let one of the crowd be answered, blocked, erased, or left to wait."""
    member, process = CROWD[number], number % 2
    if number % 5 == 0:
        assert town.say(process, "ana", member, "accept").document["state"] == "connected"
    elif number % 5 == 1:
        assert town.say(process, "ana", member, "decline").status == 200
    elif number % 5 == 2:
        town.write(process, "PUT", f"/v1/profiles/{member}/blocks/ana")
    elif number % 5 == 3:
        town.write(process, "DELETE", f"/v1/profiles/{member}")
