"""Real processes race: what one acknowledged, the others know at the next request, and nothing is lost.

Two processes of the service on one database and one Redis; threads of this one send the requests.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Self

import pytest
from sqlalchemy import func, select

from service.storage.tables import communities, profiles
from tests.freshness.town import HERE, Town, together
from tests.freshness.walk import World
from tests.tenants import postgresql_first_url as module_url

__all__ = ["module_url"]

WRITERS = 4
SYDNEY = {"lat": -33.87, "lon": 151.21}


@pytest.fixture
def town(real_world: World) -> Town:
    """A new community with somebody for each writer to ask as."""
    town = Town.found(real_world)
    body = [
        {"id": f"asker{number}", "name": "A", "location": HERE, "capacity": 0} for number in range(WRITERS)
    ]
    town.write(0, "POST", "/v1/profiles/import", body)
    return town


@dataclass(slots=True)
class Watch:
    """Reads the change numbers over and over: none may turn up late, behind one that was seen."""

    town: Town
    late: list[tuple[int, int, int]] = field(default_factory=list)
    rounds: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread = field(init=False)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        seen, known = 0, dict[int, int]()
        statement = (
            select(communities.c.change_number, profiles.c.number, profiles.c.changed)
            .join_from(communities, profiles)
            .where(communities.c.number == self.town.number)
        )
        while not self._stop.is_set():
            with self.town.world.judge.kith.database.read() as connection:
                rows = connection.execute(statement).all()
            self.late += [(seen, row.number, row.changed) for row in rows if _is_late(row, seen, known)]
            seen, known = rows[0].change_number, {row.number: row.changed for row in rows}
            self.rounds += 1


def _is_late(row: Any, seen: int, known: dict[int, int]) -> bool:
    changed: int = row.changed
    return changed > row.change_number or (changed <= seen and known.get(row.number) != changed)


def _live(town: Town, writer: int) -> None:
    """Let members come, change and go through one process, and look for each through the other."""
    asker = f"asker{writer}"
    for turn in range(2):
        one, two, member = writer + turn, writer + turn + 1, f"w{writer}-{turn}"
        path = f"/v1/profiles/{member}"
        town.write(one, "POST", "/v1/profiles", {"id": member, "name": "New", "location": HERE})
        assert town.seen(two, asker)[member] == "New"
        town.write(two, "PATCH", path, {"name": "Renamed"})
        assert town.seen(one, asker)[member] == "Renamed"
        town.write(one, "PATCH", path, {"status": "paused"})
        assert member not in town.seen(two, asker)
        town.write(two, "PATCH", path, {"status": "active"})
        assert member in town.seen(one, asker)
        town.write(one, "PATCH", path, {"location": SYDNEY})
        assert member not in town.seen(two, asker)
        town.write(two, "PUT", path, {"id": member, "name": "Online", "modes": ["online"]})
        town.write(two, "PATCH", f"/v1/profiles/{asker}", {"modes": ["online"]})
        assert town.seen(one, asker)[member] == "Online"
        town.write(two, "PATCH", f"/v1/profiles/{asker}", {"modes": None})
        town.write(one, "DELETE", path)
        assert member not in town.seen(two, asker)
        town.write(two, "POST", "/v1/profiles", {"id": member, "name": "Again", "location": HERE})
        assert town.seen(one, asker)[member] == "Again"


def test_what_was_acknowledged_is_known_to_the_other_process_at_once(town: Town) -> None:
    with Watch(town) as watch:
        together([partial(_live, town, writer) for writer in range(WRITERS)])
    assert watch.rounds > 20
    assert watch.late == []
    _assert_all_agree(town)


def _assert_all_agree(town: Town) -> None:
    for number in range(WRITERS):
        path = f"/v1/profiles/asker{number}/suggestions?limit=100"
        right = town.world.judge.ask(town.key, path)
        assert right.status == 200
        assert [town.ask(process, "GET", path).content for process in range(2)] == [right.content] * 2


def test_parallel_changes_of_one_profile_are_all_kept(town: Town) -> None:
    town.write(0, "POST", "/v1/profiles", {"id": "ana", "name": "Ana"})

    def change(writer: int) -> None:
        for turn in range(5):
            town.write(writer, "PATCH", "/v1/profiles/ana", {"attributes": {f"of {writer}": str(turn)}})

    with Watch(town) as watch:
        together([partial(change, writer) for writer in range(WRITERS)])
    kept = town.ask(0, "GET", "/v1/profiles/ana").document["attributes"]
    assert kept == {f"of {number}": "4" for number in range(WRITERS)}
    assert watch.late == []


def test_every_change_has_a_number_of_its_own(town: Town) -> None:
    before = _change_number(town)

    def post(writer: int) -> None:
        for turn in range(5):
            body = {"id": f"n{writer}-{turn}", "name": "N", "location": SYDNEY}
            town.write(writer, "POST", "/v1/profiles", body)

    together([partial(post, writer) for writer in range(WRITERS)])
    with town.world.judge.kith.database.read() as connection:
        here = profiles.c.community == town.number
        chosen = select(profiles.c.changed).where(here, profiles.c.id.like("n%"))
        numbers = list(connection.execute(chosen).scalars())
    assert sorted(numbers) == list(range(before + 1, before + 1 + 5 * WRITERS))
    assert _change_number(town) == before + 5 * WRITERS


def _change_number(town: Town) -> int:
    with town.world.judge.kith.database.read() as connection:
        chosen = select(communities.c.change_number).where(communities.c.number == town.number)
        return int(connection.execute(chosen).scalar_one())


def test_of_parallel_creates_of_one_id_exactly_one_succeeds(town: Town) -> None:
    for turn in range(4):
        body = {"id": f"one{turn}", "name": "N"}
        posts = together([partial(town.ask, n, "POST", "/v1/profiles", body) for n in range(6)])
        assert sorted(reply.status for reply in posts) == [201] + [409] * 5
        path = f"/v1/profiles/put{turn}"
        puts = together([partial(town.ask, n, "PUT", path, {"name": "N"}) for n in range(6)])
        assert sorted(reply.status for reply in puts) == [200] * 5 + [201]


def test_of_parallel_erasures_exactly_one_succeeds(town: Town) -> None:
    for turn in range(3):
        town.write(0, "POST", "/v1/profiles", {"id": f"gone{turn}", "name": "N"})
        path = f"/v1/profiles/gone{turn}"
        replies = together([partial(town.ask, n, "DELETE", path) for n in range(4)])
        assert sorted(reply.status for reply in replies) == [204] + [404] * 3
    assert _members(town) == WRITERS


def _members(town: Town) -> int:
    """Return the members that the community's row counts, once that is how many rows there are."""
    with town.world.judge.kith.database.read() as connection:
        counted = select(communities.c.members).where(communities.c.number == town.number)
        rows = select(func.count()).where(profiles.c.community == town.number)
        members = connection.execute(counted).scalar_one()
        assert members == connection.execute(rows).scalar_one()
    return int(members)


def test_an_import_races_with_posts_and_erasures_of_the_same_ids(town: Town) -> None:
    ids = [f"i{number}" for number in range(60)]
    lines = [{"id": one, "name": "Imported", "location": HERE, "interests": ["chess"]} for one in ids]

    def post() -> int:
        sent = [
            town.ask(1, "POST", "/v1/profiles", {"id": one, "name": "Posted", "location": HERE})
            for one in ids
        ]
        assert {reply.status for reply in sent} <= {201, 409}
        return sum(reply.status == 201 for reply in sent)

    def erase() -> int:
        return sum(town.ask(0, "DELETE", f"/v1/profiles/{one}").status == 204 for one in reversed(ids))

    def load() -> int:
        reports = [town.write(0, "POST", "/v1/profiles/import", lines).document for _ in range(3)]
        assert all(report["created"] + report["updated"] + report["unchanged"] == 60 for report in reports)
        return sum(report["created"] for report in reports)

    with Watch(town) as watch:
        created, posted, erased = together([load, post, erase])
    assert _members(town) == WRITERS + created + posted - erased
    assert watch.late == []
    _assert_all_agree(town)
    report = town.write(1, "POST", "/v1/profiles/import", lines).document
    assert report["created"] == 60 - (created + posted - erased)
    assert set(town.seen(0, "asker0")) == set(ids)


def test_the_erased_are_never_suggested_after_the_answer(town: Town) -> None:
    ids = [f"e{number}" for number in range(40)]
    town.write(0, "POST", "/v1/profiles/import", [{"id": one, "name": "N", "location": HERE} for one in ids])
    gone: set[str] = set()
    done = threading.Event()
    answers = [0] * WRITERS

    def read(reader: int) -> None:
        while not done.is_set():
            before = set(gone)
            assert not before & set(town.seen(reader, f"asker{reader}"))
            answers[reader] += 1

    def erase() -> None:
        try:
            for number, one in enumerate(ids):
                town.write(number, "DELETE", f"/v1/profiles/{one}")
                gone.add(one)
        finally:
            done.set()

    together([erase, *(partial(read, reader) for reader in range(WRITERS))])
    assert sum(answers) > 20
    assert town.seen(0, "asker0") == town.seen(1, "asker1") == {}


def test_a_write_during_refits_and_other_settings_is_seen_at_once(town: Town) -> None:
    stop = threading.Event()

    def unsettle() -> int:
        turns = 0
        while not stop.is_set():
            town.write(turns, "PATCH", "/v1/community", {"separate_by": [["role"], []][turns % 2]})
            line = [{"id": "far", "name": f"N{turns}", "location": SYDNEY}]
            town.write(turns + 1, "POST", "/v1/profiles/import", line)
            turns += 1
        return turns

    def live() -> None:
        try:
            _live(town, 0)
        finally:
            stop.set()

    turns, _ = together([unsettle, live])
    assert turns > 3
    _assert_all_agree(town)
