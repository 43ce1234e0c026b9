"""What members do to each other, in one word each, and transcripts of all that one of them can see."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from service.storage.tables import communities, pairs, profiles
from tests.harness import NDJSON, Kith, peers
from tests.problems import problem

LISTS = ("invitations", "connections", "reconnects", "blocks")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
DAY_HOURS = 24


def community_of(kith: Kith, *ids: str, **fields: Any) -> Kith:
    """Post members who would all be suggested to each other."""
    for profile_id in ids:
        kith.post_profile(profile_id, **({"interests": ["hiking"]} | fields))
    return kith


def respond(kith: Kith, me: str, peer: str, response: str) -> str:
    """Answer a peer; return the state."""
    said = kith.call("POST", f"/v1/profiles/{me}/responses", {"peer": peer, "response": response})
    assert said.status_code == 200, said.text
    assert set(said.json) == {"state"}
    return str(said.json["state"])


def connect(kith: Kith, me: str, peer: str, **times: str) -> Any:
    """Tell that two know each other."""
    told = kith.call("PUT", f"/v1/profiles/{me}/connections/{peer}", times)
    assert told.status_code == 200, told.text
    return told.json


def disconnect(kith: Kith, me: str, peer: str) -> None:
    """End a connection."""
    assert kith.call("DELETE", f"/v1/profiles/{me}/connections/{peer}").status_code == 204


def block(kith: Kith, me: str, peer: str) -> None:
    """Block somebody."""
    assert kith.call("PUT", f"/v1/profiles/{me}/blocks/{peer}").status_code == 204


def unblock(kith: Kith, me: str, peer: str) -> None:
    """Take a block back."""
    assert kith.call("DELETE", f"/v1/profiles/{me}/blocks/{peer}").status_code == 204


def report(kith: Kith, me: str, peer: str, reason: str = "spam", **more: Any) -> Any:
    """Report somebody."""
    filed = kith.call("POST", f"/v1/profiles/{me}/reports", {"peer": peer, "reason": reason} | more)
    assert filed.status_code == 201, filed.text
    return filed.json


def erase(kith: Kith, profile_id: str) -> None:
    """Erase a member."""
    assert kith.call("DELETE", f"/v1/profiles/{profile_id}").status_code == 204


def change(kith: Kith, profile_id: str, **fields: Any) -> None:
    """Change some of a profile's fields."""
    assert kith.call("PATCH", f"/v1/profiles/{profile_id}", fields).status_code == 200


def listed(kith: Kith, profile_id: str, what: str, query: str = "") -> list[str]:
    """Return who is in one of a member's lists."""
    return peers(kith.get(f"/v1/profiles/{profile_id}/{what}{query}"))


def seen(kith: Kith, profile_id: str) -> dict[str, bool]:
    """Return who is suggested to a member, and whether each invited them."""
    items = kith.suggestions(profile_id, "?limit=100")["items"]
    return {item["peer"]["id"]: item["invited_me"] for item in items}


def open_introductions(kith: Kith) -> dict[str, int]:
    """Return how many introductions are open for each member, as the database counts them."""
    here = select(communities.c.number).where(communities.c.id == kith.community).scalar_subquery()
    chosen = select(profiles.c.id, profiles.c.introductions).where(profiles.c.community == here)
    with kith.database.read() as connection:
        return {row.id: row.introductions for row in connection.execute(chosen)}


def pair_rows(kith: Kith) -> int:
    """Return how many pairs the database holds."""
    here = select(communities.c.number).where(communities.c.id == kith.community).scalar_subquery()
    with kith.database.read() as connection:
        counted = select(func.count()).select_from(pairs).where(pairs.c.community == here)
        return connection.execute(counted).scalar_one()


def import_connections(kith: Kith, *lines: Any) -> Any:
    """Import connections; a line that is not bytes goes as JSON."""
    sent = b"".join(line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines)
    done = kith.call("POST", "/v1/connections/import", sent, Content_Type=NDJSON)
    assert done.status_code == 200, done.text
    return done.json


def pages(kith: Kith, path: str, limit: int) -> Iterator[list[str]]:
    """Walk a list by its cursors."""
    query = f"?limit={limit}"
    while True:
        answer = kith.get(f"{path}{query}")
        yield peers(answer)
        if "next" not in answer:
            return
        query = f"?limit={limit}&cursor={answer['next']}"


def other_client(kith: Kith) -> Kith:
    """Return the same Kith with a client of its own, for another thread."""
    return replace(kith, client=kith.client.application.test_client())


def moment(text: str) -> datetime:
    """Return the time of this text."""
    return datetime.fromisoformat(text)


def ago(**span: float) -> str:
    """Return a time so long ago, to the second."""
    then = datetime.now().astimezone() - timedelta(**span)
    return then.astimezone(tz=None).isoformat(timespec="seconds")


# ---------------------------------------------------------------- transcripts


def masked(text: str) -> str:
    """Take out what differs between two runs of the same."""
    text = re.sub(r"\b[0-9a-f]{32}\b", "HASH", TIME.sub("TIME", text))
    return re.sub(r"rep_[0-9a-f]{24}", "REPORT", text).replace('"cache":"hit"', '"cache":"miss"')


def reading(kith: Kith, me: str) -> list[str]:
    """Return all that is read under a member's path, in whole and in pages."""
    paths = ["", "/suggestions?limit=100", "/suggestions?limit=2", "/suggestions?facet=interests", "/export"]
    paths += [f"/{name}{query}" for name in LISTS for query in ("", "?limit=1")]
    return [line(kith, "GET", f"/v1/profiles/{me}{path}") for path in paths]


def acting(kith: Kith, me: str, peer: str) -> list[str]:
    """Return the answers to all that a member can do about a peer, and what they read in between."""
    own, lines = f"/v1/profiles/{me}", list[str]()
    body = {"peer": peer, "response": "accept"}
    for response in ("accept", "later", "decline", "accept"):
        lines.append(line(kith, "POST", f"{own}/responses", body | {"response": response}))
    for method, path, sent in (
        ("POST", "/responses", body | {"response": "perhaps"}),
        ("PUT", f"/connections/{peer}", {}),
        ("PUT", f"/connections/{peer}", {"since": "2999-01-01T00:00:00Z"}),
        ("DELETE", f"/connections/{peer}", None),
        ("POST", "/reports", {"peer": peer, "reason": "other", "detail": "Odd."}),
        ("PUT", f"/blocks/{peer}", None),
        ("DELETE", f"/blocks/{peer}", None),
        ("DELETE", f"/blocks/{peer}", None),
        ("POST", "/responses", body),
        ("DELETE", f"/blocks/{peer}", None),
    ):
        lines.append(line(kith, method, own + path, sent))
        lines += reading(kith, me) if path == "/reports" else []
    lines += reading(kith, me)
    return lines


def line(kith: Kith, method: str, path: str, body: Any = None, **headers: str) -> str:
    """Send a call; return what was answered, without what differs from run to run."""
    answer = kith.call(method, path, body, **headers)
    waits = {"Retry-After": "SECONDS"} if "Retry-After" in answer.headers else {}
    # An entity tag of an export hashes its times.
    tag = {} if path.endswith("/export") else {"ETag": answer.headers.get("ETag")}
    return f"{method} {path} {answer.status_code} {waits | tag} {masked(answer.text)}"


def nobody_there(kith: Kith, me: str, peer: str) -> None:
    """Check that to a member a peer does not exist, in the very words of one who never did."""
    said = {"peer": peer, "response": "accept"}
    missing = problem(kith.call("POST", f"/v1/profiles/{me}/responses", said | {"peer": "never-was"}), 404)
    assert problem(kith.call("POST", f"/v1/profiles/{me}/responses", said), 404) == missing
    assert problem(kith.call("PUT", f"/v1/profiles/{me}/connections/{peer}", {}), 404) == missing
    absent = problem(kith.call("DELETE", f"/v1/profiles/{me}/connections/never-was"), 404)
    assert problem(kith.call("DELETE", f"/v1/profiles/{me}/connections/{peer}"), 404) == absent
