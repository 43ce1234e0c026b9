"""Idempotency-Key between two people: responses and reports act once, and go with either member's erasure."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from service.storage.tables import communities, kept_answers, profiles
from tests.harness import Kith
from tests.problems import errors, problem
from tests.rows import rows_of
from tests.tenants import TestClock
from tests.tenants import sqlite_first_url as module_url

__all__ = ["module_url"]

RESPONSE = ("responses", {"peer": "ben", "response": "accept"})
REPORT = ("reports", {"peer": "ben", "reason": "spam", "detail": "Sells things."})
BOTH = [RESPONSE, REPORT]
CALLS = 100
THREADS = 25


@pytest.fixture
def two(kith: Kith) -> Kith:
    """A community in which Ana and Ben are."""
    kith.post_profile("ana")
    kith.post_profile("ben")
    return kith


def post(kith: Kith, what: tuple[str, dict[str, Any]], key: str = "once", who: str = "ana") -> Any:
    return kith.call("POST", f"/v1/profiles/{who}/{what[0]}", what[1], Idempotency_Key=key)


def kept(kith: Kith) -> list[str]:
    """Return what is kept of answers, as text."""
    return rows_of(kith)["kept_answers"]


def number(kith: Kith) -> int:
    """Return the community's change number."""
    chosen = select(communities.c.change_number).where(communities.c.id == kith.community)
    with kith.database.read() as connection:
        return int(connection.execute(chosen).scalar_one())


@pytest.mark.parametrize("what", BOTH, ids=["response", "report"])
def test_the_first_answer_comes_again_whatever_happened_since(two: Kith, what: Any) -> None:
    first = post(two, what)
    assert first.status_code in {200, 201}
    two.call("POST", "/v1/profiles/ben/responses", {"peer": "ana", "response": "accept"})
    before = rows_of(two)

    again = post(two, what)

    assert (again.status_code, again.data) == (first.status_code, first.data)
    assert rows_of(two) == before


def test_without_a_key_a_second_report_is_a_second_one(two: Kith) -> None:
    for _ in range(2):
        assert two.call("POST", "/v1/profiles/ana/reports", REPORT[1]).status_code == 201

    assert len(two.get("/v1/reports")["items"]) == 2
    assert len(rows_of(two)["pairs"]) == 1


@pytest.mark.parametrize(
    ("what", "status"),
    [
        (("responses", {"peer": "nobody", "response": "accept"}), 404),
        (("responses", {"peer": "ana", "response": "accept"}), 422),
        (("responses", {"peer": "cem", "response": "decline"}), 409),
        (("responses", {"peer": "ben", "response": "perhaps"}), 422),
        (("reports", {"peer": "ana", "reason": "spam"}), 422),
        (("reports", {"peer": "ben", "reason": "dull"}), 422),
    ],
)
def test_a_refusal_is_kept(two: Kith, what: Any, status: int) -> None:
    two.post_profile("cem")
    two.call("PUT", "/v1/profiles/ana/connections/cem", {})
    before = {name: rows for name, rows in rows_of(two).items() if name != "kept_answers"}

    first = post(two, what)

    problem(first, status)
    assert {name: rows for name, rows in rows_of(two).items() if name != "kept_answers"} == before
    two.post_profile("nobody")
    two.call("DELETE", "/v1/profiles/ana/connections/cem")
    again = post(two, what)
    assert (again.status_code, again.data) == (status, first.data)


def test_a_peer_who_comes_and_goes_can_be_answered_once_more(two: Kith) -> None:
    """The refusal was about an id: when its member is erased, it goes too."""
    unknown = ("responses", {"peer": "cem", "response": "accept"})
    problem(post(two, unknown), 404)
    two.post_profile("cem")
    problem(post(two, unknown), 404)
    two.call("DELETE", "/v1/profiles/cem")
    two.post_profile("cem")

    assert post(two, unknown).json == {"state": "pending"}


def test_another_body_or_member_with_the_key_is_422(two: Kith) -> None:
    post(two, RESPONSE)
    before = rows_of(two)

    for what, who in ((("responses", {"peer": "ben", "response": "later"}), "ana"), (REPORT, "ana")):
        assert list(errors(post(two, what, who=who))) == ["Idempotency-Key"]
    assert list(errors(post(two, ("responses", {"peer": "ana", "response": "accept"}), who="ben"))) == [
        "Idempotency-Key"
    ]
    assert rows_of(two) == before


@pytest.mark.parametrize("erased", ["ana", "ben"])
def test_erasing_either_deletes_what_is_kept_about_the_two(two: Kith, erased: str) -> None:
    two.post_profile("cem")
    for place, what in enumerate(BOTH):
        assert post(two, what, f"about-{place}").status_code < 300
    other = ("responses", {"peer": "cem", "response": "decline"})
    about_cem = post(two, other, "of-others", who={"ana": "ben", "ben": "ana"}[erased])
    assert len(kept(two)) == 3

    assert two.call("DELETE", f"/v1/profiles/{erased}").status_code == 204

    left = kept(two)
    assert len(left) == 1
    assert about_cem.text in left[0]
    assert not any(word in line for line in left for word in (erased, "Sells things."))


def test_what_is_kept_is_about_codes_not_ids(two: Kith) -> None:
    post(two, RESPONSE)

    here = select(communities.c.number).where(communities.c.id == two.community).scalar_subquery()
    with two.database.read() as connection:
        codes = (
            connection.execute(select(profiles.c.code).where(profiles.c.community == here)).scalars().all()
        )
        columns = select(kept_answers.c.about, kept_answers.c.about_peer)
        about = connection.execute(columns.where(kept_answers.c.community == here)).one()
    assert sorted(about) == sorted(codes)
    assert all(len(code) == 32 for code in codes)


def test_a_report_about_somebody_erased_does_not_bring_their_id_back(two: Kith) -> None:
    two.call("DELETE", "/v1/profiles/ben")

    filed = post(two, ("reports", {"peer": "ben", "reason": "spam"}))

    assert filed.status_code == 201
    assert two.get("/v1/reports")["items"][0]["peer"] is None
    assert "ben" not in " ".join(line for rows in rows_of(two).values() for line in rows)


def test_it_is_kept_for_a_day(two: Kith, clock: TestClock) -> None:
    first = post(two, REPORT)
    clock.forward(hours=23.99)
    assert post(two, REPORT).data == first.data

    clock.forward(hours=5)

    assert post(two, REPORT).json["id"] != first.json["id"]


# ---------------------------------------------------------------- at once


@pytest.fixture
def processes(module_url: str, two: Kith) -> Iterator[list[Kith]]:
    """Two processes' worth of Kith on one database."""
    with Kith.open(module_url, like=two) as elsewhere:
        yield [two, elsewhere]


@pytest.mark.parametrize("what", BOTH, ids=["response", "report"])
def test_a_hundred_calls_at_once_make_one_row_and_one_change(processes: list[Kith], what: Any) -> None:
    one = processes[0]
    before = number(one)

    def call(turn: int) -> Any:
        process = processes[turn % len(processes)]
        return post(replace(process, client=process.client.application.test_client()), what)

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(call, range(CALLS)))

    assert len({(answer.status_code, answer.data) for answer in answers}) == 1
    assert answers[0].status_code in {200, 201}
    assert number(one) == before + 1
    rows = rows_of(one)
    assert len(rows["pairs"]) == 1
    assert len(rows["reports"]) == (what is REPORT)
    assert len(rows["kept_answers"]) == 1


def test_two_accepts_at_once_connect_once(processes: list[Kith]) -> None:
    one = processes[0]
    before = number(one)
    sides = [("ana", "ben"), ("ben", "ana")]

    def call(turn: int) -> Any:
        who, peer = sides[turn % 2]
        process = processes[turn // 2 % 2]
        alone = replace(process, client=process.client.application.test_client())
        return post(alone, ("responses", {"peer": peer, "response": "accept"}), f"by-{who}", who)

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(call, range(CALLS)))

    states = [{answer.json["state"] for answer in answers[side::2]} for side in range(2)]
    assert sorted(states, key=str) == [{"connected"}, {"pending"}]
    assert number(one) == before + 2
    assert one.get("/v1/profiles/ana/connections")["items"][0]["times_met"] == 0
    assert len(rows_of(one)["pairs"]) == 1


def test_a_refusal_that_quotes_a_member_goes_with_them(kith: Kith) -> None:
    body = {"id": "mara", "name": "Mara", "attributes": {"quux": 5}}
    refused = kith.call("POST", "/v1/profiles", body, Idempotency_Key="quoted")
    assert refused.status_code == 422
    assert any("quux" in row for row in kept(kith))
    kith.post_profile("mara")

    assert kith.call("DELETE", "/v1/profiles/mara").status_code == 204

    assert kept(kith) == []
