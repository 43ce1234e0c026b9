"""Calls without a key in force are counted by address; a forwarded address counts only behind our proxies."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest
from werkzeug.test import TestResponse

from service.errors import SettingError
from service.settings import read_settings
from service.web.fairness import address_digest
from tests.contract.test_access import WRONG_KEYS, written
from tests.harness import Kith
from tests.problems import problem
from tests.servers import RedisServer

RATE = 5


class Open(Protocol):
    def __call__(self, cache: str = ..., proxies: int = ...) -> Kith: ...


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Open]:
    """Open Kiths that let each address be wrong five times a minute."""
    with ExitStack() as opened:

        def open_one(cache: str = "local", proxies: int = 0) -> Kith:
            environ = {"KITH_RATE_LIMIT": f"{RATE}/minute", "KITH_PROXIES": str(proxies)}
            url = f"sqlite:///{tmp_path / 'kith.db'}"
            return opened.enter_context(Kith.open(url, cache, like=None, **environ))

        yield open_one


def ask(kith: Kith, peer: str, forwarded: str | None = None, key: str | None = None) -> TestResponse:
    """Ask from an address, perhaps through a proxy; without a key in force unless one is given."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    headers |= {} if forwarded is None else {"X-Forwarded-For": forwarded}
    answer: TestResponse = kith.client.get(
        "/v1/community", headers=headers, environ_overrides={"REMOTE_ADDR": peer}
    )
    return answer


def tries(kith: Kith, *calls: tuple[str, str | None]) -> int:
    """Return how many of these were answered 401 and not 429."""
    statuses = [ask(kith, *call).status_code for call in calls]
    assert set(statuses) <= {401, 429}
    return statuses.count(401)


# ---------------------------------------------------------------- wrong keys


def test_an_address_is_refused_after_too_many_calls_without_a_key(limited: Open) -> None:
    kith = limited()

    assert tries(kith, *[("1.2.3.4", None)] * 20) == RATE

    answer = ask(kith, "1.2.3.4")
    document = problem(answer, 429)
    assert document["type"] == "urn:kith:problem:too-many-requests"
    assert "address" in document["detail"]
    assert "1.2.3.4" not in answer.text
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


@pytest.mark.parametrize("text", WRONG_KEYS.values(), ids=WRONG_KEYS)
def test_every_kind_of_wrong_key_counts(limited: Open, text: str | None) -> None:
    kith = limited()
    headers = written(text, kith.key)

    statuses = [kith.client.get("/v1/community", headers=headers).status_code for _ in range(RATE + 3)]

    assert statuses == [401] * RATE + [429] * 3


def test_a_good_key_is_served_from_an_address_that_is_refused(limited: Open) -> None:
    kith = limited()
    tries(kith, *[("1.2.3.4", None)] * 20)

    statuses = [ask(kith, "1.2.3.4", key=kith.key).status_code for _ in range(RATE)]

    assert statuses == [200] * RATE


def test_a_good_key_does_not_use_up_what_its_address_may_try(limited: Open) -> None:
    kith = limited()
    for _ in range(RATE):
        ask(kith, "1.2.3.4", key=kith.key)

    assert tries(kith, *[("1.2.3.4", None)] * 20) == RATE


def test_what_needs_no_key_is_not_counted(limited: Open) -> None:
    kith = limited()
    for _ in range(4 * RATE):
        for path in ("/livez", "/readyz", "/nothing"):
            assert kith.client.get(path).status_code in {200, 404}

    assert tries(kith, *[("127.0.0.1", None)] * 20) == RATE


def test_addresses_are_counted_apart_and_a_household_together(limited: Open) -> None:
    kith = limited()

    assert tries(kith, *[("1.2.3.4", None)] * 20) == RATE
    assert tries(kith, *[("1.2.3.5", None)] * 20) == RATE
    assert tries(kith, *[(f"2001:db8::{number:x}", None) for number in range(20)]) == RATE
    assert tries(kith, *[("2001:db8:0:1::1", None)] * 20) == RATE
    # The same IPv4 address as IPv6 writes it.
    assert tries(kith, *[("::ffff:1.2.3.4", None)] * 20) == 0


def test_all_processes_count_one_address_together(
    limited: Open, redis_server: RedisServer, redis_url: str
) -> None:
    first, second = limited(cache=redis_url), limited(cache=redis_url)

    assert tries(first, *[("1.2.3.4", None)] * 3) + tries(second, *[("1.2.3.4", None)] * 9) == RATE

    kept = [str(name) for name in redis_server.client.keys("kith:1:rate:*")]
    assert len(kept) == 1
    assert "1.2.3.4" not in kept[0]


# ---------------------------------------------------------------- proxies


def test_without_proxies_a_forwarded_address_counts_for_nothing(limited: Open) -> None:
    kith = limited()

    assert tries(kith, *[("1.2.3.4", f"9.9.9.{number}") for number in range(20)]) == RATE


def test_behind_a_proxy_each_client_is_counted_apart(limited: Open) -> None:
    kith = limited(proxies=1)

    assert tries(kith, *[("10.0.0.1", "9.9.9.1")] * 20) == RATE
    assert tries(kith, *[("10.0.0.1", "9.9.9.2")] * 20) == RATE


FORGERIES = [
    "{n}.{n}.{n}.{n}, 9.9.9.9",
    "{n}.{n}.{n}.{n},9.9.9.9",
    "{n}.1.1.1, {n}.2.2.2, {n}.3.3.3, 9.9.9.9",
    "::{n}, 9.9.9.9",
    ", , {n}, 9.9.9.9",
    "unknown{n}, 9.9.9.9:{n}",
    "for={n}, 9.9.9.9:1234",
    '"{n}.1.1.1", 9.9.9.9',
]


@pytest.mark.parametrize("forgery", FORGERIES)
def test_only_what_the_proxy_appended_counts(limited: Open, forgery: str) -> None:
    kith = limited(proxies=1)

    assert tries(kith, *[("10.0.0.1", forgery.format(n=number)) for number in range(1, 20)]) == RATE
    assert tries(kith, ("10.0.0.1", "9.9.9.9")) == 0


@pytest.mark.parametrize(
    "forgery",
    [
        '"{n}.1.1.1, 9.9.9.9',
        '"{n}.1.1.1\\", 9.9.9.9',
        "{n} 9.9.9.9",
        "{n}",
        "host{n}.example",
        "1.2.3.{n}0000",
        "٣.1.1.{n}",
    ],
)
def test_what_is_no_address_counts_as_one(limited: Open, forgery: str) -> None:
    kith = limited(proxies=1)
    made_up = [("10.0.0.1", forgery.format(n=number)) for number in range(11, 30)]

    assert tries(kith, *made_up) == RATE


def test_two_proxies_are_two_steps_back(limited: Open) -> None:
    kith = limited(proxies=2)

    forged = [("10.0.0.1", f"{number}.1.1.1, 9.9.9.9, 10.0.0.2") for number in range(1, 20)]
    assert tries(kith, *forged) == RATE
    # Who didn't come through both is counted as who they are.
    assert tries(kith, *[("10.0.0.1", f"{number}.1.1.1") for number in range(1, 20)]) == RATE


@pytest.mark.parametrize("text", ["-1", "10", "1.0", "yes", "१", "1,2"])
def test_a_wrong_number_of_proxies_stops_the_start(text: str) -> None:
    with pytest.raises(SettingError, match="KITH_PROXIES: expected a whole number"):
        read_settings({"KITH_PROXIES": text})


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("1.2.3.4", "1.2.3.4:80", True),
        ("1.2.3.4", "::ffff:102:304", True),
        ("2001:db8::1", "2001:DB8:0:0:ffff::9", True),
        ("2001:db8::1", "[2001:db8::1]:443", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("1.2.3.4", "1.2.3.40", False),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("", "nobody", True),
        ("1.2.3.4", "01.2.3.4", False),
    ],
)
def test_addresses_are_told_apart_as_clients_are(first: str, second: str, same: bool) -> None:
    assert (address_digest(first) == address_digest(second)) is same
