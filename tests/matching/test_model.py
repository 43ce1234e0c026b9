"""The model counts each member once, weighs as scikit-learn does, and knows nothing of rare terms."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfTransformer

from matching import FACETS, TermModel


def rows(*counts: tuple[str, int]) -> list[dict[str, list[str]]]:
    members = max(count for _, count in counts)
    return [{"interests": [term for term, count in counts if number < count]} for number in range(members)]


def test_a_member_counts_once_for_all_spellings_of_a_term() -> None:
    model = TermModel.count(4, [{"goals": ["Hobbies", "hobby", "HOBBY"]}] * 3)

    assert (model.number, model.members) == (4, 3)
    assert model.counts == {"interests": {}, "activities": {}, "goals": {"hobby": 3}}


def test_a_term_of_two_members_is_not_in_the_model_and_weighs_like_one_of_three() -> None:
    model = TermModel.count(0, rows(("chess", 10), ("go", 3), ("kites", 2)))

    assert set(model.counts["interests"]) == {"chess", "go"}
    assert (
        model.idf("interests", "kite")
        == model.idf("interests", "go")
        == model.idf("interests", "never heard")
    )
    assert model.idf("interests", "chess") == 1.0


@given(st.lists(st.integers(3, 40), min_size=1, max_size=5))
def test_weights_are_those_of_scikit_learn(counts: list[int]) -> None:
    model = TermModel.count(0, rows(*((f"t{n}", count) for n, count in enumerate(counts))))

    used = np.array([[member < count for count in counts] for member in range(max(counts))], float)
    expected = TfidfTransformer(smooth_idf=True).fit(used).idf_
    assert [model.idf("interests", f"t{n}") for n in range(len(counts))] == pytest.approx(expected.tolist())


def test_an_empty_community_has_a_model() -> None:
    model = TermModel.count(0, [])

    assert model.members == 0
    assert model.idf("goals", "anything") == 1.0


def test_a_model_survives_json() -> None:
    model = TermModel.count(7, rows(("chess", 5), ("日本", 4)))

    assert TermModel.from_dict(json.loads(json.dumps(model.as_dict()))) == model
    assert set(model.as_dict()["counts"]) == set(FACETS)


@pytest.mark.parametrize(
    "kept", [{}, {"number": 1, "members": 2, "counts": {}}, {"number": 1, "members": 2, "counts": 3}]
)
def test_a_broken_model_is_refused_with_what_was_expected(kept: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected number, members and counts"):
        TermModel.from_dict(kept)
