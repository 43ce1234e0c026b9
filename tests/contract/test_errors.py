"""One shape for every error, on every route; and nothing of the inside ever shows."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from service.errors import NotReady
from tests.harness import NDJSON, Kith
from tests.problems import problem
from tests.routes import DONE, KEYED, ROUTES, Route, each, settle
from tests.tenants import with_key

ALL_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
METHODS_OF: dict[str, set[str]] = {}
for _route in ROUTES:
    METHODS_OF.setdefault(_route.path(), set()).add(_route.method)
WITHOUT = {path: [method for method in ALL_METHODS if method not in has] for path, has in METHODS_OF.items()}
WITH_BODY = [route for route in KEYED if route.body() is not None]
JSON_BODY = [route for route in WITH_BODY if not route.is_import]
MIB = 1024 * 1024


def text(answer: TestResponse) -> str:
    """Return an answer's body, and close it: files stay open else."""
    try:
        return answer.get_data(as_text=True)
    finally:
        answer.close()


# ---------------------------------------------------------------- 404 and 405


@pytest.mark.parametrize("path", METHODS_OF)
def test_a_method_that_a_route_has_not_is_405_with_allow(module_sqlite_kith: Kith, path: str) -> None:
    for method in WITHOUT[path]:
        answer = module_sqlite_kith.call(method, path, b"x", Content_Type="text/plain")

        assert answer.status_code == 405, method
        assert {name.strip() for name in answer.headers["Allow"].split(",")} - {"OPTIONS"} == METHODS_OF[path]
        assert answer.content_type == "application/problem+json"
        assert method == "HEAD" or problem(answer, 405)["type"] == "urn:kith:problem:method-not-allowed"


@pytest.mark.parametrize("path", METHODS_OF)
def test_options_tells_the_methods_without_a_key(module_sqlite_kith: Kith, path: str) -> None:
    answer = module_sqlite_kith.client.options(path)

    assert answer.status_code == 200
    assert set(METHODS_OF[path]) <= set(answer.allow)
    assert answer.data == b""


@each([route for route in ROUTES if route.method == "GET"])
def test_head_is_get_without_the_body(sqlite_kith: Kith, route: Route) -> None:
    path = route.path(settle(sqlite_kith, route))

    got, head = sqlite_kith.call("GET", path), sqlite_kith.call("HEAD", path)

    assert head.status_code == got.status_code == 200
    assert text(got)
    assert text(head) == ""
    assert head.headers.get("ETag") == got.headers.get("ETag")
    assert head.content_type == got.content_type


@pytest.mark.parametrize(
    "path", ["/v1/profiles/nobody", "/v1/profiles/nobody/suggestions", "/v1/keys/%00", "/x"]
)
def test_an_error_to_head_has_no_body(sqlite_kith: Kith, path: str) -> None:
    answer = sqlite_kith.call("HEAD", path)

    assert answer.status_code in {404, 405}
    assert answer.data == b""


# ---------------------------------------------------------------- 413


@pytest.mark.parametrize("size", [MIB + 1, 5 * MIB])
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
@each(JSON_BODY)
def test_a_body_over_one_mib_is_413(sqlite_kith: Kith, route: Route, declared: bool, size: int) -> None:
    body = b'{"name": "' + b"a" * size + b'"}'
    answer = _send(sqlite_kith, route, body, declared)

    assert problem(answer, 413)["type"] == "urn:kith:problem:too-large"


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
def test_a_body_of_one_mib_is_read(sqlite_kith: Kith, declared: bool) -> None:
    head, tail = b'{"name": "Ana"', b"}"
    body = head + b" " * (MIB - len(head) - len(tail)) + tail
    route = next(route for route in JSON_BODY if str(route) == "POST /v1/profiles")

    assert _send(sqlite_kith, route, body, declared).status_code == 201


def test_an_endless_body_is_cut_off_with_an_idempotency_key_too(sqlite_kith: Kith) -> None:
    route = next(route for route in JSON_BODY if str(route) == "POST /v1/profiles")

    problem(_send(sqlite_kith, route, b" " * (2 * MIB), False, {"Idempotency-Key": "k"}), 413)


def test_a_length_that_is_no_number_is_no_500(sqlite_kith: Kith) -> None:
    headers = {"Authorization": f"Bearer {sqlite_kith.key}"}
    for length in ("abc", "-1", "९"):
        answer = sqlite_kith.client.post(
            "/v1/profiles",
            headers=headers,
            input_stream=io.BytesIO(b"{}"),
            content_type="application/json",
            environ_overrides={"CONTENT_LENGTH": length.encode().decode("latin-1")},
        )
        assert 400 <= answer.status_code < 500


def _send(
    kith: Kith, route: Route, body: bytes, declared: bool, more: dict[str, str] | None = None
) -> TestResponse:
    headers = {"Authorization": f"Bearer {kith.key}", "Content-Type": "application/json"} | (more or {})
    if declared:
        return kith.client.open(route.path(), method=route.method, data=body, headers=headers)
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    return kith.client.open(
        route.path(),
        method=route.method,
        input_stream=io.BytesIO(body),
        headers=headers,
        environ_overrides=chunked,
    )


# ---------------------------------------------------------------- 429


@pytest.fixture
def limited(sqlite_url: str) -> Iterator[Kith]:
    """A Kith that answers three requests a minute."""
    with Kith.open(sqlite_url, KITH_RATE_LIMIT="3/minute") as kith:
        yield kith


def test_too_many_requests_are_429_and_told_when(limited: Kith) -> None:
    statuses = [limited.call("GET", "/v1/community").status_code for _ in range(3)]

    answer = limited.call("GET", "/v1/community")

    assert statuses == [200, 200, 200]
    assert problem(answer, 429)["type"] == "urn:kith:problem:too-many-requests"
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_a_key_over_its_limit_can_write_nothing_and_health_is_free(limited: Kith) -> None:
    for _ in range(3):
        limited.call("GET", "/v1/community")

    problem(limited.call("POST", "/v1/profiles", {"name": "Ana"}), 429)
    assert limited.client.get("/livez").status_code == 200
    assert limited.client.get("/readyz").status_code == 200


def test_each_key_has_its_own_limit_and_an_import_counts_once(limited: Kith) -> None:
    other = with_key(limited, "write")
    lines = b"".join(b'{"id": "m%d", "name": "M"}\n' % number for number in range(50))

    assert limited.call("GET", "/v1/community").status_code == 200
    assert limited.call("GET", "/v1/community").status_code == 200
    problem(limited.call("GET", "/v1/community"), 429)
    assert other.call("POST", "/v1/profiles/import", lines, Content_Type=NDJSON).status_code == 200
    assert other.call("POST", "/v1/profiles/import", lines, Content_Type=NDJSON).status_code == 200


# ---------------------------------------------------------------- 500 and 503

SECRET = "postgresql://kith:hunter2@db/kith"


def broken(app: Flask, error: Exception) -> Any:
    """Return views that all raise."""

    def view(**_: Any) -> None:
        raise error

    return dict.fromkeys(app.view_functions, view)


@each([route for route in ROUTES if route.method != "HEAD"])
def test_a_failing_view_is_500_in_the_same_shape(
    module_sqlite_kith: Kith, route: Route, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = module_sqlite_kith.client.application
    monkeypatch.setattr(app, "view_functions", broken(app, RuntimeError(SECRET)))
    # The views that are open say so themselves; these don't, so everyone needs a key.

    answer = module_sqlite_kith.call(route.method, route.path())

    found = problem(answer, 500)
    assert found["type"] == "urn:kith:problem:internal"
    assert "hunter2" not in answer.text
    assert "RuntimeError" not in answer.text
    assert "unhandled_error" in caplog.text


def test_a_database_that_is_away_is_503(sqlite_kith: Kith, monkeypatch: pytest.MonkeyPatch) -> None:
    app = sqlite_kith.client.application
    monkeypatch.setattr(app, "view_functions", broken(app, NotReady("The database can't be used just now.")))

    answer = sqlite_kith.call("GET", "/v1/profiles")

    assert problem(answer, 503)["type"] == "urn:kith:problem:not-ready"
    assert int(answer.headers["Retry-After"]) >= 1


@each(WITH_BODY)
def test_every_refusal_of_a_body_has_the_one_shape(sqlite_kith: Kith, route: Route) -> None:
    path, method = route.path(), route.method
    if not route.is_import:
        problem(sqlite_kith.call(method, path, b"{", Content_Type="application/json"), 400)
        problem(sqlite_kith.call(method, path, b'{"x": 1e999}', Content_Type="application/json"), 422)
    problem(sqlite_kith.call(method, path, b"{}", Content_Type="text/plain"), 415)
    problem(sqlite_kith.call(method, path), 415)


@each(ROUTES)
def test_every_answer_is_guarded(sqlite_kith: Kith, route: Route) -> None:
    answer = route.send(sqlite_kith, settle(sqlite_kith, route))
    answer.close()

    assert answer.status_code in DONE

    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    if not route.is_open:
        assert answer.headers["Cache-Control"] in {"private, no-cache", "no-store"}
