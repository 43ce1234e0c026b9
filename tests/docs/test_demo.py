"""What a newcomer sees first: a suggestion with reasons, and a line to paste that gives the same."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.docs.conftest import free_port

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


@contextmanager
def introduced(home: Path, *words: str) -> Iterator[str]:
    """Start the demonstration; yield what it printed, and stop it."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith("KITH_")}
    command = [sys.executable, "-m", "service.cli", "demo", "--port", str(free_port()), *words]
    environ |= {"KITH_HOME": str(home)}
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        lines = []
        for line in server.stdout:
            lines.append(line)
            if line == "}\n":
                break
        yield "".join(lines)
        server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0


def shown(printed: str) -> Any:
    """Return the answer at the end of what was printed."""
    return json.loads(printed[printed.index("\n{\n") :])


def key_in(printed: str) -> str:
    """Return the key that was printed."""
    found = re.search(r"^key +(kith_[0-9a-f]{72})$", printed, re.MULTILINE)
    assert found is not None
    return found[1]


@needs_curl
def test_the_line_to_paste_gives_what_is_shown_and_a_second_start_shows_it_again(tmp_path: Path) -> None:
    with introduced(tmp_path) as first:
        line = next(line for line in first.splitlines() if line.startswith("curl "))
        pasted = json.loads(subprocess.run(shlex.split(line), capture_output=True, check=True).stdout)
    with introduced(tmp_path) as second:
        pass

    answer = shown(first)
    assert answer["items"][0]["peer"]["name"] == "Ben"
    assert all(item["reasons"] and item["openers"] for item in answer["items"])
    assert (answer["cache"], pasted["cache"]) == ("miss", "hit")
    assert pasted["items"] == answer["items"] == shown(second)["items"]
    assert key_in(first) == key_in(second)
    assert (tmp_path / "demo.json").stat().st_mode & 0o077 == 0


def test_it_can_begin_empty(tmp_path: Path) -> None:
    with introduced(tmp_path, "--empty") as printed:
        assert shown(printed)["name"] == "Demonstration"
