"""Suggestions over HTTP: their shape, what narrows them, where they come from."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.harness import Kith, peers
from tests.problems import problem
from tests.resources.people import block, community_of, connect, respond
from tests.statements import statements_sent
from tests.tenants import TestClock

BERLIN = {"lat": 52.52, "lon": 13.405}
POTSDAM = {"lat": 52.39, "lon": 13.06}  # 27 km away
ITEM = {
    "peer", "score", "modes", "shared", "related", "distance", "slots", "reasons", "openers", "invited_me",
}  # fmt: skip
TUESDAY = {"timezone": "Europe/Berlin", "availability": [{"day": "tue", "from": "18:00", "to": "21:00"}]}


@pytest.fixture
def town(kith: Kith) -> Kith:
    """Ana with three others: near and alike, near, and far."""
    kith.post_profile(
        "ana",
        location=BERLIN,
        interests=["Hiking", "chess"],
        goals=["learn Spanish"],
        languages=["de"],
        **TUESDAY,
    )
    late = {"timezone": "Europe/Berlin", "availability": [{"day": "tue", "from": "18:30", "to": "20:00"}]}
    kith.post_profile(
        "ben", location=BERLIN, interests=["hiking"], goals=["learn spanish"], languages=["de-AT"], **late
    )
    kith.post_profile("cem", location=BERLIN, interests=["chess"])
    kith.post_profile("dot", location=POTSDAM, interests=["hiking", "chess"])
    return kith


def test_an_answer_has_the_shape_of_the_contract(town: Kith) -> None:
    answer = town.suggestions("ana")

    assert set(answer) == {"cache", "as_of", "items", "shortfall"}
    assert answer["cache"] == "miss"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", answer["as_of"])
    assert peers(answer) == ["ben", "cem"]
    ben = answer["items"][0]
    assert set(ben) == ITEM
    assert ben["peer"] == {"id": "ben", "name": "Ben"}
    assert ben["shared"] == {"interests": ["Hiking"], "activities": [], "goals": ["learn Spanish"]}
    assert (ben["modes"], ben["distance"]) == (["in_person"], {"from_km": 0, "to_km": 2})
    assert ben["slots"] == [{"day": "tue", "from": "18:30", "to": "20:00"}]
    assert ben["invited_me"] is False
    assert 1 <= len(ben["openers"]) <= 3
    assert "You both like hiking" in [reason.replace("Hiking", "hiking") for reason in ben["reasons"]]


def test_the_best_come_first_and_the_score_is_the_same_from_either_side(town: Kith) -> None:
    items = town.suggestions("ana")["items"]

    scores = [item["score"] for item in items]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    mirrored = {item["peer"]["id"]: item["score"] for item in town.suggestions("ben")["items"]}
    assert mirrored["ana"] == scores[0]


def test_the_shared_terms_are_spelt_as_the_asker_spells_them(town: Kith) -> None:
    items = {item["peer"]["id"]: item for item in town.suggestions("ben")["items"]}

    assert items["ana"]["shared"]["interests"] == ["hiking"]


def test_two_answers_are_equal_but_for_where_and_when(town: Kith) -> None:
    first, second = town.suggestions("ana"), town.suggestions("ana")

    assert (first.pop("cache"), second.pop("cache")) == ("miss", "hit")
    assert first.pop("as_of") <= second.pop("as_of")
    assert first == second


def test_another_question_is_another_answer(town: Kith) -> None:
    town.suggestions("ana")

    for query in ("?limit=5", "?radius_km=30", "?mode=in_person", "?facet=interests"):
        assert town.suggestions("ana", query)["cache"] == "miss"
        assert town.suggestions("ana", query)["cache"] == "hit"
    assert town.suggestions("ana", "?limit=10")["cache"] == "hit"


def test_one_statement_finds_all_that_a_question_needs_until_something_stands_between_people(
    town: Kith,
) -> None:
    def statements(member: str, query: str) -> int:
        town.suggestions(member)
        with statements_sent(town) as sent:
            assert town.suggestions(member, query)["cache"] == "miss"
        return len(sent)

    assert [statements(member, "?limit=9") for member in ("ana", "ben", "cem")] == [1, 1, 1]
    block(town, "ana", "ben")
    assert [statements(member, "?limit=8") for member in ("ana", "ben", "cem")] == [3, 3, 1]


def test_without_a_cache_it_says_off(module_url: str, town: Kith) -> None:
    expected = town.suggestions("ana")

    with Kith.open(module_url, "off", like=town) as bare:
        answers = [bare.suggestions("ana") for _ in range(2)]

    assert [answer["cache"] for answer in answers] == ["off", "off"]
    assert all(answer["items"] == expected["items"] for answer in answers)


def test_an_error_leaves_nothing_in_the_cache(kith: Kith) -> None:
    problem(kith.call("GET", "/v1/profiles/ana/suggestions"), 404)
    problem(kith.call("GET", "/v1/profiles/ana/suggestions?limit=0"), 422)

    kith.post_profile("ana")

    assert kith.suggestions("ana")["cache"] == "miss"


def test_a_failed_computation_leaves_nothing_in_the_cache(
    town: Kith, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("service.resources.suggestions.suggestions_wire", None)
        problem(town.call("GET", "/v1/profiles/ana/suggestions"), 500)

    assert town.suggestions("ana")["cache"] == "miss"


# ---------------------------------------------------------------- what narrows and widens


def test_a_limit_cuts_the_list_short(kith: Kith) -> None:
    for number in range(12):
        kith.post_profile(f"m{number:02}")

    whole = peers(kith.suggestions("m00", "?limit=100"))

    assert len(whole) == 11
    assert len(kith.suggestions("m00")["items"]) == 10
    for limit in (1, 5, 11):
        answer = kith.suggestions("m00", f"?limit={limit}")
        assert peers(answer) == whole[:limit]
        assert answer["shortfall"] is None


def test_a_radius_replaces_the_members_own_but_not_the_peers(town: Kith) -> None:
    assert peers(town.suggestions("ana", "?radius_km=100")) == ["ben", "cem"]

    town.call("PATCH", "/v1/profiles/dot", {"radius_km": 50})

    assert set(peers(town.suggestions("ana", "?radius_km=30"))) == {"ben", "cem", "dot"}
    assert "dot" not in peers(town.suggestions("ana"))
    assert "dot" not in peers(town.suggestions("ana", "?radius_km=20.5"))
    assert town.get("/v1/profiles/ana")["radius_km"] == 25


def test_a_mode_narrows(kith: Kith) -> None:
    both = {"location": BERLIN, "modes": ["in_person", "online"]}
    kith.post_profile("ana", **both)
    kith.post_profile("near", location=BERLIN)
    kith.post_profile("remote")

    assert set(peers(kith.suggestions("ana"))) == {"near", "remote"}
    assert peers(kith.suggestions("ana", "?mode=in_person")) == ["near"]
    assert peers(kith.suggestions("ana", "?mode=online")) == ["remote"]
    assert kith.suggestions("ana", "?mode=online")["items"][0]["distance"] is None


def test_a_facet_scores_and_orders_by_itself_alone(town: Kith) -> None:
    alone = town.suggestions("ana", "?facet=goals")

    assert peers(alone)[0] == "ben"
    assert alone["items"][0]["score"] > 0.5
    assert alone["items"][1]["score"] == 0


# ---------------------------------------------------------------- who is never suggested, who gets nothing


@pytest.mark.parametrize("change", [{"status": "paused"}, {"capacity": 0}])
def test_who_is_paused_or_has_no_room_is_never_suggested(town: Kith, change: dict[str, Any]) -> None:
    town.call("PATCH", "/v1/profiles/ben", change)
    assert peers(town.suggestions("ana")) == ["cem"]

    town.call("PATCH", "/v1/profiles/ben", dict.fromkeys(change))
    assert peers(town.suggestions("ana")) == ["ben", "cem"]


def test_who_has_no_room_still_gets_suggestions(town: Kith) -> None:
    town.call("PATCH", "/v1/profiles/ana", {"capacity": 0})

    assert peers(town.suggestions("ana")) == ["ben", "cem"]


def test_what_the_asker_changes_shows_at_once_though_nobody_sees_them(town: Kith) -> None:
    town.call("PATCH", "/v1/profiles/ana", {"capacity": 0})
    assert town.suggestions("ana")["items"][0]["shared"]["goals"] == ["learn Spanish"]

    town.call("PATCH", "/v1/profiles/ana", {"goals": None})

    assert town.suggestions("ana")["items"][0]["shared"]["goals"] == []


def test_who_is_paused_gets_the_reason_alone(town: Kith) -> None:
    town.call("PATCH", "/v1/profiles/ana", {"status": "paused"})

    answer = town.suggestions("ana", "?limit=7")

    assert answer["items"] == []
    assert answer["shortfall"] == {"missing": 7, "reasons": ["paused"], "relax": [], "support": None}


@pytest.mark.parametrize(
    ("change", "reason", "relaxed"),
    [
        ({"location": POTSDAM}, "too_far", "radius_km"),
        ({"modes": ["online"]}, "no_shared_mode", "modes"),
        ({"languages": ["fr"]}, "no_shared_language", "languages"),
        ({"seeks": {"role": ["mentor"]}}, "not_sought", None),
        ({"timezone": "Europe/Berlin", "availability": [{"day": "wed", "from": "06:00", "to": "08:00"}]},
         "no_shared_slot", "availability"),
    ],
)  # fmt: skip
def test_each_hard_constraint_holds_and_is_named(
    town: Kith, change: dict[str, Any], reason: str, relaxed: str | None
) -> None:
    town.call("PATCH", "/v1/profiles/ben", change | {"radius_km": 50})
    town.call("DELETE", "/v1/profiles/dot")

    answer = town.suggestions("ana")

    assert peers(answer) == ["cem"]
    assert answer["shortfall"]["missing"] == 9
    assert answer["shortfall"]["reasons"] == [reason]
    assert answer["shortfall"]["relax"] == ([relaxed] if relaxed else [])


def test_seeks_hold_both_ways(town: Kith) -> None:
    town.call("PATCH", "/v1/profiles/ana", {"seeks": {"role": ["mentor"]}})
    assert town.suggestions("ana")["shortfall"]["relax"] == ["seeks"]
    assert peers(town.suggestions("ben")) == ["cem"]

    town.call("PATCH", "/v1/profiles/ben", {"attributes": {"role": "mentor"}})

    assert peers(town.suggestions("ana")) == ["ben"]


def test_without_a_location_nobody_is_met_in_person(town: Kith) -> None:
    town.call("PATCH", "/v1/profiles/ana", {"location": None})

    answer = town.suggestions("ana")

    assert answer["items"] == []
    assert answer["shortfall"]["reasons"] == ["no_location"]


def test_members_meet_only_where_what_separates_them_is_equal(town: Kith) -> None:
    town.call("PATCH", "/v1/profiles/ben", {"attributes": {"school": "north"}})
    town.call("PATCH", "/v1/community", {"separate_by": ["school"]})
    assert peers(town.suggestions("ana")) == ["cem"]
    assert peers(town.suggestions("ben")) == []

    town.call("PATCH", "/v1/profiles/ana", {"attributes": {"school": "north"}})

    assert peers(town.suggestions("ana")) == ["ben"]


def test_the_communitys_support_is_named_where_there_is_too_little(town: Kith) -> None:
    assert town.suggestions("ana")["shortfall"]["support"] is None

    town.call("PATCH", "/v1/community", {"support_text": "Write to us: hallo@example.org"})

    assert town.suggestions("ana")["shortfall"]["support"] == "Write to us: hallo@example.org"
    assert town.suggestions("ana", "?limit=2")["shortfall"] is None


def test_nothing_in_common_is_no_obstacle_and_comes_last(kith: Kith) -> None:
    kith.post_profile("ana", interests=["hiking"])
    kith.post_profile("blank")
    kith.post_profile("alike", interests=["hiking"])

    items = kith.suggestions("ana")["items"]

    assert [item["peer"]["id"] for item in items] == ["alike", "blank"]
    assert items[1]["score"] < items[0]["score"]
    assert items[1]["openers"]


def test_tomorrow_is_another_answer(town: Kith, clock: TestClock) -> None:
    today = town.suggestions("ana")

    clock.forward(hours=24)

    tomorrow = town.suggestions("ana")
    assert tomorrow["cache"] == "miss"
    assert tomorrow["as_of"][:10] > today["as_of"][:10]


# ---------------------------------------------------------------- what stands between people


def test_whom_a_member_dealt_with_leaves_no_gap(kith: Kith) -> None:
    community_of(kith, "ana", *(f"m{number}" for number in range(12)))
    whole = peers(kith.suggestions("ana", "?limit=100"))
    respond(kith, "ana", whole[0], "accept")
    respond(kith, "ana", whole[2], "decline")
    respond(kith, whole[3], "ana", "decline")
    respond(kith, whole[5], "ana", "later")
    connect(kith, "ana", whole[6])
    block(kith, whole[8], "ana")
    left = [whole[place] for place in (1, 4, 7, 9, 10, 11)]

    assert peers(kith.suggestions("ana", "?limit=100")) == left
    for limit in (1, 4, 6):
        answer = kith.suggestions("ana", f"?limit={limit}")
        assert (peers(answer), answer["shortfall"]) == (left[:limit], None)
    assert kith.suggestions("ana", "?limit=7")["shortfall"]["missing"] == 1


def test_the_score_is_unmoved_by_who_knows_and_invites_whom(kith: Kith) -> None:
    community_of(kith, "ana", "cem", "dan", "eve", capacity=1)
    kith.post_profile("ben", interests=["hiking", "chess"], capacity=1)
    before = {item["peer"]["id"]: item["score"] for item in kith.suggestions("ana")["items"]}
    assert len(set(before.values())) == 2

    connect(kith, "ben", "cem")
    connect(kith, "cem", "dan")
    connect(kith, "eve", "ana")
    respond(kith, "ben", "ana", "accept")

    after = {item["peer"]["id"]: item["score"] for item in kith.suggestions("ana")["items"]}
    assert after == {peer: score for peer, score in before.items() if peer != "eve"}


def test_who_invited_a_member_is_shown_as_such_also_from_the_cache(kith: Kith) -> None:
    community_of(kith, "ana", "ben", "cem", capacity=1)
    plain = kith.suggestions("ana")["items"]

    respond(kith, "ben", "ana", "accept")

    invited = [kith.suggestions("ana") for _ in range(2)]
    assert [answer["cache"] for answer in invited] == ["miss", "hit"]
    for answer in invited:
        assert answer["items"] == [item | {"invited_me": item["peer"]["id"] == "ben"} for item in plain]


def test_blocked_declined_and_full_members_count_as_absent_in_a_shortfall(kith: Kith) -> None:
    community_of(kith, "ana", "blocked", "declined", "met", "busy", "other", capacity=1, languages=["fr"])
    kith.call("PATCH", "/v1/profiles/ana", {"languages": ["de"]})
    kith.call("PATCH", "/v1/profiles/other", {"languages": ["de"]})
    shortfall = kith.suggestions("ana")["shortfall"]
    assert (shortfall["reasons"], shortfall["relax"]) == (["no_shared_language"], ["languages"])

    block(kith, "blocked", "ana")
    respond(kith, "declined", "ana", "decline")
    connect(kith, "met", "ana")
    respond(kith, "busy", "other", "accept")

    shortfall = kith.suggestions("ana")["shortfall"]
    assert (shortfall["missing"], shortfall["reasons"], shortfall["relax"]) == (10, [], [])
