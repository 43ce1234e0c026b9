"""Refits: one new generation, kept once, refused where worse, and begun when there is enough to learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matching import Matcher, Profile, TermModel, learning
from matching.learning import Feedback, Learnt
from matching.ranking import member_code
from service.errors import LeaseLost
from service.records import Community, Pair, Side
from service.storage import jobs, models
from service.storage.communities import find_by_number
from service.storage.jobs import Job, find_job, lease
from service.storage.loaded import LoadedCommunities
from service.storage.models import load_model
from service.storage.numbers import NumberedPrices
from service.usecases import feedback
from service.usecases.feedback import REFIT, label_of
from service.usecases.jobs import JobContext
from service.usecases.refits import refit, refit_now
from service.worker import work_once
from tests.harness import Kith, peers
from tests.jobs import number_of, writing
from tests.tenants import TestClock

HERE = {"lat": 52.52, "lon": 13.405}


@pytest.fixture
def town(kith: Kith) -> Kith:
    """Four who could all meet, in a community that has learnt already."""
    for name in ("ana", "ben", "cem", "dan"):
        kith.post_profile(name, location=HERE, interests=["chess"])
    refit_now(kith.database, number_of(kith))
    return kith


def community_of(kith: Kith) -> Community:
    with kith.database.read() as connection:
        found = find_by_number(connection, number_of(kith))
    assert found is not None
    return found


def queued(kith: Kith) -> Job | None:
    with kith.database.read() as connection:
        return find_job(connection, number_of(kith), REFIT)


def wait_of(kith: Kith) -> float:
    """Return the hours until the next refit."""
    found = queued(kith)
    assert found is not None
    assert found.run_at is not None
    with kith.database.read() as connection:
        return (found.run_at - kith.database.now(connection)) / 3_600_000


def connect(kith: Kith, member: str, peer: str) -> None:
    assert kith.call("PUT", f"/v1/profiles/{member}/connections/{peer}", {}).status_code == 200


def test_it_is_one_change_and_the_next_is_a_day_away(town: Kith, tmp_path: Path) -> None:
    before = community_of(town)
    town.call("PATCH", "/v1/profiles/ana", {"interests": ["go"]})
    refit_now(town.database, before.number)

    after = community_of(town)
    assert after.change_number == before.change_number + 2
    assert after.model > before.model
    assert 23.9 < wait_of(town) <= 24
    assert town.suggestions("ana")["cache"] == "miss"


def test_a_day_on_it_learns_again_unless_nothing_has_changed(
    town: Kith, tmp_path: Path, clock: TestClock
) -> None:
    before = community_of(town).model
    clock.forward(hours=24, seconds=1)
    work_once(town.database, town.cache, tmp_path / "erased.log")
    assert (community_of(town).model, 23.9 < wait_of(town) <= 24) == (before, True)

    connect(town, "ana", "ben")
    clock.forward(hours=24, seconds=1)
    work_once(town.database, town.cache, tmp_path / "erased.log")
    assert community_of(town).model > before


def test_who_lost_the_lease_keeps_nothing(town: Kith) -> None:
    connect(town, "ana", "ben")
    with writing(town) as opened:
        jobs.enqueue(opened, REFIT)
    held = lease(town.database, {REFIT})
    assert held is not None
    before = community_of(town)

    with pytest.raises(LeaseLost):
        refit(JobContext(town.database, town.cache), replace(held, lease="another"))

    assert community_of(town) == before


def test_a_model_that_does_worse_is_refused_and_its_figures_kept(
    town: Kith, monkeypatch: pytest.MonkeyPatch
) -> None:
    refit_now(town.database, number_of(town))
    kept = town.get("/v1/community/model")["figures"]
    seen: list[tuple[TermModel | None, int]] = []

    def worse(
        number: int,
        profiles: Sequence[Profile],
        told: Sequence[Feedback],
        *,
        before: TermModel | None = None,
        **_: Any,
    ) -> Learnt:
        seen.append((before, len(told)))
        return Learnt(TermModel(number, 0, {}), False, {"ndcg": 0.1, "of_nobody": float("nan")})

    monkeypatch.setattr(learning, "learn", worse)
    connect(town, "ana", "ben")
    town.call("PATCH", "/v1/profiles/ana", {"interests": ["go"]})
    before = town.get("/v1/community/model")
    assert refit_now(town.database, number_of(town)).accepted is False

    after = town.get("/v1/community/model")
    assert (after["figures"], after["refused"]) == (kept, {"ndcg": 0.1, "of_nobody": None})
    assert after["number"] > before["number"]
    assert (after["members"], after["feedback"]) == (4, {"learnt": 1, "since": 0})
    assert [(old is not None and old.members, told) for old, told in seen] == [(4, 1)]


def price(kith: Kith, prices: dict[str, float]) -> None:
    """Keep these prices with the community's model, as a new one."""
    numbers = _numbers(kith)
    with writing(kith) as opened:
        kept = load_model(opened.connection, opened.community.number, opened.community.model)
        known = np.array([numbers[one] for one in prices])
        priced = NumberedPrices(known, np.array(list(prices.values())))
        models.keep_model(opened, replace(kept, prices=priced))


def _numbers(kith: Kith) -> dict[str, int]:
    with kith.database.read() as connection:
        rows = connection.exec_driver_sql(
            f"SELECT id, number FROM profiles WHERE community = {number_of(kith)}"
        )
        return {row.id: row.number for row in rows}


def prices_given(kith: Kith, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the prices that a process which loads the community now gives to its matcher."""
    given: list[Any] = []
    original = Matcher.use

    def use(self: Matcher, model: Any, **named: Any) -> None:
        ids = {member_code(profile.id): profile.id for profile in self.index_.profiles()}
        prices = named["prices"]
        given.append({ids[code]: price for code, price in zip(prices.codes, prices.values, strict=True)})
        original(self, model, **named)

    with monkeypatch.context() as patched:
        patched.setattr(Matcher, "use", use)
        LoadedCommunities(kith.database).use(community_of(kith), len)
    return given[-1]


def test_prices_hold_for_those_who_were_there_and_for_no_other(
    town: Kith, monkeypatch: pytest.MonkeyPatch
) -> None:
    refit_now(town.database, number_of(town))
    with town.database.read() as connection:
        prices = load_model(connection, number_of(town), community_of(town).model).prices
        assert prices is not None
        assert sorted(prices.numbers) == sorted(_numbers(town).values())
    price(town, {"ana": 2.0, "ben": 1.5})
    ana = town.get("/v1/profiles/ana")
    town.call("DELETE", "/v1/profiles/ana")
    town.call("POST", "/v1/profiles", ana)

    assert prices_given(town, monkeypatch) == {"ben": 1.5}
    with writing(town) as opened:
        models.count_terms(opened)  # as an import does: what was learnt stays
    assert prices_given(town, monkeypatch) == {"ben": 1.5}
    assert town.get("/v1/community/model")["fitted_at"]


def test_who_came_back_is_priced_alike_in_every_process(town: Kith) -> None:
    more = [f"m{at}" for at in range(8)]
    for name in more:
        town.post_profile(name, location=HERE, interests=["chess"])
    price(town, {"ana": 3.0})
    lists = [peers(town.suggestions(name)) for name in ("ben", "cem", "dan", *more)]
    assert all("ana" not in peers[5:] for peers in lists)
    ana = town.get("/v1/profiles/ana")
    town.call("DELETE", "/v1/profiles/ana")
    town.call("POST", "/v1/profiles", ana)

    with Kith.open(town.database.engine.url.render_as_string(hide_password=False), "off", like=town) as fresh:
        for member in ("ana", "ben", "cem", "dan", *more):
            assert peers(town.suggestions(member)) == peers(fresh.suggestions(member))


def test_half_a_hundred_answers_are_enough(town: Kith, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "ENOUGH", 3)
    refit_now(town.database, number_of(town))
    assert wait_of(town) > 23
    for peer in ("ben", "cem", "dan"):
        assert wait_of(town) > 23
        body = {"peer": peer, "response": "decline"}
        assert town.call("POST", "/v1/profiles/ana/responses", body).status_code == 200
        town.call("POST", "/v1/profiles/ana/responses", body)  # again is nothing new

    assert wait_of(town) <= 0
    assert community_of(town).feedback == 3


def test_of_what_was_learnt_from_a_tenth_has_to_be_new(town: Kith, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feedback, "ENOUGH", 0)
    with writing(town) as opened:
        opened.settle(replace(opened.community, learnt_feedback=20))
    connect(town, "ana", "ben")
    assert wait_of(town) > 23
    connect(town, "ana", "cem")
    assert wait_of(town) <= 0


def test_an_import_is_learnt_from_if_it_changed_a_tenth_and_there_are_many(
    town: Kith, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [{"id": f"m{number}", "name": "M", "location": HERE} for number in range(30)]
    town.import_profiles(*many)
    assert wait_of(town) > 23
    monkeypatch.setattr(feedback, "FEWEST_MEMBERS", 30)
    town.import_profiles(*({**one, "name": "L"} for one in many))
    assert wait_of(town) <= 0
    refit_now(town.database, number_of(town))
    with town.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM jobs")

    town.import_profiles(*({**one, "name": "N"} for one in many[:3]))
    assert queued(town) is None
    town.import_profiles(*({**one, "name": "O"} for one in many[:4]))
    assert wait_of(town) <= 0


def test_what_is_told_while_it_learns_is_still_to_be_learnt_from(
    town: Kith, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(town, "ana", "ben")
    original = learning.learn

    def interrupted(*arguments: Any, **named: Any) -> Learnt:
        connect(town, "ana", "cem")
        return original(*arguments, **named)

    monkeypatch.setattr(learning, "learn", interrupted)
    refit_now(town.database, number_of(town))
    assert (community_of(town).learnt_feedback, community_of(town).feedback) == (1, 1)


SIDE, ACCEPTS, DECLINES = Side(), Side("accept", 1), Side("decline", 1)


@pytest.mark.parametrize(
    ("pair", "label"),
    [
        (Pair("a", "b"), None),
        (Pair("a", "b", Side("later", 1), SIDE), None),
        (Pair("a", "b", ACCEPTS, SIDE), 0.5),
        (Pair("a", "b", SIDE, SIDE, since=1), 1),
        (Pair("a", "b", ACCEPTS, DECLINES), -1),
        (Pair("a", "b", SIDE, DECLINES), -1),
        (Pair("a", "b", ACCEPTS, Side(blocked_at=1)), -2),
        (Pair("a", "b", Side(outcome="again"), Side(outcome="unsafe")), -2),
        (Pair("a", "b", Side(outcome="met"), SIDE), 1),
        (Pair("a", "b", Side(outcome="no_show"), SIDE), None),
    ],
)
def test_every_pair_tells_the_same_from_either_side(pair: Pair, label: float | None) -> None:
    assert label_of(pair) == label_of(pair.turned()) == label


def test_nothing_kept_of_a_refit_names_a_member(town: Kith) -> None:
    connect(town, "ana", "ben")
    town.call("PUT", "/v1/profiles/ana", {"name": "Canary", "goals": ["canary goal"], "location": HERE})
    refit_now(town.database, number_of(town))
    with town.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT document, arrays, figures FROM models").all()
        told = "".join(str(row.document) + str(row.figures) + str(bytes(row.arrays)) for row in rows)
    assert rows
    assert not [word for word in ("ana", "canary", "ben") if word in told.lower()]
    assert peers(town.suggestions("cem"))
