"""Where a member is seen, whatever the order of wishes: at most one change of cell a day."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from matching import Place
from service.records import Stay
from service.usecases.placement import BETWEEN_MOVES_MS, arrive, settle

PLACES = [Place.at(lat, 10.0) for lat in (0.0, 1.0, 2.0)]
HOUR = 3600 * 1000
WISHES = st.lists(st.tuples(st.integers(0, 30 * HOUR), st.sampled_from([None, *PLACES])), max_size=20)


@given(WISHES)
def test_others_see_at_most_one_change_of_cell_a_day(wishes: list[tuple[int, Place | None]]) -> None:
    stay, now = Stay(), 0
    seen: list[tuple[int, Place]] = []
    for wait, wanted in wishes:
        now += wait
        if stay.moves_at is not None and stay.moves_at <= now:
            arrived = arrive(stay, now)
            assert arrived.place
            seen.append((stay.moves_at, arrived.place))
            stay = arrived
        stay = settle(stay, wanted, now)
        assert stay.place in {None, wanted, seen[-1][1] if seen else None}
        if stay.place and (not seen or stay.place != seen[-1][1]):
            seen.append((now, stay.place))

    # The first place is no move; from one move to the next a day goes by.
    moves = [at for at, _ in seen[1:]]
    assert all(later - earlier >= BETWEEN_MOVES_MS for earlier, later in pairwise(moves))


@given(WISHES)
def test_after_a_day_of_quiet_the_last_wish_is_seen(wishes: list[tuple[int, Place | None]]) -> None:
    stay, now, last = Stay(), 0, None
    for wait, wanted in wishes:
        now += wait
        stay, last = settle(arrive(stay, now), wanted, now), wanted

    assert arrive(stay, now + BETWEEN_MOVES_MS).place == last


@given(WISHES)
def test_a_wish_said_twice_changes_nothing(wishes: list[tuple[int, Place | None]]) -> None:
    stay, now = Stay(), 0
    for wait, wanted in wishes:
        now += wait
        stay = settle(arrive(stay, now), wanted, now)
        assert settle(stay, wanted, now) == stay


def test_a_move_is_due_when_its_time_has_come_and_not_before() -> None:
    waiting = settle(settle(settle(Stay(), PLACES[0], 0), PLACES[1], 5), PLACES[2], 10)

    assert waiting == Stay(PLACES[1], PLACES[1], 5, PLACES[2], 5 + BETWEEN_MOVES_MS)
    assert arrive(waiting, 4 + BETWEEN_MOVES_MS) == waiting
    assert arrive(waiting, 5 + BETWEEN_MOVES_MS) == Stay(PLACES[2], PLACES[2], 5 + BETWEEN_MOVES_MS)
    assert arrive(replace(waiting, waiting_place=None, moves_at=None), 10**15).place == PLACES[1]
