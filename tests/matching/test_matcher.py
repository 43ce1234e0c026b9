"""What a matcher promises beyond the judge: symmetry, one answer whatever the history, words, refusals."""

import dataclasses
import random
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching import Matcher, Place, Profile, Slot, TermModel
from tests.matching import strategies

HERE = Place.at(52.52, 13.405)
ANA = Profile(
    "ana",
    "Ana",
    interests=("Hiking", "board games"),
    activities=("trail running",),
    place=HERE,
    timezone="Europe/Berlin",
    availability=(Slot(1, 1080, 1260),),
)
BEN = Profile(
    "ben",
    "Ben",
    interests=("HIKING",),
    activities=("Jogging",),
    place=Place.at(52.5, 13.45),
    modes=frozenset({"in_person", "online"}),
    timezone="Europe/Berlin",
    availability=(Slot(1, 1110, 1200),),
)


def test_a_suggestion_says_all_that_the_contract_shows() -> None:
    (item,) = Matcher().fit([ANA, BEN]).suggest(ANA, n=1).items

    assert (item.id, item.name, item.modes, item.distance) == ("ben", "Ben", ("in_person",), (2, 5))
    assert item.shared == {"interests": ("Hiking",), "activities": (), "goals": ()}
    assert item.related == (("trail running", "Jogging"),)
    assert item.slots == (Slot(1, 1110, 1200),)
    assert item.reasons == (
        "You both like Hiking",
        "Your trail running and their Jogging go together",
        "You are 2 to 5 km apart",
        "You are both free on Tuesday evening",
    )
    assert 0 < item.score < 1
    assert len(item.openers) == 2


def test_the_peers_spelling_is_theirs_in_related_terms_only() -> None:
    (item,) = Matcher().fit([ANA, BEN]).suggest(BEN, n=1).items

    assert item.shared["interests"] == ("HIKING",)
    assert item.related == (("Jogging", "trail running"),)


def test_shared_and_related_terms_come_heaviest_first() -> None:
    crowd = [
        Profile(f"m{number}", "M", interests=("hiking", "chess")[: 1 + number % 2]) for number in range(20)
    ]
    one = Profile("one", "O", interests=("hiking", "jogging", "zither", "cafes", "chess"))
    other = Profile("other", "O", interests=("chess", "zither", "hiking", "espresso", "parkrun", "running"))

    matcher = Matcher().fit([*crowd, one, other])

    item = next(item for item in matcher.suggest(one, 50).items if item.id == "other")
    assert item.shared["interests"] == ("zither", "chess", "hiking")
    assert item.reasons[:3] == ("You both like zither", "You both like chess", "You both like hiking")
    assert set(item.related) == {("cafes", "espresso"), ("jogging", "running")}


def test_the_heavier_of_two_kindred_terms_is_named() -> None:
    crowd = [Profile(f"m{number}", "M", interests=("jogging",)) for number in range(20)]
    one = Profile("one", "O", interests=("running",))
    other = Profile("x", "X", interests=("parkrun", "jogging"))

    matcher = Matcher().fit([*crowd, one, other])

    item = next(item for item in matcher.suggest(one, 50).items if item.id == "x")
    assert item.related == (("running", "parkrun"),)


def test_a_shared_term_needs_no_kin() -> None:
    one = Profile("one", "O", interests=("hiking", "chess"))

    matcher = Matcher().fit([one, Profile("other", "X", interests=("hiking", "trekking"))])

    assert matcher.suggest(one).items[0].related == ()


def test_two_kinds_of_one_broad_concept_are_not_named() -> None:
    one = Profile("one", "O", interests=("running",))

    matcher = Matcher().fit([one, Profile("other", "X", interests=("snowshoeing", "jogging"))])

    assert matcher.suggest(one).items[0].related == (("running", "jogging"),)


def test_another_model_weighs_everybody_anew() -> None:
    one = Profile("one", "O", interests=("opera", "zither"))
    peers = [Profile("a", "A", interests=("opera",)), Profile("b", "B", interests=("zither",))]
    matcher = Matcher().fit([one, *peers])

    for common, first in (("opera", "b"), ("zither", "a")):
        matcher.use(TermModel(1, 100, {"interests": {common: 90}, "activities": {}, "goals": {}}))
        assert matcher.suggest(one).items[0].id == first


def test_another_model_names_other_related_terms() -> None:
    one = Profile("one", "O", interests=("running",))
    matcher = Matcher().fit([one, Profile("x", "X", interests=("parkrun", "jogging"))])

    for common, named in (("parkrun", "jogging"), ("jogging", "parkrun")):
        matcher.use(TermModel(1, 100, {"interests": {common: 90}, "activities": {}, "goals": {}}))
        assert matcher.suggest(one).items[0].related == (("running", named),)


def test_a_facet_narrows_the_score_to_itself() -> None:
    one = Profile("one", "O", interests=("chess",), goals=("learn German",))
    alike = Profile("alike", "A", interests=("chess",), goals=("retire",))
    other = Profile("other", "O", interests=("opera",), goals=("learn German",))
    matcher = Matcher().fit([one, alike, other])

    by_goal = matcher.suggest(one, facet="goals").items

    assert [item.id for item in by_goal] == ["other", "alike"]
    assert by_goal[0].score > 0.5
    assert by_goal[1].score == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(strategies.profiles, max_size=8), strategies.facet_weights)
def test_the_score_is_symmetric_and_within_bounds(members: list[Profile], weights: Any) -> None:
    matcher = Matcher(facet_weights=weights).fit(members)

    present = {member.id: member for member in members}.values()
    scores = {(one.id, item.id): item for one in present for item in matcher.suggest(one, 20).items}
    for (one, other), item in scores.items():
        assert 0 <= item.score <= 1
        if (other, one) in scores:
            back = scores[other, one]
            assert (back.score, back.modes, back.distance) == (item.score, item.modes, item.distance)
            shared = [{facet: len(terms) for facet, terms in one.shared.items()} for one in (item, back)]
            assert shared[0] == shared[1]


@settings(max_examples=40, deadline=None)
@given(
    strategies.populations, strategies.populations, strategies.questions, st.randoms(use_true_random=False)
)
def test_the_answer_is_the_same_whatever_came_in_which_order(
    members: list[Profile], passing: list[Profile], asked: Any, chance: random.Random
) -> None:
    latest = {member.id: member for member in members}
    model = TermModel.of(3, latest.values())
    settled = Matcher().fit(latest.values(), model=model)

    churned = Matcher().fit(passing)
    churned.use(model)
    for profile in passing:
        churned.remove(profile.id)
    for profile in chance.sample(list(latest.values()), len(latest)):
        churned.update(dataclasses.replace(profile, interests=("passing fancy",)))
        churned.update(profile)

    for member in latest.values():
        answers = [
            matcher.suggest(member, asked.n, on=asked.on, radius_km=asked.radius_km, facet=asked.facet)
            for matcher in (settled, churned)
        ]
        assert answers[0] == answers[1]


def test_ties_turn_with_the_model_and_hold_within_it() -> None:
    crowd = [Profile(f"m{number}", "M", interests=("chess",)) for number in range(200)]
    matcher = Matcher().fit(crowd)

    def first(number: int) -> list[str]:
        matcher.use(TermModel(number, 200, {}))
        return [item.id for item in matcher.suggest(crowd[0], 20).items]

    assert first(1) == first(1)
    assert len(set(first(1)) & set(first(2))) < 15


def test_alike_members_are_spread_over_each_others_lists() -> None:
    crowd = [Profile(f"m{number}", "M", interests=("chess",)) for number in range(100)]
    matcher = Matcher().fit(crowd)

    seen = {item.id for member in crowd for item in matcher.suggest(member, 5).items}

    assert len(seen) > 95


def test_the_week_asked_about_decides_the_slots() -> None:
    night = dataclasses.replace(
        ANA, availability=(Slot(6, 120, 180),)
    )  # in the hour that is skipped in spring
    matcher = Matcher().fit([night, dataclasses.replace(BEN, availability=())])

    assert matcher.suggest(night, on=date(2026, 3, 23)).items == ()
    assert matcher.suggest(night, on=date(2026, 3, 30)).items[0].slots == (Slot(6, 120, 180),)


def test_a_paused_member_gets_only_the_reason() -> None:
    answer = Matcher().fit([ANA, BEN]).suggest(dataclasses.replace(ANA, paused=True), 4)

    assert answer.items == ()
    assert answer.shortfall is not None
    assert (answer.shortfall.missing, answer.shortfall.reasons, answer.shortfall.relax) == (
        4,
        ("paused",),
        (),
    )


def test_a_paused_member_is_in_nobodys_list() -> None:
    assert Matcher().fit([ANA, dataclasses.replace(BEN, paused=True)]).suggest(ANA).items == ()


def test_a_full_member_is_suggested_only_to_whom_they_invited() -> None:
    matcher = Matcher().fit([ANA, dataclasses.replace(BEN, full=True)])

    assert matcher.suggest(ANA).items == ()
    assert matcher.suggest(ANA, invited_by=["cem"]).items == ()
    assert [item.id for item in matcher.suggest(ANA, invited_by=["cem", "ben"]).items] == ["ben"]


def test_a_full_member_counts_as_absent() -> None:
    far = dataclasses.replace(BEN, place=Place.at(52.6, 13.9), modes=None, radius_km=100.0)

    shortfalls = [
        Matcher().fit([dataclasses.replace(far, full=full)]).suggest(ANA).shortfall for full in (False, True)
    ]

    assert [shortfall and shortfall.reasons for shortfall in shortfalls] == [("too_far",), ()]


@pytest.mark.parametrize("hidden", [{"suggestible": False}, {"paused": True}, {"languages": ("fr",)}])
def test_an_invitation_lifts_nothing_but_being_full(hidden: dict[str, Any]) -> None:
    ana = dataclasses.replace(ANA, languages=("de",))
    matcher = Matcher().fit([ana, dataclasses.replace(BEN, full=True, **hidden)])

    assert matcher.suggest(ana, invited_by=["ben"]).items == ()


def test_an_excluded_member_is_not_brought_back_by_their_invitation() -> None:
    matcher = Matcher().fit([ANA, dataclasses.replace(BEN, full=True)])

    assert matcher.suggest(ANA, exclude=["ben"], invited_by=["ben"]).items == ()


def test_a_full_member_gets_suggestions() -> None:
    assert [item.id for item in Matcher().fit([BEN]).suggest(dataclasses.replace(ANA, full=True)).items] == [
        "ben"
    ]


def test_who_asks_need_not_be_in_and_is_never_suggested_to_themself() -> None:
    matcher = Matcher().fit([BEN])

    assert [item.id for item in matcher.suggest(ANA).items] == ["ben"]
    assert matcher.suggest(dataclasses.replace(ANA, id="ben")).items == ()


def test_many_updates_at_once_are_as_good_as_one_by_one() -> None:
    members = [
        dataclasses.replace(BEN, id=f"m{number}", goals=(f"goal {number % 3}",)) for number in range(20)
    ]
    members.append(dataclasses.replace(members[0], goals=("the last wins",)))
    matchers = [Matcher().fit([ANA]), Matcher().fit([ANA])]
    for matcher in matchers:
        matcher.complete("", None, 1)

    matchers[0].update(*members)
    for member in members:
        matchers[1].update(member)

    assert matchers[0].suggest(ANA, 100) == matchers[1].suggest(ANA, 100)
    assert matchers[0].complete("", None, 100) == matchers[1].complete("", None, 100)


def test_what_use_is_not_told_stays() -> None:
    matcher = Matcher(facet_weights={"goals": 2.0}, separate_by=("role",)).fit([ANA, BEN])

    matcher.use(TermModel(9, 2, {}))

    assert matcher.get_params() == {"facet_weights": {"goals": 2.0}, "separate_by": ("role",)}
    assert matcher.model_.number == 9
    matcher.use(matcher.model_, facet_weights=None, separate_by=())
    assert matcher.get_params() == {"facet_weights": None, "separate_by": ()}


def test_a_refused_weight_leaves_everything_as_it_was() -> None:
    matcher = Matcher().fit([ANA, BEN])

    with pytest.raises(ValueError, match="expected a weight"):
        matcher.use(TermModel(9, 2, {}), facet_weights={"goals": -1.0})

    assert matcher.model_.number == 0
    assert matcher.facet_weights is None


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n": 0}, "expected to be asked for at least 1"),
        ({"radius_km": 0.0}, "expected a radius"),
        ({"radius_km": 201.0}, "expected a radius"),
        ({"mode": "by_mail"}, "expected a mode"),
        ({"facet": "hobbies"}, "expected a facet"),
    ],
)
def test_a_wrong_question_is_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Matcher().fit([ANA, BEN]).suggest(ANA, **wrong)


def test_completions_of_an_unknown_facet_are_refused() -> None:
    with pytest.raises(ValueError, match="expected a facet"):
        Matcher().fit([ANA]).complete("a", "hobbies", 3)


def test_an_unfitted_matcher_is_empty() -> None:
    assert len(Matcher()) == 0
    assert "ana" not in Matcher()
    assert "ana" in Matcher().fit([ANA])
