"""What stands between people, written plainly from API.md alone: the judge of the state machine.

Everything is kept by id in dictionaries, and what is shown is worked out anew each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations

DAY = 24.0  # hours, as all times here
LASTS = {"accept": 14 * DAY, "later": 30 * DAY}
Two = frozenset[str]


@dataclass
class Known:
    """A connection; `since` is None where it began when it was made."""

    since: str | None = None
    last_met: str | None = None
    times_met: int = 0


@dataclass
class Model:
    """One community's members and all that they did about each other."""

    now: float = 0.0
    capacity: dict[str, int] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    answers: dict[tuple[str, str], tuple[str, float]] = field(default_factory=dict)
    blocks: set[tuple[str, str]] = field(default_factory=set)
    unblocked: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    known: dict[Two, Known] = field(default_factory=dict)

    # ---------------------------------------------------------------- acts, each returning a status

    def pass_time(self, hours: float) -> None:
        self.now += hours
        for two, (response, at) in list(self.answers.items()):
            if response in LASTS and at + LASTS[response] <= self.now:
                del self.answers[two]
        for two in self.unblocked:
            self.unblocked[two] = [at for at in self.unblocked[two] if at + DAY > self.now]

    def respond(self, me: str, peer: str, response: str) -> tuple[int, str | None]:
        refused = self.refused(me, peer)
        if refused:
            return refused, None
        if frozenset((me, peer)) in self.known:
            return 409, None
        if self.answer(me, peer) != response or response == "later":
            self.answers[me, peer] = response, self.now
        if self.answer(me, peer) == self.answer(peer, me) == "accept" and not self.blocked(me, peer):
            self.settle(me, peer)
            self.known[frozenset((me, peer))] = Known()
            return 200, "connected"
        return 200, {"accept": "pending", "decline": "declined", "later": "later"}[response]

    def connect(self, me: str, peer: str, since: str | None, last_met: str | None) -> int:
        refused = self.refused(me, peer)
        if refused:
            return refused
        if (me, peer) in self.blocks:
            return 409
        self.settle(me, peer)
        known = self.known.setdefault(frozenset((me, peer)), Known())
        known.since = since or known.since
        if last_met is not None and (known.last_met is None or last_met > known.last_met):
            known.last_met, known.times_met = last_met, known.times_met + 1
        return 200

    def disconnect(self, me: str, peer: str) -> int:
        if me not in self.capacity or frozenset((me, peer)) not in self.known:
            return 404
        del self.known[frozenset((me, peer))]
        self.answers[me, peer] = "decline", self.now
        return 204

    def block(self, me: str, peer: str) -> int:
        if me not in self.capacity or me == peer:
            return 404 if me not in self.capacity else 422
        if (me, peer) not in self.blocks:
            self.blocks.add((me, peer))
            self.known.pop(frozenset((me, peer)), None)
            for two in ((me, peer), (peer, me)):
                if self.answers.get(two, ("decline", 0))[0] != "decline":
                    del self.answers[two]
        return 204

    def unblock(self, me: str, peer: str) -> int:
        if me not in self.capacity or me == peer:
            return 404 if me not in self.capacity else 422
        before = self.unblocked.get((me, peer), [])
        if (me, peer) not in self.blocks and not before:
            return 204
        if len(before) == 2:
            return 429
        self.unblocked[me, peer] = [*before, self.now]
        self.blocks.discard((me, peer))
        return 204

    def erase(self, me: str) -> None:
        del self.capacity[me]
        self.erased.add(me)
        self.answers = {two: answer for two, answer in self.answers.items() if me not in two}
        self.known = {two: known for two, known in self.known.items() if me not in two}
        self.blocks = {two for two in self.blocks if two[0] != me}
        self.unblocked = {two: times for two, times in self.unblocked.items() if two[0] != me}

    # ---------------------------------------------------------------- what is shown

    def suggested(self, me: str) -> dict[str, bool]:
        """Return who is suggested to a member, and whether each invited them."""
        shown = {}
        for peer, capacity in self.capacity.items():
            put_off = {"decline", "later"} & {self.answer(me, peer), self.answer(peer, me)}
            done = self.answer(me, peer) == "accept" or put_off
            apart = self.blocked(me, peer) or frozenset((me, peer)) in self.known
            invited = peer in dict(self.invitations(me))
            room = capacity > 0 and (invited or self.introductions(peer) < capacity)
            if peer != me and not apart and not done and room:
                shown[peer] = invited
        return shown

    def invitations(self, me: str) -> Iterator[tuple[str, float]]:
        """Yield who has accepted a member and waits, with the time."""
        for peer in self.capacity:
            if self.is_open(me, peer) and self.answer(peer, me) == "accept":
                yield peer, self.answers[peer, me][1]

    def introductions(self, me: str) -> int:
        """Return how many introductions are open for a member."""
        return sum(self.is_open(*two) for two in combinations(self.capacity, 2) if me in two)

    def listed_blocks(self, me: str) -> list[str]:
        """Return whom a member's list of blocks shows."""
        mine = (peer for blocker, peer in self.blocks if blocker == me)
        there = (peer for peer in mine if peer in self.capacity or peer not in self.erased)
        return sorted(peer for peer in there if (peer, me) not in self.blocks)

    def said(self, me: str) -> dict[str, str]:
        """Return what a member's export says they answered."""
        mine = {peer: answer[0] for (who, peer), answer in self.answers.items() if who == me}
        return {peer: answer for peer, answer in mine.items() if (peer, me) not in self.blocks}

    def connections(self, me: str) -> dict[str, Known]:
        """Return whom a member knows."""
        return {next(iter(two - {me})): known for two, known in self.known.items() if me in two}

    # ---------------------------------------------------------------- words

    def refused(self, me: str, peer: str) -> int | None:
        if me not in self.capacity:
            return 404
        if me == peer:
            return 422
        return 404 if peer not in self.capacity or (peer, me) in self.blocks else None

    def answer(self, me: str, peer: str) -> str | None:
        return self.answers.get((me, peer), (None, 0))[0]

    def blocked(self, me: str, peer: str) -> bool:
        return bool({(me, peer), (peer, me)} & self.blocks)

    def is_open(self, one: str, other: str) -> bool:
        answers = {self.answer(one, other), self.answer(other, one)}
        apart = self.blocked(one, other) or frozenset((one, other)) in self.known
        return answers == {"accept", None} and not apart

    def settle(self, me: str, peer: str) -> None:
        for two in ((me, peer), (peer, me)):
            self.answers.pop(two, None)
