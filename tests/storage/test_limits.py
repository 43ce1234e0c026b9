"""Requests are counted over all processes, exactly, with few round trips, and without Redis too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from service.settings import Rate
from service.storage import limits
from service.storage.keys_table import rate_name
from service.storage.limits import RateLimiter
from service.storage.redis_link import RedisLink
from tests.servers import RedisServer, running_redis


class Hand:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def link(redis_url: str) -> Iterator[RedisLink]:
    link = RedisLink(redis_url)
    yield link
    link.close()


@pytest.fixture(params=["shared", "alone"])
def make_limiter(request: pytest.FixtureRequest, link: RedisLink) -> Callable[[str], RateLimiter]:
    return lambda text: RateLimiter(Rate.parse(text), link if request.param == "shared" else None)


def allowed(limiter: RateLimiter, times: int, key_id: str = "key 1") -> int:
    return [limiter.take(key_id) for _ in range(times)].count(None)


@pytest.mark.parametrize(
    ("text", "rate"),
    [("600/minute", Rate(600, 60)), ("1/second", Rate(1, 1)), ("5000/hour", Rate(5000, 3600)), ("off", None)],
)
def test_a_rate_is_read(text: str, rate: Rate | None) -> None:
    assert Rate.parse(text) == rate


@pytest.mark.parametrize(
    "text",
    ["", "600", "600/day", "0/minute", "-1/minute", "1.5/second", "६/minute", "/hour", "Off", "5/minute/"],
)
def test_a_wrong_rate_is_refused_by_what_was_expected_and_got(text: str) -> None:
    with pytest.raises(ValueError, match="expected off") as refusal:
        Rate.parse(text)
    assert repr(text) in str(refusal.value)


@pytest.mark.parametrize("text", ["1/minute", "7/minute", "100/minute", "250/hour"])
def test_exactly_the_limit_is_allowed(make_limiter: Callable[[str], RateLimiter], text: str) -> None:
    limiter = make_limiter(text)
    count = int(text.partition("/")[0])
    assert allowed(limiter, count + 20) == count


def test_who_is_refused_learns_how_long_to_wait(make_limiter: Callable[[str], RateLimiter]) -> None:
    limiter = make_limiter("2/minute")
    allowed(limiter, 2)
    wait = limiter.take("key 1")
    assert wait is not None
    assert 55 < wait <= 60


def test_the_next_window_allows_again(make_limiter: Callable[[str], RateLimiter]) -> None:
    limiter = make_limiter("3/second")
    assert allowed(limiter, 5) == 3
    wait = limiter.take("key 1")
    assert wait is not None
    time.sleep(wait + 0.05)
    assert allowed(limiter, 5) == 3


def test_keys_are_counted_apart(make_limiter: Callable[[str], RateLimiter]) -> None:
    limiter = make_limiter("2/minute")
    allowed(limiter, 5, "key 1")
    assert allowed(limiter, 5, "key:1") == 2


def test_off_allows_everything(make_limiter: Callable[[str], RateLimiter]) -> None:
    assert allowed(make_limiter("off"), 5000) == 5000


def test_processes_together_never_exceed_the_limit(redis_url: str) -> None:
    links = [RedisLink(redis_url) for _ in range(4)]
    limiters = [RateLimiter(Rate(600, 3600), link) for link in links]
    with ThreadPoolExecutor(8) as threads:
        total = sum(threads.map(lambda number: allowed(limiters[number % 4], 200), range(8)))
    for link in links:
        link.close()
    # What a process leased and did not spend is lost: at most 600 // 100 for each of its two threads.
    assert 600 - 4 * 2 * 6 <= total <= 600


def test_most_requests_need_no_round_trip(link: RedisLink, redis_server: RedisServer) -> None:
    limiter = RateLimiter(Rate(600, 3600), link)
    before = redis_server.calls("incrby")
    assert allowed(limiter, 300) == 300
    assert redis_server.calls("incrby") - before == 50


def test_who_is_refused_costs_no_round_trip(link: RedisLink, redis_server: RedisServer) -> None:
    limiter = RateLimiter(Rate(5, 3600), link)
    allowed(limiter, 6)
    before = redis_server.calls("incrby")
    assert allowed(limiter, 100) == 0
    assert redis_server.calls("incrby") == before


def test_without_redis_each_process_counts_alone_and_goes_on_counting() -> None:
    with running_redis() as server:
        link = RedisLink(server.url, probe_seconds=3600)
        limiter = RateLimiter(Rate(100, 3600), link)
        assert allowed(limiter, 40) == 40
        server.kill()
        assert allowed(limiter, 100) == 60
        assert allowed(limiter, 500, "key 2") == 100
        link.close()


def test_who_is_refused_stays_refused_when_redis_goes() -> None:
    with running_redis() as server:
        link = RedisLink(server.url, probe_seconds=3600)
        first, second = (RateLimiter(Rate(10, 3600), link) for _ in range(2))
        assert (allowed(first, 20), allowed(second, 1)) == (10, 0)
        server.kill()
        assert not link.answers()
        assert allowed(second, 5) == 0
        link.close()


def test_an_odd_entry_is_counted_around(link: RedisLink, redis_server: RedisServer) -> None:
    redis_server.client.rpush(rate_name("3/3600", "key 1"), "x")
    limiter = RateLimiter(Rate(3, 3600), link)
    assert allowed(limiter, 9) == 3
    assert not link.broken


def test_a_window_without_an_end_gets_one(link: RedisLink, redis_server: RedisServer) -> None:
    name = rate_name("100/3600", "key 1")
    redis_server.client.set(name, 7)
    assert allowed(RateLimiter(Rate(100, 3600), link), 200) == 93
    assert 0 < redis_server.client.ttl(name) <= 3600


def test_old_windows_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Hand()
    limiter = RateLimiter(Rate(5, 60), now=clock)
    for number in range(50):
        limiter.take(f"key {number}")
    clock.time += 61
    limiter.take("another")
    assert len(limiter._windows) == 1

    monkeypatch.setattr(limits, "MOST_WINDOWS", 20)
    for number in range(50):
        limiter.take(f"key {number}")
    assert len(limiter._windows) == 20


def test_what_is_left_of_a_lease_never_enters_the_next_window() -> None:
    clock = Hand()
    limiter = RateLimiter(Rate(1000, 60), now=clock)
    limiter._settle(Rate(1000, 60), "key 1", limits._Lease(granted=1, ends=clock.time + 60))
    late = limits._Lease(granted=10, ends=clock.time + 0.01)
    assert limiter._settle(Rate(1000, 60), "key 1", late) is None
    assert limiter._windows["key 1"].left == 0

    refused = limits._Lease(granted=0, ends=clock.time + 0.01)
    assert limiter._settle(Rate(1000, 60), "key 1", refused) == pytest.approx(0.01)


def test_a_lease_of_the_next_window_replaces_the_last() -> None:
    clock = Hand()
    limiter = RateLimiter(Rate(1000, 60), now=clock)
    limiter._settle(Rate(1000, 60), "key 1", limits._Lease(granted=10, ends=clock.time + 0.01))
    limiter._settle(Rate(1000, 60), "key 1", limits._Lease(granted=10, ends=clock.time + 60.01))
    assert limiter._windows["key 1"].left == 9
