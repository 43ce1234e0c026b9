"""Where a member is seen, wish by wish: a first place and a removal at once, a second move a day later."""

from __future__ import annotations

from matching import Place
from service.records import Stay
from service.usecases.placement import BETWEEN_MOVES_MS as DAY
from service.usecases.placement import arrive, settle

A, B, C = Place.at(52.5, 13.4), Place.at(52.6, 13.6), Place.at(48.1, 11.6)
NOW = 1_800_000_000_000
MOVED = Stay(B, B, NOW)
WAITING = Stay(B, B, NOW, C, NOW + DAY)


def test_a_first_place_shows_at_once_and_is_no_move() -> None:
    assert settle(Stay(), A, NOW) == Stay(A, A, None)


def test_the_first_move_shows_at_once() -> None:
    assert settle(Stay(A, A), B, NOW) == MOVED


def test_a_second_move_waits_until_a_day_after_the_first() -> None:
    assert settle(MOVED, C, NOW + 1) == WAITING
    assert settle(MOVED, C, NOW + DAY - 1) == WAITING
    assert settle(MOVED, C, NOW + DAY) == Stay(C, C, NOW + DAY)


def test_the_newest_wish_waits_and_no_longer_than_the_first_did() -> None:
    assert settle(WAITING, A, NOW + 9) == Stay(B, B, NOW, A, NOW + DAY)
    assert settle(WAITING, C, NOW + 9) == WAITING


def test_back_to_where_one_is_seen_ends_the_waiting() -> None:
    assert settle(WAITING, B, NOW + 9) == MOVED


def test_a_removal_shows_at_once_and_ends_the_waiting() -> None:
    assert settle(WAITING, None, NOW + 9) == Stay(None, B, NOW)


def test_a_move_by_way_of_a_removal_waits_too() -> None:
    removed = settle(MOVED, None, NOW + 1)
    assert settle(removed, C, NOW + 2) == Stay(None, B, NOW, C, NOW + DAY)
    assert settle(removed, B, NOW + 2) == MOVED
    assert settle(removed, C, NOW + DAY) == Stay(C, C, NOW + DAY)


def test_a_place_never_moved_from_leaves_the_first_move_free() -> None:
    removed = settle(Stay(A, A), None, NOW)
    assert settle(removed, B, NOW + 1) == Stay(B, B, NOW + 1)


def test_a_move_that_arrived_counts_from_when_it_was_due() -> None:
    arrived = arrive(WAITING, NOW + DAY)
    assert arrived == Stay(C, C, NOW + DAY)
    assert settle(arrived, A, NOW + DAY + 1) == Stay(C, C, NOW + DAY, A, NOW + 2 * DAY)
