"""To the blocked side the blocker is as if erased: transcripts over all that the blocked one can do."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.harness import Kith
from tests.resources.people import (
    acting,
    ago,
    block,
    change,
    community_of,
    connect,
    erase,
    line,
    reading,
    report,
    respond,
    unblock,
)
from tests.tenants import TestClock, neighbour
from tests.tenants import sqlite_first_url as module_url

__all__ = ["module_url"]

Act = Callable[[Kith], object]
HISTORIES: dict[str, tuple[Act, ...]] = {
    "nothing": (),
    "the blocked one accepted": (lambda kith: respond(kith, "ana", "ben", "accept"),),
    "the blocked one put it off": (lambda kith: respond(kith, "ana", "ben", "later"),),
    "the blocked one declined": (lambda kith: respond(kith, "ana", "ben", "decline"),),
    "the blocker accepted": (lambda kith: respond(kith, "ben", "ana", "accept"),),
    "the blocker declined": (lambda kith: respond(kith, "ben", "ana", "decline"),),
    "the two were connected": (lambda kith: connect(kith, "ana", "ben", since=ago(days=99)),),
    "the blocked one blocked too": (lambda kith: block(kith, "ana", "ben"),),
    "the blocked one reported": (lambda kith: report(kith, "ana", "ben", detail="Rude."),),
    "the blocker reported": (lambda kith: report(kith, "ben", "ana", detail="Rude."),),
    "the blocked one wavered": (
        lambda kith: block(kith, "ana", "ben"),
        lambda kith: unblock(kith, "ana", "ben"),
        lambda kith: block(kith, "ana", "ben"),
        lambda kith: unblock(kith, "ana", "ben"),
    ),
    "the blocked one's call was kept": (lambda kith: keyed(kith, "k-1"),),
}


def keyed(kith: Kith, key: str) -> str:
    body = {"peer": "ben", "response": "accept"}
    return line(kith, "POST", "/v1/profiles/ana/responses", body, Idempotency_Key=key)


@pytest.mark.parametrize(
    "history",
    # Each takes seconds: the drill has all of them.
    [
        pytest.param(name, marks=pytest.mark.drill if number % 3 else ())
        for number, name in enumerate(HISTORIES)
    ],
)
def test_to_the_blocked_side_the_blocker_is_as_if_erased(kith: Kith, clock: TestClock, history: str) -> None:
    transcripts = []
    ways: tuple[Act, Act] = (lambda kith: block(kith, "ben", "ana"), lambda kith: erase(kith, "ben"))
    for here, way in zip((kith, neighbour(kith)), ways, strict=True):
        clock.reset()
        community_of(here, "ana", "ben", "cem", "dan", capacity=1)
        for act in HISTORIES[history]:
            clock.forward(seconds=60)
            act(here)
        reading(here, "ana")
        clock.forward(seconds=60)
        way(here)
        lines = [*reading(here, "ana"), keyed(here, "k-1"), *acting(here, "ana", "ben")]
        clock.forward(hours=25)
        transcripts.append([*lines, *reading(here, "ana")])

    assert transcripts[0] == transcripts[1]
    assert not any(re.search(r"\bBen\b", told) for told in transcripts[0])


def test_a_blocked_one_alone_in_the_community_is_told_as_much_as_a_lonely_one(kith: Kith) -> None:
    answers = []
    for here in (kith, neighbour(kith)):
        community_of(here, "ana", "ben")
        change(here, "ben", languages=["de"])
        change(here, "ana", languages=["fr"])
        assert here.suggestions("ana")["shortfall"]["reasons"] == ["no_shared_language"]
        if here is kith:
            block(here, "ben", "ana")
        else:
            erase(here, "ben")
        answers.append(here.suggestions("ana")["shortfall"])

    assert answers[0] == answers[1]
    assert answers[0]["reasons"] == []
