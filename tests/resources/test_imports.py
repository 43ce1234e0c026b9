"""Imports: lines in order, a bad one costs only itself, and importing twice changes nothing."""

from __future__ import annotations

import io
import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from tests.harness import NDJSON, Kith, peers
from tests.problems import problem
from tests.tenants import neighbour, with_key

CSV = "text/csv"
COUNTS = ("created", "updated", "unchanged", "failed")
HEADER = "id,name"


def send(kith: Kith, body: bytes | str, content_type: str = NDJSON) -> Any:
    data = body.encode() if isinstance(body, str) else body
    answer = kith.call("POST", "/v1/profiles/import", data, Content_Type=content_type)
    assert answer.status_code == 200, answer.text
    assert set(answer.json) == {*COUNTS, "errors"}
    return answer.json


def counts(report: Any) -> tuple[int, ...]:
    return tuple(report[name] for name in COUNTS)


def line(profile_id: str, **fields: Any) -> str:
    return json.dumps({"id": profile_id, "name": profile_id.title()} | fields) + "\n"


def ids(kith: Kith) -> list[str]:
    return [item["id"] for item in kith.get("/v1/profiles?limit=100")["items"]]


# ---------------------------------------------------------------- reports


def test_the_report_counts_what_was_done(kith: Kith) -> None:
    send(kith, line("a") + line("b", capacity=1))

    report = send(kith, line("a") + line("b", capacity=2) + line("c") + "oops\n" + line("d"))

    assert counts(report) == (2, 1, 1, 1)
    assert ids(kith) == ["a", "b", "c", "d"]
    assert kith.get("/v1/profiles/b")["capacity"] == 2


def test_importing_twice_changes_nothing(kith: Kith) -> None:
    lines = line("a", location={"lat": 52.52, "lon": 13.405}) + line("b", interests=["hiking"])
    assert counts(send(kith, lines)) == (2, 0, 0, 0)
    tags = [kith.call("GET", f"/v1/profiles/{name}").headers["ETag"] for name in "ab"]

    assert counts(send(kith, lines)) == (0, 0, 2, 0)

    assert [kith.call("GET", f"/v1/profiles/{name}").headers["ETag"] for name in "ab"] == tags


def test_an_unchanged_line_moves_no_stamp(kith: Kith) -> None:
    lines = line("a", location={"lat": 52.52, "lon": 13.405}) + line(
        "b", location={"lat": 52.52, "lon": 13.405}
    )
    send(kith, lines)
    kith.suggestions("a")
    assert kith.suggestions("a")["cache"] == "hit"

    send(kith, line("b", location={"lat": 52.5201, "lon": 13.4049}))

    assert kith.suggestions("a")["cache"] == "hit"
    before = _stamps(kith)
    send(kith, lines)
    assert _stamps(kith) == before


def _stamps(kith: Kith) -> list[Any]:
    with kith.database.read() as connection:
        found = text(
            "SELECT p.id, own, pairs, changed FROM profiles p JOIN communities c ON c.number = p.community "
            "WHERE c.id = :community ORDER BY p.id"
        )
        return list(connection.execute(found, {"community": kith.community}))


def test_the_last_line_of_an_id_wins(kith: Kith) -> None:
    report = send(kith, line("a", capacity=1) + line("b") + line("a", capacity=2) + line("a", capacity=2))

    assert counts(report) == (2, 1, 1, 0)
    assert kith.get("/v1/profiles/a")["capacity"] == 2


def test_a_bad_last_line_leaves_the_good_one_before_it(kith: Kith) -> None:
    assert counts(send(kith, line("a", capacity=1) + line("a", capacity=99))) == (1, 0, 0, 1)

    assert kith.get("/v1/profiles/a")["capacity"] == 1


def test_a_line_replaces_the_whole_profile(kith: Kith) -> None:
    kith.post_profile("a", goals=["rest"], capacity=1)

    send(kith, line("a"))

    assert (kith.get("/v1/profiles/a")["goals"], kith.get("/v1/profiles/a")["capacity"]) == ([], 3)


BAD_LINES: dict[str, tuple[bytes, str | None, list[str]]] = {
    "no JSON": (b"hello", None, ["line"]),
    "half an object": (b'{"id": "x", "name": "X"', None, ["line"]),
    "no object": (b"[1]", None, ["body"]),
    "null": (b"null", None, ["body"]),
    "bad UTF-8": (b'{"id": "x", "name": "\xff"}', None, ["line"]),
    "a depth bomb": (b"[" * 100_000, None, ["line"]),
    "NaN": (b'{"id": "x", "name": "X", "radius_km": NaN}', None, ["line"]),
    "a key twice": (b'{"id": "x", "id": "y", "name": "X"}', None, ["body"]),
    "no id": (b'{"name": "X"}', None, ["id"]),
    "a bad id": (b'{"id": "no spaces", "name": "X"}', None, ["id"]),
    "no name": (b'{"id": "x"}', "x", ["name"]),
    "two wrong fields": (
        b'{"id": "x", "name": "X", "capacity": 21, "goals": [""]}',
        "x",
        ["capacity", "goals.0"],
    ),
    "an unknown field": (b'{"id": "x", "name": "X", "surprise": 1}', "x", ["surprise"]),
    "a NUL": (b'{"id": "x", "name": "a\\u0000b"}', None, ["name"]),
    "2**63": (b'{"id": "x", "name": "X", "capacity": 9223372036854775808}', None, ["capacity"]),
    "a pause in the past": (
        b'{"id": "x", "name": "X", "status": "paused", "paused_until": "2020-01-01T00:00:00Z"}',
        "x",
        ["paused_until"],
    ),
}


@pytest.mark.parametrize(("bad", "named", "paths"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_costs_only_itself(kith: Kith, bad: bytes, named: str | None, paths: list[str]) -> None:
    report = send(kith, line("a").encode() + bad + b"\n" + line("b").encode())

    assert counts(report) == (2, 0, 0, 1)
    (error,) = report["errors"]
    assert (error["line"], error["id"], sorted(error["errors"])) == (2, named, paths)
    assert ids(kith) == ["a", "b"]


def test_an_admin_attribute_in_a_line_costs_that_line(kith: Kith) -> None:
    kith.call("PATCH", "/v1/community", {"admin_attributes": ["verified"]})
    writer = with_key(kith, "write")
    lines = line("a") + line("b", attributes={"verified": "yes"}) + line("c", attributes={"team": "red"})

    report = send(writer, lines)

    assert counts(report) == (2, 0, 0, 1)
    assert "verified" in str(report["errors"])
    assert counts(send(kith, lines)) == (1, 0, 2, 0)
    assert counts(send(writer, line("b"))) == (0, 0, 1, 0)
    assert kith.get("/v1/profiles/b")["attributes"] == {"verified": "yes"}


def test_at_most_a_thousand_errors_are_told_and_all_are_counted(sqlite_kith: Kith) -> None:
    report = send(sqlite_kith, "oops\n" * 1500 + line("a"))

    assert counts(report) == (1, 0, 0, 1500)
    assert [error["line"] for error in report["errors"]] == list(range(1, 1001))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_ends_of_lines_empty_lines_and_a_mark_do_no_harm(kith: Kith, end: str) -> None:
    lines = ["", line("a").strip(), "", "   ", line("b").strip(), "bad", "", line("c").strip()]

    for start in ("", "\ufeff"):
        report = send(kith, start + end.join(lines))
        assert (report["failed"], report["errors"][0]["line"]) == (1, 6)
    assert ids(kith) == ["a", "b", "c"]


@pytest.mark.parametrize("body", ["", "\n\n", "\r\n"])
def test_nothing_to_import_is_nothing_done(sqlite_kith: Kith, body: str) -> None:
    assert send(sqlite_kith, body) == dict.fromkeys(COUNTS, 0) | {"errors": []}


@pytest.mark.parametrize("content_type", [NDJSON, CSV])
def test_a_line_that_is_too_long_is_read_past(sqlite_kith: Kith, content_type: str) -> None:
    long = b'{"id": "x", "name": "' + b"a" * 1_000_000 + b'"}\n'
    first, last = (line("a"), line("b")) if content_type == NDJSON else ("id,name\na,A\n", "b,B\n")

    report = send(sqlite_kith, first.encode() + long + last.encode(), content_type)

    assert counts(report) == (2, 0, 0, 1)
    assert (report["errors"][0]["line"], list(report["errors"][0]["errors"])) == (
        2 + (content_type == CSV),
        ["line"],
    )


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/json", "application/ndjson", "application/x-ndjson; charset=latin-1",
     "text/csv; charset=utf-16", "multipart/form-data; boundary=x", "text/tab-separated-values"],
)  # fmt: skip
def test_what_is_neither_is_415(sqlite_kith: Kith, content_type: str) -> None:
    answer = sqlite_kith.call("POST", "/v1/profiles/import", line("a").encode(), Content_Type=content_type)

    problem(answer, 415)
    assert ids(sqlite_kith) == []


@pytest.mark.parametrize(
    "content_type", [NDJSON, "application/x-ndjson; charset=utf-8", 'Application/X-NDJSON;charset="UTF-8"']
)
def test_a_type_may_say_utf_8(sqlite_kith: Kith, content_type: str) -> None:
    assert counts(send(sqlite_kith, line("a", goals=["José"]), content_type)) == (
        1,
        0,
        0,
        0,
    )


# ---------------------------------------------------------------- any size, in flat memory


class Endless(io.RawIOBase):
    """A body that is made as it is read, as one that comes over the wire."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._rest = b""
        self.sent = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            try:
                self._rest = next(self._lines)
            except StopIteration:
                return 0
        some, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(some)] = some
        self.sent += len(some)
        return len(some)


def _stream(kith: Kith, body: Endless, declared: int | None = None) -> Any:
    environ: dict[str, Any] = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    if declared is not None:
        environ = {"CONTENT_LENGTH": str(declared)}
    headers = {"Authorization": f"Bearer {kith.key}", "Content-Type": NDJSON}
    environ["wsgi.input"] = body
    answer = kith.client.post("/v1/profiles/import", headers=headers, environ_overrides=environ)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_an_import_has_no_limit_and_needs_flat_memory(kith: Kith) -> None:
    many = 2_000

    def lines() -> Iterator[bytes]:
        for number in range(many):
            # Most of a line is room that JSON allows: the database's work stays small.
            yield line(f"m{number % 200}").encode().rstrip() + b" " * 6_000 + b"\n"

    send(kith, line("m0"))
    body = Endless(lines())
    tracemalloc.start()
    report = _stream(kith, body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert counts(report) == (199, 0, many - 199, 0)
    assert body.sent > 10 * 1024 * 1024
    assert peak < body.sent / 2


def test_a_declared_length_over_one_mib_is_no_limit_either(sqlite_kith: Kith) -> None:
    padded = [line(f"m{number}").encode().rstrip() + b" " * 200_000 + b"\n" for number in range(8)]

    report = _stream(sqlite_kith, Endless(iter(padded)), sum(map(len, padded)))

    assert counts(report) == (8, 0, 0, 0)


# ---------------------------------------------------------------- what an import shows


def test_what_was_imported_is_suggested_at_once(kith: Kith) -> None:
    kith.post_profile("asker", interests=["hiking"])
    assert kith.suggestions("asker")["items"] == []

    send(kith, line("a", interests=["hiking"]) + line("b"))

    assert peers(kith.suggestions("asker")) == ["a", "b"]


def test_an_export_imported_elsewhere_exports_the_same(kith: Kith) -> None:
    other = neighbour(kith)
    berlin = {"lat": 52.52, "lon": 13.405}
    lines = [
        line("b", interests=["Café"], location=berlin, seeks={"role": ["x"]}),
        line("B"),
        line("paused", status="paused", paused_until="2099-01-01T00:00:00Z"),
        line("x", capacity=0),
    ]
    send(kith, "".join(lines))
    exported = kith.call("GET", "/v1/profiles/export")
    assert exported.content_type == NDJSON

    assert counts(send(other, exported.data)) == (4, 0, 0, 0)

    assert other.call("GET", "/v1/profiles/export").data == exported.data
    assert counts(send(kith, exported.data)) == (0, 0, 4, 0)
    assert [json.loads(text) for text in exported.data.splitlines()] == kith.get("/v1/profiles")["items"]


def test_an_export_of_many_pages_holds_each_member_once(kith: Kith) -> None:
    send(kith, "".join(line(f"m{number:04}") for number in range(1201)))

    exported = [json.loads(text)["id"] for text in kith.call("GET", "/v1/profiles/export").data.splitlines()]

    assert exported == [f"m{number:04}" for number in range(1201)]


def test_an_export_is_for_admins(kith: Kith) -> None:
    kith.post_profile("ana")

    for path in ("/v1/profiles/export", "/v1/profiles/ana/export"):
        problem(with_key(kith, "write").call("GET", path), 403)
        assert replace(kith).call("GET", path).status_code == 200
