"""Reports over HTTP: they block at once, reach the admins alone, and outlive who was reported as a hash."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

import pytest
from sqlalchemy import select

from service.storage.tables import metadata, reports
from tests.harness import Kith
from tests.problems import errors, problem
from tests.resources.people import (
    TIME,
    block,
    community_of,
    connect,
    erase,
    line,
    listed,
    nobody_there,
    open_introductions,
    reading,
    report,
    respond,
    seen,
    unblock,
)
from tests.tenants import TestClock, neighbour, with_key
from tests.tenants import sqlite_first_url as module_url

__all__ = ["module_url"]

PATH = "/v1/profiles/ana/reports"
SHOWN = {"id", "profile", "peer", "peer_hash", "reason", "detail", "state", "created_at"}
REASONS = ("harassment", "spam", "unsafe", "underage", "other")


@pytest.fixture
def four(kith: Kith, clock: TestClock) -> Kith:
    """Four members, each suggested to the other three."""
    return community_of(kith, "ana", "ben", "cem", "dan")


def filed(kith: Kith, query: str = "?limit=100") -> Any:
    """Return the community's reports."""
    return kith.get(f"/v1/reports{query}")["items"]


def resolve(kith: Kith, report_id: str, state: str = "resolved", **headers: str) -> Any:
    return kith.call("PATCH", f"/v1/reports/{report_id}", {"state": state}, **headers)


# ---------------------------------------------------------------- filing


@pytest.mark.parametrize("reason", REASONS)
def test_a_report_reaches_the_admins_as_it_was_filed(four: Kith, reason: str) -> None:
    answer = report(four, "ana", "ben", reason, detail="Wrote to me every night.")

    assert set(answer) == SHOWN | {"support"}
    assert (answer["profile"], answer["peer"], answer["reason"]) == ("ana", "ben", reason)
    assert (answer["detail"], answer["state"]) == ("Wrote to me every night.", "open")
    assert TIME.fullmatch(answer["created_at"])
    del answer["support"]
    assert filed(four) == [answer]


def test_a_report_blocks_at_once_both_ways(four: Kith) -> None:
    connect(four, "ana", "ben")
    respond(four, "cem", "ana", "accept")
    for me in ("ana", "cem"):
        four.suggestions(me)

    report(four, "ana", "ben")
    report(four, "ana", "cem")

    assert listed(four, "ana", "blocks") == ["ben", "cem"]
    assert set(seen(four, "ana")) == {"dan"}
    assert set(seen(four, "ben")) == {"cem", "dan"}
    assert [listed(four, me, "connections") for me in ("ana", "ben")] == [[], []]
    assert listed(four, "ana", "invitations") == []
    assert set(open_introductions(four).values()) == {0}
    nobody_there(four, "ben", "ana")


def test_taking_the_block_back_leaves_the_report(four: Kith) -> None:
    report(four, "ana", "ben")

    unblock(four, "ana", "ben")

    assert seen(four, "ana")["ben"] is False
    assert len(filed(four)) == 1


def test_every_report_counts_and_the_first_block_stays(four: Kith, clock: TestClock) -> None:
    block(four, "ana", "ben")
    before = four.get("/v1/profiles/ana/blocks")
    clock.forward(hours=1)

    made = [report(four, "ana", "ben", reason)["id"] for reason in ("spam", "unsafe", "spam")]

    assert len(set(made)) == 3
    assert len(filed(four)) == 3
    assert four.get("/v1/profiles/ana/blocks") == before


def test_the_communitys_support_is_in_the_answer(four: Kith) -> None:
    assert report(four, "ana", "ben")["support"] is None
    four.call("PATCH", "/v1/community", {"support_text": "Talk to somebody: 0800 111 0 111"})

    assert report(four, "ana", "cem")["support"] == "Talk to somebody: 0800 111 0 111"
    assert all("support" not in item for item in filed(four))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"peer": "ana", "reason": "spam"}, "peer"),
        ({"reason": "spam"}, "peer"),
        ({"peer": "no id", "reason": "spam"}, "peer"),
        ({"peer": "ben"}, "reason"),
        ({"peer": "ben", "reason": "boring"}, "reason"),
        ({"peer": "ben", "reason": None}, "reason"),
        ({"peer": "ben", "reason": "spam", "detail": "x" * 2001}, "detail"),
        ({"peer": "ben", "reason": "spam", "detail": ["x"]}, "detail"),
        ({"peer": "ben", "reason": "spam", "severity": 5}, "severity"),
    ],
)
def test_a_wrong_report_names_its_field_and_blocks_nobody(four: Kith, body: Any, field: str) -> None:
    assert set(errors(four.call("POST", PATH, body))) == {field}
    assert filed(four) == []
    assert listed(four, "ana", "blocks") == []


def test_only_members_report_but_anybody_may_be_reported(four: Kith) -> None:
    problem(four.call("POST", "/v1/profiles/never-was/reports", {"peer": "ana", "reason": "spam"}), 404)

    assert report(four, "ana", "stranger")["peer"] == "stranger"

    assert filed(four)[0]["peer"] == "stranger"
    assert listed(four, "ana", "blocks") == ["stranger"]
    four.post_profile("stranger")
    assert "ana" not in seen(four, "stranger")


def test_a_report_sent_again_under_its_key_is_one_report(four: Kith) -> None:
    body = {"peer": "ben", "reason": "spam"}
    first, again = (four.call("POST", PATH, body, Idempotency_Key="k") for _ in range(2))

    assert (first.status_code, again.status_code, first.data) == (201, 201, again.data)
    assert len(filed(four)) == 1


# ---------------------------------------------------------------- for the admins


def test_only_admins_read_and_resolve(four: Kith) -> None:
    writer = with_key(four, "write")
    made = report(writer, "ana", "ben")["id"]

    for key in (with_key(four, "read"), writer):
        problem(key.call("GET", "/v1/reports"), 403)
        problem(resolve(key, made), 403)
    assert resolve(four, made).status_code == 200
    problem(with_key(four, "read").call("POST", PATH, {"peer": "ben", "reason": "spam"}), 403)


def test_a_report_is_resolved_and_opened_again(four: Kith) -> None:
    made = report(four, "ana", "ben", detail="Rude.")
    report(four, "cem", "ben")
    del made["support"]

    resolved = resolve(four, made["id"])

    assert resolved.json == made | {"state": "resolved"}
    assert [item["state"] for item in filed(four)] == ["resolved", "open"]
    assert "ben" not in seen(four, "ana")
    tag = resolved.headers["ETag"]
    opened = resolve(four, made["id"], "open", If_Match=tag)
    assert (opened.status_code, opened.json) == (200, made)
    problem(resolve(four, made["id"], "resolved", If_Match=tag), 412)
    assert filed(four)[0] == made


@pytest.mark.parametrize("body", [{}, {"state": "closed"}, {"state": None}, {"state": "open", "note": "x"}])
def test_a_report_has_two_states_and_nothing_else_to_change(four: Kith, body: Any) -> None:
    made = report(four, "ana", "ben")["id"]

    errors(four.call("PATCH", f"/v1/reports/{made}", body))

    assert filed(four)[0]["state"] == "open"


def test_what_was_read_can_be_written_back(four: Kith) -> None:
    report(four, "ana", "ben", detail="Rude.")
    (item,) = filed(four)

    forged = item | {"state": "resolved", "detail": "Nice.", "peer": "cem", "profile": "dan"}
    changed = four.call("PATCH", f"/v1/reports/{item['id']}", forged)

    assert changed.json == item | {"state": "resolved"}


def test_unknown_reports_and_those_of_others_do_not_exist(four: Kith) -> None:
    made = report(four, "ana", "ben")["id"]
    other = community_of(neighbour(four), "ana", "ben")

    theirs = problem(resolve(other, made), 404)
    assert problem(resolve(other, "rep_" + "0" * 24), 404) == theirs
    problem(resolve(four, "rep_1"), 404)
    assert filed(other) == []
    assert filed(four)[0]["state"] == "open"


def test_reports_are_listed_oldest_first_in_pages(four: Kith, clock: TestClock) -> None:
    made = []
    for me, peer in (("cem", "dan"), ("ana", "dan"), ("ben", "dan"), ("ana", "cem"), ("dan", "x")):
        made.append(report(four, me, peer)["id"])
        clock.forward(seconds=1)
    walked, query = [], "?limit=2"
    while True:
        answer = four.get(f"/v1/reports{query}")
        walked.append([item["id"] for item in answer["items"]])
        if "next" not in answer:
            break
        query = f"?limit=2&cursor={answer['next']}"

    assert [len(page) for page in walked] == [2, 2, 1]
    assert list(chain(*walked)) == made


# ---------------------------------------------------------------- outliving


def test_a_report_outlives_the_reported_as_hash_reason_and_time(four: Kith) -> None:
    before = [report(four, me, "ben", "harassment", detail="Ben wrote daily.") for me in ("ana", "cem")]
    other = report(four, "dan", "cem")

    erase(four, "ben")

    after = filed(four)
    assert len({item["peer_hash"] for item in after[:2]}) == 1
    assert after[0]["peer_hash"] not in {other["peer_hash"], "ben", ""}
    for was, item in zip(before, after, strict=False):
        assert (item["peer"], item["detail"]) == (None, None)
        assert (item["profile"], item["reason"], item["state"]) == (was["profile"], "harassment", "open")
        assert (item["created_at"], item["peer_hash"]) == (was["created_at"], was["peer_hash"])
    assert (after[2]["peer"], after[2]["peer_hash"]) == ("cem", other["peer_hash"])
    assert resolve(four, after[0]["id"]).json["state"] == "resolved"


def test_reports_about_one_who_came_back_carry_the_same_hash(four: Kith) -> None:
    first = report(four, "ana", "ben", detail="Before.")
    erase(four, "ben")
    second = report(four, "cem", "ben", detail="While away.")
    four.import_profiles({"id": "ben", "name": "Ben again"})
    third = report(four, "dan", "ben", detail="After.")

    assert {first["peer_hash"], second["peer_hash"], third["peer_hash"]} == {filed(four)[0]["peer_hash"]}
    assert [item["detail"] for item in filed(four)] == [None, "While away.", "After."]
    assert (second["peer"], third["peer"]) == (None, "ben")
    other = community_of(neighbour(four), "ana", "ben")
    assert report(other, "ana", "ben")["peer_hash"] != first["peer_hash"]


def test_what_a_reporter_wrote_goes_with_them(four: Kith) -> None:
    made = report(four, "ana", "ben", "unsafe", detail="He followed me home, says Ana.")
    erase(four, "ana")

    (item,) = filed(four)

    assert (item["profile"], item["detail"]) == (None, None)
    assert (item["peer"], item["reason"], item["created_at"]) == ("ben", "unsafe", made["created_at"])
    four.import_profiles({"id": "ana", "name": "Ana again"})
    assert filed(four) == [item]
    assert four.get("/v1/profiles/ana/export")["reports"] == []


def test_a_reported_stranger_is_forgotten_with_their_erasure(four: Kith) -> None:
    report(four, "ana", "stranger", detail="Spoke ill.")
    four.post_profile("stranger")
    erase(four, "stranger")

    assert (filed(four)[0]["peer"], filed(four)[0]["detail"]) == (None, None)
    assert listed(four, "ana", "blocks") == []


def test_the_reported_one_can_not_tell_a_report_from_a_block(kith: Kith, clock: TestClock) -> None:
    transcripts = []
    for here in (kith, neighbour(kith)):
        clock.reset()
        community_of(here, "ana", "ben", "cem")
        if here is kith:
            report(here, "ana", "ben", "harassment", detail="A long story.")
        else:
            block(here, "ana", "ben")
        body = {"peer": "ana", "response": "accept"}
        lines = [line(here, "POST", "/v1/profiles/ben/responses", body)]
        transcripts.append([*lines, *reading(here, "ben")])

    assert transcripts[0] == transcripts[1]
    assert "A long story." not in "".join(transcripts[0])


# ---------------------------------------------------------------- nothing is classified


def test_what_members_write_is_kept_as_written_and_never_labelled(four: Kith) -> None:
    """No column of any table but those that a platform or a member filled says anything of a person."""
    wrote = "I feel so lonely and can't go on. He is a Nazi, she is gay, they are depressed."
    bio = {"interests": ["depression", "church", "queer film"], "goals": ["feel less lonely"]}
    four.call("PATCH", "/v1/profiles/ana", bio)
    other = community_of(neighbour(four), "ana", "ben", "cem", "dan")

    kept = []
    for here, detail in ((four, wrote), (other, "x")):
        answer = report(here, "ana", "ben", "other", detail=detail)
        with here.database.read() as connection:
            row = connection.execute(select(reports).where(reports.c.id == answer["id"])).one()
        kept.append({name: text for name, text in row._mapping.items() if name not in UNALIKE})

    assert kept[0] == kept[1]
    assert filed(four)[0]["detail"] == wrote
    columns = [column for table in metadata.tables.values() for column in table.columns]
    # The one score is that of a group of a draft, which says how well its members fit each other.
    words = {column.name for column in columns if str(column) != "round_groups.score"}
    assert not words & {"label", "labels", "category", "sentiment", "risk", "score", "tags", "mood", "class"}
    shown = json.dumps(four.get("/v1/profiles/ana/export"))
    for name in ("risk", "label", "sentiment", "category"):
        assert name not in shown


UNALIKE = {"id", "community", "profile_code", "peer_code", "detail", "created_at"}
