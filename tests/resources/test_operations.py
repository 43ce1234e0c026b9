"""What the operator's machines ask: alive, ready, metrics; no key needed, and nobody's name in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from service.app import create_app
from service.settings import read_settings
from service.storage.cache import open_cache
from service.storage.database import Database
from tests.harness import Kith
from tests.problems import problem
from tests.servers import RedisServer


def test_the_process_lives(sqlite_kith: Kith) -> None:
    assert sqlite_kith.client.get("/livez").status_code == 200


def test_ready_says_what_there_is(kith: Kith) -> None:
    answer = kith.client.get("/readyz")

    assert (answer.status_code, answer.json) == (200, {"database": "ok", "redis": "off"})


def test_ready_without_redis_and_with_it(sqlite_url: str, redis_server: RedisServer, redis_url: str) -> None:
    with Kith.open(sqlite_url, redis_url) as kith:
        assert kith.client.get("/readyz").json == {"database": "ok", "redis": "ok"}
    with Kith.open(sqlite_url, "off") as kith:
        answer = kith.client.get("/readyz")
        assert (answer.status_code, answer.json) == (200, {"database": "ok", "redis": "off"})


@pytest.fixture
def without_database(tmp_path: object) -> Iterator[Kith]:
    """A Kith whose database nobody is at home in."""
    url = f"postgresql:///kith?host={tmp_path}"
    settings = read_settings({"KITH_DATABASE_URL": url, "KITH_RATE_LIMIT": "off"})
    database, cache = Database(url), open_cache("local")
    yield Kith(
        database,
        cache,
        create_app(settings, database, cache).test_client(),
        "nobody",
        "kith_" + "0" * 64 + "34b1e4cb",
    )
    cache.close()
    database.close()


def test_without_its_database_it_lives_but_is_not_ready(without_database: Kith) -> None:
    ready = without_database.client.get("/readyz")

    assert without_database.client.get("/livez").status_code == 200
    assert (ready.status_code, ready.json) == (503, {"database": "off", "redis": "off"})
    answer = without_database.call("GET", "/v1/profiles")
    assert problem(answer, 503)["type"] == "urn:kith:problem:not-ready"
    assert answer.headers["Retry-After"]


def test_a_database_that_is_not_migrated_is_not_ready(sqlite_url: str) -> None:
    database, cache = Database(sqlite_url), open_cache("local")
    app = create_app(read_settings({"KITH_DATABASE_URL": sqlite_url}), database, cache)

    assert app.test_client().get("/readyz").status_code == 503

    cache.close()
    database.close()


def test_metrics_are_in_prometheus_form_and_name_nobody(kith: Kith) -> None:
    kith.post_profile("some-member", interests=["a-rare-interest"])
    kith.suggestions("some-member")
    kith.call("GET", "/v1/profiles/some-member/nothing")
    kith.call("BREW", "/v1/profiles")

    answer = kith.client.get("/metrics")

    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    assert re.search(
        r'^kith_requests_total\{.*route="/v1/profiles",status="201".*\} [1-9]', answer.text, re.MULTILINE
    )
    assert re.search(r"^kith_request_seconds_bucket\{", answer.text, re.MULTILINE)
    for secret in ("some-member", "a-rare-interest", kith.key, "BREW", kith.community):
        assert secret not in answer.text


def test_metrics_count_where_suggestions_came_from(kith: Kith) -> None:
    def counted(cache: str) -> float:
        found = re.search(
            rf'^kith_suggestions_total\{{cache="{cache}"\}} (\S+)',
            kith.client.get("/metrics").text,
            re.MULTILINE,
        )
        return float(found[1]) if found else 0.0

    kith.post_profile("ana")
    before = counted("hit"), counted("miss")
    for _ in range(3):
        kith.suggestions("ana")

    assert (counted("hit") - before[0], counted("miss") - before[1]) == (2, 1)
