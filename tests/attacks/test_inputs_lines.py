"""Hostile lines in imports, the largest that is admitted, and cells that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
from functools import partial

from werkzeug.test import TestResponse

from tests.attacks.inputs import (
    FDFA,
    HEAVY,
    IMPORTS,
    LINES,
    NEVER,
    PROFILE,
    Both,
    Town,
    broken,
    places,
    timed,
)
from tests.harness import NDJSON
from tests.routes import Route, each

# ---------------------------------------------------------------- lines of JSON


@each(IMPORTS)
def test_each_hostile_line_costs_itself_alone(both: Both, route: Route) -> None:
    right = LINES[route.name]
    hostile = [(path, name) for path in places(right) for name in NEVER]
    lines = [broken(right, path, NEVER[name]) for path, name in hostile] + [json.dumps(right).encode()]

    answer = both.attack(lambda town: town.send(route, b"\n".join(lines), Content_Type=NDJSON))

    report = answer.get_json()
    assert report["failed"] == len(hostile)
    assert report["created"] == 1
    for error in report["errors"]:
        path, name = hostile[error["line"] - 1]
        assert all(_fits(shown, path) for shown in error["errors"]), (path, name, error)


def _fits(shown: str, path: str) -> bool:
    return shown in {"line", path} or shown.startswith(f"{path}.") or path.startswith(f"{shown}.")


@each(IMPORTS)
def test_lines_without_end_are_read_past(both: Both, route: Route) -> None:
    before = both.states()
    lines = [text for name, text in HEAVY.items() if name != "10,000 names"]
    lines += [b"[" * 300_000, b'"' + b"\\" * 300_000, b"\xff" * 300_000, b"\0" * 300_000]

    answer = both.attack(lambda town: town.send(route, b"\n".join(lines), Content_Type=NDJSON))

    assert answer.get_json()["failed"] == len(lines)
    assert len(answer.data) < 20_000  # what was sent does not come back
    assert both.states() == before


# ---------------------------------------------------------------- the largest of what is admitted

WIDE = PROFILE | {
    "name": FDFA * 100,
    "interests": [f"{FDFA * 3}{number}" for number in range(50)],
    "activities": [f"{number:02d}{'a' * 58}" + "\u200b" * 180 for number in range(50)],
    "goals": [f"{number:02d}{'e' * 58}" + "\u0301" * 180 for number in range(50)],
    "availability": [{"day": "tue", "from": "00:00", "to": "24:00"}] * 50,
    "languages": [f"de-{number:08d}-aaaaaaaa-bbbbbbbb" for number in range(20)],
    "attributes": {f"{number:02d}{FDFA * 58}": FDFA * 60 for number in range(20)},
    "seeks": {
        f"{number:02d}{FDFA * 58}": [*(f"{n:02d}{FDFA * 58}" for n in range(19)), FDFA * 60]
        for number in range(20)
    },
    "capacity": 20,
    "status": "active",
    "paused_until": None,
}


def test_the_widest_profile_is_kept_matched_and_read_in_time(both: Both) -> None:
    body = json.dumps(WIDE, ensure_ascii=False).encode()
    for name in ("wide", "wider"):
        made = both.attack(partial(_put, name, body))
        assert made.status_code == 201, made.text
        assert made.get_json()["seeks"] == WIDE["seeks"]

    for path, shows in WIDEST.items():
        for town in both.towns:
            answer = timed(partial(_get, path), town)
            assert answer.status_code == 200
            assert (f'"{shows}"' in answer.text) is bool(shows)


# Where they show, and what of them.
WIDEST = {
    "/v1/profiles/wide": "wide",
    "/v1/profiles/wide/suggestions?limit=100": "wider",
    "/v1/profiles?limit=100": "wider",
    "/v1/profiles/export": "wider",
    "/v1/terms?limit=100": "",
    f"/v1/terms?prefix={'%EF%B7%BA' * 60}": "",
}


def _get(path: str, town: Town) -> TestResponse:
    answer: TestResponse = town.kith.call("GET", path)
    return answer


def _put(name: str, body: bytes, town: Town) -> TestResponse:
    answer: TestResponse = town.kith.call(
        "PUT", f"/v1/profiles/{name}", body, Content_Type="application/json"
    )
    return answer


# ---------------------------------------------------------------- spreadsheets

FORMULAS = [
    "=cmd|' /C calc'!A0", "=1+1", "+1+1", "-1+1", "@SUM(1+1)", "=HYPERLINK(\"http://evil.example\")",
    "\u200b=1+1", "＝1+1", "=DDE(\"cmd\")", "'=1+1", "%0A=1+1", ";=1+1",
]  # fmt: skip


def test_exports_are_never_a_spreadsheets(both: Both) -> None:
    """NDJSON, which no spreadsheet opens by itself: cells stay text, in the characters they were sent in."""
    town = both.towns[0]
    terms = [text for text in FORMULAS if ";" not in text]
    made = town.kith.call("PUT", "/v1/profiles/eve", {"name": FORMULAS[0], "interests": terms})
    assert made.status_code == 201

    for accept in ("*/*", "text/csv", "application/vnd.ms-excel"):
        whole = town.kith.call("GET", "/v1/profiles/export", Accept=accept)
        single = town.kith.call("GET", "/v1/profiles/eve/export", Accept=accept)
        assert whole.content_type == NDJSON
        assert single.content_type == "application/json"
        assert whole.headers["X-Content-Type-Options"] == "nosniff"
        last = [json.loads(line) for line in whole.text.splitlines() if '"eve"' in line]
        assert [line["name"] for line in last] == [FORMULAS[0]]
        assert set(last[0]["interests"]) <= set(terms)


def test_formula_cells_of_a_csv_come_in_as_text(both: Both) -> None:
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(["id", "name", "interests", "attributes.role"])
    for number, text in enumerate(FORMULAS):
        rows.writerow([f"m{number}", text, text.replace(";", ""), text])
    sent = written.getvalue().encode()

    answer = both.attack(
        lambda town: town.kith.call("POST", "/v1/profiles/import", sent, Content_Type="text/csv")
    )

    assert answer.get_json()["created"] == len(FORMULAS)
    for number, text in enumerate(FORMULAS):
        kept = both.towns[1].kith.get(f"/v1/profiles/m{number}")
        assert (kept["name"], kept["attributes"]) == (text, {"role": text})


NO_NUMBERS = [b"=1+1,,,", b",=1,2,", b",,,=1", b"1e3,,,", b",,,1e2", b",,,\xd9\xa3"]


def test_a_formula_where_a_number_belongs_costs_its_row(both: Both) -> None:
    sent = b"id,name,capacity,lat,lon,radius_km\n" + b"".join(
        b"m%d,M,%s\n" % (number, cells)
        for number, cells in enumerate(
            [b"=1+1,,,", b",=1,2,", b",,,=1", b"1e3,,,", b",,,1e2", b",,,\xd9\xa3"]
        )
    )

    answer = both.attack(
        lambda town: town.kith.call("POST", "/v1/profiles/import", sent, Content_Type="text/csv")
    )

    assert (answer.get_json()["created"], answer.get_json()["failed"]) == (0, 6)
    assert [next(iter(error["errors"])).partition(".")[0] for error in answer.get_json()["errors"]] == [
        "capacity", "location", "radius_km", "capacity", "radius_km", "radius_km",
    ]  # fmt: skip
