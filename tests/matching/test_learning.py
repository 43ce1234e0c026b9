"""What a fit learns from answers, that few answers do no harm, and that a worse model is refused."""

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from matching import FACETS, Matcher, Place, Profile, TermModel, learning
from matching.corpus import Corpus
from matching.index import Prices
from matching.learning import Feedback, Learnt, learn
from matching.ranking import NEAR, member_code
from tests.matching.communities import answers, mood, two_tastes

EVERYBODY = two_tastes(440)
COMMUNITY, HELD_OUT = EVERYBODY[:400], EVERYBODY[400:]


@pytest.fixture(scope="module")
def taught() -> Learnt:
    return learn(5, COMMUNITY, answers(COMMUNITY, 2000, own=False))


def found(model: TermModel, *, own: bool) -> float:
    """Return which part of the ten best of members who never answered they would choose for their mood."""
    matcher = Matcher().fit(COMMUNITY, model=model)
    kinds = {profile.id: mood(profile) for profile in COMMUNITY}
    hits = [
        (kinds[item.id] == mood(asker)) == own
        for asker in HELD_OUT
        for item in matcher.suggest(asker, 10).items
    ]
    return float(np.mean(hits))


def test_from_an_index_the_same_is_learnt_as_from_its_profiles() -> None:
    members = sorted(two_tastes(60), key=lambda one: member_code(one.id))
    given = answers(members, 200, own=True)

    ours, theirs = learn(7, Matcher().fit(members).index_, given), learn(7, members, given)

    assert (ours.accepted, ours.figures) == (theirs.accepted, theirs.figures)
    assert ours.model.counts == theirs.model.counts
    assert (ours.model.fitted is None) == (theirs.model.fitted is None)


@pytest.mark.unmeasured  # all of it is reached elsewhere
@pytest.mark.parametrize("own", [True, False], ids=["alike", "unlike"])
def test_few_answers_never_harm_and_many_help(own: bool) -> None:
    curve = [
        found(learn(1, COMMUNITY, answers(COMMUNITY, number, own=own)).model, own=own)
        for number in (0, 10, 100, 1000)
    ]

    noise = 0.05  # two standard errors of 400 hits at most
    assert min(curve) >= curve[0] - noise
    assert curve[-1] > curve[0] + noise


@pytest.mark.unmeasured  # all of it is reached elsewhere
def test_what_was_declined_moves_down(taught: Learnt) -> None:
    unlearnt = learn(5, COMMUNITY).model

    declined = [1 - found(model, own=False) for model in (unlearnt, taught.model)]

    assert declined[0] > 0.5
    assert declined[1] < 0.1
    fitted = taught.model.fitted
    assert fitted is not None
    assert set(fitted.signs.tolist()) == {-1, 1}


def test_figures_say_what_was_learnt_and_from_what(taught: Learnt) -> None:
    figures, feedback = taught.figures, answers(COMMUNITY, 2000, own=False)

    assert taught.accepted
    assert taught.model.fitted is not None
    assert (figures["members"], figures["dimensions"]) == (400, taught.model.fitted.dimensions)
    assert figures["terms"] == sum(map(len, taught.model.counts.values()))
    assert figures["positive"] == sum(one.label > 0 for one in feedback)
    assert figures["negative"] == sum(one.label < 0 for one in feedback)
    assert figures["weight_taught"] in learning.STEPS[0][1]
    assert figures["ndcg_before"] is None
    assert isinstance(figures["ndcg"], float)
    assert isinstance(figures["ndcg_unlearnt"], float)
    assert figures["ndcg"] > figures["ndcg_unlearnt"]


def test_the_same_community_teaches_the_same_to_the_last_bit(taught: Learnt) -> None:
    again = learn(5, COMMUNITY, answers(COMMUNITY, 2000, own=False))

    assert again.model.as_dict() == taught.model.as_dict()
    assert {name: array.tobytes() for name, array in again.model.arrays().items()} == {
        name: array.tobytes() for name, array in taught.model.arrays().items()
    }


def test_a_model_that_serves_the_judges_worse_is_refused(
    taught: Learnt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "STEPS", ())  # nothing can be learnt
    grown = [*COMMUNITY, Profile("new", "N", interests=("coffee",))]

    refused = learn(6, grown, answers(COMMUNITY, 2000, own=False), before=taught.model)

    assert not refused.accepted
    assert refused.model.fitted is taught.model.fitted
    assert refused.model == taught.model.recounted(6, [{f: p.terms(f) for f in FACETS} for p in grown])
    before, after = refused.figures["ndcg_before"], refused.figures["ndcg"]
    assert isinstance(before, float)
    assert isinstance(after, float)
    assert before > after


def test_a_model_that_does_no_worse_replaces_the_one_before(taught: Learnt) -> None:
    again = learn(6, COMMUNITY, answers(COMMUNITY, 2000, own=False), before=taught.model)

    assert again.accepted
    assert again.model.number == 6
    assert again.figures["ndcg_before"] == pytest.approx(again.figures["ndcg"], abs=0.02)


def test_there_is_nothing_to_compare_with_a_model_that_was_only_counted() -> None:
    learnt = learn(6, COMMUNITY, answers(COMMUNITY, 100, own=True), before=TermModel.of(1, COMMUNITY))

    assert learnt.accepted
    assert learnt.figures["ndcg_before"] is None


def test_of_many_candidates_some_are_asked_and_all_who_were_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "CANDIDATES", 100)

    learnt = learn(5, COMMUNITY, answers(COMMUNITY, 2000, own=False))

    assert found(learnt.model, own=False) > 0.9


@pytest.mark.parametrize("members", [0, 1, 2, 60])
def test_a_small_community_has_weights_and_no_space(members: int) -> None:
    some = two_tastes(members)
    feedback = answers(some, 200, own=True) if members == 60 else ()

    learnt = learn(1, some, feedback)

    assert learnt.accepted
    assert learnt.model.fitted is not None
    assert learnt.model.fitted.dimensions == learnt.figures["dimensions"] == 0
    assert 0 < learnt.model.fitted.near < 10
    assert (learnt.model.fitted.near == NEAR) == (members < 3)
    matcher = Matcher().fit(some, model=learnt.model)
    assert all(0 <= item.score <= 1 for one in some for item in matcher.suggest(one).items)


def test_answers_of_who_is_gone_or_cannot_meet_teach_nothing() -> None:
    apart = [replace(one, place=Place.at(60, at % 8 * 20)) for at, one in enumerate(COMMUNITY)]
    pairs = [(one, other) for at, one in enumerate(apart[:300]) for other in (apart[at + 1], apart[at + 2])]
    feedback = [Feedback(one.id, other.id, 1.0) for one, other in pairs]
    gone = [Feedback("gone", "m1", 1.0), Feedback("m1", "gone", -1.0)]

    learnt = learn(1, apart, [*feedback, *gone])

    assert learnt.figures["positive"] == 600
    assert learnt.figures["negative"] == 0
    assert learnt.figures["ndcg"] is None
    assert learnt.figures["weight_taught"] == 0


def test_progress_goes_from_the_start_to_the_end() -> None:
    told: list[float] = []

    learn(1, COMMUNITY, answers(COMMUNITY, 400, own=True), progress=told.append)

    assert told == sorted(told)
    assert told[0] < 0.2
    assert told[-1] == 1
    assert len(told) > len(learning.STEPS)


def asked(matcher: Matcher, members: Sequence[Profile]) -> list[object]:
    return [matcher.suggest(member, acquainted={"m7": 2, "m9": 1}) for member in members]


@pytest.mark.unmeasured  # all of it is reached elsewhere
def test_a_learnt_matcher_answers_alike_whatever_came_in_which_order(taught: Learnt) -> None:
    prices = {f"m{number}": number % 3 / 10 for number in range(0, 400, 5)}
    settled = Matcher().fit(COMMUNITY, model=taught.model, prices=prices)
    shuffled = random.Random(1).sample(COMMUNITY, 400)

    other = Matcher().fit(shuffled, model=taught.model, prices=prices)
    grown = Matcher().fit(COMMUNITY[:50])
    for member in shuffled[:100]:
        grown.update(replace(member, interests=("passing fancy",)))
    grown.use(taught.model, prices=prices)
    for member in HELD_OUT:
        grown.update(member)
    grown.update(*shuffled)
    for member in HELD_OUT:
        grown.remove(member.id)
    grown.use(taught.model, prices=prices)  # who came later had none

    expected = asked(settled, EVERYBODY[::20])
    assert asked(other, EVERYBODY[::20]) == expected
    assert asked(grown, EVERYBODY[::20]) == expected
    grown.compact()
    assert asked(grown, EVERYBODY[::20]) == expected
    grown.use(TermModel.of(9, COMMUNITY), prices=None, facet_weights={"goals": 2.0})
    assert asked(grown, EVERYBODY[::20]) != expected
    grown.use(taught.model, prices=prices, facet_weights=None)
    assert asked(grown, EVERYBODY[::20]) == expected


def test_the_longest_point_is_that_of_a_member(taught: Learnt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learning, "_AT_ONCE", 150)
    again = learn(5, COMMUNITY, answers(COMMUNITY, 2000, own=False))
    for model in (taught.model, again.model):
        assert model.fitted is not None
        free = replace(model, fitted=replace(model.fitted, longest=np.inf))
        lengths = Matcher().fit(COMMUNITY, model=free).index_.points()[1]
        assert model.fitted.longest == pytest.approx(lengths.max(), abs=1e-4)


def test_stated_weights_place_members_anew(taught: Learnt) -> None:
    matcher = Matcher().fit(COMMUNITY, model=taught.model)

    matcher.use(taught.model, facet_weights={"goals": 3.0})

    fresh = Matcher(facet_weights={"goals": 3.0}).fit(COMMUNITY, model=taught.model)
    assert asked(matcher, HELD_OUT[:5]) == asked(fresh, HELD_OUT[:5])
    plain = Matcher().fit(COMMUNITY, model=taught.model)
    assert asked(matcher, HELD_OUT[:5]) != asked(plain, HELD_OUT[:5])


def test_few_and_many_asked_for_are_multiplied_alike(taught: Learnt) -> None:
    marked = [
        replace(one, attributes={"role": "x"}) if at % 4 == 0 else one for at, one in enumerate(COMMUNITY)
    ]
    matcher = Matcher().fit(marked, model=taught.model)
    narrow = replace(marked[0], seeks={"role": ("x",)})

    few = {item.id: item.score for item in matcher.suggest(narrow, 400).items}
    many = {item.id: item.score for item in matcher.suggest(marked[0], 400).items}

    assert len(few) == 99
    assert few == {one: many[one] for one in few}


def test_rivals_are_the_first_few_and_the_best_under_other_prices_than_their_own() -> None:
    plain = Matcher().fit(COMMUNITY)
    dear = Matcher().fit(COMMUNITY, model=plain.model_, prices={one.id: 9.0 for one in COMMUNITY[::2]})
    everybody = [item.id for item in plain.suggest(HELD_OUT[0], 400).items]
    charged = np.zeros(dear.index_.rows)
    charged[dear.index_.row(everybody[-1])] = -(2.0**30)

    rows, values, codes = dear.rivals(HELD_OUT[0], 20, prices=Prices.of(charged), exclude=[everybody[0]])
    all_rows, _, _ = dear.rivals(HELD_OUT[0], 500, prices=Prices.of(charged))
    few, _, _ = dear.rivals(HELD_OUT[0], 1, prices=Prices.of(charged))

    found = {dear.index_.profile(row).id for row in rows}
    assert everybody[-1] in found
    assert found - {everybody[-1]} <= set(everybody[1:40])
    order = np.lexsort((codes, -values))
    assert [dear.index_.profile(rows[at]).id for at in order[:4]] == everybody[1:5]
    assert {dear.index_.profile(row).id for row in few} == {everybody[0], everybody[-1]}
    assert len(all_rows) == 400


def test_a_facet_of_more_terms_weighs_more_before_anything_was_learnt() -> None:
    fitted = learn(1, COMMUNITY).model.fitted

    assert fitted is not None
    interests, _, goals = fitted.facets.tolist()
    specific = Corpus.of(TermModel.of(1, COMMUNITY), COMMUNITY).specificity()
    assert interests / goals == pytest.approx(specific["interests"] / specific["goals"])
    assert interests > 1.3 * goals


def test_a_model_that_has_learnt_nothing_is_judged_as_what_has_learnt_nothing() -> None:
    unlearnt = learn(4, COMMUNITY).model

    figures = learn(5, COMMUNITY, answers(COMMUNITY, 2000, own=True), before=unlearnt).figures

    assert figures["ndcg_before"] == pytest.approx(figures["ndcg_unlearnt"], abs=1e-3)
    assert figures["weight_interests"] != 1
