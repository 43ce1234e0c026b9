"""A served Kith for the documentation's commands, and the blocks of its pages."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS_TO_START = 60


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page in one language."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [code for found, code in BLOCK.findall(text) if found == language]


def free_port() -> int:
    """Return a port of this machine that nobody uses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Served:
    """A running `kith serve` and how to reach it."""

    address: str
    community: str
    key: str
    environ: dict[str, str]

    def run(self, script: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run a block as a reader would paste it."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            capture_output=True, text=True, env=self.environ, cwd=folder, timeout=120, check=False,
        )  # fmt: skip


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server on the embedded default, in a home of its own."""
    environ = {name: text for name, text in os.environ.items() if not name.startswith("KITH_")}
    environ |= {
        "KITH_HOME": str(tmp_path_factory.mktemp("home")),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environ.get('PATH', os.defpath)}",
    }
    created = subprocess.run(
        ["kith", "community", "create", "Readers"], env=environ, capture_output=True, check=True
    )
    community = json.loads(created.stdout)
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with subprocess.Popen(["kith", "serve", "--port", str(port)], env=environ) as server:
        try:
            _wait_for(f"{address}/readyz")
            environ |= {"KITH": address, "KEY": community["key"]}
            yield Served(address, community["community"], community["key"], environ)
        finally:
            server.terminate()


def _wait_for(address: str) -> None:
    until = time.monotonic() + SECONDS_TO_START
    while True:
        try:
            with urlopen(address, timeout=5):
                return
        except OSError:  # refused, or too slow as yet
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
