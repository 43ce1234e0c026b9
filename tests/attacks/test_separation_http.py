"""What a community separates by holds over HTTP: in answers computed and kept, lists, imports, responses.

Across a separation a peer does not exist, whatever was between the two before.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Self

from tests.harness import NDJSON, Kith, peers

Stated = dict[str, dict[str, str]]
SIDES: tuple[dict[str, str], ...] = (
    {"age_band": "under-18"},
    {"age_band": "Under-18"},
    {"age_band": "18-29", "team": "under-18"},
    {"team": "under-18"},
    {},
)
THREE_SIDES: tuple[dict[str, str], ...] = ({"age_band": "under-18"}, {"age_band": "18-29"}, {})
LONG_AGO = "2025-05-17T12:00:00Z"


@dataclass
class Community:
    """Members over HTTP, what they stated, and what separates them."""

    kith: Kith
    stated: Stated
    separate_by: tuple[str, ...] = ("age_band",)
    kept_apart: int = 0

    @classmethod
    def of(cls, kith: Kith, stated: Stated) -> Self:
        community = cls(kith, stated)
        community.separate("age_band")
        community.tell(*community.stated)
        return community

    def tell(self, *ids: str) -> None:
        """Import members anew."""
        report = self.kith.import_profiles(*(line(member, self.stated[member]) for member in ids))
        assert report["failed"] == 0

    def separate(self, *names: str) -> None:
        assert self.kith.call("PATCH", "/v1/community", {"separate_by": names}).status_code == 200
        self.separate_by = names

    def patch(self, member: str, **attributes: str | None) -> None:
        """Change a member's attributes; None takes one away."""
        changed = self.kith.call("PATCH", f"/v1/profiles/{member}", {"attributes": attributes})
        assert changed.status_code == 200
        known = {**self.stated[member], **attributes}
        self.stated[member] = {name: value for name, value in known.items() if value is not None}

    def same(self, member: str) -> set[str]:
        """Return who is on a member's side."""
        mine = self.stated[member]
        return {
            other
            for other, theirs in self.stated.items()
            if other != member and all(mine.get(name) == theirs.get(name) for name in self.separate_by)
        }

    def look(self) -> None:
        """Ask for everybody's suggestions, computed and kept; they are just those on the same side."""
        for member in self.stated:
            self.kept_apart += len(self.stated) - 1 - len(self.same(member))
            for _ in range(2):
                answer = self.kith.suggestions(member, "?limit=100")
                assert set(peers(answer)) == self.same(member)
            assert answer["cache"] == "hit"

    def listed(self, member: str, what: str) -> set[str]:
        """Return who is in one of a member's lists."""
        return set(peers(self.kith.get(f"/v1/profiles/{member}/{what}?limit=100")))


def line(member: str, attributes: dict[str, str]) -> dict[str, object]:
    return {"id": member, "name": "N", "interests": ["hiking"], "attributes": attributes, "capacity": 20}


def test_no_answer_crosses_after_any_change(kith: Kith) -> None:
    community = Community.of(kith, {f"m{number}": SIDES[number % len(SIDES)] for number in range(15)})
    community.look()

    community.patch("m0", age_band="18-29")
    community.look()
    community.patch("m2", age_band=None)
    community.look()
    community.stated |= {"m1": {}, "m4": {"age_band": "under-18", "team": "x"}}
    community.tell("m1", "m4")
    community.look()
    assert kith.call("DELETE", "/v1/profiles/m5").status_code == 204
    community.stated["m5"] = {"age_band": "18-29"}
    community.tell("m5")
    community.look()
    community.separate("age_band", "team")
    community.look()
    community.separate("team")
    community.look()

    assert community.kept_apart > 1_000


@dataclass
class Circle(Community):
    """Members over HTTP who know and invite each other as far as they may, and who does."""

    connected: set[frozenset[str]] = field(default_factory=set)
    invited: set[tuple[str, str]] = field(default_factory=set)

    def bring_together(self) -> None:
        """Try to connect one half of all pairs, and to accept in the other half, across or not."""
        ids = list(self.stated)
        halves: tuple[list[tuple[str, str]], list[tuple[str, str]]] = ([], [])
        for first, second in combinations(range(len(ids)), 2):
            halves[(first + second) % 2].append((ids[first], ids[second]))
        assert self.import_connections(halves[0]) == {
            number for number, pair in enumerate(halves[0], 1) if pair[1] not in self.same(pair[0])
        }
        self.connected = {frozenset(pair) for pair in halves[0] if pair[1] in self.same(pair[0])}
        for me, peer in halves[1]:
            answered = self.respond(me, peer, "accept")
            assert answered.status_code == (200 if peer in self.same(me) else 404)
            if answered.status_code == 200:
                self.invited.add((me, peer))

    def import_connections(self, pairs: Sequence[tuple[str, str]]) -> set[int]:
        """Import connections; return the numbers of the lines that failed."""
        told = [{"a": a, "b": b, "since": LONG_AGO, "last_met": LONG_AGO} for a, b in pairs]
        body = "".join(json.dumps(one) + "\n" for one in told).encode()
        answered = self.kith.call("POST", "/v1/connections/import", body, Content_Type=NDJSON)
        assert answered.status_code == 200, answered.text
        return {error["line"] for error in answered.json["errors"]}

    def respond(self, me: str, peer: str, response: str) -> Any:
        return self.kith.call("POST", f"/v1/profiles/{me}/responses", {"peer": peer, "response": response})

    def look_around(self) -> None:
        """Read every list of everybody; it holds just those who belong there and are on the same side."""
        for member in self.stated:
            same = self.same(member)
            known = {other for other in same if frozenset((member, other)) in self.connected}
            assert self.listed(member, "connections") == self.listed(member, "reconnects") == known
            inviting = {other for other in same if (other, member) in self.invited}
            assert self.listed(member, "invitations") == inviting
            sent = {other for other in same if (member, other) in self.invited}
            assert self.listed(member, "suggestions") == same - known - sent
            self.kept_apart += len(self.stated) - 1 - len(same)


def circle(kith: Kith) -> Circle:
    """Return nine members on three sides, brought together as far as they may be."""
    made = Circle.of(kith, {f"m{number}": THREE_SIDES[number % 3] for number in range(9)})
    made.bring_together()
    return made


def test_no_list_crosses_after_any_change(kith: Kith) -> None:
    community = circle(kith)
    assert len(community.connected) == 3
    assert len(community.invited) == 6
    community.look_around()

    community.patch("m0", age_band="18-29")
    community.look_around()
    community.patch("m1", age_band=None)
    community.look_around()
    community.stated |= {"m2": {"age_band": "18-29"}, "m3": {}}
    community.tell("m2", "m3")
    community.look_around()
    community.separate("age_band", "team")
    community.look_around()
    community.separate("age_band")
    community.stated |= {"m0": THREE_SIDES[0], "m1": THREE_SIDES[1]}
    community.tell("m0", "m1")
    community.look_around()

    assert community.kept_apart > 250


def test_who_was_erased_and_comes_again_on_another_side_meets_nobody_of_before(kith: Kith) -> None:
    community = circle(kith)

    assert kith.call("DELETE", "/v1/profiles/m0").status_code == 204
    community.connected = {pair for pair in community.connected if "m0" not in pair}
    community.invited = {pair for pair in community.invited if "m0" not in pair}
    community.stated["m0"] = {"age_band": "18-29"}
    community.tell("m0")

    community.look_around()


def test_across_a_separation_nobody_exists(kith: Kith) -> None:
    community = circle(kith)
    calls: list[tuple[str, str, Any]] = [
        ("PUT", "/v1/profiles/{me}/connections/{peer}", {"since": LONG_AGO}),
        *(
            ("POST", "/v1/profiles/{me}/responses", {"peer": "{peer}", "response": response})
            for response in ("accept", "decline", "later")
        ),
    ]

    def answer_to(me: str, peer: str, call: tuple[str, str, Any]) -> tuple[int, str]:
        method, path, body = call
        named = {name: text.format(peer=peer) for name, text in body.items()}
        answered = kith.call(method, path.format(me=me, peer=peer), named)
        return answered.status_code, answered.text.replace(peer, "PEER")

    tried = 0
    for me in ("m0", "m1", "m2"):
        for peer in community.stated.keys() - {me} - community.same(me):
            tried += 1
            for call in calls:
                answered = answer_to(me, peer, call)
                assert answered[0] == 404
                assert answered == answer_to(me, "nobody", call)
    assert tried == 3 * 6
    assert community.import_connections([("m0", "m1"), ("m0", "m3"), ("m1", "m2")]) == {1, 3}


def test_an_invitation_from_before_connects_nobody_across(kith: Kith) -> None:
    community = circle(kith)
    inviting, invited = min(community.invited)
    side = community.stated[invited]

    community.patch(invited, age_band="other")
    assert community.respond(invited, inviting, "accept").status_code == 404
    community.look_around()

    community.patch(invited, age_band=side.get("age_band"))
    assert community.respond(invited, inviting, "accept").json == {"state": "connected"}


def test_a_connection_from_before_can_be_told_to_nobody_across(kith: Kith) -> None:
    community = circle(kith)
    one, other = sorted(min(community.connected, key=sorted))
    community.patch(other, age_band="other")

    told = kith.call("PUT", f"/v1/profiles/{one}/connections/{other}", {"last_met": LONG_AGO})
    assert told.status_code == 404
    assert community.import_connections([(one, other), (other, one)]) == {1, 2}
    assert community.respond(other, one, "decline").status_code == 404
    community.look_around()


def test_a_block_across_names_nobody(kith: Kith) -> None:
    community = circle(kith)
    other = min(community.stated.keys() - {"m0"} - community.same("m0"))

    for blocked in (other, "nobody"):
        assert kith.call("PUT", f"/v1/profiles/m0/blocks/{blocked}").status_code == 204

    items = kith.get("/v1/profiles/m0/blocks")["items"]
    assert {item["peer"]["id"]: item["peer"]["name"] for item in items} == {other: None, "nobody": None}
