"""The commands on the page of venues and calendars work as written, and answer what it says."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.docs.conftest import ROOT, Served, blocks


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_work_in_their_order(served: Served, tmp_path: Path) -> None:
    posts_zoe = next(code for code in blocks("docs/integrating.md", "sh") if "/profiles/zoe" in code)
    served.run(posts_zoe, tmp_path)

    answers = [served.run(code, tmp_path) for code in blocks("docs/venues.md", "sh")]
    page = (ROOT / "docs/venues.md").read_text(encoding="utf-8")

    venue, imported, calendar = (json.loads(answer.stdout) for answer in answers)

    assert (venue["id"], len(venue["hours"])) == ("cafe", 2)
    assert (imported["created"], imported["failed"]) == (1, 1)
    said = re.search(r'"geometry.type": (\[".*?"\])', page)
    assert said is not None
    assert imported["errors"][0]["errors"]["geometry.type"] == json.loads(said[1])
    assert calendar["url"].endswith(".ics")
