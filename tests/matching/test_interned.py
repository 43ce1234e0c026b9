"""Verdicts on distinct values are those of the predicate, and are remembered for the latest askers only."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from matching.interned import Interned, Verdicts


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9))))
def test_verdicts_are_the_predicates_however_values_and_questions_alternate(
    steps: list[tuple[int, int]],
) -> None:
    verdicts = Verdicts[int, int](lambda asked, value: (asked + value) % 3 == 0, limit=2)

    for asked, value in steps:
        verdicts.number_of(value)
        assert verdicts.of(asked).tolist() == [(asked + one) % 3 == 0 for one in verdicts.values]


def test_the_predicate_runs_once_a_value() -> None:
    calls: list[tuple[str, str]] = []

    def agree(asked: str, value: str) -> bool:
        calls.append((asked, value))
        return True

    verdicts = Verdicts(agree)
    verdicts.number_of("x")

    for _ in range(3):
        verdicts.of("a")

    assert calls == [("a", "x")]


def test_only_the_latest_askers_are_remembered() -> None:
    calls: list[str] = []

    def agree(asked: str, value: str) -> bool:
        calls.append(asked)
        return True

    verdicts = Verdicts(agree, limit=2)
    verdicts.number_of("x")

    for asked in "abacb":  # c pushes b out, a was asked for since
        verdicts.of(asked)

    assert calls == ["a", "b", "c", "b"]


def test_verdicts_are_right_after_values_were_forgotten() -> None:
    verdicts = Verdicts[int, int](lambda asked, value: asked == value)
    numbers = np.array([verdicts.number_of(value) for value in (7, 8, 9)])
    assert verdicts.of(8).tolist() == [False, True, False]

    verdicts.keep(numbers[1:])

    assert verdicts.of(8).tolist() == [True, False]


def test_kept_values_are_numbered_anew() -> None:
    interned = Interned[str]()
    numbers = np.array([interned.number_of(value) for value in "abcb"])

    renumbered = interned.keep(numbers[[1, 3]])

    assert interned.values == ["b"]
    assert renumbered[numbers[1]] == interned.number_of("b") == 0


def test_looking_for_a_value_adds_none() -> None:
    interned = Interned[str]()
    interned.number_of("a")

    assert (interned.find("a"), interned.find("b")) == (0, -1)
    assert interned.values == ["a"]
