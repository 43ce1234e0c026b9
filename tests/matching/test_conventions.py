"""Estimators keep scikit-learn's conventions: its own check where it runs, and the rest written out."""

import copy
import inspect
from collections.abc import Callable
from typing import Any

import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.utils.estimator_checks import estimator_checks_generator

from matching import Matcher, Place, Profile, ProfileVectorizer

MEMBERS = [
    Profile("a", "A", interests=("hiking", "chess"), goals=("learn German",), place=Place.at(52.52, 13.405)),
    Profile("b", "B", interests=("trekking",), goals=("Learn german",), place=Place.at(52.5, 13.4)),
    Profile("c", "C", activities=("running",), attributes={"role": "x"}),
]
PARAMETERS = {"facet_weights": {"goals": 2.0}, "separate_by": ("role",)}


def answers(matcher: Matcher) -> Any:
    return [matcher.suggest(member) for member in MEMBERS]


def rows(vectorizer: ProfileVectorizer) -> Any:
    return vectorizer.transform(MEMBERS).toarray().tolist()


Family = tuple[type[Any], Callable[[Any], Any]]
family = pytest.mark.parametrize(
    ("estimator", "outcome"), [(Matcher, answers), (ProfileVectorizer, rows)], ids=lambda one: one.__name__
)


def parameters(estimator: type[Any]) -> dict[str, Any]:
    return {
        name: value for name, value in PARAMETERS.items() if name in inspect.signature(estimator).parameters
    }


@family
def test_scikit_learns_own_checks_pass(estimator: type[Any], outcome: Callable[[Any], Any]) -> None:
    with pytest.warns(SkipTestWarning, match="requires input"):
        checks = list(estimator_checks_generator(estimator()))

    assert checks
    for instance, check in checks:
        check(instance)


@family
def test_the_constructor_only_stores(estimator: type[Any], outcome: Callable[[Any], Any]) -> None:
    given = parameters(estimator)

    made = estimator(**given)

    assert vars(made) == given
    assert all(vars(made)[name] is value for name, value in given.items())
    assert all(
        parameter.default is not inspect.Parameter.empty
        for parameter in inspect.signature(estimator).parameters.values()
    )


@family
def test_parameters_are_read_set_and_cloned(estimator: type[Any], outcome: Callable[[Any], Any]) -> None:
    given = parameters(estimator)

    made = estimator().set_params(**given)
    copied = clone(made.fit(MEMBERS))

    assert made.get_params() == copied.get_params() == given
    assert vars(copied) == given  # nothing learnt comes along
    with pytest.raises(ValueError, match="Invalid parameter"):
        made.set_params(no_such_thing=1)
    assert estimator.__name__ in repr(made)


@family
def test_wrong_parameters_are_refused_by_fit_not_before(
    estimator: type[Any], outcome: Callable[[Any], Any]
) -> None:
    made = estimator(facet_weights={"goals": -1})

    with pytest.raises(ValueError, match="expected a weight"):
        made.fit(MEMBERS)


@family
def test_fit_returns_self_takes_y_and_changes_no_parameter(
    estimator: type[Any], outcome: Callable[[Any], Any]
) -> None:
    made = estimator(**parameters(estimator))
    before = copy.deepcopy(made.get_params())

    assert made.fit(MEMBERS, None) is made
    assert made.get_params() == before


@family
def test_what_is_learnt_ends_in_an_underscore(estimator: type[Any], outcome: Callable[[Any], Any]) -> None:
    made = estimator().fit(MEMBERS)

    learnt = {name for name in vars(made) if not name.startswith("_")} - set(made.get_params())
    assert learnt
    assert all(name.endswith("_") for name in learnt)


@family
def test_nothing_works_before_fit(estimator: type[Any], outcome: Callable[[Any], Any]) -> None:
    with pytest.raises(NotFittedError):
        outcome(estimator())


@family
def test_fitting_again_forgets_the_first_time(estimator: type[Any], outcome: Callable[[Any], Any]) -> None:
    once = estimator().fit(MEMBERS)
    twice = estimator().fit([Profile("z", "Z", interests=("opera", "chess"))]).fit(MEMBERS)

    assert outcome(twice) == outcome(once) == outcome(once.fit(MEMBERS))


@family
def test_the_input_stays_as_it_was_and_may_come_once(
    estimator: type[Any], outcome: Callable[[Any], Any]
) -> None:
    before = copy.deepcopy(MEMBERS)

    streamed = estimator().fit(iter(MEMBERS))

    assert outcome(streamed) == outcome(estimator().fit(MEMBERS))
    assert before == MEMBERS


@family
def test_asking_changes_nothing(estimator: type[Any], outcome: Callable[[Any], Any]) -> None:
    made = estimator().fit(MEMBERS)

    first = outcome(made)

    assert outcome(made) == first
    assert set(vars(made)) == set(vars(estimator().fit(MEMBERS)))


@family
def test_nobody_at_all_can_be_fitted(estimator: type[Any], outcome: Callable[[Any], Any]) -> None:
    assert outcome(estimator().fit([])) is not None


def test_rows_of_several_are_the_rows_of_each() -> None:
    vectorizer = ProfileVectorizer().fit(MEMBERS)

    together = rows(vectorizer)

    assert together == [vectorizer.transform([member]).toarray()[0].tolist() for member in MEMBERS]
    assert together == ProfileVectorizer().fit_transform(MEMBERS).toarray().tolist()
    assert vectorizer.transform([]).shape == (0, vectorizer.n_features_out_)


def test_names_need_a_fit() -> None:
    with pytest.raises(NotFittedError):
        ProfileVectorizer().get_feature_names_out()


@pytest.mark.parametrize(
    "call",
    [
        lambda matcher: matcher.suggest(MEMBERS[0]),
        lambda matcher: matcher.update(MEMBERS[0]),
        lambda matcher: matcher.remove("a"),
        lambda matcher: matcher.compact(),
        lambda matcher: matcher.introduce(MEMBERS[0], {}),
        lambda matcher: matcher.complete("a", None, 1),
        lambda matcher: matcher.use(Matcher().fit([]).model_),
    ],
)
def test_every_method_of_an_unfitted_matcher_says_so(call: Callable[[Matcher], object]) -> None:
    with pytest.raises(NotFittedError):
        call(Matcher())
