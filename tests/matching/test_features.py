"""Rows are the judge's and know each facet apart; so are points."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from matching import FACETS, Matcher, Profile, ProfileVectorizer, TermModel
from matching.columns import GRAIN
from matching.features import weights_of_facets
from matching.related import kin, kin_count
from tests.matching import strategies, values


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("weights", [None, {"goals": 3.0}, {"interests": 0.0, "goals": 1.0}])
def test_scalar_products_are_the_judges(seed: int, weights: dict[str, float] | None) -> None:
    members = strategies.crowd(seed)
    vectorizer = ProfileVectorizer(facet_weights=weights)

    rows = vectorizer.fit_transform(members)

    model = vectorizer.model_
    by_facet = values.facet_weights(model, weights)
    expected = [
        sum(values.shared_value(members[0], other, facet, model, by_facet[facet]) for facet in FACETS)
        for other in members
    ]
    assert (rows @ rows[[0]].T).toarray().ravel() == pytest.approx(expected, abs=1e-9)


@settings(max_examples=20, deadline=None)
@given(strategies.populations)
def test_values_are_multiples_of_the_grain(members: list[Profile]) -> None:
    values = ProfileVectorizer().fit_transform(members).data

    assert np.array_equal(np.rint(values / GRAIN) * GRAIN, values)


def test_the_order_of_terms_makes_no_difference_to_the_last_bit() -> None:
    terms = ("hiking", "trekking", "rambling", "chess", "kites", "jogging", "running")
    one, other = Profile("a", "A", interests=terms), Profile("b", "B", interests=terms[::-1])

    first, second = ProfileVectorizer().fit_transform([one, other]).toarray().tolist()

    assert first == second


def test_the_same_term_in_two_facets_is_not_shared() -> None:
    rows = ProfileVectorizer().fit_transform(
        [Profile("a", "A", interests=("chess",)), Profile("b", "B", goals=("chess",))]
    )

    assert (rows @ rows.T)[0, 1] == 0


def test_a_facet_left_empty_costs_nothing() -> None:
    one, other = Profile("a", "A", interests=("chess",)), Profile("b", "B", interests=("chess",))

    vectorizer = ProfileVectorizer()
    rows = vectorizer.fit_transform([one, other])

    assert (rows @ rows.T)[0, 1] == pytest.approx(
        vectorizer.model_.weight("interests", "chess") ** 2, abs=1e-4
    )


def test_a_term_unknown_at_fit_has_no_column() -> None:
    vectorizer = ProfileVectorizer().fit([Profile("a", "A", interests=("opera",))])

    row = vectorizer.transform([Profile("b", "B", interests=("opera", "kites", "hiking"))]).toarray()

    assert row.shape == (1, vectorizer.n_features_out_)
    names = vectorizer.get_feature_names_out()
    assert set(names[row[0] > 0].tolist()) >= {"interests: opera"}
    assert np.count_nonzero(row) == 1 + len(set(kin("opera") + kin("hiking")))  # opera, and both terms' kin


def test_columns_are_named_group_by_group_then_term_by_term() -> None:
    vectorizer = ProfileVectorizer().fit([Profile("a", "A", interests=("Chess",), goals=("Learn German",))])

    names = vectorizer.get_feature_names_out().tolist()

    assert len(names) == vectorizer.n_features_out_ == 3 * kin_count() + 2
    assert names[kin_count()] == "interests: chess"
    assert names[-1] == "goals: learn german"


def test_a_given_model_weighs_instead_of_the_members() -> None:
    model = TermModel.count(3, [{"interests": ["chess"]}] * 50 + [{"interests": ["kite"]}] * 3)
    one = Profile("a", "A", interests=("chess", "kites"))

    vectorizer = ProfileVectorizer().fit([one], model=model)

    row = dict(zip(vectorizer.get_feature_names_out(), vectorizer.transform([one]).toarray()[0], strict=True))
    assert vectorizer.model_ is model
    assert row["interests: kite"] > row["interests: chess"]


@pytest.mark.parametrize("weights", [{"hobbies": 1.0}, {"goals": -1.0}, {"goals": float("nan")}])
def test_weights_of_another_kind_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected a weight of at least 0"):
        ProfileVectorizer(facet_weights=weights).fit([])


def test_stated_weights_have_a_mean_of_one_and_only_compare() -> None:
    model = TermModel.count(0, [])

    once = weights_of_facets({"goals": 4.0}, model)

    assert once.tolist() == pytest.approx([0.5, 0.5, 2.0])
    assert weights_of_facets({"interests": 1e308, "activities": 1e308, "goals": 0.0}, model).tolist() == (
        pytest.approx([1.5, 1.5, 0.0])
    )
    assert weights_of_facets(dict.fromkeys(FACETS, 0.0), model).tolist() == [0, 0, 0]


def test_without_stated_weights_those_learnt_count_or_one() -> None:
    counted = TermModel.count(0, [])
    learnt = replace(counted, fitted=strategies.fitted(3))

    assert learnt.fitted is not None
    assert weights_of_facets(None, counted).tolist() == [1, 1, 1]
    assert weights_of_facets(None, learnt).tolist() == learnt.fitted.facets.tolist()
    assert weights_of_facets({}, learnt).tolist() == [1, 1, 1]


def test_members_are_placed_anew_by_the_columns_of_their_terms() -> None:
    alike = [Profile(f"m{number}", "M", interests=("alphorn", "chess")) for number in range(3)]
    members = [*alike, Profile("n", "N", interests=("Alphron", "alphorn"), goals=("zzz",)), Profile("o", "O")]
    vectors = {facet: np.eye(2, 4, dtype=np.float32) for facet in FACETS}
    fitted = replace(strategies.fitted(5), terms=dict.fromkeys(FACETS, ("alphorn", "chess")))
    fitted = replace(fitted, vectors=vectors, centre=np.full(4, 0.125), signs=np.ones(4, np.float32))
    model = replace(TermModel.of(1, members), fitted=fitted)
    matcher = Matcher().fit(members, model=TermModel.of(2, members))

    matcher.use(model, facet_weights={"goals": 2.0})

    expected = Matcher(facet_weights={"goals": 2.0}).fit(members, model=model).index_.points()
    assert [one.tolist() for one in matcher.index_.points()] == [one.tolist() for one in expected]
    assert len({tuple(direction) for direction in expected[0].tolist()}) == 3


def test_points_are_those_of_the_model_and_none_before_a_fit() -> None:
    members = strategies.crowd(5)
    model = replace(TermModel.of(1, members), fitted=strategies.fitted(5))

    plain = ProfileVectorizer().fit(members)
    directions, lengths = plain.points(members)
    assert (directions.shape, lengths.tolist(), plain.dimensions) == ((12, 0), [0] * 12, 0)
    for weights in (None, {"goals": 4.0}):
        vectorizer = ProfileVectorizer(facet_weights=weights).fit(members, model=model)
        directions, lengths = vectorizer.points(members)
        assert vectorizer.dimensions == 6
        expected = [values.point(member, model, weights) for member in members]
        assert directions * lengths[:, None] == pytest.approx(np.array(expected), abs=1e-9)
