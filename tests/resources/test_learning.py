"""What a community learnt and how its members fare, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service.storage.packed import pack
from service.storage.tables import models
from service.usecases import stats as stats_module
from service.usecases import surveys
from service.usecases.refits import refit_now
from service.worker import work_once
from tests.harness import NDJSON, Kith, peers
from tests.jobs import number_of
from tests.problems import errors
from tests.tenants import neighbour, with_key

HERE = {"lat": 52.52, "lon": 13.405}
FAR = {"lat": -33.87, "lon": 151.21}
STATS = {
    "members", "with_suggestion", "connected", "never_suggested", "exposure_gini", "reply_rate",
    "meetups_held", "as_of",
}  # fmt: skip


@pytest.fixture
def town(kith: Kith) -> Kith:
    """Three in one place, and Sid alone in another."""
    for name, place in (("ana", HERE), ("ben", HERE), ("cem", HERE), ("sid", FAR)):
        kith.post_profile(name, location=place, modes=["in_person"], interests=["chess"])
    return kith


def say(kith: Kith, member: str, peer: str, response: str) -> None:
    body = {"peer": peer, "response": response}
    assert kith.call("POST", f"/v1/profiles/{member}/responses", body).status_code == 200


def connect(kith: Kith, member: str, peer: str) -> None:
    assert kith.call("PUT", f"/v1/profiles/{member}/connections/{peer}", {}).status_code == 200


def test_a_community_that_never_learnt_is_counted_when_asked(town: Kith) -> None:
    connect(town, "ana", "ben")

    found = town.get("/v1/community/stats")

    assert found.keys() == STATS
    assert (found["members"], found["with_suggestion"], found["never_suggested"]) == (4, 0.75, 0.25)
    assert (found["connected"], found["reply_rate"], found["meetups_held"]) == (0.5, 0, 0)
    assert 0 <= found["exposure_gini"] <= 1
    assert town.get("/v1/community/stats") == found  # counted once, with this model
    assert town.get("/v1/community/model")["fitted_at"] is None


def test_counting_changes_no_answer(town: Kith) -> None:
    town.suggestions("ana")
    town.get("/v1/community/stats")
    assert town.suggestions("ana")["cache"] == "hit"


def test_members_who_came_since_are_counted_in(town: Kith) -> None:
    assert town.get("/v1/community/stats")["members"] == 4
    town.post_profile("dan", location=FAR, modes=["in_person"])
    found = town.get("/v1/community/stats")
    assert (found["members"], found["with_suggestion"]) == (5, 1)


def test_a_large_community_is_counted_by_a_refit(
    town: Kith, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(stats_module, "MOST_COUNTED_AT_ONCE", 3)
    unknown = town.get("/v1/community/stats")
    assert (unknown["members"], unknown["as_of"], unknown["with_suggestion"]) == (4, None, None)
    work_once(town.database, town.cache, tmp_path / "erased.log")
    assert town.get("/v1/community/stats")["with_suggestion"] == 0.75


def test_the_reply_rate_is_of_introductions_that_were_opened(town: Kith) -> None:
    say(town, "ana", "ben", "accept")
    say(town, "ana", "cem", "accept")
    say(town, "cem", "ben", "accept")
    say(town, "ben", "ana", "accept")
    say(town, "ben", "cem", "later")
    say(town, "ana", "cem", "decline")  # her own word is no answer to it

    refit_now(town.database, number_of(town))

    assert town.get("/v1/community/stats")["reply_rate"] == pytest.approx(2 / 3, abs=1e-6)


def test_who_is_left_without_is_told_why_and_what_to_relax(town: Kith) -> None:
    town.post_profile("zoe", location=FAR, modes=["in_person"], languages=["fi"], status="paused")
    found = town.get("/v1/community/unserved")
    assert found == {"items": [item("sid", reasons=[], relax=[])]}

    town.call("PATCH", "/v1/profiles/ana", {"location": FAR, "languages": ["fi"]})
    town.call("PATCH", "/v1/profiles/sid", {"languages": ["de"]})
    refit_now(town.database, number_of(town))

    why = {"reasons": ["no_shared_language"], "relax": ["languages"]}
    assert town.get("/v1/community/unserved") == {"items": [item("ana", **why), item("sid", **why)]}


def item(profile: str, **rest: Any) -> dict[str, Any]:
    return {"profile": profile, "no_suggestion": True, "never_suggested": True} | rest


def test_the_erased_are_gone_from_the_unserved_at_once_and_those_who_come_back(town: Kith) -> None:
    assert [one["profile"] for one in town.get("/v1/community/unserved")["items"]] == ["sid"]
    sid = town.get("/v1/profiles/sid")
    for name in "xyz":  # so that one more or less is no reason to count again
        for number in range(10):
            town.post_profile(f"{name}{number}", location=HERE)
    town.get("/v1/community/stats")

    assert town.call("DELETE", "/v1/profiles/sid").status_code == 204
    assert town.get("/v1/community/unserved")["items"] == []
    town.call("POST", "/v1/profiles", sid)
    assert town.get("/v1/community/unserved")["items"] == []


def test_the_unserved_come_in_pages(kith: Kith) -> None:
    for number in range(5):
        kith.post_profile(f"m{number}", location={"lat": number * 10.0, "lon": 0.0}, modes=["in_person"])
    first = kith.get("/v1/community/unserved?limit=3")
    rest = kith.get(f"/v1/community/unserved?limit=3&cursor={first['next']}")
    assert [one["profile"] for one in first["items"] + rest["items"]] == [f"m{n}" for n in range(5)]
    assert "next" not in rest
    assert list(errors(kith.call("GET", "/v1/community/unserved?cursor=abc"))) == ["cursor"]


def test_the_model_says_what_it_was_fitted_to(town: Kith, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveys, "PAIRS_PER_PAGE", 1)
    connect(town, "ana", "ben")
    say(town, "cem", "ana", "decline")
    town.post_profile("eve")
    town.call("PUT", "/v1/profiles/ana/blocks/eve")
    town.call("DELETE", "/v1/profiles/eve")  # the block stays, but nothing is learnt from it
    before = town.get("/v1/community/model")
    assert before["feedback"] == {"learnt": 0, "since": 3}
    assert before["figures"] is before["refused"] is before["fitted_at"] is None

    refit_now(town.database, number_of(town))

    model = with_key(town, "read").get("/v1/community/model")
    assert model["feedback"] == {"learnt": 2, "since": 0}
    assert model["number"] > before["number"]
    assert (model["members"], model["terms"]) == (4, {"interests": 1, "activities": 0, "goals": 0})
    assert model["fitted_at"]
    assert isinstance(model["figures"], dict)
    assert model["refused"] is None
    assert model["facet_weights"] is None
    assert neighbour(town).get("/v1/community/model")["members"] == 0


def test_an_import_of_connections_is_learnt_from(town: Kith, tmp_path: Path) -> None:
    refit_now(town.database, number_of(town))
    line = b'{"a": "ana", "b": "ben"}\n'
    assert town.call("POST", "/v1/connections/import", line, Content_Type=NDJSON).json["created"] == 1

    work_once(town.database, town.cache, tmp_path / "erased.log")

    assert town.get("/v1/community/model")["feedback"] == {"learnt": 1, "since": 0}
    assert town.get("/v1/community/stats")["connected"] == 0.5


def _cut(blob: bytes) -> dict[str, Any]:
    return {"arrays": blob[: len(blob) // 2]}


def _without_prices(_: bytes) -> dict[str, Any]:
    return {"arrays": pack({})}


def _no_json(_: bytes) -> dict[str, Any]:
    return {"document": "{"}


@pytest.mark.parametrize("damage", [_cut, _without_prices, _no_json])
def test_a_model_that_was_damaged_is_counted_anew(
    town: Kith, damage: Callable[[bytes], dict[str, Any]]
) -> None:
    refit_now(town.database, number_of(town))
    first = town.get("/v1/community/model")["number"]
    with town.database.write() as connection:
        here = models.c.community == number_of(town)
        blob = connection.execute(select(models.c.arrays).where(here)).scalars().first()
        assert blob is not None
        connection.execute(models.update().where(here).values(damage(blob)))

    assert set(peers(town.suggestions("ana"))) == {"ben", "cem"}
    assert town.get("/v1/community/model")["number"] > first
