"""Rounds and meetups as tests open and read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from service.usecases.jobs import JobContext, run_one
from service.worker import HANDLERS
from tests.harness import Kith

HERE = {"lat": 52.52, "lon": 13.405}
NAMES = ("ana", "ben", "cem", "dora", "eve", "finn")


def days(first: int = 1, last: int = 14) -> dict[str, str]:
    """Return the days of a round, counted from today."""
    today = datetime.now(UTC).date()
    return {
        "starts_on": (today + timedelta(days=first)).isoformat(),
        "ends_on": (today + timedelta(days=last)).isoformat(),
    }


def people(kith: Kith, *names: str, **fields: Any) -> None:
    """Post members who join rounds and can meet."""
    for name in names or NAMES:
        kith.post_profile(name, **{"location": HERE, "interests": ["hiking"], "joins_rounds": True} | fields)


def work(kith: Kith) -> None:
    """Do the jobs that are due, as a worker would."""
    while run_one(JobContext(kith.database, kith.cache), HANDLERS):
        pass
    kith.get("/v1/community")  # which carries out what is due


def open_round(kith: Kith, **fields: Any) -> str:
    """Open a round; return its id."""
    body = {"name": "December", "seed": 7} | days() | fields
    answer = kith.call("POST", "/v1/rounds", body)
    assert answer.status_code == 202, answer.text
    assert answer.json["state"] == "planning"
    return str(answer.json["id"])


def drafted(kith: Kith, **fields: Any) -> str:
    """Open a round and have it planned."""
    made = open_round(kith, **fields)
    work(kith)
    found = kith.get(f"/v1/rounds/{made}")
    assert found["state"] == "draft", found
    return made


def published(kith: Kith, **fields: Any) -> str:
    """Open, plan and publish a round."""
    made = drafted(kith, **fields)
    answer = act(kith, made, "publish")
    assert answer.status_code == 200, answer.text
    return made


def act(kith: Kith, made: str, what: str, body: Any = None) -> Any:
    """Publish, cancel or plan a round again."""
    return kith.call("POST", f"/v1/rounds/{made}/{what}", body)


def groups(kith: Kith, made: str) -> list[set[str]]:
    """Return a round's groups."""
    return [set(item["members"]) for item in kith.get(f"/v1/rounds/{made}/groups?limit=100")["items"]]


def left_out(kith: Kith, made: str) -> dict[str, str]:
    """Return whom a round leaves out, and why."""
    items = kith.get(f"/v1/rounds/{made}/left-out?limit=100")["items"]
    return {item["profile"]: item["reason"] for item in items}


def meetups(kith: Kith, query: str = "") -> list[Any]:
    """Return the community's meetups."""
    found: list[Any] = kith.get(f"/v1/meetups?limit=100{query}")["items"]
    return found


def connect(kith: Kith, *names: str) -> None:
    """Let all of these know each other."""
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            assert kith.call("PUT", f"/v1/profiles/{one}/connections/{other}", {}).status_code == 200


def arranged(kith: Kith, *names: str) -> Any:
    """Arrange a meetup for people who then know each other."""
    connect(kith, *names)
    answer = kith.call("POST", "/v1/meetups", {"members": list(names)})
    assert answer.status_code == 201, answer.text
    return answer.json


def say(kith: Kith, meetup: str, who: str, reply: str) -> Any:
    """Reply to a meetup."""
    return kith.call("POST", f"/v1/meetups/{meetup}/replies", {"profile": who, "reply": reply})


def tell(kith: Kith, meetup: str, who: str, outcome: str, again: bool | None = None) -> Any:
    """Say how a meetup went."""
    body = {"profile": who, "outcome": outcome, "again": again}
    return kith.call("POST", f"/v1/meetups/{meetup}/outcomes", body)
