"""Terms of the same company: which pairs are clearly kin by who states them, and who is told so."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from matching import FACETS, Matcher, Profile, TermModel, company, normalise
from matching.company import EACH, FEWEST, pairs_in_company
from matching.latent import Fitted
from matching.learning import learn
from matching.model import RAREST

HOBBIES = {
    "climbing": ("bouldering hall", "chalk", "crash pad", "finger board", "slab routes", "belay glasses"),
    "brewing": ("mash tun", "wort chiller", "dry hopping", "cask ale", "carboy", "malt mill"),
    "riding": ("dressage", "tack room", "hay nets", "gymkhana", "farrier", "lunge rein"),
    "radio": ("morse key", "antenna tuner", "repeaters", "qsl cards", "shack", "balun"),
    "pottery": ("kiln", "raku", "slip glaze", "bisque", "throwing wheel", "wedging"),
    "rowing": ("ergometer", "sculls", "coxing", "regatta", "bow seat", "catch drills"),
    "bees": ("hive tool", "smoker", "swarm box", "brood frames", "extractor", "queen cage"),
    "trains": ("live steam", "branch line", "signal box", "turntable", "ballast", "narrow gauge"),
}
COMMON = ("coffee", "walks", "films")


def hobbyists(each: int = 40) -> list[Profile]:
    chance = np.random.default_rng(0)
    profiles = []
    for hobby, words in HOBBIES.items():
        for number in range(each):
            own = chance.choice(words, 3, replace=False).tolist()
            interests = (*own, str(chance.choice(COMMON)))
            profiles.append(Profile(f"{hobby}-{number}", hobby, interests=interests))
    return profiles


def member(name: str, *interests: str) -> Profile:
    return Profile(name, name, interests=interests)


@pytest.fixture(scope="module")
def model() -> TermModel:
    return learn(1, hobbyists()).model


def akin(model: TermModel, term: str) -> Mapping[str, float]:
    return model.akin("interests", term)


def test_terms_of_one_hobby_are_kin_and_no_others(model: TermModel) -> None:
    hobby_of = {normalise(word): hobby for hobby, words in HOBBIES.items() for word in words}

    named = {word: akin(model, word) for word in (*hobby_of, *map(normalise, COMMON))}

    assert {word for word in named if not named[word]} == set(map(normalise, COMMON))
    assert all(hobby_of[word] == hobby_of[other] for word in hobby_of for other in named[word])
    assert all(named[other][word] == named[word][other] for word in named for other in named[word])


def test_a_suggestion_names_what_keeps_the_same_company(model: TermModel) -> None:
    ana = member("ana", "Bouldering Hall", "coffee")
    others = [member("ben", "coffee", "chalk"), member("cem", "coffee", "carboy")]
    matcher = Matcher().fit([ana, *others], model=model)

    ben, cem = matcher.suggest(ana, 2).items

    assert (ben.id, ben.related) == ("ben", (("Bouldering Hall", "chalk"),))
    assert "Bouldering Hall" in " ".join(ben.reasons)
    assert (cem.id, cem.related) == ("cem", ())
    assert ben.score > cem.score
    assert matcher.suggest(others[0], 1).items[0].related == (("chalk", "Bouldering Hall"),)


def test_the_same_company_counts_less_than_the_same_term(model: TermModel) -> None:
    every = [close for word in HOBBIES["climbing"] for close in akin(model, normalise(word)).values()]
    assert 0 < max(every) < 1
    ana = member("ana", "chalk")
    others = [member("kin", "bouldering hall"), member("same", "chalk")]
    found = Matcher().fit([ana, *others], model=model).suggest(ana, 2).items
    assert [item.id for item in found] == ["same", "kin"]


def test_before_a_fit_no_company_is_known() -> None:
    counted = TermModel.of(1, hobbyists())
    assert akin(counted, "chalk") == {}
    assert akin(replace(counted, fitted=Fitted.flat(0.3, 0.2)), "chalk") == {}
    assert counted.weight("interests", "chalk") < RAREST**-0.25


def axes_of(*degrees: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    turned = np.radians(degrees)
    return np.column_stack([np.cos(turned), np.sin(turned)])


def test_pairs_are_those_in_nearly_one_direction_whatever_their_length() -> None:
    axes = axes_of(0, 90, 20, 200, 130, 95) * np.array([[1], [0.2], [9], [1], [1], [3]])
    assert pairs_in_company(axes, np.full(6, FEWEST)).tolist() == [[0, 2], [1, 5]]


def test_what_few_use_has_no_company() -> None:
    counts = np.array([FEWEST, FEWEST - 1, FEWEST])
    assert pairs_in_company(axes_of(0, 0, 0), counts).tolist() == [[0, 2]]
    assert pairs_in_company(axes_of(0, 0), np.array([1, 1])).shape == (0, 2)
    assert pairs_in_company(np.empty((0, 2)), np.empty(0, np.int64)).shape == (0, 2)


def test_of_each_term_only_the_closest_are_kept() -> None:
    axes = axes_of(*np.linspace(0, 20, 40))
    pairs = pairs_in_company(axes, np.full(40, FEWEST))
    ends = pairs[(pairs == 0).any(axis=1)]
    assert ends.tolist() == [[0, at] for at in range(1, EACH + 1)]
    assert len(pairs) <= 40 * EACH


def test_the_same_pairs_come_out_a_few_terms_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(3)
    axes, counts = chance.normal(size=(50, 3)), chance.integers(1, 30, 50)
    whole = pairs_in_company(axes, counts)
    monkeypatch.setattr(company, "_AT_ONCE", 7)
    assert len(whole) > 20
    assert pairs_in_company(axes, counts).tolist() == whole.tolist()


def test_where_terms_are_many_the_commonest_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(company, "_COMPARED", 2)
    counts = np.array([20, FEWEST, 30, 10])
    assert pairs_in_company(axes_of(0, 0, 0, 0), counts).tolist() == [[0, 2]]


def test_company_is_kept_with_the_model_and_a_model_from_before_has_none(model: TermModel) -> None:
    kept, arrays = model.as_dict(), model.arrays()
    assert TermModel.from_dict(kept, arrays).akin("interests", "chalk") == akin(model, "chalk")

    older = {name: array for name, array in arrays.items() if not name.startswith("company")}
    assert TermModel.from_dict(kept, older).akin("interests", "chalk") == {}


@pytest.mark.parametrize("pairs", [[[0, 10_000]], [[-1, 2]], [[0, 1, 2]], [0, 1]])
def test_damaged_company_is_refused(model: TermModel, pairs: list[object]) -> None:
    arrays = model.arrays() | {"company_interests": np.array(pairs)}
    with pytest.raises(ValueError, match="pairs of"):
        TermModel.from_dict(model.as_dict(), arrays)


def test_whom_answers_push_apart_are_not_called_kin(model: TermModel) -> None:
    assert model.fitted is not None
    apart = replace(model.fitted, signs=-model.fitted.signs)
    assert all(not apart.akin(facet, term) for facet in FACETS for term in apart.terms[facet])
