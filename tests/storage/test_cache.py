"""What every cache that keeps answers does, whatever keeps them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from service.storage.cache import Cache, CacheKey, LocalCache, NoCache, RedisCache, open_cache
from service.storage.redis_link import RedisLink

KEY = CacheKey("berlin", "ana", ("model 3", "own 7"))
MakeCache = Callable[[float], Cache]


@pytest.fixture(params=["redis", "local"])
def make_cache(request: pytest.FixtureRequest, redis_url: str) -> Iterator[MakeCache]:
    opened: list[Cache] = []

    def make(lifetime_seconds: float = 600) -> Cache:
        if request.param == "redis":
            opened.append(RedisCache(RedisLink(redis_url), lifetime_seconds=lifetime_seconds))
        else:
            opened.append(LocalCache(lifetime_seconds=lifetime_seconds))
        return opened[-1]

    yield make
    for cache in opened:
        cache.close()


@pytest.fixture
def cache(make_cache: MakeCache) -> Cache:
    return make_cache(600)


@pytest.mark.parametrize("body", [b"{}", b"", b"\n\x00\xff\n", "é".encode() * 100_000])
def test_what_was_put_is_found_byte_for_byte(cache: Cache, body: bytes) -> None:
    assert cache.put(KEY, body)
    found = cache.get(KEY)
    assert (found.status, found.body) == ("hit", body)


def test_several_are_kept_and_looked_up_at_once(cache: Cache) -> None:
    front = CacheKey(KEY.community, KEY.profile, KEY.parts, "front")
    assert cache.keep({KEY: b"{}", front: b"[]"})

    found = cache.look_up([front, CacheKey("berlin", "ben", ()), KEY])

    assert [(one.status, one.body) for one in found] == [("hit", b"[]"), ("miss", None), ("hit", b"{}")]


def test_what_was_not_put_is_a_miss(cache: Cache) -> None:
    found = cache.get(KEY)
    assert (found.status, found.body) == ("miss", None)


@pytest.mark.parametrize(
    "other",
    [
        CacheKey("paris", "ana", ("model 3", "own 7")),
        CacheKey("berlin", "ben", ("model 3", "own 7")),
        CacheKey("berlin", "ana", ("model 3", "own 8")),
        CacheKey("berlin", "ana", ("model 3", "own 7", "")),
        CacheKey("berlin", "ana", ("model 3own 7",)),
        CacheKey("berlin", "ana", ("model 3,own 7",)),
        CacheKey("berlin", "ana,model 3", ("own 7",)),
        CacheKey("berlin", 'ana","model 3', ("own 7",)),
        CacheKey("berlin:ana", "model 3", ("own 7",)),
        CacheKey("berlinana", "", ("model 3", "own 7")),
    ],
)
def test_a_key_that_differs_in_anything_is_another(cache: Cache, other: CacheKey) -> None:
    cache.put(KEY, b"ana's")
    assert cache.get(other).status == "miss"
    assert other.name != KEY.name


def test_a_version_is_found_by_itself_alone_and_takes_the_place_of_the_one_before(cache: Cache) -> None:
    old, new = (replace(KEY, version=version) for version in ("tiles 8", "tiles 9"))
    assert old.name == new.name == KEY.name

    cache.put(old, b"old")
    assert [found.status for found in cache.look_up([new, KEY, old])] == ["miss", "miss", "hit"]

    cache.put(new, b"new")
    assert cache.get(old).status == "miss"
    assert cache.get(new).body == b"new"


def test_a_later_put_replaces(cache: Cache) -> None:
    cache.put(KEY, b"old")
    cache.put(KEY, b"new")
    assert cache.get(KEY).body == b"new"


def test_an_entry_expires(make_cache: MakeCache) -> None:
    cache = make_cache(0.05)
    cache.put(KEY, b"{}")
    time.sleep(0.08)
    assert cache.get(KEY).status == "miss"


@pytest.mark.parametrize("near", ["berlin2", "berlin:x", "b", "berli?", "*", "Berlin", "berlin%3Ax"])
def test_forgetting_a_community_leaves_every_other(cache: Cache, near: str) -> None:
    # Once with more than one step of a scan finds.
    mine = [CacheKey("berlin", f"member {number}", ()) for number in range(1500 if near == "*" else 5)]
    for key in mine:
        cache.put(key, b"{}")
    other = CacheKey(near, "ana", ())
    cache.put(other, b"{}")

    assert cache.forget_community("berlin")

    assert {cache.get(key).status for key in mine} == {"miss"}
    assert cache.get(other).status == "hit"


@pytest.mark.parametrize("near", ["berlin*", "*", "berli?", "[b]erlin"])
def test_a_community_named_like_a_pattern_is_no_pattern(cache: Cache, near: str) -> None:
    cache.put(KEY, b"{}")
    assert cache.forget_community(near)
    assert cache.get(KEY).status == "hit"


def test_threads_never_see_another_members_answer(cache: Cache) -> None:
    def exercise(number: int) -> list[bytes | None]:
        found = []
        for turn in range(40):
            key = CacheKey("berlin", f"member {(number + turn) % 8}", ())
            cache.put(key, key.header)
            answer = cache.get(key)
            found.append(answer.body if answer.body != key.header else None)
        return found

    with ThreadPoolExecutor(8) as threads:
        wrong = [body for bodies in threads.map(exercise, range(8)) for body in bodies if body is not None]

    assert wrong == []


def test_no_cache_is_off_and_keeps_nothing() -> None:
    cache = NoCache()
    assert not cache.put(KEY, b"{}")
    assert cache.get(KEY).status == "off"
    assert cache.forget_community("berlin")
    assert cache.status() == "off"
    cache.close()


@pytest.mark.parametrize(
    ("url", "kind"),
    [("off", NoCache), (None, LocalCache), ("local", LocalCache), ("unix:///nowhere", RedisCache)],
)
def test_an_address_opens_its_cache(url: str | None, kind: type) -> None:
    cache = open_cache(url)
    assert isinstance(cache, kind)
    assert (cache.link is not None) == (kind is RedisCache)
    cache.close()


def test_a_local_cache_stays_within_its_bytes_and_drops_the_least_used() -> None:
    size = LocalCache._size(KEY, b"x" * 1000)
    cache = LocalCache(max_bytes=3 * size)
    keys = [CacheKey("berlin", name, KEY.parts) for name in ("ana", "ben", "cem", "dia")]
    for key in keys[:3]:
        cache.put(key, b"x" * 1000)

    cache.get(keys[0])
    cache.put(keys[3], b"x" * 1000)

    assert [cache.get(key).status for key in keys] == ["hit", "miss", "hit", "hit"]
    assert cache._bytes <= 3 * size


def test_a_local_cache_counts_its_bytes_right() -> None:
    cache = LocalCache(max_bytes=10_000, lifetime_seconds=0.01)
    for number in range(200):
        cache.put(CacheKey("berlin", f"{number % 7}", ()), b"x" * (number * 13 % 900))
    time.sleep(0.02)
    for number in range(7):
        cache.get(CacheKey("berlin", f"{number}", ()))
    assert (cache._bytes, len(cache._kept)) == (0, 0)


def test_a_local_cache_refuses_what_is_larger_than_itself() -> None:
    cache = LocalCache(max_bytes=2000)
    cache.put(KEY, b"small")
    assert not cache.put(CacheKey("berlin", "ben", ()), b"x" * 2000)
    assert cache.get(KEY).status == "hit"
    assert cache.status() == "off"
