"""Prices bring everybody onto some list, and few onto all."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from matching import Matcher, Profile, TermModel, exposure
from matching.auction import gini
from matching.exposure import balance, figures
from matching.latent import Fitted
from matching.ranking import member_code


def crowd() -> list[Profile]:
    """Return 12 whom everybody has two terms in common with, and 48 with whom they share one."""
    return [
        Profile(f"m{at}", "M", interests=("chess", "go") if at < 12 else ("chess", f"own {at}"))
        for at in range(60)
    ]


def matcher_of(members: list[Profile]) -> Matcher:
    model = replace(TermModel.of(1, members), fitted=Fitted.flat(0.3, 0.2))
    return Matcher().fit(members, model=model)


def test_everybody_who_is_not_away_has_a_price_and_a_list() -> None:
    matcher = matcher_of([*crowd(), Profile("away", "A", paused=True)])
    told: list[float] = []
    priced = balance(matcher, progress=told.append)

    after = figures(priced.lists)
    assert after.with_suggestion == 1
    assert "away" not in priced.prices
    assert told == sorted(told)
    assert told[-1] == 1
    by_code = dict(zip(priced.listed.codes.tolist(), priced.listed.values.tolist(), strict=True))
    assert by_code == {member_code(one): price for one, price in priced.prices.items()}


def test_who_is_excluded_is_on_no_list_of_that_member() -> None:
    members = crowd()[:12]
    exclude = {one.id: {"m0"} for one in members} | {"m0": {one.id for one in members}}

    priced = balance(matcher_of(members), exclude=exclude)

    assert priced.lists["m0"] == ()
    assert all("m0" not in peers for peers in priced.lists.values())


def test_hiding_who_is_paused_parts_nobody_else() -> None:
    members = crowd()[:12]
    members[5] = replace(members[5], paused=True)

    seen = balance(matcher_of(members))
    hidden = balance(matcher_of(members), exclude={"m1": {"m5"}, "m5": {"m1"}})

    assert hidden.lists == seen.lists
    assert "m11" in seen.lists["m0"]


def test_who_is_not_suggested_is_on_no_list() -> None:
    members = [replace(one, full=at == 0, suggestible=at != 1) for at, one in enumerate(crowd()[:12])]

    priced = balance(matcher_of(members))

    assert all(not {"m0", "m1"} & set(peers) for peers in priced.lists.values())
    assert len(priced.lists["m0"]) == 10


@pytest.mark.parametrize("members", [0, 1, 3])
def test_a_handful_has_prices_without_a_fit(members: int) -> None:
    priced = balance(Matcher().fit(crowd()[:members]))

    assert set(priced.prices.values()) <= {0.0}
    assert len(priced.lists) == members


def test_figures_count_members_and_lists() -> None:
    shown = figures({"a": ("b",), "b": ("a", "c"), "c": (), "d": ()})

    assert (shown.with_suggestion, shown.never_suggested) == (0.5, 0.25)
    assert figures({}).with_suggestion == 0
    assert gini(np.array([0, 0, 0, 4])) == 0.75
    assert gini(np.array([2, 2])) == gini(np.zeros(2)) == 0


def test_some_are_counted_by_their_own_lists() -> None:
    alone = Profile("alone", "A", attributes={"side": "other"})
    members = [*crowd()[:30], alone]
    priced = balance(Matcher(separate_by=("side",)).fit(members))
    some = np.array([one != "m0" for one in priced.lists])

    expected = figures({one: peers for one, peers in priced.lists.items() if one != "m0"})
    no_list, on_none = (dict(zip(priced.lists, of, strict=True)) for of in priced.unserved(some))

    shown = {peer for one, peers in priced.lists.items() if one != "m0" for peer in peers}
    unseen = set(priced.lists) - shown - {"m0"}  # who isn't asked for

    found = priced.figures(some)
    assert (found.with_suggestion, found.never_suggested) == (29 / 30, len(unseen) / 30)
    assert found.with_suggestion == expected.with_suggestion
    assert [one for one, left in no_list.items() if left] == ["alone"]
    assert {one for one, left in on_none.items() if left} == unseen >= {"alone"}


def hubs() -> list[Profile]:
    """Return 150 who share one term with others like them, and 12 who share two with each of them."""
    terms = [f"taste {at}" for at in range(20)]
    plain = [
        Profile(f"m{at}", "M", interests=two) for at, two in enumerate(list(combinations(terms, 2))[:150])
    ]
    return [*plain, *(Profile(f"hub{at}", "H", interests=tuple(terms)) for at in range(12))]


@pytest.mark.unmeasured  # all of it is reached elsewhere
@pytest.mark.parametrize("rotation", [0.1, 0.4])
def test_prices_bring_everybody_onto_a_list_and_make_exposure_fairer(rotation: float) -> None:
    members = hubs()
    model = replace(TermModel.of(1, members), fitted=Fitted.flat(0.3, rotation))
    matcher = Matcher().fit(members, model=model)

    def lists() -> dict[str, tuple[str, ...]]:
        return {one.id: tuple(peer.id for peer in matcher.suggest(one).items) for one in members}

    before = figures(lists())
    priced = balance(matcher)
    matcher.use(model, prices=priced.prices)
    after = figures(lists())

    assert before.never_suggested > 0.5
    assert after.never_suggested <= 0.01
    assert after.exposure_gini <= 0.5 * before.exposure_gini
    assert {one: set(peers) for one, peers in priced.lists.items()} == {
        one: set(peers) for one, peers in lists().items()
    }


def test_asking_once_finds_too_few_lists_to_come_onto(monkeypatch: pytest.MonkeyPatch) -> None:
    members = hubs()
    matcher = Matcher().fit(members, model=replace(TermModel.of(1, members), fitted=Fitted.flat(0.3, 0.4)))
    often = balance(matcher)
    monkeypatch.setattr(exposure, "TIMES", 1)

    once = balance(matcher)

    spreads = [max(one.prices.values()) - min(one.prices.values()) for one in (often, once)]
    assert spreads[1] > spreads[0] > 0
    assert once.lists.keys() == often.lists.keys()
