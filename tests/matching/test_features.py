"""Rows have one length, are the judge's, and know each facet apart."""

import numpy as np
import pytest
from hypothesis import given, settings

from matching import FACETS, Profile, ProfileVectorizer, TermModel
from matching.features import GRAIN, facet_shares
from matching.related import kin, kin_count
from tests.matching import reference, strategies


@settings(max_examples=60, deadline=None)
@given(strategies.populations.filter(bool), strategies.facet_weights)
def test_scalar_products_are_the_judges_cosines(
    members: list[Profile], weights: dict[str, float] | None
) -> None:
    vectorizer = ProfileVectorizer(facet_weights=weights)

    rows = vectorizer.fit_transform(members)

    full = dict.fromkeys(FACETS, 1.0) | dict(weights or {})
    expected = reference.likeness(members[0], members, vectorizer.model_, full, None)
    assert (rows @ rows[[0]].T).toarray().ravel() == pytest.approx(expected, abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(strategies.populations)
def test_values_are_multiples_of_the_grain_and_blocks_of_length_one(members: list[Profile]) -> None:
    blocks = ProfileVectorizer().fit(members).blocks(members)

    for block in blocks.values():
        assert np.array_equal(np.rint(block.values / GRAIN) * GRAIN, block.values)
        rows = np.repeat(np.arange(len(members)), block.lengths)
        squares = np.bincount(rows, weights=block.values**2, minlength=len(members))
        assert squares == pytest.approx((block.terms > 0).astype(float), abs=1e-6)


def test_the_order_of_terms_makes_no_difference_to_the_last_bit() -> None:
    terms = ("hiking", "trekking", "rambling", "chess", "kites", "jogging", "running")
    one, other = Profile("a", "A", interests=terms), Profile("b", "B", interests=terms[::-1])

    blocks = ProfileVectorizer().fit([one, other]).blocks([one, other])["interests"]

    first, second = np.split(blocks.values, [blocks.lengths[0]])
    assert first.tolist() == second.tolist()


def test_the_same_term_in_two_facets_is_not_shared() -> None:
    rows = ProfileVectorizer().fit_transform(
        [Profile("a", "A", interests=("chess",)), Profile("b", "B", goals=("chess",))]
    )

    assert (rows @ rows.T)[0, 1] == 0


def test_a_facet_left_empty_costs_nothing() -> None:
    one, other = Profile("a", "A", interests=("chess",)), Profile("b", "B", interests=("chess",))

    rows = ProfileVectorizer().fit_transform([one, other])

    assert (rows @ rows.T)[0, 1] == pytest.approx(1)


def test_a_term_unknown_at_fit_counts_in_the_length_only() -> None:
    vectorizer = ProfileVectorizer().fit([Profile("a", "A", interests=("opera",))])

    row = vectorizer.transform([Profile("b", "B", interests=("opera", "kites", "hiking"))]).toarray()

    assert row.shape == (1, vectorizer.n_features_out_)
    names = vectorizer.get_feature_names_out()
    assert set(names[row[0] > 0].tolist()) >= {"interests: opera"}
    assert np.count_nonzero(row) == 1 + len(set(kin("opera") + kin("hiking")))  # opera, and both terms' kin
    assert 0 < (row**2).sum() < 1


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


def test_shares_are_of_length_one_where_a_facet_of_some_weight_is_stated() -> None:
    stated = np.array([[True, True, False], [False, False, True], [False, False, False]])

    shares = facet_shares(stated, np.array([1.0, 3.0, 0.0]))

    assert shares.tolist() == [[0.5, 0.75**0.5, 0], [0, 0, 0], [0, 0, 0]]
