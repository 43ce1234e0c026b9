"""The cache in Redis: odd entries are misses, lifetimes are spread, every key stands in the table."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import redis

from service.settings import Rate
from service.storage.cache import CacheKey, RedisCache, decode, encode
from service.storage.keys_table import KEYS
from service.storage.limits import RateLimiter
from service.storage.redis_link import OddEntry, RedisLink
from tests.servers import RedisServer

KEY = CacheKey("berlin", "ana", ("model 3", "own 7"))
GOOD = encode(KEY, b'{"items": []}')


@pytest.fixture
def seen() -> list[str]:
    return []


@pytest.fixture
def cache(redis_url: str, seen: list[str]) -> Iterator[RedisCache]:
    cache = RedisCache(RedisLink(redis_url, observe=seen.append), observe=seen.append)
    yield cache
    cache.close()


@pytest.mark.parametrize(
    "stored",
    [
        b"",
        b"garbage",
        b"\xff\xfe\x00",
        b"\n\n",
        GOOD[:-1],
        GOOD[: len(KEY.header)],
        GOOD + b" ",
        GOOD.replace(b"items", b"itemz"),
        encode(CacheKey("berlin", "ben", KEY.parts), b'{"items": []}'),
        encode(CacheKey("paris", "ana", KEY.parts), b'{"items": []}'),
        KEY.header + b"\n\n{}",
        b"cos\nsystem\n(S'echo'\ntR.",
    ],
)
def test_an_odd_value_is_a_miss_counted_and_replaced(
    cache: RedisCache, seen: list[str], redis_server: RedisServer, stored: bytes
) -> None:
    redis_server.client.set(KEY.name, stored)

    assert cache.get(KEY).status == "miss"
    assert seen == ["cache_entry_odd"]

    assert cache.put(KEY, b"{}")
    assert cache.get(KEY).body == b"{}"


def test_another_version_is_a_miss_and_nothing_odd(cache: RedisCache, seen: list[str]) -> None:
    cache.put(KEY, b"{}")
    assert cache.get(replace(KEY, version="tiles 9")).status == "miss"
    assert seen == []


def test_an_answer_that_a_client_decoded_is_odd() -> None:
    with pytest.raises(OddEntry):
        decode(KEY, GOOD.decode())


def test_an_entry_of_another_type_is_a_miss_and_does_not_stop_the_cache(
    cache: RedisCache, seen: list[str], redis_server: RedisServer
) -> None:
    redis_server.client.rpush(KEY.name, "x")

    assert cache.get(KEY).status == "miss"
    assert not cache.link.broken

    assert cache.put(KEY, b"{}")
    assert cache.get(KEY).status == "hit"


def test_lifetimes_are_ten_minutes_spread_by_a_tenth(cache: RedisCache, redis_server: RedisServer) -> None:
    keys = [CacheKey("berlin", f"{number}", ()) for number in range(100)]
    for key in keys:
        cache.put(key, b"{}")

    lifetimes = [redis_server.client.pttl(key.name) / 1000 for key in keys]

    assert 535 < min(lifetimes) < 580
    assert 620 < max(lifetimes) <= 660


def test_caches_on_one_redis_share_answers(cache: RedisCache, redis_url: str) -> None:
    other = RedisCache(RedisLink(redis_url))
    cache.put(KEY, b"{}")
    assert other.get(KEY).body == b"{}"
    assert (other.status(), other.forget_community("berlin")) == ("ok", True)
    assert cache.get(KEY).status == "miss"
    other.close()


def test_every_key_stands_in_the_table_and_expires(cache: RedisCache, redis_server: RedisServer) -> None:
    cache.put(KEY, b"{}")
    cache.put(CacheKey("a:b*", "ana", ()), b"{}")
    cache.put(CacheKey("berlin", "ana", (), "front"), b"[]")
    for text in ("5/second", "600/minute", "9/hour"):
        RateLimiter(Rate.parse(text), cache.link).take("key:1")
    assert cache.link._probe()

    found = {str(name, "ascii") for name in redis_server.client.scan_iter()}

    kinds = {name: [kind for kind in KEYS if fnmatchcase(name, kind.pattern)] for name in found}
    assert {len(kind) for kind in kinds.values()} == {1}
    assert {kind.pattern for (kind,) in kinds.values()} == {kind.pattern for kind in KEYS}
    for name, (kind,) in kinds.items():
        assert redis_server.client.type(name) == kind.type.encode()
        assert 0 < redis_server.client.pttl(name) <= kind.lifetime_seconds * 1000


def test_an_error_of_the_data_is_not_one_of_redis(redis_url: str, redis_server: RedisServer) -> None:
    redis_server.client.set("word", "x")
    link = RedisLink(redis_url)
    with pytest.raises(OddEntry):
        link.run(lambda client: client.incrby("word", 1))
    assert link.answers()
    link.close()


FORKS = """
import os, sys, threading
from service.storage.cache import CacheKey, RedisCache
from service.storage.redis_link import RedisLink
cache = RedisCache(RedisLink(sys.argv[1]))
key = CacheKey("berlin", "ana", ())
cache.put(key, b"parent's")
held, done = threading.Event(), threading.Event()
def hold():  # what another thread may be doing when the process forks
    with cache.link._lock, cache.link._client.connection_pool._lock:
        held.set()
        done.wait()
threading.Thread(target=hold).start()
held.wait()
if os.fork() == 0:
    ok = cache.get(key).body == b"parent's" and cache.put(key, b"child's")
    os._exit(0 if ok else 1)
_, status = os.wait()
done.set()
assert status == 0, status
assert cache.get(key).body == b"child's"
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork")
def test_a_child_process_gets_its_own_connections_and_locks(redis_url: str) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORKS, redis_url],
        cwd=root,
        timeout=30,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_an_address_with_an_unknown_host_is_off_from_the_start() -> None:
    link = RedisLink("redis://no-such-host.invalid:6379/0", probe_seconds=60)
    assert link.broken
    assert not link.answers()
    link.close()


def test_a_password_in_the_address_is_used(redis_server: RedisServer) -> None:
    server = RedisServer("--requirepass", "secret", tcp=True)
    server.client = redis.Redis.from_url(server.url, password="secret", protocol=2)
    try:
        server.start()
        allowed, refused = (
            RedisLink(f"redis://{user}127.0.0.1:{server.port}/0", probe_seconds=60)
            for user in (":secret@", "")
        )
        assert (allowed.answers(), refused.answers()) == (True, False)
        allowed.close()
        refused.close()
    finally:
        server.close()
