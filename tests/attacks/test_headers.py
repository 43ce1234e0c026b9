"""Headers: every answer is guarded, no other site may read it, and nothing a client says gets into a link."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from tests.attacks.inputs import Town
from tests.harness import Kith
from tests.problems import problem
from tests.routes import KEYED, ROUTES, Route, each_nth

EVIL = "evil.example"
PAGES = ["/docs", "/docs/start.js", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/index.css"]


def guards(answer: TestResponse) -> dict[str, str]:
    """Return a policy's rules, once the other guards have been looked at."""
    answer.close()
    assert answer.headers.getlist("X-Content-Type-Options") == ["nosniff"]
    assert answer.headers.getlist("X-Frame-Options") == ["DENY"]
    assert answer.headers.getlist("Referrer-Policy") == ["no-referrer"]
    (policy,) = answer.headers.getlist("Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["frame-ancestors"] == "'none'"
    assert rules["base-uri"] == "'none'"
    return rules


@each_nth(ROUTES, 3)
def test_every_answer_is_guarded(town: Town, route: Route) -> None:
    rules = guards(town.kith.call(route.method, town.path(route)))

    page = route.rule.startswith("/docs")
    assert rules["default-src"] == ("'self'" if page else "'none'")
    # No script but from our own files: neither in the page, nor made of text.
    assert "script-src" not in rules or rules["script-src"] == "'self'"
    assert not page or rules["form-action"] == rules["object-src"] == "'none'"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/community", 401),
        ("GET", "/nothing", 404),
        ("GET", "/docs/..%2fsecret", 404),
        ("POST", "/docs", 405),
        ("PUT", "/openapi.json", 405),
        ("GET", "/docs?x=1", 422),
        ("GET", "/openapi.json?x=1", 422),
    ],
)
def test_every_error_is_guarded(sqlite_kith: Kith, method: str, path: str, status: int) -> None:
    answer = sqlite_kith.client.open(path, method=method)

    problem(answer, status)
    assert guards(answer)["default-src"] in {"'none'", "'self'"}


def test_a_failure_of_ours_is_guarded_too(sqlite_kith: Kith, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError

    app = sqlite_kith.client.application
    monkeypatch.setattr(app, "view_functions", dict.fromkeys(app.view_functions, fail))

    answer = sqlite_kith.call("GET", "/v1/community")

    problem(answer, 500)
    guards(answer)


def test_the_page_holds_no_script_and_no_style_of_its_own(sqlite_kith: Kith) -> None:
    page = sqlite_kith.client.get("/docs").text

    assert page.count("<script") == page.count("<script src=") == 2
    assert "<style" not in page
    assert " style=" not in page
    assert " on" not in page.replace(" on ", " ")


# ---------------------------------------------------------------- other sites

ORIGINS = ["https://evil.example", "null", "http://localhost", "https://kith.example"]


@each_nth(ROUTES, 4)
def test_no_other_site_is_let_in(town: Town, route: Route) -> None:
    for origin in ORIGINS:
        headers = {"Origin": origin, "Cookie": "session=1", "Sec_Fetch_Site": "cross-site"}
        plain = town.kith.call(route.method, town.path(route), **headers)
        before = town.kith.client.options(
            town.path(route),
            headers={
                "Origin": origin,
                "Access-Control-Request-Method": route.method,
                "Access-Control-Request-Headers": "authorization, content-type",
                "Access-Control-Request-Private-Network": "true",
            },
        )
        for answer in (plain, before):
            answer.close()
            named = [name for name in answer.headers.keys() if name.lower().startswith("access-control-")]  # noqa: SIM118 - names, twice where they stand twice
            assert named == []
            assert "Set-Cookie" not in answer.headers
            assert EVIL not in str(answer.headers)


def test_a_cookie_or_another_header_is_no_key(town: Town) -> None:
    for name in ("Cookie", "X-Api-Key", "X-Authorization", "Proxy-Authorization"):
        for text in (town.kith.key, f"Bearer {town.kith.key}", f"authorization=Bearer {town.kith.key}"):
            problem(town.kith.client.get("/v1/community", headers={name: text}), 401)


# ---------------------------------------------------------------- forged addresses of ours

FORGED = {
    "Host": EVIL,
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Server": EVIL,
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Scheme": "gopher",
    "X-Forwarded-Port": "6666",
    "X-Forwarded-Prefix": f"/{EVIL}",
    "X-Original-URL": f"/{EVIL}",
    "X-Rewrite-URL": f"/{EVIL}",
    "X-Host": EVIL,
    "X-Script-Name": f"/{EVIL}",
    "Forwarded": f"for=1.2.3.4;host={EVIL};proto=gopher",
    "Referer": f"https://{EVIL}/",
}


@pytest.fixture(params=["0", "1"], ids=["no proxy", "a proxy"])
def forged(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """A town behind so many proxies."""
    with Kith.open(f"sqlite:///{tmp_path / 'kith.db'}", KITH_PROXIES=request.param) as kith:
        yield Town.of(kith)


def test_no_link_and_no_page_says_what_a_header_said(forged: Town) -> None:
    sent = {name.replace("-", "_"): text for name, text in FORGED.items()}

    for route in [route for route in ROUTES if route.method != "DELETE"]:
        plain = forged.kith.call(route.method, forged.path(route))
        answer = forged.kith.call(route.method, forged.path(route), **sent)
        text, expected = (reply.get_data(as_text=True) for reply in (answer, plain))
        plain.close()
        answer.close()
        assert answer.status_code == plain.status_code, str(route)
        assert EVIL not in text
        assert "gopher" not in text
        assert EVIL not in str(answer.headers)
        assert route in KEYED or route.rule == "/metrics" or text == expected


def test_the_link_to_what_was_made_is_a_path_whatever_the_host(forged: Town) -> None:
    sent = {name.replace("-", "_"): text for name, text in FORGED.items()}

    made = forged.kith.call("POST", "/v1/profiles", {"id": "dora", "name": "Dora"}, **sent)

    assert made.status_code == 201
    assert made.headers["Location"] == "/v1/profiles/dora"


def test_a_public_address_is_the_one_that_was_set(tmp_path: Path) -> None:
    sent = {name.replace("-", "_"): text for name, text in FORGED.items()}
    address = "https://kith.example/api"

    with Kith.open(f"sqlite:///{tmp_path / 'kith.db'}", KITH_PUBLIC_URL=f"{address}/") as kith:
        made = kith.call("POST", "/v1/profiles", {"id": "dora", "name": "Dora"}, **sent)

    assert made.headers["Location"] == f"{address}/v1/profiles/dora"


@pytest.mark.parametrize("host", ["", "a b", "evil.example:abc", "x" * 5_000, "[::1", '"><script>', "\xe9"])
def test_a_host_that_is_none_does_no_harm(town: Town, host: str) -> None:
    answer = town.kith.call("GET", "/v1/community", Host=host)

    assert answer.status_code in {200, 400}
    assert answer.status_code == 200 or answer.content_type == "application/problem+json"
    assert "script" not in answer.text
