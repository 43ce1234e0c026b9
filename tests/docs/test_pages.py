"""Every command in the documentation works as written."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.cli import main
from service.settings import OPTIONS, settings_page
from tests.docs.conftest import ROOT, Served, blocks

PAGES = sorted(str(page.relative_to(ROOT)) for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@needs_curl
def test_the_integrators_commands_work_in_their_order(served: Served, tmp_path: Path) -> None:
    commands = [code for code in blocks("docs/integrating.md", "sh") if "export" not in code]

    answers = [served.run(code, tmp_path) for code in commands]

    assert all(answer.returncode == 0 for answer in answers), [answer.stderr for answer in answers]
    # A script of several commands answers with several documents, a block with none.
    said = [document for answer in answers for document in documents(answer.stdout)]
    put, patch, suggested, imported, pending, invited, made, known = said[:8]
    told, reconnects, report, stats, unserved, hook, tried, sent, terms = said[8:]
    assert (put["id"], put["radius_km"]) == ("zoe", 15)
    assert patch["radius_km"] == 25
    assert suggested["shortfall"]["missing"] == 3
    assert (imported["created"], imported["failed"]) == (1, 1)
    assert (pending, made) == ({"state": "pending"}, {"state": "connected"})
    assert [item["peer"]["id"] for item in invited["items"]] == ["zoe"]
    assert [item["peer"]["id"] for item in known["items"]] == ["yuki"]
    assert (told["updated"], told["failed"]) == (1, 0)
    assert "You last met in June 2024" in reconnects["items"][0]["reasons"]
    assert (report["peer"], report["state"]) == ("sam", "open")
    assert (stats["members"], stats["connected"]) == (2, 0)  # the block ended it
    assert [item["profile"] for item in unserved["items"]] == ["yuki", "zoe"]
    assert hook["secret"].startswith("whsec_")
    assert (tried["type"], tried["state"]) == ("webhook.test", "pending")
    assert [item["id"] for item in sent["items"]] == [tried["id"]]
    assert terms == {"items": []}


def documents(text: str) -> list[dict[str, Any]]:
    """Return the JSON documents that stand one after the other in a text."""
    found, rest = [], text.strip()
    while rest:
        document, end = json.JSONDecoder().raw_decode(rest)
        found.append(document)
        rest = rest[end:].strip()
    return found


@needs_curl
def test_the_organisers_round_runs_as_written(served: Served, tmp_path: Path) -> None:
    ran = served.run("\n".join(blocks("docs/rounds.md", "sh")), tmp_path)

    assert ran.returncode == 0, ran.stderr
    imported, draft, groups, left_out, again, published, meetups, yes, moved, met, both, last = documents(
        ran.stdout
    )
    assert (imported["created"], draft["stats"]["placed"], left_out["items"]) == (6, 6, [])
    assert all(len(group["members"]) == 2 and group["slot"] for group in groups["items"])
    assert (again["state"], published["state"]) == ("planning", "published")
    pairs = [meetup["members"] for meetup in meetups["items"]]
    assert ["r-eva", "r-fay"] in pairs
    assert ["r-ana", "r-cem"] not in pairs
    assert yes["starts_at"] != moved["starts_at"]
    assert (met["state"], both["state"]) == ("scheduled", "scheduled")
    assert [meetup["members"] for meetup in last["items"]] == [["r-eva", "r-fay"]] * 2
    assert (tmp_path / "meetup.ics").read_text().startswith("BEGIN:VCALENDAR")


@needs_curl
def test_the_import_answers_what_the_page_says(served: Served, tmp_path: Path) -> None:
    command = next(code for code in blocks("docs/integrating.md", "sh") if "/import" in code)
    fresh = command.replace('"yuki"', '"yuki2"')
    text = (ROOT / "docs/integrating.md").read_text(encoding="utf-8")
    said = re.search(r'answers `(\{"created".*?\})`', text)

    assert said is not None
    assert json.loads(served.run(fresh, tmp_path).stdout) == json.loads(said[1])


def test_the_library_example_runs(tmp_path: Path) -> None:
    (code,) = blocks("docs/integrating.md", "python")

    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False, timeout=60
    )

    assert ran.returncode == 0, ran.stderr
    assert "You both like Hiking" in ran.stdout


def test_the_operators_commands_work(served: Served, tmp_path: Path) -> None:
    (tmp_path / "members.csv").write_text("id,name,interests\nmia,Mia,hiking;chess\n")
    erased = {"community": "com_0", "member": "0" * 32, "erased_at": "2026-11-23T18:00:00+00:00"}
    (tmp_path / "erased.log").write_text(json.dumps(erased) + "\n")
    scripts = [
        code.replace("com_…", served.community)
        for code in blocks("docs/operating.md", "sh")
        if "docker" not in code and "kith serve" not in code
    ]

    answers = [served.run(script, tmp_path) for script in scripts]

    assert len(scripts) == 4
    assert all(answer.returncode == 0 for answer in answers), [answer.stderr for answer in answers]
    assert json.loads(answers[1].stdout)["accepted"] is True
    assert "mia" in (tmp_path / "members.ndjson").read_text()


def test_every_command_on_the_page_is_known_to_the_command_line() -> None:
    lines = [line for code in blocks("docs/operating.md", "sh") for line in code.splitlines()]
    commands = {line.split()[1] for line in lines if line.startswith("kith ")}

    assert {"serve", "migrate", "community", "key", "import", "export", "erasures"} <= commands
    for command in sorted(commands):
        with pytest.raises(SystemExit) as stop:
            main([command, "--help"])
        assert stop.value.code == 0, command


def test_the_settings_page_is_made_from_the_code() -> None:
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")

    assert page == settings_page(), "run: python -m service.settings > docs/settings.md"
    assert all(option.variable in page for option in OPTIONS)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    folder = (ROOT / page).parent

    missing = [
        link
        for link in LINK.findall((ROOT / page).read_text(encoding="utf-8"))
        if not (folder / link).exists()
    ]

    assert missing == []


def test_the_readmes_answer_has_the_shape_of_the_real_one(served: Served, tmp_path: Path) -> None:
    (shown,) = blocks("README.md", "json")
    answer = json.loads(shown)

    assert set(answer) == {"cache", "as_of", "items", "shortfall"}
    assert set(answer["items"][0]) == {
        "peer", "score", "modes", "shared", "related", "distance", "slots", "reasons", "openers",
        "invited_me",
    }  # fmt: skip


def test_every_promise_names_tests_that_there_are() -> None:
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| **")]

    assert len(rows) >= 15
    for row in rows:
        named = re.findall(r"`(tests/[a-z_/]+\.py)`", row)
        assert named, row
        for test in named:
            assert "def test_" in (ROOT / test).read_text(encoding="utf-8"), test
