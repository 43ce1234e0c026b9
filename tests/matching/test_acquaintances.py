"""What acquaintances in common count: three steps, by how many there are and how many each of them knows."""

import pytest

from matching.acquaintances import WHOLE, share, step


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([], 0),
        ([33], 0),
        ([1000] * 20, 0),
        ([32], 1),
        ([2], 1),
        ([64, 64], 1),
        ([14, 14], 1),
        ([13, 13], 2),
        ([2, 1000], 2),
        ([200] * 40, 2),
    ],
)
def test_acquaintances_count_by_how_few_they_know_and_one_alone_is_never_many(
    known: list[int], expected: int
) -> None:
    assert step(len(known), sum(map(share, known))) == expected


def test_shares_are_whole_and_never_above_one() -> None:
    assert [share(known) for known in (1, 2, 3, 2 * WHOLE)] == [WHOLE, WHOLE // 2, 349_525, 0]
