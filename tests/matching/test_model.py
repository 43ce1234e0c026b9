"""The model counts each member once, weighs by the fourth root, and knows nothing of rare terms."""

import json
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

from matching import FACETS, Matcher, TermModel
from tests.matching import strategies


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
    weights = [model.weight("interests", term) for term in ("chess", "go", "kite", "never heard")]
    assert weights == pytest.approx([1, (10 / 3) ** 0.25, (10 / 3) ** 0.25, (10 / 3) ** 0.25])


@pytest.mark.parametrize(
    ("members", "count", "weight"),
    [(16, 16, 1), (48, 3, 2), (4000 * 3, 3, 4000**0.25), (4000 * 30, 3, 4000**0.25), (2, 3, 1), (2, 5, 1)],
)
def test_a_term_weighs_the_fourth_root_of_how_rare_it_is(members: int, count: int, weight: float) -> None:
    model = TermModel(0, members, {"goals": {"retire": count}})

    assert model.weight("goals", "retire") == pytest.approx(weight)


def test_likeness_is_what_a_member_shares_with_their_like_on_average() -> None:
    stated = [["chess", "go"], ["chess"], ["chess", "kites"], ["chess", "go"], ["go"]]
    model = TermModel.count(0, [{"interests": terms} for terms in stated])

    own = [sum(model.weight("interests", term) ** 2 for term in terms) for terms in stated]
    assert model.terms == 8 / 5
    assert model.likeness == pytest.approx(np.mean(own))


def test_where_nobody_states_a_term_likeness_is_one_rarest_term() -> None:
    assert TermModel.count(0, [{}] * 48).likeness == pytest.approx(4)
    assert TermModel(1, 9, {}).likeness == pytest.approx(3**0.5)


def test_an_empty_community_has_a_model() -> None:
    model = TermModel.count(0, [])

    assert model.members == 0
    assert model.weight("goals", "anything") == model.likeness == 1.0


def test_a_model_survives_json() -> None:
    model = TermModel.count(7, rows(("chess", 5), ("日本", 4)))

    assert TermModel.from_dict(json.loads(json.dumps(model.as_dict()))) == model
    assert set(model.as_dict()["counts"]) == set(FACETS)


def test_a_recount_keeps_what_was_fitted() -> None:
    fitted = strategies.fitted(1)
    model = replace(TermModel.count(7, rows(("chess", 5))), fitted=fitted)

    again = model.recounted(8, rows(("go", 4)))

    assert (again.number, again.members, again.counts["interests"]) == (8, 4, {"go": 4})
    assert again.fitted is fitted


def test_a_fitted_model_survives_json_and_arrays() -> None:
    model = replace(TermModel.count(7, rows(("chess", 5), ("日本", 4))), fitted=strategies.fitted(1))
    assert model.fitted is not None
    with BytesIO() as file:
        np.savez(file, allow_pickle=False, **model.arrays())
        file.seek(0)
        arrays = dict(np.load(file))

    again = TermModel.from_dict(json.loads(json.dumps(model.as_dict())), arrays)

    assert again.as_dict() == model.as_dict()
    assert {name: array.tobytes() for name, array in again.arrays().items()} == {
        name: array.tobytes() for name, array in model.arrays().items()
    }
    assert again.fitted is not None
    assert again.fitted.longest == model.fitted.longest < np.inf
    members = strategies.crowd(1)
    matchers = [Matcher().fit(members, model=one) for one in (model, again)]
    for member in members:
        assert matchers[0].suggest(member) == matchers[1].suggest(member)


def test_without_its_arrays_a_model_is_read_as_counted_only() -> None:
    model = replace(TermModel.count(7, rows(("chess", 5))), fitted=strategies.fitted(1))

    assert TermModel.from_dict(model.as_dict()) == replace(model, fitted=None)
    assert replace(model, fitted=None).arrays() == {}


@pytest.mark.parametrize("damage", ["signs", "centre", "vectors_goals", "vectors_interests"])
@pytest.mark.parametrize("how", ["gone", "short", "flat", "deep", "column", "words", "nan"])
def test_damaged_arrays_are_refused(damage: str, how: str) -> None:
    model = replace(TermModel.count(7, rows(("chess", 5))), fitted=strategies.fitted(1))
    arrays = model.arrays()
    array = arrays.pop(damage)
    damaged = {"short": array[:-1], "flat": array.ravel()[0], "deep": array[None], "column": array[..., None]}
    damaged |= {"words": np.full(array.shape, "word"), "nan": np.full(array.shape, np.nan)}
    if how in damaged:
        arrays[damage] = np.asarray(damaged[how])

    with pytest.raises(ValueError, match=r"expected|could not convert"):
        TermModel.from_dict(model.as_dict(), arrays)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("facets", [1.0]),
        ("facets", "x"),
        ("near", None),
        ("near", float("nan")),
        ("rotation", []),
        ("rotation", float("inf")),
        ("terms", {}),
        ("terms", None),
        ("longest", -1.0),
        ("longest", float("nan")),
        ("longest", "x"),
    ],
)
def test_damaged_figures_of_a_fit_are_refused(name: str, value: object) -> None:
    model = replace(TermModel.count(7, rows(("chess", 5))), fitted=strategies.fitted(1))
    kept = model.as_dict()
    kept["fitted"][name] = value

    with pytest.raises(ValueError, match=r"expected|could not convert"):
        TermModel.from_dict(kept, model.arrays())


@pytest.mark.parametrize(
    "kept", [{}, {"number": 1, "members": 2, "counts": {}}, {"number": 1, "members": 2, "counts": 3}]
)
def test_a_broken_model_is_refused_with_what_was_expected(kept: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected number, members and counts"):
        TermModel.from_dict(kept)
