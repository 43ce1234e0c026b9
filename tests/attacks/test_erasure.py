"""Erased means gone: no byte of a canary is left in files, rows, Redis, memory, kept answers or logs."""

from __future__ import annotations

import gc
import io
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from matching import completion, forget, terms
from service.start import tidy_once
from service.storage.cache import CacheKey, LocalCache
from service.storage.keys_table import answer_prefix
from service.worker import work_once
from tests.attacks.erasure_canary import (
    ID,
    ROOT,
    Canary,
    columns_with_canary,
    everything_logged,
    files_with_canary,
    friends,
    holds_canary,
    keys_with_canary,
    loaded_of,
    memory_holds_canary,
    others,
    rows_with_canary,
    text_columns,
)
from tests.harness import NDJSON, Kith, peers
from tests.servers import PostgresServer, RedisServer
from tests.tenants import TestClock

MEMBERS = 300
# Every column that can hold text, by what may stand in it. Only words can be the canary's own; whoever adds a
# column says here what it holds, and has the canary put there if that is anything a member states.
COLUMNS = {
    "words": {
        "profiles.id", "profiles.document", "kept_answers.headers", "kept_answers.body",
        "pairs.low_stranger", "pairs.high_stranger", "reports.stranger", "reports.detail",
        "deliveries.payload",
    },
    "keyed hashes of ids": {
        "profiles.code", "kept_answers.about", "kept_answers.about_peer", "pairs.low", "pairs.high",
        "reports.profile_code", "reports.peer_code", "tombstones.code", "mentions.code",
    },
    "hashes of calls": {"kept_answers.key", "kept_answers.fingerprint"},
    "cells": {"profiles.last_cell", "profiles.waiting_cell"},
    "one of some words of ours": {
        "pairs.low_response", "pairs.high_response", "reports.reason", "reports.state",
        "deliveries.type", "deliveries.state", "deliveries.error", "pairs.low_outcome", "pairs.high_outcome",
        "jobs.kind", "jobs.error", "rounds.state", "rounds.error", "round_seats.reason",
        "round_groups.relaxed", "meetups.state", "meetup_members.reply", "meetup_members.outcome",
    },
    "times and figures": {
        "pairs.low_unblocked", "pairs.high_unblocked", "rounds.starts_on", "rounds.ends_on", "rounds.stats",
        "meetups.tried",
    },
    "places of the community's, and areas": {"round_groups.place", "meetups.place"},
    "stamps and ids that we made": {
        "profiles.own", "profiles.pairs", "tiles.stamp", "models.stamp", "reports.id", "communities.id",
        "communities.settings_stamp", "communities.model", "communities.secret",
        "webhooks.id", "webhooks.secret", "deliveries.id", "deliveries.webhook", "deliveries.lease",
        "mentions.delivery", "jobs.subject", "jobs.lease", "rounds.id", "meetups.id", "calendar_feeds.nonce",
    },
    "names of figures": {"models.figures"},
    "terms of three members or more": {"models.document"},
    "what the platform says of itself": {
        "communities.name", "communities.facet_weights", "communities.support_text",
        "communities.admin_attributes", "communities.separate_by",
        "api_keys.id", "api_keys.name", "api_keys.digest", "api_keys.scopes",
        "webhooks.url", "webhooks.events", "rounds.name", "venues.id", "venues.document",
    },
}  # fmt: skip


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that this process logs."""
    with everything_logged() as stream:
        yield stream


@contextmanager
def open_kith(url: str, cache: str, clock: TestClock, like: Kith | None = None) -> Iterator[Kith]:
    """Open a process' worth of Kith whose time moves."""
    environ = {"KITH_CLOCK_FILE": str(clock.file), "KITH_TESTING": "1", "KITH_WEBHOOK_PRIVATE": "1"}
    with Kith.open(url, cache, like=like, **environ) as kith:
        yield kith


def put_late(kith: Kith) -> None:
    """Put an answer away that was under way when the canary was erased."""
    key = CacheKey(kith.community, ID, ("late",))
    assert kith.cache.put(key, f'{{"items": [{{"peer": {{"id": "{ID}"}}}}]}}'.encode())


def crowd(kith: Kith, start: int, stop: int) -> None:
    """Import ordinary members."""
    assert kith.import_profiles(*others(start, stop))["created"] == stop - start


def come_and_go(kith: Kith, start: int) -> None:
    """Erase some members around the canary, change some, and let others come."""
    for number in range(start, start + 60, 3):
        assert kith.call("DELETE", f"/v1/profiles/m{number:05}").status_code == 204
        assert kith.call("PATCH", f"/v1/profiles/m{number + 1:05}", {"goals": ["y" * 60]}).status_code == 200
    crowd(kith, MEMBERS + start, MEMBERS + start + 40)


def test_an_erased_member_is_in_no_file_row_answer_index_or_log(
    tmp_path: Path, redis_url: str, redis_server: RedisServer, clock: TestClock, log: io.StringIO
) -> None:
    home, erased = tmp_path / "home", tmp_path / "erased.log"
    url = f"sqlite:///{home / 'kith.db'}"
    with (
        open_kith(url, redis_url, clock) as here,
        open_kith(url, redis_url, clock, here) as there,
    ):
        crowd(here, 0, MEMBERS // 2)
        canary = Canary(here)
        canary.spread()
        crowd(here, MEMBERS // 2, MEMBERS)
        Canary(there).ask()
        assert files_with_canary(home)
        assert keys_with_canary(redis_server.client)
        assert memory_holds_canary([here])
        assert memory_holds_canary([there])
        come_and_go(here, 100)
        canary.erase()
        come_and_go(there, 200)

        work_once(here.database, here.cache, erased)
        # That they are gone is told by their id for ten seconds, where nobody has heard of it yet.
        assert rows_with_canary(here.database) == [("deliveries.payload", f'{{"profile":"{ID}"}}')]
        assert keys_with_canary(redis_server.client) == []
        for seconds in (20, 25):
            put_late(there)
            assert keys_with_canary(redis_server.client)
            clock.forward(seconds=seconds)
            work_once(here.database, here.cache, erased)
            assert keys_with_canary(redis_server.client) == []
            assert rows_with_canary(here.database) == []
        for kith in (here, there):
            tidy_once(loaded_of(kith), kith.cache)
        assert not memory_holds_canary([here, there])
        assert files_with_canary(tmp_path) == []
        assert not holds_canary(here.call("GET", "/v1/profiles/export").data)
        assert not holds_canary(here.call("GET", "/v1/reports").data)
        assert not holds_canary(here.call("GET", "/metrics").data)
    assert erased.stat().st_size
    assert "request" in log.getvalue()
    assert not holds_canary(log.getvalue().encode())


def test_an_erased_member_is_in_no_row_and_no_dump(
    postgres_server: PostgresServer, fresh_postgres_url: str, clock: TestClock, tmp_path: Path
) -> None:
    with open_kith(fresh_postgres_url, "local", clock) as kith:
        canary = Canary(kith)
        canary.spread()
        assert holds_canary(dump(postgres_server, fresh_postgres_url))
        canary.erase()
        clock.forward(seconds=20)
        work_once(kith.database, kith.cache, tmp_path / "erased.log")
        assert rows_with_canary(kith.database) == []
        dumped = dump(postgres_server, fresh_postgres_url)
        assert b"Member 3" in dumped
        assert not holds_canary(dumped)


def dump(server: PostgresServer, url: str) -> bytes:
    """Return what a backup would hold."""
    program = server._home / "bin" / "pg_dump"
    if not program.is_file():
        pytest.skip("the embedded binaries hold no pg_dump")
    command = [str(program), "-h", str(server.sockets), "-U", "postgres", "--inserts"]
    done = subprocess.run([*command, str(make_url(url).database)], check=True, capture_output=True)
    return done.stdout


def test_every_column_that_holds_text_is_known() -> None:
    named = [column for columns in COLUMNS.values() for column in columns]
    assert sorted(named) == sorted(text_columns())


def test_the_canary_reaches_every_column_in_which_words_of_members_stand(
    sqlite_url: str, clock: TestClock, tmp_path: Path
) -> None:
    with open_kith(sqlite_url, "local", clock) as kith:
        canary = Canary(kith)
        canary.spread()
        assert canary.seen == COLUMNS["words"]
        canary.erase()
        assert columns_with_canary(kith.database) == {"deliveries.payload"}
        clock.forward(seconds=20)
        work_once(kith.database, kith.cache, tmp_path / "erased.log")
        assert columns_with_canary(kith.database) == set()


def test_answers_kept_in_this_process_go_with_the_member(
    sqlite_url: str, clock: TestClock, tmp_path: Path
) -> None:
    with open_kith(sqlite_url, "local", clock) as kith:
        canary = Canary(kith)
        kith.import_profiles(*friends())
        canary.state()
        assert ID in peers(kith.suggestions("f0", "?limit=100"))
        assert held_here(kith)
        canary.erase()
        tidy_once(loaded_of(kith), kith.cache)
        assert not held_here(kith)
        # What was under way may be put away late: that goes with the sweeps that are still to come.
        put_late(kith)
        work_once(kith.database, LocalCache(), tmp_path / "erased.log")
        assert held_here(kith)
        tidy_once(loaded_of(kith), kith.cache)
        assert not held_here(kith)


def held_here(kith: Kith) -> bool:
    """Tell whether the canary is in the answers that a process keeps itself."""
    assert isinstance(kith.cache, LocalCache)
    return holds_canary(repr(kith.cache._kept).encode())


def test_a_process_that_never_loaded_the_community_forgets_the_terms_too(
    sqlite_url: str, clock: TestClock
) -> None:
    with open_kith(sqlite_url, "local", clock) as kith:
        forget()
        lines = f'{{"id": "{ID}", "name": "N", "interests": ["{ROOT} {ROOT}"]}}\n'.encode()
        kith.call("POST", "/v1/profiles/import", lines, Content_Type=NDJSON)
        assert remembered()
        Canary(kith).erase()
        tidy_once(loaded_of(kith), kith.cache)
        assert not remembered()


def remembered() -> bool:
    """Tell whether the canary's terms are in what the matching package remembers between calls."""
    tables = (terms.normalise, completion.folded)
    return any(holds_canary(repr(gc.get_referents(table)).encode()) for table in tables)


def test_the_sweep_leaves_other_communities_answers_alone(
    tmp_path: Path, sqlite_url: str, redis_url: str, redis_server: RedisServer, clock: TestClock
) -> None:
    with open_kith(sqlite_url, redis_url, clock) as one, open_kith(sqlite_url, redis_url, clock) as other:
        for kith in (one, other):
            kith.post_profile("ana")
            kith.post_profile("ben")
            assert kith.suggestions("ana")["cache"] == "miss"
        assert one.call("DELETE", "/v1/profiles/ben").status_code == 204
        work_once(one.database, one.cache, tmp_path / "erased.log", handlers={})
        names = [name.decode() for name in redis_server.client.scan_iter("kith:1:answer:*")]
        assert [name.startswith(answer_prefix(other.community)) for name in names] == [True]
        assert other.suggestions("ana")["cache"] == "hit"
