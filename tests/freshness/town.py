"""A community through several processes, and threads that begin together, for the tests of races."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from service.usecases.communities import create_community
from tests.freshness.walk import Process, Reply, World

HERE = {"lat": 52.52, "lon": 13.405}


@dataclass(frozen=True, slots=True)
class Town:
    """A community through the processes of a world."""

    world: World
    number: int
    key: str

    @classmethod
    def found(cls, world: World) -> Town:
        """Return a new community, in real time."""
        world.clock_file.write_text("0")
        community, _, key = create_community(world.judge.kith.database, "Town")
        return cls(world, community.number, key)

    def ask(self, process: int, method: str, path: str, body: Any = None) -> Reply:
        """Send a request through one of the processes."""
        processes: Sequence[Process] = self.world.processes
        return processes[process % len(processes)].ask(self.key, method, path, body)

    def write(self, process: int, method: str, path: str, body: Any = None) -> Reply:
        """Send a write that must be accepted."""
        reply = self.ask(process, method, path, body)
        assert reply.status < 300, (method, path, reply)
        return reply

    def seen(self, process: int, asker: str) -> dict[str, str]:
        """Return the names of those who are suggested, by id."""
        reply = self.ask(process, "GET", f"/v1/profiles/{asker}/suggestions?limit=100")
        assert reply.status == 200, reply
        return {item["peer"]["id"]: item["peer"]["name"] for item in reply.document["items"]}

    def settle(self, *members: str) -> None:
        """Let members of these ids live in one place."""
        lines = [{"id": member, "name": member.title(), "location": HERE} for member in members]
        assert self.write(0, "POST", "/v1/profiles/import", lines).document["created"] == len(members)

    def say(self, process: int, member: str, peer: str, response: str) -> Reply:
        """Let a member say what they think of another."""
        body = {"peer": peer, "response": response}
        return self.ask(process, "POST", f"/v1/profiles/{member}/responses", body)

    def listed(self, process: int, member: str, what: str) -> list[str]:
        """Return the ids in one of a member's lists."""
        reply = self.ask(process, "GET", f"/v1/profiles/{member}/{what}?limit=100")
        assert reply.status == 200, reply
        return [item["peer"]["id"] for item in reply.document["items"]]


def together(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run tasks in threads that begin at the same moment; raise what one of them raised."""
    start = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        start.wait(10)
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))
