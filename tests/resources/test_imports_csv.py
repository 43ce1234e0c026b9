"""Imports as CSV: the header's names, lists by `;`, and one line at a time whatever the quotes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import Kith
from tests.resources.test_imports import counts, ids, send

HEADER = (
    "id,name,interests,activities,goals,lat,lon,radius_km,modes,timezone,availability,languages,capacity,joins_rounds,"
    "status,paused_until,attributes.role,seeks.role"
)
ROW = (
    'ana,"Ana, the first",hiking; board games,trail running,learn Spanish,52.52,13.405,15,in_person;online,'
    "Europe/Berlin,tue 18:00-21:00;sun 09:15-24:00,de;en,5,true,"
    "paused,2099-12-01T18:00:00Z,mentee,mentor;friend"
)


def load(kith: Kith, *lines: str, end: str = "\n") -> Any:
    return send(kith, end.join(lines), "text/csv")


def test_every_column_fills_its_field(kith: Kith) -> None:
    assert counts(load(kith, HEADER, ROW)) == (1, 0, 0, 0)

    assert kith.get("/v1/profiles/ana") == {
        "id": "ana",
        "name": "Ana, the first",
        "interests": ["hiking", "board games"],
        "activities": ["trail running"],
        "goals": ["learn Spanish"],
        "location": {"lat": 52.525748, "lon": 13.409062, "accuracy_km": 1.4},
        "radius_km": 15,
        "modes": ["in_person", "online"],
        "timezone": "Europe/Berlin",
        "availability": [
            {"day": "tue", "from": "18:00", "to": "21:00"},
            {"day": "sun", "from": "09:15", "to": "24:00"},
        ],
        "languages": ["de", "en"],
        "attributes": {"role": "mentee"},
        "seeks": {"role": ["mentor", "friend"]},
        "capacity": 5,
        "joins_rounds": True,
        "status": "paused",
        "paused_until": "2099-12-01T18:00:00Z",
        "moves_at": None,
    }


def test_an_empty_cell_says_nothing(kith: Kith) -> None:
    assert counts(load(kith, HEADER, "ana,Ana" + "," * 16)) == (1, 0, 0, 0)

    assert kith.get("/v1/profiles/ana") == kith.call("PUT", "/v1/profiles/ana", {"name": "Ana"}).json


def test_columns_come_in_any_order_and_any_number(kith: Kith) -> None:
    report = load(kith, "attributes.age band,name,id,seeks.x.y", "30-39,Ana,ana,a;b")

    assert counts(report) == (1, 0, 0, 0)
    ana = kith.get("/v1/profiles/ana")
    assert (ana["attributes"], ana["seeks"]) == ({"age band": "30-39"}, {"x.y": ["a", "b"]})


def test_a_csv_is_imported_as_the_same_ndjson(kith: Kith) -> None:
    load(kith, HEADER, ROW)

    report = kith.import_profiles(kith.get("/v1/profiles/ana"))

    assert counts(report) == (0, 0, 1, 0)
    assert counts(load(kith, HEADER, ROW)) == (0, 0, 1, 0)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_mark_ends_of_lines_and_empty_lines_do_no_harm(kith: Kith, start: str, end: str) -> None:
    report = load(kith, start + "id,name", "a,A", "", "  ", "b,B", ",", "c,,C", "d,D", "", end=end)

    assert counts(report) == (3, 0, 0, 1)
    assert [error["line"] for error in report["errors"]] == [7]
    assert ids(kith) == ["a", "b", "d"]


BAD_ROWS: dict[str, tuple[str, str | None, list[str]]] = {
    "a cell too few": ("x", None, ["line"]),
    "a cell too many": ("x,X,1,more", None, ["line"]),
    "an open quote": ('x,"X,1', None, ["line"]),
    "a quote in the middle": ('x,"X"y,1', None, ["line"]),
    "no id": (",X,1", None, ["id"]),
    "a bad id": ("a b,X,1", None, ["id"]),
    "no name": ("x,,1", "x", ["name"]),
    "no number": ("x,X,three", "x", ["capacity"]),
    "a float": ("x,X,3.0", "x", ["capacity"]),
    "Arabic digits": ("x,X,٣", "x", ["capacity"]),
    "a sum": ("x,X,=1+1", "x", ["capacity"]),
    "too large": ("x,X,21", "x", ["capacity"]),
    "a huge number": ("x,X," + "9" * 5000, "x", ["capacity"]),
    "a lone return": ("x,X\ry,1", None, ["line"]),
    "a NUL": ("x,X\0,1", "x", ["name"]),
}


@pytest.mark.parametrize(("bad", "named", "paths"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_costs_only_itself(kith: Kith, bad: str, named: str | None, paths: list[str]) -> None:
    report = load(kith, "id,name,capacity", "a,A,1", bad, "b,B,2")

    assert counts(report) == (2, 0, 0, 1)
    (error,) = report["errors"]
    assert (error["line"], error["id"], sorted(error["errors"])) == (3, named, paths)
    assert ids(kith) == ["a", "b"]


def test_bad_utf_8_costs_its_row(sqlite_kith: Kith) -> None:
    report = send(sqlite_kith, b"id,name\na,A\nx,\xff\nb,In\xc3\xa9s\n", "text/csv")

    assert (counts(report), report["errors"][0]["line"]) == ((2, 0, 0, 1), 3)
    assert sqlite_kith.get("/v1/profiles/b")["name"] == "Inés"


@pytest.mark.parametrize(
    ("column", "cell", "path"),
    [
        ("lat,lon", "52.5,", "location.lon"),
        ("lat,lon", ",13.4", "location.lat"),
        ("lat,lon", "91,13.4", "location.lat"),
        ("lat,lon", "nan,13.4", "location.lat"),
        ("lat,lon", "5e1,13.4", "location.lat"),
        ("lat,lon", '"52,5",13.4', "location.lat"),
        ("radius_km", "inf", "radius_km"),
        ("radius_km", "0", "radius_km"),
        ("modes", "online;by phone", "modes.1"),
        ("timezone", "Berlin", "timezone"),
        ("availability", "tue 18:00-21:00", "timezone"),
        ("timezone,availability", "UTC,tue 18-21", "availability.0"),
        ("timezone,availability", "UTC,tue 18:00-21:00;Tue 18:00-21:00", "availability.1"),
        ("timezone,availability", "UTC,tue 21:00-18:00", "availability.0.to"),
        ("languages", "de;german language", "languages.1"),
        ("joins_rounds", "yes", "joins_rounds"),
        ("joins_rounds", "True", "joins_rounds"),
        ("status", "away", "status"),
        ("status,paused_until", "paused,tomorrow", "paused_until"),
        ("interests", "a;" + "b" * 61, "interests.1"),
        ("attributes.role", "a" * 61, "attributes.role"),
        ("seeks.role", "a" * 61, "seeks.role.0"),
    ],
)
def test_a_cell_that_breaks_a_rule_is_named_by_its_field(
    sqlite_kith: Kith, column: str, cell: str, path: str
) -> None:
    report = load(sqlite_kith, f"id,name,{column}", f"x,X,{cell}", f"y,Y{',' * (column.count(',') + 1)}")

    assert counts(report) == (1, 0, 0, 1)
    assert list(report["errors"][0]["errors"]) == [path]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("id,name,hobby", "hobby"),
        ("id,name,location", "location"),
        ("id,name,moves_at", "moves_at"),
        ("id,name,name", "name"),
        ("name,interests", "id"),
        ("ID,Name", "ID"),
        ("id;name", "id;name"),
        ('id,"name', ""),
        ("id,name\xff", "column 2"),
    ],
)
def test_a_header_that_can_t_be_read_fails_as_one_line(sqlite_kith: Kith, header: str, said: str) -> None:
    report = load(sqlite_kith, header, "a,A,x", "b,B,y")

    assert counts(report) == (0, 0, 0, 1)
    (error,) = report["errors"]
    assert (error["line"], error["id"], list(error["errors"])) == (1, None, ["header"])
    assert said in str(error["errors"])
    assert ids(sqlite_kith) == []


def test_a_term_with_a_comma_or_a_quote_stands_in_quotes(kith: Kith) -> None:
    load(kith, "id,name,interests", 'ana,"Ana ""the"" A","rock, paper;""go"""')

    ana = kith.get("/v1/profiles/ana")
    assert (ana["name"], ana["interests"]) == ('Ana "the" A', ["rock, paper", '"go"'])
