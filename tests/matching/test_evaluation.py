from __future__ import annotations

import numpy as np
import pytest

from matching import Matcher, Profile
from matching.comparison import CURVE, Fitted, learning_curve, methods
from matching.evaluation import Estimate, Trial, judge, ndcg, ordered, recall, trains
from matching.exposure import balance
from matching.learning import learn
from matching.plain import PlainCosine

from .circles import circles


@pytest.fixture(scope="module")
def trial() -> Trial:
    return Trial(*circles(), queries=30)


def test_gain_falls_with_the_place_and_is_whole_where_all_stand_first() -> None:
    assert ndcg(["a", "b", "x"], {"a", "b"}) == 1
    assert ndcg(["x", "a"], {"a"}) == pytest.approx(1 / np.log2(3))
    assert ndcg(["x", "y"], {"a"}) == 0
    assert ndcg([*"xyzuvwrst", "a", "b"], {"a", "b"}) == pytest.approx(1 / np.log2(11) / (1 + 1 / np.log2(3)))
    assert ndcg([], {"a"}) == 0


def test_recall_is_of_whom_there_was_to_find() -> None:
    assert recall(["a", "x", "b"], {"a", "b", "c", "d"}, 3) == 0.5
    found = judge([(["a"], {"a"}), (["x"], {"a"})])
    assert found.recall_10.tolist() == [1, 0]
    assert found.estimates()["recall_100"] == Estimate(0.5, float(0.5 / np.sqrt(2)))


def test_nobody_asked_about_trains_and_all_feedback_is_from_the_half_that_does(trial: Trial) -> None:
    assert len(trial.relevant) == 30
    assert not any(trains(one) for one in trial.relevant)
    assert trial.feedback
    assert all(trains(one.one) and trains(one.other) for one in trial.feedback)
    assert len({(one.one, one.other) for one in trial.feedback}) == len(trial.feedback)
    assert list(trial.asking(5).relevant) == list(trial.relevant)[:5]


def test_friends_out_of_reach_are_not_to_be_found() -> None:
    here = Profile("n1", "n1", modes=frozenset(["online"]))
    there = Profile("n2", "n2", modes=frozenset(["in_person"]))
    both = {"n1": {"n2"}, "n2": {"n1"}}

    assert Trial([here, there], both, 10).relevant == {}


@pytest.mark.unmeasured  # all of it is reached elsewhere
def test_the_order_that_is_judged_is_the_one_that_members_are_suggested(trial: Trial) -> None:
    matcher = Matcher().fit(trial.profiles, model=learn(1, trial.profiles).model)
    matcher.use(matcher.model_, prices=balance(matcher).prices)
    asker, others = trial.profiles[0], [one.id for one in trial.profiles[1:40]]
    met = {"c3-1": 1, "c4-1": 2}

    plain = [item.id for item in matcher.suggest(asker, 25).items]
    told = [item.id for item in matcher.suggest(asker, 25, exclude=others, acquainted=met).items]

    assert ordered(matcher, asker, 25) == plain
    assert ordered(matcher, asker, 25, exclude=others, acquainted=met) == told
    assert told[:2] == ["c4-1", "c3-1"]


def test_an_unfitted_model_is_judged_too(trial: Trial) -> None:
    assert len(ordered(Matcher().fit(trial.profiles), trial.profiles[0], served=True)) == 10


def test_plain_cosine_weighs_rare_terms_only_where_it_is_told_to() -> None:
    some = [
        Profile("a", "a", interests=("tea", "go")),
        Profile("b", "b", interests=("Tea", "x")),
        Profile("c", "c", interests=("go", "y")),
        *(Profile(f"d{at}", "d", interests=("tea",)) for at in range(5)),
    ]
    alike, rare = (PlainCosine(some, rarity=rarity).values(0) for rarity in (False, True))

    assert alike[1] == pytest.approx(alike[2])
    assert rare[2] > rare[1]


@pytest.mark.unmeasured  # all of it is reached elsewhere
def test_every_method_is_measured_and_all_find_the_circles(trial: Trial) -> None:
    fitted = Fitted.to(trial)
    found = {method.name: method for method in methods(trial, fitted)}
    curve = dict(learning_curve(trial, fitted))

    kith = ["kith cold", "kith cold, as served", "kith learnt", "kith learnt, as served"]
    assert list(found) == ["binary cosine", "tf-idf cosine", *kith]
    assert all(method.found.estimates()["ndcg_10"].mean > 0.9 for method in found.values())
    assert all((found[name].exposure is not None) is (name in kith) for name in found)
    assert list(curve) == [0, *(count for count in CURVE if count < len(trial.feedback)), len(trial.feedback)]
    assert curve[0].mean == found["kith cold"].found.ndcg_10.mean()
