"""What each term has in common with a row adds up to the product of two rows."""

import numpy as np
import pytest

from matching import Profile, ProfileVectorizer, TermModel
from matching.columns import Columns, Row

MEMBERS = [
    Profile("a", "A", interests=("hiking", "chess", "joging")),
    Profile("b", "B", interests=("trekking", "jogging", "opera")),
    Profile("c", "C", interests=("joging", "Hikes", "kites")),
    Profile("d", "D"),
]


def columns_of(members: list[Profile]) -> Columns:
    return ProfileVectorizer().fit(members, model=TermModel.of(1, members * 3)).columns_["interests"]


def product(one: Row, other: Row) -> float:
    return sum(one.get(column, 0.0) * value for column, value in other.items())


def rows(columns: Columns, members: list[Profile]) -> list[list[str]]:
    from matching.terms import distinct

    return [list(distinct(member.interests)) for member in members]


def check(columns: Columns, asker: list[str], stress: float) -> None:
    asked = columns.row(asker, stress)
    terms, shares = columns.meeting(asked, stress)
    assert (np.diff(terms) > 0).all()
    worth = dict(zip(terms.tolist(), shares.tolist(), strict=True))
    for row, numbers in zip(rows(columns, MEMBERS), columns.numbers(rows(columns, MEMBERS)), strict=True):
        expected = product(asked, columns.row(row, stress))
        assert sum(worth.get(number, 0.0) for number in numbers) == expected


@pytest.mark.parametrize("stress", [1.0, 1.7])
@pytest.mark.parametrize("asker", [*rows(None, MEMBERS), ["walking", "never heard", "choess"]])  # type: ignore[arg-type]
def test_shares_are_products_of_rows(asker: list[str], stress: float) -> None:
    check(columns_of(MEMBERS), asker, stress)


def test_they_still_are_under_another_model_and_with_fewer_terms() -> None:
    columns = columns_of([*MEMBERS, Profile("e", "E", interests=("zither", "alphorn", "zitherr"))])

    columns.reweigh(TermModel.of(2, MEMBERS[:2] * 9))
    used = np.unique(
        np.concatenate([np.array(row) for row in columns.numbers(rows(columns, MEMBERS)) if row])
    )
    renumbered = columns.keep(used)

    assert "zither" not in columns
    assert (np.diff(renumbered[used]) > 0).all()
    for asker in rows(columns, MEMBERS):
        check(columns, asker, 1.0)


def test_another_table_of_kin_is_refused() -> None:
    columns = columns_of(MEMBERS)

    with pytest.raises(ValueError, match="columns of kin, got 1"):
        columns.restore(columns.as_dict() | {"groups": 1}, columns.parts())
