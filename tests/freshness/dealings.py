"""What members do to each other in a walk, as short scenes of requests, and what is asked of it.

The walker takes the requests of a scene one at a time, with reads after each and now and then another write
between them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.freshness.steps import Write

# Few, because much has to happen between the same two.
FOLK = ("m0", "m1", "m2", "m3", "m4")
ABOUT_PEOPLE = ("invitations", "connections", "reconnects", "blocks", "export")
# Five minutes beside the walk's ticks; some of those who met then are not worth writing to again yet.
DAYS_AGO = (120, 90, 75, 61, 59, 31)
BESIDE = timedelta(minutes=5)


class Dealings:
    """Makes scenes between two members."""

    def __init__(self, random: Random, beginning: datetime, profile: Callable[[str], Any]) -> None:
        self._random = random
        self._beginning = beginning
        self._profile = profile
        self._latest: tuple[str, ...] = FOLK[:2]

    def scene(self) -> list[Write]:
        """Return what one of the folk does to another, and what follows."""
        me, peer = self._latest = tuple(self._random.sample(FOLK, 2))
        scenes: tuple[tuple[int, Callable[[str, str], list[Write]]], ...] = (
            (14, self._answer),
            (7, self._agree),
            (6, self._fill),
            (2, self._know),
            (1, self._import),
            (4, self._block),
            (5, self._make_up),
            (2, self._waver),
            (4, self._part),
            (1, self._report),
        )
        weights = [weight for weight, _ in scenes]
        return self._random.choices([scene for _, scene in scenes], weights)[0](me, peer)

    def question(self) -> str:
        """Return a list of people, or all that is kept of a member, of one of the two who dealt latest."""
        if self._random.random() < 0.08:
            return "/v1/reports"
        what = self._random.choice(ABOUT_PEOPLE)
        limited = what != "export" and self._random.random() < 0.3
        return f"/v1/profiles/{self._random.choice(self._latest)}/{what}" + ("?limit=1" if limited else "")

    def _write(self, method: str, path: str, body: Any = None) -> Write:
        return Write(self._random.randrange(2), method, path, body)

    def _say(self, me: str, peer: str, response: str) -> Write:
        body = {"peer": peer, "response": response}
        return self._write("POST", f"/v1/profiles/{me}/responses", body)

    def _answer(self, me: str, peer: str) -> list[Write]:
        responses = ("accept", "accept", "accept", "decline", "later", "later")
        return [self._say(me, peer, self._random.choice(responses))]

    def _agree(self, me: str, peer: str) -> list[Write]:
        return [self._say(me, peer, "accept"), self._say(peer, me, "accept")]

    def _fill(self, me: str, peer: str) -> list[Write]:
        """Let one introduction, or none, be all that a member has room for; then make room again."""
        full = self._write("PATCH", f"/v1/profiles/{peer}", {"capacity": self._random.choice((0, 1, 1, 1))})
        free = self._write("PATCH", f"/v1/profiles/{peer}", {"capacity": self._random.choice((1, 2, 3, 3))})
        said = [self._say(me, peer, "accept"), full]
        self._random.shuffle(said)
        return [*said, self._random.choice((free, self._say(me, peer, "decline")))]

    def _times(self) -> dict[str, str]:
        since, last_met = sorted(self._random.sample(DAYS_AGO, 2), reverse=True)
        ago = {"since": since, "last_met": last_met}
        times = {name: self._beginning - timedelta(days=days) + BESIDE for name, days in ago.items()}
        return {
            name: time.strftime("%Y-%m-%dT%H:%M:%SZ")
            for name, time in times.items()
            if self._random.random() < 0.7
        }

    def _know(self, me: str, peer: str) -> list[Write]:
        return [self._write("PUT", f"/v1/profiles/{me}/connections/{peer}", self._times())]

    def _import(self, me: str, peer: str) -> list[Write]:
        pairs = [(me, peer), *(tuple(self._random.sample(FOLK, 2)) for _ in range(2))]
        lines: list[Any] = [{"a": a, "b": b} | self._times() for a, b in pairs]
        if self._random.random() < 0.3:
            lines.insert(1, {"a": me, "b": me})
        return [self._write("POST", "/v1/connections/import", lines)]

    def _block(self, me: str, peer: str) -> list[Write]:
        """Block somebody, and sometimes let them be erased and come back."""
        block = self._write("PUT", f"/v1/profiles/{me}/blocks/{peer}")
        if self._random.random() < 0.3:
            return [block]
        back = self._write("POST", "/v1/profiles", self._profile(peer))
        return [block, self._write("DELETE", f"/v1/profiles/{peer}"), back]

    def _make_up(self, me: str, peer: str) -> list[Write]:
        return [self._unblock(me, peer), self._unblock(peer, me)]

    def _unblock(self, me: str, peer: str) -> Write:
        return self._write("DELETE", f"/v1/profiles/{me}/blocks/{peer}")

    def _waver(self, me: str, peer: str) -> list[Write]:
        """Block and unblock somebody in turns, once too often."""
        turn = [self._write("PUT", f"/v1/profiles/{me}/blocks/{peer}"), self._unblock(me, peer)]
        return [*turn, *turn, *turn]

    def _part(self, me: str, peer: str) -> list[Write]:
        return [
            self._write("PUT", f"/v1/profiles/{peer}/connections/{me}", {}),
            self._write("DELETE", f"/v1/profiles/{me}/connections/{peer}"),
        ]

    def _report(self, me: str, peer: str) -> list[Write]:
        reason = self._random.choice(("spam", "harassment", "other"))
        body = {"peer": peer, "reason": reason, "detail": self._random.choice(("So rude.", None))}
        return [self._write("POST", f"/v1/profiles/{me}/reports", body)]
