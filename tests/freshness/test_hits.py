"""What moves whose key: what nobody else can see costs nobody a hit, what is in reach costs it at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from service.storage.access import AccessReader
from service.usecases.keys import digest_of
from tests.freshness.walk import InProcess, World
from tests.harness import Kith, peers
from tests.tenants import TestClock, neighbour
from tests.tenants import sqlite_first_url as module_url

__all__ = ["module_url"]

HERE = {"lat": 52.52, "lon": 13.405}
SAME_CELL = {"lat": 52.5205, "lon": 13.4055}
NEXT_CELL = {"lat": 52.55, "lon": 13.45}
OTHER_TILE = {"lat": 53.2, "lon": 13.4}
SYDNEY = {"lat": -33.87, "lon": 151.21}
MONDAY = [{"day": "mon", "from": "08:00", "to": "10:00"}]
NOON = datetime(2027, 6, 9, 12, tzinfo=UTC)
# Ana is who writes; the others are who must, or must not, notice.
NEAR = ("ben", "cem", "dan")
FAR = ("sid", "syl")
OTHERS = (*NEAR, *FAR)
# What decides this knows of no database; the property test holds both kinds to it.
ON_SQLITE = pytest.mark.parametrize("module_url", ["sqlite"], indirect=True)


@dataclass(frozen=True, slots=True)
class Pair:
    """One community through two apps."""

    one: Kith
    two: Kith

    def write(self, method: str, path: str, body: Any = None) -> Any:
        """Send a write that must be accepted."""
        reply = self.one.call(method, path, body)
        assert reply.status_code < 300, reply.text
        return reply.json if reply.data else None

    def patch(self, **fields: Any) -> Any:
        """Change Ana."""
        return self.write("PATCH", "/v1/profiles/ana", fields)

    def warm(self, members: Sequence[str] = ("ana", *OTHERS)) -> None:
        """Ask everybody's question once."""
        for member in members:
            self.one.suggestions(member)
        assert set(self.found(members).values()) == {"hit"}

    def found(self, members: Sequence[str]) -> dict[str, str]:
        """Return where the other app finds each member's answer."""
        return {member: str(self.two.suggestions(member)["cache"]) for member in members}

    def model(self) -> str:
        """Return the stamp of the community's model."""
        found = AccessReader(self.one.database).find(digest_of(self.one.key))
        assert found is not None
        return found[0].community.model


def pair_at_noon(world: World, clock: TestClock) -> Pair:
    """Return two processes of one new community, on a day at noon."""
    clock.file.write_text(str((NOON - datetime.now(UTC)).total_seconds()))
    apps = []
    for process in world.processes:
        assert isinstance(process, InProcess)
        apps.append(process.kith)
    one = neighbour(apps[0])
    return Pair(one, replace(apps[1], key=one.key, community=one.community))


@pytest.fixture
def pair(world: World, clock: TestClock) -> Pair:
    """Ana and three others in Berlin, two in Sydney, on a day at noon, every answer in the cache."""
    pair = pair_at_noon(world, clock)
    one = pair.one
    home = dict.fromkeys(("ana", *NEAR), HERE) | dict.fromkeys(FAR, SYDNEY)
    common = {"interests": ["chess"], "modes": ["in_person"]}
    profiles = [{"id": name, "name": name, "location": at} | common for name, at in home.items()]
    assert one.import_profiles(*profiles)["created"] == len(home)
    pair.warm()
    return pair


def _put_what_is_there(pair: Pair) -> None:
    pair.write("PUT", "/v1/profiles/ana", pair.one.get("/v1/profiles/ana"))


def _fail(pair: Pair) -> None:
    assert pair.one.call("PATCH", "/v1/profiles/ana", {"radius_km": 0}).status_code == 422
    assert pair.one.call("POST", "/v1/profiles", {"id": "ana", "name": "A"}).status_code == 409
    assert pair.one.call("DELETE", "/v1/profiles/nobody").status_code == 404
    assert pair.one.import_profiles({"id": "ana", "name": ""}, {"id": "eve"})["failed"] == 2


NOTHING: dict[str, Callable[[Pair], object]] = {
    "a move within the cell": lambda pair: pair.patch(location=SAME_CELL),
    "putting what was read": _put_what_is_there,
    "a rename to the same name": lambda pair: pair.patch(name="ana"),
    "an empty patch": lambda pair: pair.patch(),
    "the same capacity": lambda pair: pair.patch(capacity=3),
    "the community's settings as they are": lambda pair: pair.write(
        "PATCH", "/v1/community", {"radius_km": 25}
    ),
    "a new key": lambda pair: pair.write("POST", "/v1/keys", {"name": "k", "scopes": ["read"]}),
    "writes that were refused": _fail,
}
UNSEEN: dict[str, Callable[[Pair], object]] = {
    "another capacity": lambda pair: pair.patch(capacity=4),
    "joining rounds": lambda pair: pair.patch(joins_rounds=True),
    "leaving to the default what was stated so": lambda pair: pair.patch(modes=None),
}
SEEN: dict[str, Callable[[Pair], object]] = {
    "a name": lambda pair: pair.patch(name="Anna"),
    "a term": lambda pair: pair.patch(goals=["learn Spanish"]),
    "no terms": lambda pair: pair.patch(interests=[]),
    "a radius": lambda pair: pair.patch(radius_km=3),
    "languages": lambda pair: pair.patch(languages=["fi"]),
    "hours": lambda pair: pair.patch(timezone="UTC", availability=MONDAY),
    "an attribute": lambda pair: pair.patch(attributes={"role": "mentor"}),
    "what is sought": lambda pair: pair.patch(seeks={"role": ["mentor"]}),
    "a pause": lambda pair: pair.patch(status="paused"),
    "no capacity": lambda pair: pair.patch(capacity=0),
    "meeting online alone": lambda pair: pair.patch(modes=["online"]),
    "a move within the tile": lambda pair: pair.patch(location=NEXT_CELL),
    "a move to the next tile": lambda pair: pair.patch(location=OTHER_TILE),
    "a move to another continent": lambda pair: pair.patch(location=SYDNEY),
    "the place taken away": lambda pair: pair.patch(location=None),
    "an erasure": lambda pair: pair.write("DELETE", "/v1/profiles/ana"),
    "a newcomer": lambda pair: pair.one.post_profile("eve", location=NEXT_CELL),
}  # fmt: skip
# Who is met online is in reach everywhere, and who has moved to Sydney there.
SEEN_IN_SYDNEY = {"meeting online alone", "a move to another continent"}


@ON_SQLITE
@pytest.mark.parametrize("write", NOTHING.values(), ids=NOTHING)
def test_a_write_that_changes_nothing_moves_no_key(pair: Pair, write: Callable[[Pair], object]) -> None:
    write(pair)
    assert pair.found(("ana", *OTHERS)) == dict.fromkeys(("ana", *OTHERS), "hit")


@ON_SQLITE
@pytest.mark.parametrize("write", UNSEEN.values(), ids=UNSEEN)
def test_a_write_that_others_cannot_see_moves_only_ones_own_key(
    pair: Pair, write: Callable[[Pair], object]
) -> None:
    write(pair)
    assert pair.found(("ana", *OTHERS)) == {"ana": "miss"} | dict.fromkeys(OTHERS, "hit")


@ON_SQLITE
@pytest.mark.parametrize("what", SEEN)
def test_a_write_that_others_see_is_a_miss_for_those_in_reach_alone(pair: Pair, what: str) -> None:
    SEEN[what](pair)
    far = "miss" if what in SEEN_IN_SYDNEY else "hit"
    assert pair.found(OTHERS) == dict.fromkeys(NEAR, "miss") | dict.fromkeys(FAR, far)


def test_an_imports_unchanged_lines_move_no_key(pair: Pair) -> None:
    lines = pair.one.get("/v1/profiles?limit=100")["items"]
    model = pair.model()
    assert pair.one.import_profiles(*lines, *lines)["unchanged"] == 2 * len(lines)
    assert pair.model() == model
    assert set(pair.found(("ana", *OTHERS)).values()) == {"hit"}


def test_an_import_that_changed_something_is_learnt_from_at_its_end(pair: Pair) -> None:
    model = pair.model()
    assert pair.one.import_profiles({"id": "zoe", "name": "Z", "location": SYDNEY})["created"] == 1
    assert pair.model() > model
    assert pair.found(NEAR) == dict.fromkeys(NEAR, "miss")


def test_what_a_paused_member_changes_moves_no_other_key(pair: Pair) -> None:
    pair.patch(status="paused")
    pair.warm()
    pair.patch(name="Anna", interests=["opera"], location=OTHER_TILE, radius_km=200)
    assert pair.found(OTHERS) == dict.fromkeys(OTHERS, "hit")
    pair.patch(status="active")
    assert pair.found(NEAR) == dict.fromkeys(NEAR, "miss")


def test_a_move_that_waits_moves_no_other_key_until_it_is_carried_out(pair: Pair, clock: TestClock) -> None:
    pair.patch(location=OTHER_TILE)
    pair.warm()
    assert pair.patch(location=NEXT_CELL)["moves_at"]
    assert pair.found(OTHERS) == dict.fromkeys(OTHERS, "hit")
    before = pair.two.suggestions("ben", "?radius_km=200")
    clock.forward(hours=24, seconds=1)
    pair.warm()
    after = pair.two.suggestions("ben", "?radius_km=200")
    assert [len(peers(answer)) for answer in (before, after)] == [2, 3]
    assert pair.one.get("/v1/profiles/ana")["moves_at"] is None


def test_the_end_of_a_pause_moves_the_keys_in_reach(pair: Pair, clock: TestClock) -> None:
    pair.patch(status="paused", paused_until=(NOON + timedelta(hours=6)).isoformat().replace("+00:00", "Z"))
    pair.warm()
    assert "ana" not in peers(pair.two.suggestions("ben"))
    clock.forward(hours=5)
    assert pair.found(OTHERS) == dict.fromkeys(OTHERS, "hit")
    clock.forward(hours=2)
    assert pair.found(OTHERS) == dict.fromkeys(NEAR, "miss") | dict.fromkeys(FAR, "hit")
    assert "ana" in peers(pair.two.suggestions("ben"))


def test_a_new_day_in_utc_moves_every_key(pair: Pair, clock: TestClock) -> None:
    clock.forward(hours=11.9)
    assert set(pair.found(OTHERS).values()) == {"hit"}
    clock.forward(hours=0.2)
    assert set(pair.found(OTHERS).values()) == {"miss"}


@ON_SQLITE
@pytest.mark.parametrize(
    "settings",
    [{"separate_by": ["role"]}, {"facet_weights": {"goals": 1}}, {"support_text": "Write to us."}],
    ids=lambda settings: next(iter(settings)),
)
def test_other_settings_move_every_key(pair: Pair, settings: dict[str, Any]) -> None:
    pair.write("PATCH", "/v1/community", settings)
    assert set(pair.found(OTHERS).values()) == {"miss"}


def test_terms_are_counted_anew_when_the_members_have_doubled_and_not_before(pair: Pair) -> None:
    assert len(("ana", *OTHERS)) == 6  # counted at the end of the import
    model = pair.model()
    for number in range(5):
        pair.one.post_profile(f"x{number}", location=SYDNEY)
    assert pair.model() == model
    assert pair.found(NEAR) == dict.fromkeys(NEAR, "hit")
    pair.one.post_profile("x5", location=SYDNEY)
    assert pair.model() > model
    assert pair.found(NEAR) == dict.fromkeys(NEAR, "miss")


def test_every_question_has_a_key_of_its_own(pair: Pair) -> None:
    queries = (
        "",
        "?limit=1",
        "?radius_km=1",
        "?mode=online",
        "?facet=goals",
        "?facet=interests",
        "?radius_km=1.5",
    )
    assert [pair.one.suggestions("ana", query)["cache"] for query in queries] == ["hit"] + ["miss"] * 6
    assert [pair.two.suggestions("ana", query)["cache"] for query in queries] == ["hit"] * 7


def test_two_ways_to_ask_one_question_share_a_key(pair: Pair) -> None:
    pair.one.suggestions("ana", "?radius_km=7")
    for query in ("?radius_km=7.0", "?radius_km=7&limit=10", "?limit=10&radius_km=07.000"):
        assert pair.two.suggestions("ana", query)["cache"] == "hit", query


def test_an_erased_and_reposted_member_meets_no_old_answer(pair: Pair) -> None:
    ana = pair.one.get("/v1/profiles/ana")
    pair.write("DELETE", "/v1/profiles/ana")
    pair.write("POST", "/v1/profiles", ana)
    assert pair.found(("ana",)) == {"ana": "miss"}


def test_another_community_with_the_same_members_shares_nothing(pair: Pair) -> None:
    other = neighbour(pair.one)
    other.import_profiles(*pair.one.get("/v1/profiles?limit=100")["items"])
    assert other.suggestions("ana")["cache"] == "miss"
    assert pair.found(OTHERS) == dict.fromkeys(OTHERS, "hit")
