"""What was seen to change: told for stamps of this very database, and never more than is sure."""

from __future__ import annotations

import pytest

from service.records import Member, ProfileRecord, Stay
from service.storage import followed as followed_module
from service.storage.followed import Followed
from service.storage.stamps import new_stamp

STAMPS = {number: new_stamp(number) for number in range(40)}


def member(profile_id: str, changed: int) -> Member:
    return Member(
        ProfileRecord(profile_id, "N"), 25.0, Stay(), own=STAMPS[changed], pairs=STAMPS[1], changed=changed
    )


@pytest.fixture
def followed() -> Followed:
    """Ana, Ben and Cem changed in turn, after number 10."""
    followed = Followed()
    followed.begin(10)
    followed.follow(10, 12, [member("ben", 12), member("ana", 11)])
    followed.follow(12, 13, [member("cem", 13)])
    return followed


def test_it_tells_who_changed_after_a_stamp(followed: Followed) -> None:
    assert followed.since(STAMPS[11]) == {"ben", "cem"}
    assert followed.since(STAMPS[13]) == set()
    assert followed.reached == 13


def test_another_stamp_of_the_same_change_is_of_another_database(followed: Followed) -> None:
    assert followed.since(new_stamp(11)) is None


def test_of_what_was_before_it_knows_nothing(followed: Followed) -> None:
    assert followed.since(STAMPS[1]) is None  # though it stands in a row that changed
    followed.note(STAMPS[9])
    assert followed.since(STAMPS[9]) is None
    assert followed.since("") is None


def test_a_stamp_that_was_read_elsewhere_will_do(followed: Followed) -> None:
    noted = new_stamp(12)
    followed.note(noted)
    assert followed.since(noted) == {"cem"}


def test_what_was_read_early_is_not_told_twice_nor_too_late(followed: Followed) -> None:
    followed.follow(13, 13, [member("dan", 15)])  # committed since the number was read
    assert followed.reached == 15
    followed.follow(13, 16, [member("ana", 16), member("dan", 15), member("eve", 14)])

    assert followed.since(STAMPS[14]) == {"dan", "ana"}
    assert followed.since(STAMPS[13]) == {"eve", "dan", "ana"}


def test_another_beginning_forgets_everything(followed: Followed) -> None:
    followed.begin(10)
    assert followed.since(STAMPS[11]) is None


def test_who_is_gone_is_forgotten(followed: Followed) -> None:
    followed.keep({"ana", "cem"})
    assert followed.since(STAMPS[11]) == {"cem"}


def test_the_oldest_are_forgotten_first(monkeypatch: pytest.MonkeyPatch, followed: Followed) -> None:
    monkeypatch.setattr(followed_module, "MOST_FOLLOWED", 4)
    followed.follow(13, 17, [member(f"m{number}", number) for number in (14, 15, 16, 17)])

    assert followed.since(STAMPS[11]) is None
    assert followed.since(STAMPS[15]) == {"m16", "m17"}
    assert len(followed._ids) == 4
