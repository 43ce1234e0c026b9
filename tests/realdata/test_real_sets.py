"""Real communities through a real `kith serve`: imported, asked, judged by what the API alone shows.

The sets are no part of the repository; without them these tests skip. `./dev bench real_sets` does the same
on all four of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from benchmarks.judge import in_reach, km_between, mean, shares_term
from benchmarks.running import KITH, Caller, environment, new_key, running
from benchmarks.sets import RealSet, SetsMissingError, read_set, sample
from tests.servers import free_port

BAND_EDGES = (0, 2, 5, 10, 20, 50, 100, 200)
Profiles = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Service:
    """A running `kith serve`."""

    port: int
    environ: Mapping[str, str]

    def new_community(self) -> Caller:
        """Return a caller with the key of a new community."""
        return Caller(self.port, new_key(self.environ))


@dataclass(frozen=True, slots=True)
class Imported:
    """A set that was imported: who speaks for its community, whom to ask about, and what the import said."""

    caller: Caller
    asked: list[str]
    lines: int
    report: Mapping[str, Any]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("home")
    environ = {name: text for name, text in environment(home).items() if not name.startswith("COVERAGE_")}
    port = free_port()
    # No worker: it would learn a model from each import, and what was kept under the one before is a miss.
    command = [*KITH, "serve", "--port", str(port), "--workers", "1", "--no-worker"]
    with running(environ, home / "log", command, port):
        yield Service(port, environ)


def real_set(name: str) -> RealSet:
    try:
        return read_set(name)
    except SetsMissingError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def listeners(service: Service) -> Iterator[Imported]:
    with service.new_community() as caller:
        real = real_set("lastfm")
        some = RealSet(real.name, real.lines[::2])
        yield Imported(caller, sample(some.ids, 50), len(some.lines), caller.import_lines(some.body).json)


def read_back(caller: Caller) -> Profiles:
    lines = caller.get("/v1/profiles/export").body.splitlines()
    return {profile["id"]: profile for profile in map(json.loads, lines)}


def check_contract(asker: str, answer: Mapping[str, Any], limit: int = 10) -> None:
    peers = [item["peer"]["id"] for item in answer["items"]]
    scores = [item["score"] for item in answer["items"]]
    assert len(peers) <= limit
    assert asker not in peers
    assert len(set(peers)) == len(peers)
    assert all(0 <= score <= 1 for score in scores)
    assert all(better >= worse for better, worse in pairwise(scores))
    assert (answer["shortfall"] is None) == (len(peers) == limit)
    assert all(item["reasons"] for item in answer["items"] if shares_term(item))
    assert all(item["openers"] for item in answer["items"])


def without_head(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in {"cache", "as_of"}}


def test_listeners_get_suggestions_that_share_terms_and_come_from_the_cache_the_second_time(
    listeners: Imported,
) -> None:
    asked, caller = listeners.asked, listeners.caller

    cold = [caller.suggestions(member).json for member in asked]
    warm = [caller.suggestions(member).json for member in asked]

    profiles = read_back(caller)
    assert listeners.report == {
        "created": listeners.lines, "updated": 0, "unchanged": 0, "failed": 0, "errors": [],
    }  # fmt: skip
    assert len(profiles) == listeners.lines
    for member, answer in zip(asked, cold, strict=True):
        check_contract(member, answer)
        check_shared(profiles, member, answer)
        assert all(item["modes"] == ["online"] and item["distance"] is None for item in answer["items"])
    assert mean(shares_term(answer["items"][0]) for answer in cold) > 0.95
    assert {answer["cache"] for answer in cold} == {"miss"}
    assert {answer["cache"] for answer in warm} == {"hit"}
    assert [without_head(answer) for answer in warm] == [without_head(answer) for answer in cold]


def check_shared(profiles: Profiles, member: str, answer: Mapping[str, Any]) -> None:
    """Hold every shared term against both profiles; what is written alike in both must be among them."""
    for item in answer["items"]:
        peer = profiles[item["peer"]["id"]]
        for facet, shared in item["shared"].items():
            mine, theirs = profiles[member][facet], peer[facet]
            assert set(shared) <= set(mine)
            assert set(mine) & set(theirs) <= set(shared)


def test_two_members_see_the_same_score_from_either_side(listeners: Imported) -> None:
    seen = []

    for member in listeners.asked[:40]:
        first = listeners.caller.suggestions(member, "?limit=1").json["items"][0]
        back = listeners.caller.suggestions(first["peer"]["id"], "?limit=100").json["items"]
        seen += [(first["score"], item["score"]) for item in back if item["peer"]["id"] == member]

    assert len(seen) > 10
    assert [there for there, _ in seen] == [back for _, back in seen]


def with_own_radii(townspeople: RealSet) -> Profiles:
    """Let every third travel 2 to 40 km, by a hash: as the set stands all is within everybody's reach."""
    profiles = [json.loads(line) for line in townspeople.lines[::5]]
    for profile in profiles:
        profile["radius_km"] = 2 + hashlib.sha256(profile["id"].encode()).digest()[1] % 39
    return {profile["id"]: profile for profile in profiles}


def check_places(profiles: Profiles, member: str, answer: Mapping[str, Any], radius_km: float) -> None:
    asker = {**profiles[member], "radius_km": radius_km}
    for item in answer["items"]:
        peer = profiles[item["peer"]["id"]]
        km = km_between(asker["location"], peer["location"])
        low, high = item["distance"]["from_km"], item["distance"]["to_km"]
        assert item["modes"] == ["in_person"]
        assert in_reach(asker, peer, item["modes"])
        assert (low, high) in pairwise(BAND_EDGES)
        assert low - 1e-6 <= km <= high + 1e-6


def within_reach(profiles: Profiles, member: str, radius_km: float) -> set[str]:
    asker = {**profiles[member], "radius_km": radius_km}
    others = (peer for peer in profiles if peer != member)
    return {peer for peer in others if in_reach(asker, profiles[peer], ["in_person"])}


def test_townspeople_are_suggested_within_both_radii_and_told_the_right_distance(service: Service) -> None:
    townspeople = with_own_radii(real_set("nashville_meetup"))
    asked = sample([*townspeople], 50)
    lines = "".join(json.dumps(profile) + "\n" for profile in townspeople.values()).encode()

    with service.new_community() as caller:
        report = caller.import_lines(lines).json
        own = [caller.suggestions(member).json for member in asked]
        near = [caller.suggestions(member, "?radius_km=1&limit=100").json for member in asked]
        again = [caller.suggestions(member).json["cache"] for member in asked]
        profiles = read_back(caller)

    assert (report["created"], report["failed"]) == (len(townspeople), 0)
    for member, answer, nearest in zip(asked, own, near, strict=True):
        check_contract(member, answer)
        check_places(profiles, member, answer, profiles[member]["radius_km"])
        check_contract(member, nearest, limit=100)
        check_places(profiles, member, nearest, radius_km=1)
    short = [(member, answer) for member, answer in zip(asked, near, strict=True) if answer["shortfall"]]
    assert len(short) > 10
    for member, answer in short[:20]:
        assert {item["peer"]["id"] for item in answer["items"]} == within_reach(profiles, member, 1)
    bands = {item["distance"]["from_km"] for answer in own for item in answer["items"]}
    assert len(bands) >= 4
    assert set(again) == {"hit"}
