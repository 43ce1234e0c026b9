"""Random acts of a few members over HTTP, against a plain model of API.md: each sees just what it says."""

from __future__ import annotations

from datetime import datetime
from itertools import product
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.harness import Kith, peers
from tests.resources.people import listed, open_introductions, seen
from tests.tenants import TestClock, neighbour
from tests.usecases.pair_model import Model

Duo = tuple[str, str]
PEOPLE = ("ana", "ben", "cem", "dan", "eve")
MEMBERS = PEOPLE[:4]  # Eve is a stranger, until she is posted
person = st.sampled_from(PEOPLE)
# Much has to happen between the same two; the others are there to be full, strangers, or oneself.
HOT = [("ana", "ben"), ("ben", "ana")]
duos = st.sampled_from([*HOT * 25, *product(PEOPLE, repeat=2)])
responses = st.sampled_from(("accept", "accept", "accept", "decline", "later"))
capacities = st.sampled_from((1, 2, 0, 3))
hours = st.sampled_from((1.0, 23.5, 24.0 * 5, 24.0 * 14, 24.0 * 16))
times = st.sampled_from((None, "2026-01-01T00:00:00Z", "2026-03-01T00:00:00Z", "2026-02-01T00:00:00Z"))
LOOKS = 4  # every so many acts the lists are compared, too


class Acts(RuleBasedStateMachine):
    """What members do; after each act everybody's suggestions are what the model says."""

    shared: ClassVar[Kith]
    clock: ClassVar[TestClock]

    @initialize(capacity=st.sampled_from((1, 1, 2)))
    def begin(self, capacity: int) -> None:
        self.clock.reset()
        self.kith, self.model, self.acts = neighbour(self.shared), Model(), 0
        for name in MEMBERS:
            self.post(name, capacity)

    def post(self, name: str, capacity: int) -> None:
        self.kith.post_profile(name, capacity=capacity)
        self.model.capacity[name] = capacity

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return self.kith.call(method, f"/v1/profiles/{path}", body)

    @rule(two=duos, response=responses)
    def respond(self, two: Duo, response: str) -> None:
        me, peer = two
        answer = self.call("POST", f"{me}/responses", {"peer": peer, "response": response})
        assert (answer.status_code, answer.json.get("state")) == self.model.respond(me, peer, response)
        self.look()

    @rule(two=duos)
    def agree(self, two: Duo) -> None:
        me, peer = two
        for one, other in ((me, peer), (peer, me)):
            answer = self.call("POST", f"{one}/responses", {"peer": other, "response": "accept"})
            assert (answer.status_code, answer.json.get("state")) == self.model.respond(one, other, "accept")
        self.look()

    @rule(two=duos, since=times, last_met=times)
    def connect(self, two: Duo, since: str | None, last_met: str | None) -> None:
        me, peer = two
        answer = self.call("PUT", f"{me}/connections/{peer}", {"since": since, "last_met": last_met})
        assert answer.status_code == self.model.connect(me, peer, since, last_met)
        self.look()

    @precondition(lambda self: self.model.known)
    @rule(data=st.data())
    def disconnect(self, data: st.DataObject) -> None:
        two = data.draw(st.sampled_from(sorted(tuple(sorted(known)) for known in self.model.known)))
        me, peer = data.draw(st.permutations(two))
        assert self.call("DELETE", f"{me}/connections/{peer}").status_code == self.model.disconnect(me, peer)
        self.look()

    @rule(two=duos)
    def disconnect_anybody(self, two: Duo) -> None:
        me, peer = two
        assert self.call("DELETE", f"{me}/connections/{peer}").status_code == self.model.disconnect(me, peer)
        self.look()

    @rule(two=duos)
    def block(self, two: Duo) -> None:
        me, peer = two
        assert self.call("PUT", f"{me}/blocks/{peer}").status_code == self.model.block(me, peer)
        self.look()

    @rule(two=duos)
    def report(self, two: Duo) -> None:
        me, peer = two
        answer = self.call("POST", f"{me}/reports", {"peer": peer, "reason": "other"})
        expected = self.model.block(me, peer)
        assert answer.status_code == {204: 201}.get(expected, expected)
        self.look()

    @rule(two=duos)
    def unblock(self, two: Duo) -> None:
        me, peer = two
        assert self.call("DELETE", f"{me}/blocks/{peer}").status_code == self.model.unblock(me, peer)
        self.look()

    @rule(two=duos, mine=responses)
    def waver(self, two: Duo, mine: str) -> None:
        """Answer, be blocked, and have the block taken back: what is left of the answer?"""
        me, peer = two
        answer = self.call("POST", f"{me}/responses", {"peer": peer, "response": mine})
        assert (answer.status_code, answer.json.get("state")) == self.model.respond(me, peer, mine)
        assert self.call("PUT", f"{peer}/blocks/{me}").status_code == self.model.block(peer, me)
        assert self.call("DELETE", f"{peer}/blocks/{me}").status_code == self.model.unblock(peer, me)
        self.look()

    @precondition(lambda self: self.model.blocks)
    @rule(data=st.data())
    def unblock_one(self, data: st.DataObject) -> None:
        me, peer = data.draw(st.sampled_from(sorted(self.model.blocks)))
        assert self.call("DELETE", f"{me}/blocks/{peer}").status_code == self.model.unblock(me, peer)
        self.look()

    @rule(me=person, capacity=capacities, how=st.sampled_from(("PATCH", "PUT", "erase")))
    def change(self, me: str, capacity: int, how: str) -> None:
        if me not in self.model.capacity:
            self.post(me, capacity)
        elif how == "erase":
            assert self.call("DELETE", me).status_code == 204
            self.model.erase(me)
        else:
            stated = {"capacity": capacity} | ({"name": me.title()} if how == "PUT" else {})
            assert self.call(how, me, stated).status_code == 200
            self.model.capacity[me] = capacity
        self.look()

    @rule(hours=hours)
    def wait(self, hours: float) -> None:
        self.clock.forward(hours=hours)
        self.model.pass_time(hours)
        self.look()

    def look(self) -> None:
        """Compare what everybody is suggested, and now and then all the rest."""
        self.acts += 1
        for me in self.model.capacity:
            assert seen(self.kith, me) == self.model.suggested(me), me
        counted = {me: self.model.introductions(me) for me in self.model.capacity}
        assert open_introductions(self.kith) == counted
        if self.acts % LOOKS == 0:
            self.look_closely()

    def look_closely(self) -> None:
        for me in self.model.capacity:
            invited = sorted(self.model.invitations(me), key=lambda pair: -pair[1])
            items = self.kith.get(f"/v1/profiles/{me}/invitations")["items"]
            assert sorted(peers({"items": items})) == sorted(peer for peer, _ in invited)
            ends = [datetime.fromisoformat(item["expires_at"]) for item in items]
            assert ends == sorted(ends, reverse=True)
            assert [dict(invited)[peer] for peer in peers({"items": items})] == [at for _, at in invited]
            assert self.known(me) == {
                peer: (known.last_met, known.times_met) for peer, known in self.model.connections(me).items()
            }
            assert listed(self.kith, me, "blocks") == self.model.listed_blocks(me)
            kept = self.kith.get(f"/v1/profiles/{me}/export")
            assert {answer["peer"]: answer["response"] for answer in kept["responses"]} == self.model.said(me)
            assert [item["peer"] for item in kept["blocks"]] == self.model.listed_blocks(me)

    def known(self, me: str) -> dict[str, tuple[str | None, int]]:
        items = self.kith.get(f"/v1/profiles/{me}/connections")["items"]
        stated = self.model.connections(me)
        for item in items:
            since = stated[item["peer"]["id"]].since
            assert since in {None, item["since"]}
        return {item["peer"]["id"]: (item["last_met"], item["times_met"]) for item in items}

    def teardown(self) -> None:
        if hasattr(self, "model"):
            self.look_closely()


def run(kith: Kith, clock: TestClock, examples: int, steps: int, *, derandomize: bool) -> None:
    """Run the acts on a Kith."""

    class Here(Acts):
        """The acts, bound to one database."""

    Here.shared, Here.clock = kith, clock
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=derandomize,
            database=None,
            phases=[Phase.generate],  # to shrink over HTTP takes minutes; a walk is short as it is
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.unmeasured
def test_everybody_sees_just_what_the_model_says(sqlite_kith: Kith, clock: TestClock) -> None:
    run(sqlite_kith, clock, 8, 16, derandomize=True)


@pytest.mark.drill
def test_everybody_sees_just_what_the_model_says_for_long(kith: Kith, clock: TestClock) -> None:
    run(kith, clock, 60, 50, derandomize=False)
