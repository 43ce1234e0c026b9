"""The same external ids in two communities never mix: in SQL, in a cache, a limit, a cursor or a code.

The communities' own ids and the members' are made to collide where they are put together into one key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from service.storage.cache import CacheKey
from service.storage.keys_table import answer_name, answer_prefix
from service.storage.tables import communities
from tests.harness import Kith, peers
from tests.problems import problem
from tests.routes import DONE, KEYED, Route, each, settle
from tests.rows import rows_of
from tests.servers import RedisServer
from tests.tenants import neighbour

# Together with a community's id each of them spells another pair: `c` + `a:b`, `c:a` + `b`.
MEMBERS = [
    "b",
    "a:b",
    "c:a:b",
    "a",
    "answer:b",
    "kith:1:answer:c:b",
    "b:2026-11-22",
    "a~b",
    "a@b",
    "A:b",
    "12",
    "1:2",
]
COMMUNITIES = ["c", "c:a", "c:a:", "c%3Aa", "c*", "c?a", "[c]", "kith:1", "C"]
PLACE = {"lat": 52.52, "lon": 13.405}


@pytest.fixture(scope="module")
def cached_kith(module_url: str, redis_server: RedisServer) -> Iterator[Kith]:
    """One Kith on each kind of database, with a Redis that all its communities share."""
    redis_server.client.flushall()
    with Kith.open(module_url, redis_server.url) as kith:
        yield kith


def named(kith: Kith, name: str) -> Kith:
    """Return a new community under a public id of our choice."""
    made = neighbour(kith)
    with kith.database.write() as connection:
        connection.execute(
            update(communities).where(communities.c.id == name).values(id=f"old {made.community}")
        )
        connection.execute(update(communities).where(communities.c.id == made.community).values(id=name))
    return replace(made, community=name)


def filled(kith: Kith, word: str) -> Kith:
    """Let members of the same ids be there, whose names and terms say whose they are."""
    kith.import_profiles(
        *({"id": one, "name": word, "interests": [word], "location": PLACE} for one in MEMBERS)
    )
    return kith


def test_two_communities_answers_never_meet_in_a_cache(cached_kith: Kith, redis_server: RedisServer) -> None:
    ours = [filled(named(cached_kith, name), f"word{place}") for place, name in enumerate(COMMUNITIES)]
    first = [[kith.suggestions(one) for one in MEMBERS] for kith in ours]
    second = [[kith.suggestions(one) for one in MEMBERS] for kith in ours]

    for place, (fresh, again) in enumerate(zip(first, second, strict=True)):
        for one, two in zip(fresh, again, strict=True):
            assert (one["cache"], two["cache"]) == ("miss", "hit")
            assert {item["peer"]["name"] for item in two["items"]} == {f"word{place}"}
            assert two["items"] == one["items"]
    names = redis_server.client.keys("kith:1:answer:*")
    assert len(names) == len(set(names)) >= len(COMMUNITIES) * len(MEMBERS)


@pytest.mark.parametrize("swept", COMMUNITIES)
def test_a_sweep_of_one_community_reaches_no_other(cached_kith: Kith, swept: str) -> None:
    ours = [filled(named(cached_kith, name), "word") for name in COMMUNITIES]
    for kith in ours:
        kith.suggestions("b")

    assert cached_kith.cache.forget_community(swept)

    found = {name: kith.suggestions("b")["cache"] for name, kith in zip(COMMUNITIES, ours, strict=True)}
    assert found == dict.fromkeys(COMMUNITIES, "hit") | {swept: "miss"}


def test_no_two_pairs_of_community_and_member_have_one_key() -> None:
    keys = [CacheKey(one, other, ("x",)) for one in COMMUNITIES for other in MEMBERS]
    keys += [CacheKey("c", "a", ("b", "x")), CacheKey("c", "a:b", ("x",)), CacheKey("c", 'a","b', ("x",))]

    assert len({key.name for key in keys}) == len({key.header for key in keys}) == len(set(keys))
    for swept in COMMUNITIES:
        for other in {*COMMUNITIES} - {swept}:
            assert not answer_name(other, "0" * 40).startswith(answer_prefix(swept))


@each([route for route in KEYED if route.method not in {"GET", "HEAD"}])
def test_what_is_done_in_one_community_changes_no_row_of_another(kith: Kith, route: Route) -> None:
    other = neighbour(kith)
    ids, _ = settle(kith, route), settle(other, route)
    before = rows_of(other)

    answer = route.send(kith, ids, Idempotency_Key="k")

    assert answer.status_code in DONE
    assert rows_of(other) == before


def test_members_of_one_id_are_two_people_to_everybody(kith: Kith) -> None:
    other = neighbour(kith)
    for one in (kith, other):
        filled(one, "word")
    kith.call("PUT", "/v1/profiles/b/blocks/a:b")
    kith.call("POST", "/v1/profiles/b/responses", {"peer": "a", "response": "accept"})
    kith.call("PUT", "/v1/profiles/b/connections/12", {})
    assert kith.call("DELETE", "/v1/profiles/A:b").status_code == 204

    assert set(peers(other.suggestions("b", "?limit=100"))) == {*MEMBERS} - {"b"}
    assert set(peers(kith.suggestions("b", "?limit=100"))) == {*MEMBERS} - {"b", "a:b", "a", "12", "A:b"}
    for name in ("invitations", "connections", "blocks", "reconnects"):
        for member in MEMBERS:
            assert other.get(f"/v1/profiles/{member}/{name}") == {"items": []}
    assert other.get("/v1/profiles/A:b")["id"] == "A:b"


def test_one_id_has_another_code_in_each_community(kith: Kith) -> None:
    other = neighbour(kith)
    hashes = []
    for one in (kith, other):
        one.post_profile("ana")
        report = {"peer": "ben", "reason": "other"}
        hashes.append(one.call("POST", "/v1/profiles/ana/reports", report).json["peer_hash"])

    assert len(set(hashes)) == 2
    assert not set(codes_in(kith)) & set(codes_in(other))


def codes_in(kith: Kith) -> list[str]:
    """Return every code in a community's rows."""
    rows = rows_of(kith)
    found = [
        word.strip("',()")
        for name in ("profiles", "pairs", "reports")
        for row in rows[name]
        for word in row.split()
    ]
    codes = [word for word in found if len(word) == 32]
    assert codes
    return codes


# ---------------------------------------------------------------- cursors, limits


@pytest.mark.parametrize(
    "path", ["/v1/profiles", "/v1/keys", "/v1/reports", "/v1/terms", "blocks", "connections"]
)
def test_a_cursor_of_another_community_shows_nothing_of_it(kith: Kith, path: str) -> None:
    other = neighbour(kith)
    for one, word in ((kith, "ours"), (other, "theirs")):
        _fill_lists(one, word)
    listed = path if path.startswith("/") else f"/v1/profiles/ana/{path}"
    cursor = other.get(f"{listed}?limit=1")["next"]
    before = rows_of(other)

    page = kith.get(f"{listed}?limit=100&cursor={cursor}")

    whole = kith.get(f"{listed}?limit=100")
    assert len(whole["items"]) >= 2
    assert "theirs" not in json.dumps(page)
    assert [item for item in page["items"] if item not in whole["items"]] == []
    assert rows_of(other) == before


def _fill_lists(kith: Kith, word: str) -> None:
    who = [f"{word}-{number}" for number in range(4)]
    kith.import_profiles(
        *({"id": one, "name": word, "interests": [f"{word} 1", f"{word} 2"]} for one in (*who, "ana"))
    )
    for one in who[:2]:
        kith.call("PUT", f"/v1/profiles/ana/connections/{one}", {})
    for one in who[2:]:
        kith.call("PUT", f"/v1/profiles/ana/blocks/{one}")
        kith.call("POST", "/v1/profiles/ana/reports", {"peer": one, "reason": "spam"})
    for _ in range(2):
        kith.call("POST", "/v1/keys", {"name": word, "scopes": ["read"]})


@pytest.mark.parametrize("cache", ["local", "redis"])
def test_one_community_over_its_limit_is_no_other_s_concern(
    database_url: str, redis_url: str, cache: str
) -> None:
    url = redis_url if cache == "redis" else "local"
    with Kith.open(database_url, url, KITH_RATE_LIMIT="5/minute") as kith:
        other = neighbour(kith)
        assert [_status(kith) for _ in range(5)] == [200] * 5
        problem(kith.call("GET", "/v1/community"), 429)

        assert [_status(other) for _ in range(5)] == [200] * 5
        problem(other.call("GET", "/v1/community"), 429)


def _status(kith: Kith) -> Any:
    return kith.call("GET", "/v1/community").status_code
