"""Quality on real communities, in short; `./dev bench quality` does it on all four of them."""

from __future__ import annotations

import pytest

from benchmarks.baseline import Baseline, _baseline
from benchmarks.market import ORDERS, Market, balanced, one_way, play
from benchmarks.quality import paired
from benchmarks.sets import SetsMissingError, folder_of
from matching import Matcher
from matching.comparison import Fitted
from matching.evaluation import Estimate, Trial, judge
from service.evaluation.run import read_trial


def trial_of(name: str, queries: int) -> Trial:
    try:
        return read_trial(folder_of(name), queries)
    except SetsMissingError as reason:
        pytest.skip(str(reason))


def test_townspeople_find_more_friends_than_by_plain_cosine_and_more_once_connections_are_learnt() -> None:
    everybody = trial_of("nashville_meetup", 1)
    trial = Trial(everybody.profiles[::3], everybody.friends, 60)
    fitted = Fitted.to(trial)

    plain = trial.plain(rarity=False).ndcg_10.mean()
    cold, learnt = (
        trial.suggested(Matcher().fit(trial.profiles, model=model), served=False).ndcg_10.mean()
        for model in fitted.named().values()
    )

    assert cold >= plain
    assert learnt >= cold


def test_in_a_small_market_balanced_lists_serve_more_than_everybodys_favourites() -> None:
    market = Market.made(200, seed=1)

    favourites, served = (play(market, order(market)) for order in (one_way, balanced))

    assert set(ORDERS.values()) >= {one_way, balanced}
    assert served.matched > favourites.matched
    assert served.never_invited < favourites.never_invited


def test_methods_of_the_baseline_are_told_apart_by_their_means() -> None:
    lines = [{"method": "worse", "nDCG@10": 0.1}, {"method": "LEARNT better", "nDCG@10": 0.4}]
    judged = [("q1", 0.5), ("q1", 0.2), ("q2", 0.3), ("q2", 0.0)]

    baseline = _baseline(lines, judged)

    assert baseline.ndcg_10 == {"worse": {"q1": 0.2, "q2": 0.0}, "LEARNT better": {"q1": 0.5, "q2": 0.3}}
    assert (baseline.best(learnt=True), baseline.best(learnt=False)) == ("LEARNT better", "worse")
    assert isinstance(baseline, Baseline)


def test_methods_are_paired_over_whom_both_were_asked_about() -> None:
    trial = Trial([], {}, 0)
    trial.relevant = {"q1": frozenset("a"), "q2": frozenset("a"), "q3": frozenset("a")}
    ours = judge([(["a"], {"a"}), (["x"], {"a"}), (["a"], {"a"})])

    assert paired(trial, ours, {"q1": 0.5, "q3": 0.5}) == (2.0, Estimate(0.5, 0.0))
