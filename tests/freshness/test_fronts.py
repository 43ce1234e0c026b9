"""A town in which many write: most answers are mended, by either process, and each is that of everybody."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime

import pytest

from service.web.metrics import LOOKED_AT
from tests.freshness.town import HERE, Town
from tests.freshness.walk import World

TERMS = ("chess", "opera", "hiking", "cooking", "yoga", "jogging")
MEMBERS = [f"m{number:02}" for number in range(60)]


def _looked_at() -> Counter[str]:
    return Counter({how: int(LOOKED_AT.labels(how)._value.get()) for how in ("hit", "front", "scan")})


def _ask(town: Town, process: int, asker: str, tally: Counter[str]) -> None:
    """Ask one process, count who was looked at, and hold its answer against a fresh one."""
    path, before = f"/v1/profiles/{asker}/suggestions?limit=8", _looked_at()
    reply = town.ask(process, "GET", path)
    tally.update(_looked_at() - before)
    assert reply.content == town.world.judge.ask(town.key, path).content


@pytest.fixture
def town(world: World) -> Town:
    """Sixty members in one place, each with two interests."""
    town, chance = Town.found(world), random.Random(1)
    lines = [
        {"id": one, "name": one, "location": HERE, "interests": chance.sample(TERMS, 2), "capacity": 9}
        for one in MEMBERS
    ]
    town.write(0, "POST", "/v1/profiles/import", lines)
    assert datetime.now(UTC).hour != 23 or datetime.now(UTC).minute < 55, "a new day moves every key"
    return town


def test_most_answers_are_mended_and_all_are_exact(town: Town) -> None:
    chance, tally = random.Random(2), Counter[str]()
    for asker in MEMBERS[:6]:
        town.ask(0, "GET", f"/v1/profiles/{asker}/suggestions")
    for step in range(40):
        path = f"/v1/profiles/{chance.choice(MEMBERS[6:])}"
        if step % 8 == 5:
            town.ask(step, "DELETE", path)
        elif step % 8 == 7:
            town.ask(step, "POST", "/v1/profiles", {"id": f"new{step}", "name": "N", "location": HERE})
        else:
            town.ask(step, "PATCH", path, {"interests": chance.sample(TERMS, 3)})
        _ask(town, chance.randrange(2), chance.choice(MEMBERS[:6]), tally)

    assert tally["front"] >= 20, tally
    assert tally["scan"] >= 1, tally


def test_what_comes_between_people_makes_a_scan(town: Town) -> None:
    tally = Counter[str]()
    for goal in ("sing", "swim", "cook"):  # the first write since the start is the first to go on from
        _ask(town, 0, "m00", tally)
        town.write(0, "PATCH", "/v1/profiles/m40", {"goals": [goal]})
    _ask(town, 0, "m00", tally)
    assert tally == {"scan": 2, "front": 2}

    town.say(1, "m00", "m40", "decline")
    _ask(town, 0, "m00", tally)
    assert tally == {"scan": 3, "front": 2}
