"""The document and its page: out of the package, with nothing of other hosts in them."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

import pytest

from service.resources.documents import DIST, FILES
from service.web.answers import as_json
from service.web.openapi import describe
from tests.harness import Kith
from tests.problems import problem


def text(kith: Kith, path: str) -> str:
    with kith.client.get(path) as answer:
        assert answer.status_code == 200
        return answer.get_data().decode(errors="replace")


def addresses(page: str) -> list[str]:
    return re.findall(r'(?:src|href|data-document)="([^"]+)"', page)


def test_the_page_and_all_it_loads_come_from_here(sqlite_kith: Kith) -> None:
    loaded = addresses(text(sqlite_kith, "/docs"))

    assert "/openapi.json" in loaded
    assert len(loaded) >= 4
    for address in loaded:
        assert urlsplit(address)[:2] == ("", "")
        assert text(sqlite_kith, urljoin("/docs", address))


@pytest.mark.parametrize("path", ["/docs", "/docs/start.js"])
def test_nothing_of_ours_names_another_host(sqlite_kith: Kith, path: str) -> None:
    assert not re.search(r"https?:|//[a-z]", text(sqlite_kith, path))


def test_styles_load_nothing(sqlite_kith: Kith) -> None:
    assert not re.search(r"@import|url\((?!\s*[\"']?data:)", text(sqlite_kith, "/docs/swagger-ui.css"))


@pytest.mark.parametrize("path", ["/docs", "/docs/start.js", *(f"/docs/{name}" for name in sorted(FILES))])
def test_a_policy_lets_the_page_talk_to_nobody_else(sqlite_kith: Kith, path: str) -> None:
    with sqlite_kith.client.get(path) as answer:
        policy = answer.headers["Content-Security-Policy"]
        referrer = answer.headers["Referrer-Policy"]

    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'self'"
    assert rules["frame-ancestors"] == "'none'"
    assert "script-src" not in rules
    assert not re.search(r"https?:|\*|unsafe-eval", policy)
    assert referrer == "no-referrer"


def test_the_document_is_what_describes_the_app(sqlite_kith: Kith) -> None:
    app = sqlite_kith.client.application
    with app.app_context():
        made = describe(app)

    assert sqlite_kith.client.get("/openapi.json").get_data() == as_json(made)
    assert made["paths"]["/v1/profiles"].keys() >= {"get", "post"}


def test_types_are_what_browsers_ask_for(sqlite_kith: Kith) -> None:
    kinds = {
        "/openapi.json": "application/json",
        "/docs": "text/html",
        "/docs/start.js": "text/javascript",
        "/docs/swagger-ui.css": "text/css",
        "/docs/swagger-ui-bundle.js": "text/javascript",
        "/docs/favicon-32x32.png": "image/png",
    }
    for path, kind in kinds.items():
        with sqlite_kith.client.get(path) as answer:
            assert answer.mimetype == kind


@pytest.mark.parametrize(
    "name", ["swagger-ui.js.map", "oauth2-redirect.html", "..", "%2e%2e", ".env", "package.json"]
)
def test_only_the_files_of_the_page_are_given(sqlite_kith: Kith, name: str) -> None:
    problem(sqlite_kith.client.get(f"/docs/{name}"), 404)


def test_the_files_are_those_of_the_installed_package() -> None:
    assert all((DIST / name).is_file() for name in FILES)
