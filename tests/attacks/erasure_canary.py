"""A canary: a member put everywhere a member can get to, and the search for any byte of them afterwards.

Every word of the canary's holds ROOT or CYRILLIC_ROOT, so that a look for two short strings, without capitals
and in JSON's escapes too, finds every spelling, normal form and half of a word. One canary to a database.
"""

from __future__ import annotations

import io
import json
import logging
import pickle
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import String, select

from service import logs
from service.storage.database import Database
from service.storage.events import EVENTS
from service.storage.loaded import LoadedCommunities
from service.storage.tables import metadata
from service.web.state import EXTENSION
from tests.gatherings import days, work
from tests.harness import NDJSON, Kith, peers

ROOT = "qvzx"
CYRILLIC_ROOT = "квзх"
ID = f"{ROOT}-1.~Canary@nest:7"
HERE, NEAR, FAR = ({"lat": lat, "lon": 13.4} for lat in (52.5, 52.55, 48.1))
SHARED = ["hiking", "glass blowing"]
FRIENDS = 30
STRANGERS = 12

_TRACES = [
    ROOT.encode(),
    *(
        form
        for word in (CYRILLIC_ROOT, CYRILLIC_ROOT.upper())
        for form in (word.encode(), json.dumps(word).strip('"').encode())
    ),
]


def holds_canary(content: bytes) -> bool:
    """Tell whether anything of the canary stands in some bytes."""
    lowered = content.lower()
    return any(trace.lower() in lowered for trace in _TRACES)


def document(turn: int, terms: int = 3, length: int = 20) -> dict[str, Any]:
    """Return one of the canary's documents; each turn has words of its own."""

    def words(what: str) -> list[str]:
        made = [f"{ROOT} {what} {turn} {number} ".ljust(length, "y") for number in range(terms)]
        return [*SHARED, f"{CYRILLIC_ROOT} {what} {turn}", *made]

    return {
        "name": f"{ROOT.title()} {CYRILLIC_ROOT.upper()}ова 🎷 {turn}",
        "interests": words("likes"),
        "activities": words("does"),
        "goals": words("wants"),
        "location": HERE,
        "radius_km": 100,
        "attributes": {"team": "red", f"{ROOT} kind {turn}": f"{ROOT} value {turn}"},
        "seeks": {"team": ["red", f"{ROOT} sought {turn}"]},
        "capacity": 20,
    }


def others(start: int, stop: int) -> list[dict[str, Any]]:
    """Return ordinary members, of several sizes, all of whom may meet the canary."""
    return [
        {
            "id": f"m{number:05}",
            "name": f"Member {number}",
            "interests": ["hiking", *(f"pastime {number * 7 % (13 + turn)}" for turn in range(number % 40))],
            "location": {"lat": 52.3 + number % 40 / 100, "lon": 13.4},
            "radius_km": 100,
            "attributes": {"team": "red"},
            "capacity": 20,
        }
        for number in range(start, stop)
    ]


def friends() -> list[dict[str, Any]]:
    """Return those who have most in common with the canary, so that they are suggested to each other."""
    made = others(0, FRIENDS)
    return [
        member | {"id": f"f{number}", "interests": SHARED, "activities": SHARED, "goals": SHARED}
        for number, member in enumerate(made)
    ]


@dataclass
class Canary:
    """Puts the canary everywhere through one Kith; notes in which columns it was seen."""

    kith: Kith
    seen: set[str] = field(default_factory=set)
    keys: int = 0

    def call(self, status: int, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a call that must be answered so."""
        response = self.kith.call(method, path, body, **headers)
        assert response.status_code == status, (method, path, response.text)
        return response

    def post(self, status: int, path: str, body: Any) -> None:
        """Send a POST whose answer is kept, twice: the second is the kept one."""
        self.keys += 1
        for _ in range(2):
            self.call(status, "POST", path, body, Idempotency_Key=f"{ROOT}-{self.keys}")

    def note(self) -> None:
        """Note which columns hold the canary now."""
        self.seen |= columns_with_canary(self.kith.database)

    def spread(self) -> None:
        """Do all of it."""
        # Nobody listens there: what is to be told stays as long as it may.
        self.call(201, "POST", "/v1/webhooks", {"url": "http://127.0.0.1:1/", "events": list(EVENTS)})
        self.kith.import_profiles(*friends())
        for step in (
            self.before_posting,
            self.state,
            self.answer,
            self.know,
            self.meet,
            self.protect,
            self.ask,
        ):
            step()
            self.note()

    def before_posting(self) -> None:
        """Be blocked and reported before being a member."""
        for number in range(STRANGERS):
            self.call(204, "PUT", f"/v1/profiles/f{number}/blocks/{ID}")
        self.report("f1", ID)
        for number in range(STRANGERS):
            self.call(204, "DELETE", f"/v1/profiles/f{number}/blocks/{ID}")
        # One of them for good, one who only ever blocks a stranger.
        self.call(204, "PUT", f"/v1/profiles/f0/blocks/{ID}")

    def state(self) -> None:
        """Be posted, refused, patched, replaced and imported, in many words; and move twice."""
        self.post(201, "/v1/profiles", {"id": ID} | document(1))
        self.post(409, "/v1/profiles", {"id": ID} | document(2))
        path = f"/v1/profiles/{ID}"
        for turn, (terms, length) in enumerate([(47, 60), (0, 20), (20, 30), (47, 55), (5, 20)], 3):
            self.call(200, "PATCH", path, document(turn, terms, length))
        self.call(200, "PUT", path, document(8, 30, 40))
        self.kith.import_profiles({"id": ID} | document(9, 40, 50))
        self.csv(10)
        self.kith.import_profiles({"id": ID} | document(11))
        for place in (NEAR, FAR):
            self.call(200, "PATCH", path, {"location": place})
        assert self.kith.get(path)["moves_at"] is not None

    def csv(self, turn: int) -> None:
        """Import the canary as a line of CSV."""
        table = f"id,name,interests,attributes.team\n{ID},{ROOT} {turn},{ROOT} csv {turn};hiking,red\n"
        answer = self.call(200, "POST", "/v1/profiles/import", table.encode(), Content_Type="text/csv")
        assert answer.json["updated"] == 1, answer.json

    def answer(self) -> None:
        """Answer and be answered, in every way."""
        for number, response in enumerate(("accept", "decline", "later", "accept", "accept"), 5):
            peer = f"f{number}"
            self.post(200, f"/v1/profiles/{ID}/responses", {"peer": peer, "response": response})
            if number > 7:
                self.post(200, f"/v1/profiles/{peer}/responses", {"peer": ID, "response": "accept"})
        for number, response in enumerate(("accept", "decline", "later"), 10):
            self.post(200, f"/v1/profiles/f{number}/responses", {"peer": ID, "response": response})
        self.post(409, "/v1/profiles/f8/responses", {"peer": ID, "response": "accept"})
        self.post(404, f"/v1/profiles/{ID}/responses", {"peer": f"{ROOT}-nobody", "response": "accept"})

    def know(self) -> None:
        """Be connected, as told one by one and by an import."""
        self.call(200, "PUT", f"/v1/profiles/{ID}/connections/f13", {"since": "2020-05-01T00:00:00Z"})
        self.call(200, "PUT", f"/v1/profiles/f14/connections/{ID}", {"last_met": "2024-05-01T00:00:00Z"})
        lines = "".join(json.dumps({"a": ID, "b": f"f{number}"}) + "\n" for number in (15, 16)).encode()
        done = self.call(200, "POST", "/v1/connections/import", lines, Content_Type=NDJSON)
        assert done.json["created"] == 2, done.json

    def meet(self) -> None:
        """Be pinned in rounds, get a meetup by one and another one without, and say how they went."""
        lines = {"participants": [ID, "f21", "f22", "f23"], "name": "Round"} | days()
        made = self.call(202, "POST", "/v1/rounds", lines).json["id"]
        work(self.kith)
        self.post(202, f"/v1/rounds/{made}/replan", {"together": [[ID, "f21"]], "apart": [[ID, "f22"]]})
        work(self.kith)
        assert holds_canary(self.call(200, "GET", f"/v1/rounds/{made}/groups").data)
        self.post(200, f"/v1/rounds/{made}/publish", {})
        self.call(202, "POST", "/v1/rounds", lines | {"cooldown_days": 0})
        work(self.kith)  # a draft in which the canary stays
        self.post(201, "/v1/meetups", {"members": [ID, "f13"]})
        for meetup in self.kith.get(f"/v1/meetups?profile={ID}")["items"]:
            path = f"/v1/meetups/{meetup['id']}"
            self.post(200, f"{path}/replies", {"profile": ID, "reply": "other_time"})
            for who in meetup["members"]:
                said = {"profile": who, "outcome": "met", "again": True}
                self.post(200, f"{path}/outcomes", said)
            self.call(200, "GET", f"{path}.ics")
        self.call(200, "GET", f"/v1/profiles/{ID}/calendar")

    def protect(self) -> None:
        """Block and be blocked, report and be reported."""
        self.call(204, "PUT", f"/v1/profiles/{ID}/blocks/f17")
        self.call(204, "PUT", f"/v1/profiles/f18/blocks/{ID}")
        self.call(204, "PUT", f"/v1/profiles/{ID}/blocks/{ROOT}-stranger-of-the-canary")
        self.report(ID, "f19")
        self.report("f20", ID)

    def report(self, who: str, whom: str) -> None:
        """Report somebody, in words."""
        detail = f"{ROOT} said {CYRILLIC_ROOT} " + f"{ROOT} again " * 100
        self.post(201, f"/v1/profiles/{who}/reports", {"peer": whom, "reason": "other", "detail": detail})

    def ask(self) -> None:
        """Be suggested, ask, be listed and exported; all of it out of the cache the second time."""
        path = f"/v1/profiles/{ID}"
        for _ in range(2):
            found = [ID in peers(self.kith.suggestions(f"f{number}", "?limit=100")) for number in range(30)]
            assert sum(found) >= 10
            assert self.kith.suggestions(ID, "?limit=100")["items"]
        for listed in ("invitations", "connections", "reconnects", "blocks", "export"):
            self.call(200, "GET", f"{path}/{listed}")
        for listing in ("/v1/profiles?limit=100", "/v1/profiles/f8/connections", "/v1/reports"):
            self.call(200, "GET", listing)
        self.call(200, "GET", f"/v1/terms?prefix={ROOT}")
        assert holds_canary(self.call(200, "GET", "/v1/profiles/export").data)

    def erase(self) -> None:
        """Erase the canary."""
        self.call(204, "DELETE", f"/v1/profiles/{ID}")


def files_with_canary(folder: Path) -> list[str]:
    """Return the names of the files in a folder that hold the canary."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path.name for path in files if holds_canary(path.read_bytes()))


def keys_with_canary(client: Any) -> list[bytes]:
    """Return the keys in a Redis that hold the canary, in name or value."""
    keys = list(client.scan_iter(count=1000))
    return [key for key in keys if holds_canary(key + (client.get(key) or b""))]


def rows_with_canary(database: Database) -> list[tuple[str, str]]:
    """Return each text with the canary in it, by column."""
    found = []
    with database.read() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(select(table)):
                found += [
                    (f"{table.name}.{name}", str(text))
                    for name, text in row._mapping.items()
                    if holds_canary(str(text).encode())
                ]
    return found


def columns_with_canary(database: Database) -> set[str]:
    """Return the columns, as `table.column`, in which the canary stands."""
    return {column for column, _ in rows_with_canary(database)}


def text_columns() -> set[str]:
    """Return every column that holds text, as `table.column`."""
    return {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, String)
    }


@contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """Yield all that this process logs, at its most talkative; put back as it was afterwards."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    stream = io.StringIO()
    logs.configure("debug", stream)
    try:
        yield stream
    finally:
        structlog.reset_defaults()
        root.handlers[:], root.level = before
        for name in logs.OURS:
            logging.getLogger(name).setLevel(logging.NOTSET)


def loaded_of(kith: Kith) -> LoadedCommunities:
    """Return what a Kith has in memory."""
    loaded: LoadedCommunities = kith.client.application.extensions[EXTENSION].loaded
    return loaded


def memory_holds_canary(kiths: Iterable[Kith]) -> bool:
    """Tell whether the canary is in a loaded community of these."""
    communities = [one for kith in kiths for one in loaded_of(kith)._loaded.values()]
    held = [(one._matcher, one._numbers, one._community) for one in communities]
    return holds_canary(pickle.dumps(held))
