"""Connections as an import: lines in order, a bad line costs only itself, twice changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from typing import Any

import pytest

from tests.harness import NDJSON, Kith
from tests.problems import problem
from tests.resources.people import (
    block,
    change,
    community_of,
    connect,
    import_connections,
    listed,
    open_introductions,
    pair_rows,
    respond,
    seen,
)
from tests.tenants import neighbour, with_key
from tests.tenants import sqlite_first_url as module_url

__all__ = ["module_url"]

PATH = "/v1/connections/import"
SPRING, SUMMER, AUTUMN = "2026-03-08T18:00:00Z", "2026-06-01T18:00:00Z", "2026-09-01T18:00:00Z"


@pytest.fixture
def four(kith: Kith) -> Kith:
    """Four members, each suggested to the other three."""
    return community_of(kith, "ana", "ben", "cem", "dan")


def counts(report: Any) -> tuple[int, int, int, int]:
    return report["created"], report["updated"], report["unchanged"], report["failed"]


def told(kith: Kith, profile_id: str) -> dict[str, tuple[str, str | None, int]]:
    """Return a member's connections with their times."""
    items = kith.get(f"/v1/profiles/{profile_id}/connections?limit=100")["items"]
    return {item["peer"]["id"]: (item["since"], item["last_met"], item["times_met"]) for item in items}


def test_an_import_is_answered_like_one_of_profiles(four: Kith) -> None:
    connect(four, "ana", "dan", since=SPRING)
    lines = (
        {"a": "ana", "b": "ben", "since": SPRING, "last_met": SUMMER},
        {"a": "cem", "b": "ana"},
        {"a": "dan", "b": "ana", "since": SUMMER},
        {"a": "ben", "b": "ana"},
        {"a": "ana", "b": "nobody"},
    )

    report = import_connections(four, *lines)

    assert set(report) == {"created", "updated", "unchanged", "failed", "errors"}
    assert counts(report) == (2, 1, 1, 1)
    assert [set(error) for error in report["errors"]] == [{"line", "id", "errors"}]
    assert (report["errors"][0]["line"], set(report["errors"][0]["errors"])) == (5, {"b"})
    known = told(four, "ana")
    assert known["ben"] == (SPRING, SUMMER, 1)
    assert known["dan"] == (SUMMER, None, 0)
    assert told(four, "ben") == {"ana": (SPRING, SUMMER, 1)}
    assert seen(four, "ana") == {}


@pytest.mark.parametrize(
    ("line", "fields"),
    [
        (b"{\n", {"line"}),
        (b"\xff\xfe\n", {"line"}),
        (b"[]\n", None),
        (b'"ana"\n', None),
        (b"null\n", None),
        (b'{"a": "ana", "a": "ben", "b": "cem"}\n', None),
        ({"a": "ana"}, {"b"}),
        ({"b": "ana"}, {"a"}),
        ({"a": "ana", "b": "ana"}, {"b"}),
        ({"a": "ana", "b": "no id"}, {"b"}),
        ({"a": "ana", "b": 7}, {"b"}),
        ({"a": "x1", "b": "x2"}, {"a", "b"}),
        ({"a": "ana", "b": "cem", "since": "2999-01-01T00:00:00Z"}, {"since"}),
        ({"a": "ana", "b": "cem", "last_met": "2999-01-01T00:00:00Z"}, {"last_met"}),
        ({"a": "ana", "b": "cem", "since": "soon"}, {"since"}),
        ({"a": "ana", "b": "cem", "times_met": 7}, {"times_met"}),
        (b'{"a": "ana", "b": "' + b"x" * 300_000 + b'"}\n', {"line"}),
    ],
)
def test_a_bad_line_costs_only_itself(four: Kith, line: Any, fields: set[str] | None) -> None:
    good = ({"a": "ana", "b": "ben"}, {"a": "ben", "b": "cem"})

    report = import_connections(four, good[0], line, b"\n", b"  \n", good[1])

    assert counts(report) == (2, 0, 0, 1)
    (error,) = report["errors"]
    assert error["line"] == 2
    assert fields is None or set(error["errors"]) == fields
    assert all(texts and all(texts) for texts in error["errors"].values())
    assert (listed(four, "ana", "connections"), listed(four, "cem", "connections")) == (["ben"], ["ben"])


def test_an_import_sent_twice_changes_nothing(four: Kith) -> None:
    lines = [
        {"a": "ana", "b": "ben", "since": SPRING, "last_met": SPRING},
        {"b": "ana", "a": "ben", "since": SPRING, "last_met": AUTUMN},
        {"a": "ana", "b": "ben", "since": SUMMER, "last_met": SUMMER},
        {"a": "cem", "b": "dan", "since": AUTUMN},
    ]
    assert counts(import_connections(four, *lines)) == (2, 2, 0, 0)
    before = told(four, "ana"), told(four, "dan")
    assert before[0] == {"ben": (SUMMER, AUTUMN, 2)}
    kept = four.suggestions("ana")

    import_connections(four, *lines)

    assert (told(four, "ana"), told(four, "dan")) == before
    assert counts(import_connections(four, lines[2], lines[3])) == (0, 0, 2, 0)
    assert four.suggestions("ana")["items"] == kept["items"]
    assert pair_rows(four) == 2


def test_nothing_new_moves_no_stamp(four: Kith) -> None:
    line = {"a": "ana", "b": "ben", "since": SPRING, "last_met": SUMMER}
    import_connections(four, line)
    four.suggestions("ana")

    assert counts(import_connections(four, line, line | {"a": "ben", "b": "ana"})) == (0, 0, 2, 0)

    assert four.suggestions("ana")["cache"] == "hit"


def test_the_order_of_the_two_makes_no_difference(four: Kith) -> None:
    other = community_of(neighbour(four), "ana", "ben", "cem", "dan")
    lines = [("ana", "ben", SPRING), ("cem", "ana", SUMMER), ("ben", "cem", AUTUMN)]
    import_connections(four, *({"a": a, "b": b, "since": at} for a, b, at in lines))
    import_connections(other, *({"a": b, "b": a, "since": at} for a, b, at in lines))

    for member in ("ana", "ben", "cem", "dan"):
        assert told(four, member) == told(other, member)


def test_lines_connect_only_who_may_be_connected(four: Kith) -> None:
    community_of(four, "eve", "fay")
    block(four, "ana", "ben")
    change(four, "cem", attributes={"school": "north"})
    four.call("PATCH", "/v1/community", {"separate_by": ["school"]})
    crossing = [("ana", "ben"), ("ben", "ana"), ("ana", "cem"), ("cem", "dan")]

    report = import_connections(four, *({"a": a, "b": b} for a, b in (*crossing, ("eve", "fay"))))

    assert counts(report) == (1, 0, 0, 4)
    assert [error["line"] for error in report["errors"]] == [1, 2, 3, 4]
    assert len({json.dumps(error["errors"]) for error in report["errors"]}) == 1
    assert pair_rows(four) == 2


def test_an_import_ends_introductions_and_frees_room(four: Kith) -> None:
    change(four, "ben", capacity=1)
    respond(four, "ana", "ben", "accept")
    assert "ben" not in seen(four, "cem")

    assert counts(import_connections(four, {"a": "ben", "b": "ana"})) == (1, 0, 0, 0)

    assert "ben" in seen(four, "cem")
    assert set(open_introductions(four).values()) == {0}


def test_the_import_asks_for_its_type_and_scope(four: Kith) -> None:
    line = b'{"a": "ana", "b": "ben"}\n'
    problem(four.call("POST", PATH, line, Content_Type="application/json"), 415)
    problem(four.call("POST", PATH, b"a,b\nana,ben\n", Content_Type="text/csv"), 415)
    problem(four.call("POST", f"{PATH}?fast=1", line, Content_Type=NDJSON), 422)
    problem(with_key(four, "read").call("POST", PATH, line, Content_Type=NDJSON), 403)
    assert pair_rows(four) == 0
    assert with_key(four, "write").call("POST", PATH, line, Content_Type=NDJSON).status_code == 200


def test_at_most_a_thousand_errors_are_told(four: Kith) -> None:
    report = import_connections(four, *({"a": "ana", "b": f"x{number}"} for number in range(1_200)))

    assert counts(report) == (0, 0, 0, 1_200)
    assert [error["line"] for error in report["errors"]] == list(range(1, 1_001))


# ---------------------------------------------------------------- many lines


def couples(members: int) -> Iterator[tuple[int, int]]:
    """Yield every pair of members once, neighbours first."""
    for apart in range(1, members):
        for one in range(members - apart):
            yield one, one + apart


def import_many(kith: Kith, members: int, count: int) -> None:
    """Import so many connections twice, once from either side, and look at some."""
    kith.import_profiles(*({"id": f"m{number}", "name": "N"} for number in range(members)))
    chosen = list(islice(couples(members), count))
    assert len(chosen) == count

    def lines(*, turned: bool) -> BytesIO:
        ordered = ((b, a) if turned else (a, b) for a, b in chosen)
        wires = ({"a": f"m{a}", "b": f"m{b}", "since": SPRING, "last_met": SUMMER} for a, b in ordered)
        return BytesIO("".join(json.dumps(wire) + "\n" for wire in wires).encode())

    first = kith.call("POST", PATH, lines(turned=False).getvalue(), Content_Type=NDJSON).json
    again = kith.call("POST", PATH, lines(turned=True).getvalue(), Content_Type=NDJSON).json

    assert (counts(first), counts(again)) == ((count, 0, 0, 0), (0, 0, count, 0))
    assert pair_rows(kith) == count
    for number in (0, members // 2, members - 1):
        expected = {f"m{a + b - number}" for a, b in chosen if number in {a, b}}
        assert expected
        some = told(kith, f"m{number}")
        assert set(some) <= expected
        assert len(some) == min(100, len(expected))
        assert set(some.values()) == {(SPRING, SUMMER, 1)}
        assert not expected & set(seen(kith, f"m{number}"))


def test_thousands_of_connections(kith: Kith) -> None:
    import_many(kith, 100, 1_200)


@pytest.mark.drill
def test_a_hundred_thousand_connections(kith: Kith) -> None:
    import_many(kith, 2_000, 100_000)
