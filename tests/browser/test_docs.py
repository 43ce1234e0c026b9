"""The docs page in a real browser: it draws every operation, asks no other host, and reports no error."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

from tests.harness import Kith
from tests.routes import ROUTES

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
OPERATIONS = sum(
    route.method != "HEAD" and not route.rule.startswith(("/docs", "/openapi")) for route in ROUTES
)
# A folder in which to leave pictures for people to look at.
PICTURES = os.environ.get("KITH_TEST_PICTURES")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on PATH (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(module_sqlite_kith: Kith) -> Iterator[str]:
    """A real server's address."""
    server = make_server("127.0.0.1", 0, module_sqlite_kith.client.application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)], ids=["phone", "desk"])
def test_the_page_draws_every_operation(browser: Browser, address: str, width: int, height: int) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page = browser.new_page(viewport={"width": width, "height": height})
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    page.goto(f"{address}/docs")
    page.wait_for_selector(".opblock", timeout=20_000)
    page.wait_for_function(f"document.querySelectorAll('.opblock').length >= {OPERATIONS}", timeout=20_000)

    assert page.locator(".opblock").count() == OPERATIONS
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"docs-{width}.png", full_page=True)
    # Opening one draws its schemas too.
    page.locator(".opblock-post .opblock-summary").first.click()
    page.wait_for_selector(".opblock-post .opblock-body")
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"docs-{width}-open.png")
    page.close()

    hosts = {urlsplit(url).netloc for url in asked if urlsplit(url).scheme not in {"data", "blob"}}
    assert hosts == {urlsplit(address).netloc}
    assert complaints == []
