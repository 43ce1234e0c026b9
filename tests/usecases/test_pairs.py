"""What stands between two people, as rules of one pair: who is hidden, what is open, what ends when."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.records import DAY_MS, Pair, Side
from service.usecases.pairs import (
    ACCEPT_MS,
    LATER_MS,
    after_time,
    ends_at,
    hides,
    invites_me,
    is_blocked,
    is_connected,
    is_empty,
    is_open,
    without_consent,
)

NOW = 1_780_000_000_000
RESPONSES = (None, "accept", "decline", "later")
moments = st.integers(NOW - 40 * DAY_MS, NOW)


@st.composite
def sides(draw: st.DrawFn) -> Side:
    response = draw(st.sampled_from(RESPONSES))
    return Side(
        response=response,
        answered_at=draw(moments) if response else None,
        blocked_at=draw(st.none() | moments),
        unblocked=tuple(sorted(draw(st.lists(moments, max_size=2)))),
        stranger=draw(st.sampled_from((None, "stranger"))),
    )


@st.composite
def all_pairs(draw: st.DrawFn) -> Pair:
    since = draw(st.none() | moments)
    met = draw(st.none() | moments) if since is not None else None
    one, other = draw(sides()), draw(sides())
    if one.response == other.response == "accept":  # they would be connected, and nothing left of it
        other = replace(other, response=None, answered_at=None)
    return Pair("a", "b", one, other, since, met, int(met is not None))


def said(mine: str | None = None, theirs: str | None = None) -> Pair:
    """Return a pair in which these answers were given now."""
    return Pair("a", "b", Side(mine, NOW if mine else None), Side(theirs, NOW if theirs else None))


def blocked(pair: Pair) -> Pair:
    return replace(pair, mine=replace(pair.mine, blocked_at=NOW))


# ---------------------------------------------------------------- what the two answered


@pytest.mark.parametrize("mine", RESPONSES)
@pytest.mark.parametrize("theirs", RESPONSES)
def test_an_introduction_is_open_from_the_first_accept_until_both_have_answered(
    mine: str | None, theirs: str | None
) -> None:
    opened = (mine, theirs) in {("accept", None), (None, "accept")}

    assert is_open(said(mine, theirs)) is opened
    assert invites_me(said(mine, theirs)) is (opened and theirs == "accept")


@pytest.mark.parametrize("mine", RESPONSES)
@pytest.mark.parametrize("theirs", RESPONSES)
def test_only_who_has_not_answered_and_was_not_put_off_sees_the_other(
    mine: str | None, theirs: str | None
) -> None:
    assert hides(said(mine, theirs)) is not (mine is None and theirs in {None, "accept"})


@given(all_pairs())
def test_blocks_and_connections_hide_and_close(pair: Pair) -> None:
    if is_blocked(pair) or is_connected(pair):
        assert hides(pair)
        assert not is_open(pair)
        assert not invites_me(pair)


@given(all_pairs())
def test_both_see_the_same(pair: Pair) -> None:
    turned = pair.turned()

    assert turned.turned() == pair
    for same in (is_blocked, is_connected, is_open, is_empty, ends_at):
        assert same(turned) == same(pair)
    assert is_open(pair) == (invites_me(pair) or invites_me(turned))
    assert not (invites_me(pair) and invites_me(turned))


# ---------------------------------------------------------------- what ends by time


def test_an_accept_lasts_14_days_and_a_put_off_30() -> None:
    day = 24 * 3600 * 1000

    assert ends_at(said("accept")) == ends_at(said(None, "accept")) == NOW + 14 * day
    assert ends_at(said("later")) == NOW + 30 * day
    assert ends_at(said("later", "accept")) == NOW + 14 * day
    assert ends_at(said("decline", "decline")) is None
    assert ends_at(Pair("a", "b", theirs=Side(unblocked=(NOW - 5, NOW)))) == NOW - 5 + day
    assert ends_at(blocked(Pair("a", "b"))) is None
    assert (14 * day, 30 * day) == (ACCEPT_MS, LATER_MS)


@given(all_pairs(), st.integers(0, 45 * DAY_MS))
def test_nothing_ends_before_its_time_and_everything_at_it(pair: Pair, wait: int) -> None:
    now = NOW + wait
    due = ends_at(pair)

    after = after_time(pair, now)

    assert (after == pair) is (due is None or due > now)
    left = ends_at(after)
    assert left is None or left > now
    assert after_time(after, now) == after
    for before, side in ((pair.mine, after.mine), (pair.theirs, after.theirs)):
        assert (side.blocked_at, side.stranger) == (before.blocked_at, before.stranger)
        assert side.response in {None, before.response}
        assert before.response != "decline" or side.response == "decline"
    assert (after.since, after.last_met, after.times_met) == (pair.since, pair.last_met, pair.times_met)


@given(all_pairs())
def test_time_alone_opens_an_introduction_only_when_a_put_off_ends(pair: Pair) -> None:
    due = ends_at(pair)
    if due is not None and is_open(after_time(pair, due)) and not is_open(pair):
        assert {pair.mine.response, pair.theirs.response} == {"accept", "later"}


# ---------------------------------------------------------------- what a block leaves


@given(all_pairs())
def test_without_consent_only_declines_and_blocks_are_left(pair: Pair) -> None:
    after = without_consent(pair)

    assert (after.since, after.last_met, after.times_met) == (None, None, 0)
    for before, side in ((pair.mine, after.mine), (pair.theirs, after.theirs)):
        declined = before.response == "decline"
        assert side.response == ("decline" if declined else None)
        assert side.answered_at == (before.answered_at if declined else None)
        assert (side.blocked_at, side.unblocked) == (before.blocked_at, before.unblocked)
    assert without_consent(after) == after
    assert not is_open(after)


@given(all_pairs())
def test_a_pair_is_empty_when_nothing_has_to_be_remembered(pair: Pair) -> None:
    something = [
        side.response or side.blocked_at is not None or side.unblocked for side in (pair.mine, pair.theirs)
    ]

    assert is_empty(pair) is not (any(something) or pair.since is not None)


def test_a_name_alone_is_not_worth_a_row() -> None:
    assert is_empty(Pair("a", "b", theirs=Side(stranger="eve")))
    assert is_empty(after_time(said("accept"), NOW + ACCEPT_MS))
    assert not is_empty(said("decline"))
    assert not is_empty(Pair("a", "b", since=0))
    assert not is_empty(Pair("a", "b", mine=Side(blocked_at=0)))
