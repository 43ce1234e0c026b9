"""Walks one walk through several processes and holds every answer against a fresh service without a cache."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from service.storage.access import AccessReader
from service.storage.loaded import LoadedCommunities
from service.usecases.communities import create_community
from service.usecases.keys import digest_of
from service.usecases.refits import refit_now
from service.usecases.suggestions import Suggester
from service.web.state import EXTENSION
from tests.freshness.steps import Jump, Read, Step, Write
from tests.harness import NDJSON, Kith

SHRINK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A status and a document."""

    status: int
    document: Any

    @property
    def cache(self) -> str:
        """Where the answer came from; empty where it doesn't say."""
        return str(self.document.get("cache", ""))

    @property
    def content(self) -> tuple[int, Any]:
        """All in which two equal answers are equal."""
        return self.status, {
            name: self.document[name] for name in self.document if name not in {"cache", "as_of"}
        }


class Process(Protocol):
    """A process of the service: in this one, or a real one behind a socket."""

    def ask(self, key: str, method: str, path: str, body: Any = None) -> Reply:
        """Send a request under this API key."""
        ...


def encoded(body: Any) -> tuple[bytes | None, str]:
    """Return a body's bytes and content type; a list is an import."""
    if body is None:
        return None, ""
    if isinstance(body, list):
        return "".join(json.dumps(line) + "\n" for line in body).encode(), NDJSON
    return json.dumps(body).encode(), "application/json"


@dataclass(slots=True)
class InProcess:
    """A Kith in this process."""

    kith: Kith

    def ask(self, key: str, method: str, path: str, body: Any = None) -> Reply:
        """Send a request under this API key."""
        sent, kind = encoded(body)
        headers = {"Content-Type": kind} if kind else {}
        reply = replace(self.kith, key=key).call(method, path, sent, **headers)
        return Reply(reply.status_code, reply.json if reply.data else {})


@dataclass(slots=True)
class Judge:
    """A Kith without a cache, which loads the community anew before every answer."""

    kith: Kith

    def ask(self, key: str, path: str) -> Reply:
        """Return the answer of a service that has just started."""
        parts = self.kith.client.application.extensions[EXTENSION]
        loaded = LoadedCommunities(parts.database)
        fresh = replace(parts, loaded=loaded, suggester=Suggester(parts.cache, loaded))
        self.kith.client.application.extensions[EXTENSION] = fresh
        return InProcess(self.kith).ask(key, "GET", path)


@dataclass(slots=True)
class Tally:
    """What a walk met: a walk without hits or with refused writes alone would prove nothing."""

    reads: int = 0
    hits: int = 0
    outlived: int = 0
    writes: int = 0
    done: int = 0
    met: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Count another walk in."""
        for name in ("reads", "hits", "outlived", "writes", "done"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.met += other.met


class Disagreement(AssertionError):
    """An answer that a fresh service without a cache would not give."""


@dataclass(frozen=True, slots=True)
class World:
    """The processes, the judge and the clock that they share, on one database and one Redis."""

    processes: Sequence[Process]
    judge: Judge
    clock_file: Path

    def walk(self, steps: Sequence[Step], beginning: datetime) -> Tally:
        """Take the steps in a new community; raise `Disagreement` at the first wrong answer."""
        _, _, key = create_community(self.judge.kith.database, "Walkers")
        walk = _Walk(self, key, beginning)
        for number, step in enumerate(steps):
            walk.take(number, step)
        return walk.tally

    def check(self, steps: Sequence[Step], beginning: datetime) -> Tally:
        """Walk; where an answer is wrong, say so with the shortest part of the walk that shows it."""
        try:
            return self.walk(steps, beginning)
        except Disagreement as found:
            shortest, why = self._shrink(list(steps), beginning, found)
        told = "\n".join(f"  {step}" for step in shortest)
        raise Disagreement(f"{why}\nbeginning {beginning}, shortest walk:\n{told}")

    def _shrink(
        self, steps: list[Step], beginning: datetime, found: Disagreement
    ) -> tuple[list[Step], Disagreement]:
        why, until = found, time.monotonic() + SHRINK_SECONDS
        size = len(steps) // 2
        while size and time.monotonic() < until:
            for start in range(len(steps) - size, -1, -size):
                part = steps[:start] + steps[start + size :]
                try:
                    self.walk(part, beginning)
                except Disagreement as again:
                    steps, why = part, again
            size //= 2
        return steps, why


class _Walk:
    """One walk under way."""

    def __init__(self, world: World, key: str, beginning: datetime) -> None:
        self._world = world
        self._key = key
        self._offset = (beginning - datetime.now(UTC)).total_seconds()
        self._judged: dict[str, Reply] = {}
        self._computed: dict[str, int] = {}
        self._epoch = 0
        self.tally = Tally()
        self._set_clock()

    def _set_clock(self) -> None:
        # Replaced whole: a process that read half a number would be in another year.
        new = self._world.clock_file.with_suffix(".new")
        new.write_text(str(self._offset))
        new.replace(self._world.clock_file)

    def take(self, number: int, step: Step) -> None:
        if isinstance(step, Read):
            self._read(number, step)
            return
        self._judged.clear()
        self._epoch += 1
        if isinstance(step, Write):
            self._write(number, step)
        elif isinstance(step, Jump):
            self._offset += step.by.total_seconds()
            self._set_clock()
        else:
            self._refit()

    def _write(self, number: int, step: Write) -> None:
        reply = self._world.processes[step.process].ask(self._key, step.method, step.path, step.body)
        assert reply.status < 500, (number, step, reply)
        self.tally.writes += 1
        self.tally.done += reply.status < 400
        if step.path.endswith("/responses") and reply.status == 200:
            self.tally.met[reply.document["state"]] += 1
        if reply.status == 429:
            assert step.method == "DELETE", (number, step, reply)
            self.tally.met["429"] += 1

    def _refit(self) -> None:
        database = self._world.judge.kith.database
        found = AccessReader(database).find(digest_of(self._key))
        assert found is not None
        refit_now(database, found[0].community.number)

    def _read(self, number: int, step: Read) -> None:
        for process in step.processes:
            reply = self._world.processes[process].ask(self._key, "GET", step.path)
            if step.path not in self._judged:
                self._judged[step.path] = self._world.judge.ask(self._key, step.path)
            right = self._judged[step.path]
            if reply.content != right.content:
                where = f"step {number}, process {process}, {step.path}"
                raise Disagreement(f"{where}:\n  got   {reply}\n  right {right}")
            self._count(step.path, reply)

    def _count(self, path: str, reply: Reply) -> None:
        for item in reply.document.get("items", ()):
            self.tally.met[path.partition("?")[0].rpartition("/")[2]] += 1
            self.tally.met["invited_me"] += item.get("invited_me", False)
        if reply.status != 200 or not reply.cache:
            return
        assert reply.cache in {"hit", "miss"}, reply
        self.tally.reads += 1
        if reply.cache == "miss":
            self._computed[path] = self._epoch
            return
        self.tally.hits += 1
        self.tally.outlived += self._computed[path] < self._epoch
