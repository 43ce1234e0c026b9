"""Calls and how they were answered, with what differs from run to run (times, random ids, secrets) masked.

Entity tags of profiles are not masked: they are hashes of content.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from service.storage.tables import deliveries
from tests.harness import Kith

MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z"), "TIME"),
    (re.compile(r"\d{8}T\d{6}Z?"), "TIME"),
    (re.compile(r'"seconds":[0-9.]+'), "SECONDS"),
    (re.compile(r"\bkith_[0-9a-f]{40,}"), "SECRET"),
    (re.compile(r"\bwhsec_[0-9A-Za-z+/]{40,}=*"), "SECRET"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "SECRET"),
    (re.compile(r"\b[a-z]{2,9}_[0-9a-f]{12,}\b"), "ID"),
    (re.compile(r"\b[0-9a-f]{20}\b"), "MADE-ID"),
)
CURSOR = re.compile(r'"next":\s*"([^"]+)"')
CODE = re.compile(r"\b[0-9a-f]{32}\b")
HASHED = re.compile(r'("\w+_hash":\s*)"[0-9a-f]{32}"')
# Listed by random ids.
SHUFFLED = re.compile(r"/v1/(keys|reports|meetups|webhooks(/[^/]+/deliveries)?)")
UNTOLD = {"Content-Length", "Date", "Expires"}  # the length of what is masked, and the time
MEMBERS = re.compile(r"/v1/profiles/[^/]+")
MEMBERS_EXPORT = re.compile(r"/v1/profiles/[^/]+/export")


@dataclass(slots=True)
class Transcript:
    """The calls of one run, as they were answered."""

    kith: Kith
    lines: list[str] = field(default_factory=list)
    routes: set[tuple[str, str]] = field(default_factory=set)
    ids: dict[str, str] = field(default_factory=dict)
    calls: int = 0

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a call, note what was answered, and return it."""
        response = self.kith.call(method, path, body, **headers)
        self.calls += 1
        asked = _masked(path.partition("?")[0])  # a query may state a position, as a body does
        self.lines.append(f"{method} {asked} {response.status_code} {_head(path, response)}")
        self.lines.append(_body(path, response))
        self._note_route(method, path.partition("?")[0])
        response.close()
        return response

    def note_told(self) -> None:
        """Note what webhooks are told: nobody who asks is answered that."""
        told = select(deliveries.c.type, deliveries.c.payload).where(
            deliveries.c.webhook == self.ids["webhook_id"]
        )
        with self.kith.database.read() as connection:
            rows = connection.execute(told).all()
        assert rows
        # Events of one millisecond have no order.
        self.lines += sorted(_masked(f"told {row.type} {row.payload}") for row in rows)

    def _note_route(self, method: str, path: str) -> None:
        router = self.kith.client.application.url_map.bind("")
        if router.test(path, method=method):
            rule, _ = router.match(path, method=method, return_rule=True)
            self.routes.add((method, rule.rule))


def _masked(text: str) -> str:
    for pattern, word in MASKS:
        text = pattern.sub(word, text)
    return text


def _head(path: str, response: Any) -> str:
    told = {name: text for name, text in response.headers.items() if name not in UNTOLD}
    if "ETag" in told and not _is_comparable(path, response):
        told["ETag"] = "TAG"
    return _masked(json.dumps(told, sort_keys=True))


def _is_comparable(path: str, response: Any) -> bool:
    """Tell whether an entity tag hashes nothing that is masked; an export's is made of its times, too."""
    if MEMBERS_EXPORT.fullmatch(path):
        text = response.get_data(as_text=True)
        return bool(text) and _masked(text) == text
    return MEMBERS.fullmatch(path) is not None


def _body(path: str, response: Any) -> str:
    text = response.get_data(as_text=True)
    if path == "/metrics":
        # Counters and durations of the whole process: what is counted is compared, not how much of it.
        lines = text.splitlines()
        text = "\n".join(line for line in lines if line.startswith("# HELP") and "_created" not in line)
    if SHUFFLED.fullmatch(path.partition("?")[0]) and response.status_code == 200 and text:
        listed = json.loads(text)
        listed["items"].sort(key=lambda item: _masked(json.dumps(item)))
        text = json.dumps(listed)
    return _masked(CURSOR.sub(_told_cursor, HASHED.sub(r"\1CODE", text)))


def _told_cursor(found: re.Match[str]) -> str:
    """Show what is in a cursor, with times and codes masked: those hang on a secret of the community."""
    values = json.loads(base64.urlsafe_b64decode(found[1]))
    told = ["TIME" if isinstance(value, int) else CODE.sub("CODE", value) for value in values]
    return f'"next":{json.dumps(told)}'
