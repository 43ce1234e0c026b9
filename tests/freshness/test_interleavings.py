"""The bad moments of an answer under way, made to happen: whom a member had blocked before it is not in it.

Two apps in this process; what happens comes through the second one, in the middle of the first one's answer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from service.storage import profiles
from service.storage.session import Session
from tests.freshness.town import HERE, Town
from tests.freshness.walk import World
from tests.tenants import sqlite_first_url as module_url

__all__ = ["module_url"]


@pytest.fixture
def town(world: World) -> Town:
    """A new community through two apps, each with an index of its own."""
    return Town.found(world)


def _erase(town: Town, member: str) -> None:
    town.write(1, "DELETE", f"/v1/profiles/{member}")


def _post(town: Town, member: str) -> None:
    town.write(1, "POST", "/v1/profiles", {"id": member, "name": "Again", "location": HERE})


def _block(town: Town, member: str, peer: str) -> None:
    town.write(1, "PUT", f"/v1/profiles/{member}/blocks/{peer}")


Happening = Callable[[Town, str], object]
# What becomes of Ben: before Ana asks, having blocked him, and while she is answered.
SCENES: dict[str, tuple[tuple[Happening, ...], tuple[Happening, ...]]] = {
    "comes back": ((_erase,), (_post,)),
    "is erased": ((), (_erase,)),
    "is erased and comes back": ((), (_erase, _post)),
    "comes back and is erased": ((_erase,), (_post, _erase)),
    "is erased, comes back, is erased": ((), (_erase, _post, _erase)),
}
READS: dict[str, tuple[Any, str]] = {
    "what stands between people": (Session, "pairs_of"),
    "who has changed": (profiles, "changed_since"),
    "who has gone": (profiles, "departed_since"),
}


class Interruption:
    """Lets something happen once, just before or after a read that an answer makes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, read: tuple[Any, str], *, after: bool) -> None:
        self._monkeypatch = monkeypatch
        self._owner, self._name = read
        self._after = after
        self._original = getattr(*read)
        self.happened = False

    def prepare(self, happening: Callable[[], object]) -> None:
        """Wait for the next such read."""
        self.happened = False

        def interrupted(*arguments: Any) -> Any:
            self._monkeypatch.setattr(self._owner, self._name, self._original)
            found = self._original(*arguments) if self._after else None
            happening()
            self.happened = True
            return found if self._after else self._original(*arguments)

        self._monkeypatch.setattr(self._owner, self._name, interrupted)


@pytest.fixture(params=[False, True], ids=["before", "after"])
def after(request: pytest.FixtureRequest) -> bool:
    """Whether it happens after the read."""
    return bool(request.param)


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_whom_a_member_blocked_is_in_no_later_answer_whatever_becomes_of_them(
    town: Town, monkeypatch: pytest.MonkeyPatch, read: tuple[Any, str], after: bool
) -> None:
    interruption = Interruption(monkeypatch, read, after=after)
    for number, (earlier, during) in enumerate(SCENES.values()):
        ana, ben, cem = (f"{name}{number}" for name in ("ana", "ben", "cem"))
        town.settle(ana, ben, cem)
        assert {ben, cem} <= town.seen(0, ana).keys()
        _block(town, ana, ben)
        _happen(town, ben, earlier)
        _assert_unseen(town, ana, ben, during, interruption)


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_whoever_blocked_a_member_is_in_no_later_answer_though_the_block_goes_with_them(
    town: Town, monkeypatch: pytest.MonkeyPatch, read: tuple[Any, str], after: bool
) -> None:
    interruption = Interruption(monkeypatch, read, after=after)
    for number, during in enumerate(((_erase,), (_erase, _post, _erase))):
        ana, ben, cem = (f"{name}{number}" for name in ("ana", "ben", "cem"))
        town.settle(ana, ben, cem)
        assert {ben, cem} <= town.seen(0, ana).keys()
        _block(town, ben, ana)
        _assert_unseen(town, ana, ben, during, interruption)


def _happen(town: Town, member: str, happenings: tuple[Happening, ...]) -> None:
    for happening in happenings:
        happening(town, member)


def _assert_unseen(
    town: Town, asker: str, member: str, during: tuple[Happening, ...], interruption: Interruption
) -> None:
    interruption.prepare(lambda: _happen(town, member, during))
    seen = town.seen(0, asker)
    assert interruption.happened
    assert member not in seen
    assert f"cem{asker[3:]}" in seen
    path = f"/v1/profiles/{asker}/suggestions?limit=100"
    right = town.world.judge.ask(town.key, path)
    assert member not in {item["peer"]["id"] for item in right.document["items"]}
    assert [town.ask(process, "GET", path).content for process in (0, 1)] == [right.content] * 2
