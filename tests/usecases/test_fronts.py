"""When a kept front is gone on from, and when everybody is looked at instead."""

from __future__ import annotations

import pytest

from matching import Front
from service.records import Access, ApiKey, Asked, Community, Member, ProfileRecord, Stay
from service.storage.followed import Followed
from service.storage.stamps import new_stamp
from service.usecases import fronts
from service.usecases.fronts import KeptFront, front_for

OLD, NEW = new_stamp(11), new_stamp(12)
FRONT = Front(("ana", "ben"), (1.1 + 2**20, 2**64 - 1), None)


def member(profile_id: str, stamp: str, changed: int) -> Member:
    return Member(ProfileRecord(profile_id, "N"), 25.0, Stay(), own=stamp, pairs=stamp, changed=changed)


@pytest.fixture
def followed() -> Followed:
    """Ben changed, then Cem."""
    followed = Followed()
    followed.begin(10)
    followed.follow(10, 12, [member("ben", OLD, 11), member("cem", NEW, 12)])
    return followed


@pytest.fixture
def access() -> Access:
    """A question in whose reach Cem's change is the newest."""
    asker = member("ana", OLD, 5)
    asked = Asked("ana", asker.own, asker.pairs, NEW, False, lambda: asker)
    return Access(ApiKey("k", "k", ("read",), 0), Community(1, "c", "C", change_number=12), 0, asked)


def test_what_is_kept_is_read_back_to_the_last_bit() -> None:
    kept = KeptFront(FRONT, NEW, 12)
    assert KeptFront.decode(kept.encode()) == kept


def test_it_is_gone_on_from_with_those_who_changed_since(access: Access, followed: Followed) -> None:
    found = front_for(access, KeptFront(FRONT, OLD, 11), followed)
    assert found == Front(FRONT.ids, FRONT.by_rank, FRONT.by_moved, {"cem"})


def test_everybody_is_looked_at_where_too_little_is_known(
    access: Access, followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert front_for(access, None, followed) == Front()
    assert front_for(access, KeptFront(FRONT, new_stamp(11), 11), followed) == Front()
    assert front_for(access, KeptFront(FRONT, OLD, 13), followed) == Front()  # newer than our matcher
    monkeypatch.setattr(fronts, "MOST_CHANGED", 0)
    assert front_for(access, KeptFront(FRONT, OLD, 11), followed) == Front()


def test_nothing_is_kept_of_a_matcher_that_is_ahead(access: Access) -> None:
    assert front_for(access, KeptFront(FRONT, OLD, 11), None) is None


def test_the_stamp_of_a_question_is_known_from_then_on(access: Access, followed: Followed) -> None:
    newest = new_stamp(12)  # of an erasure, say, which leaves no row
    assert access.found is not None
    asked = Asked("ana", OLD, OLD, newest, False, access.found.member)
    assert front_for(Access(access.key, access.community, 0, asked), None, followed) == Front()
    assert front_for(access, KeptFront(FRONT, newest, 12), followed) == Front(
        FRONT.ids, FRONT.by_rank, FRONT.by_moved, set()
    )
