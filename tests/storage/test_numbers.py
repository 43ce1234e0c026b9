"""Numbers are known by their codes, noted one by one or all at once."""

import numpy as np
import pytest

from matching.ranking import member_code
from service.records import Member, ProfileRecord, Stay
from service.storage import numbers as module
from service.storage.numbers import NumberedPrices, Numbers


def member(number: int) -> Member:
    record = ProfileRecord(id=f"m{number}", name="M")
    return Member(record, 25.0, Stay(None, None, None, None, None), number=number)


@pytest.mark.parametrize("many", [0, 3, 100])
def test_numbers_come_and_go(many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MANY", many)
    known = Numbers(np.array([2, 5]), np.array([member_code("m2"), member_code("m5")], np.uint64))

    for number in (9, 7, 5, 9, 1):
        known.note([member(number)])
    assert known.forget(5) == member_code("m5")
    assert known.forget(7) == member_code("m7")
    assert known.forget(5) is known.forget(7) is known.forget(99) is None
    known.note([member(11)])

    assert len(known) == 4
    numbers, codes = known.arrays()
    assert numbers.tolist() == [1, 2, 9, 11]
    assert codes.tolist() == [member_code(f"m{number}") for number in (1, 2, 9, 11)]
    priced = known.priced(NumberedPrices(np.array([11, 3, 1, 99]), np.array([0.5, 1.0, -2.0, 4.0])))
    assert dict(zip(priced.codes.tolist(), priced.values.tolist(), strict=True)) == {
        member_code("m11"): 0.5,
        member_code("m1"): -2.0,
    }
    assert not len(known.priced(None).codes)
    codes = np.array([member_code(one) for one in ("m9", "m5", "m11", "nobody")], np.uint64)
    assert known.numbers_of(codes).tolist() == [9, -1, 11, -1]


def test_nobody_has_no_number() -> None:
    assert Numbers().numbers_of(np.array([7], np.uint64)).tolist() == [-1]
