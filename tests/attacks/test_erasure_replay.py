"""After a restored database: what the erasure log names is erased again, members and whole communities."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from service.storage.cache import LocalCache
from service.storage.communities import find_community
from service.storage.erasure_log import Erasure
from service.storage.tables import kept_answers, metadata, pairs, profiles
from service.storage.tombstones import tombstones_until
from service.usecases import erasures
from service.usecases.erasures import delete_community, replay
from tests.harness import Kith
from tests.tenants import neighbour

ANA, BEN = "ana", "ben"


class Away(LocalCache):
    """A cache whose Redis can't be used."""

    def forget_community(self, community: str) -> bool:
        return False


def code_of(kith: Kith, profile_id: str) -> str:
    """Return the code of an id, member or not."""
    with kith.database.read() as connection:
        return find_community(connection, kith.community).code_of(profile_id)


def now(kith: Kith) -> int:
    with kith.database.read() as connection:
        return kith.database.now(connection)


def test_replay_erases_what_is_there_and_leaves_who_came_later(kith: Kith) -> None:
    for member in (ANA, BEN):
        kith.post_profile(member)
    at = now(kith)
    ana = Erasure(kith.community, code_of(kith, ANA), at + 1000)
    lines = [
        ana,
        Erasure(kith.community, code_of(kith, BEN), at - 3600_000),
        Erasure(kith.community, "0" * 32, at),
        Erasure("no-such-community", code_of(kith, BEN), at),
        None,
    ]
    report = replay(kith.database, kith.cache, lines)
    assert (report.erased, report.absent, report.failed) == (1, 3, 1)
    assert [item["id"] for item in kith.get("/v1/profiles")["items"]] == [BEN]
    # Sweeps follow it as they follow any erasure.
    stones = tombstones_until(kith.database, now(kith), 1000)
    assert [stone.code for stone in stones if stone.community_id == kith.community] == [ana.code]
    assert replay(kith.database, kith.cache, lines[:1]).erased == 0


def test_replay_lets_go_what_others_hold_of_somebody_absent(kith: Kith) -> None:
    kith.post_profile(BEN)
    blocked = kith.call("PUT", f"/v1/profiles/{BEN}/blocks/nobody-yet")
    assert blocked.status_code == 204
    report = kith.call("POST", f"/v1/profiles/{BEN}/reports", {"peer": "nobody-yet", "reason": "spam"})
    assert report.status_code == 201
    code = code_of(kith, "nobody-yet")
    replay(kith.database, kith.cache, [Erasure(kith.community, code, 0)])
    with kith.database.read() as connection:
        for table in ("pairs", "reports"):
            found = [str(row) for row in connection.exec_driver_sql(f"SELECT * FROM {table}")]
            assert any(code in row for row in found)
            assert not any("nobody-yet" in row for row in found)


def test_a_deleted_community_is_logged_and_deleted_again_by_replay(kith: Kith, tmp_path: Path) -> None:
    other, erased = neighbour(kith), tmp_path / "erased.log"
    kith.post_profile(ANA)
    other.post_profile("zoe")
    assert delete_community(kith.database, kith.cache, kith.community, erased)
    line = json.loads(erased.read_text())
    assert line.keys() == {"community", "erased_at"}
    assert line["community"] == kith.community
    assert kith.call("GET", f"/v1/profiles/{ANA}").status_code == 401
    assert other.get("/v1/profiles/zoe")["name"] == "Zoe"
    again = Erasure(other.community, None, 0)
    report = replay(kith.database, kith.cache, [again, again, Erasure(kith.community, None, 0)])
    assert (report.erased, report.absent, report.failed) == (1, 2, 0)
    assert other.call("GET", "/v1/profiles/zoe").status_code == 401


def test_a_deleted_community_leaves_no_row(kith: Kith, tmp_path: Path) -> None:
    kith.post_profile("quixotic-ana", interests=["quixotic reading"])
    kith.call("PUT", "/v1/profiles/quixotic-ana/blocks/quixotic-stranger")
    kith.call("POST", "/v1/profiles", {"id": "quixotic-ben", "name": "B"}, Idempotency_Key="one")
    number = number_of(kith)
    with kith.database.read() as connection:
        for table in (profiles, pairs, kept_answers):
            assert connection.execute(select(table).where(table.c.community == number)).all()
    assert delete_community(kith.database, kith.cache, kith.community, tmp_path / "erased.log")
    with kith.database.read() as connection:
        for table in metadata.sorted_tables:
            rows = connection.execute(select(table)).mappings().all()
            owner = "number" if table.name == "communities" else "community"
            assert [row for row in rows if row[owner] == number] == [], table.name
            assert "quixotic" not in str(rows)


def number_of(kith: Kith) -> int:
    with kith.database.read() as connection:
        return find_community(connection, kith.community).number


def test_a_deletion_says_where_the_log_or_a_sweep_has_to_wait(
    kith: Kith, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures, "SECONDS_BETWEEN_SWEEPS", 0.0)
    other, erased = neighbour(kith), tmp_path / "erased.log"
    assert not delete_community(kith.database, Away(), kith.community, erased)
    assert kith.call("GET", "/v1/profiles").status_code == 401
    assert len(erased.read_text().splitlines()) == 1
    assert not delete_community(other.database, other.cache, other.community, tmp_path)
    assert other.call("GET", "/v1/profiles").status_code == 401
