"""Setting up from nothing, for real: minutes, and the package index. `./dev drill`."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.tooling.conftest import ROOT, put_program

pytestmark = pytest.mark.drill

UV = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
LIMIT_SECONDS = 900


@pytest.fixture
def empty_copy(tmp_path: Path) -> Path:
    """A copy of what would be committed."""
    place = tmp_path / "kith"
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(listing, check=True, cwd=ROOT, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place / name)
    return place


def dev(place: Path, *words: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [
        "/usr/bin/env",
        "-i",
        *(f"{name}={value}" for name, value in environment.items()),
        "./dev",
        *words,
    ]
    return subprocess.run(
        command, check=False, cwd=place, capture_output=True, text=True, timeout=LIMIT_SECONDS
    )


def test_an_empty_environment_is_enough(empty_copy: Path) -> None:
    first = dev(empty_copy, "test", "--version", environment={})
    assert (first.returncode, first.stdout.split()[0]) == (0, "pytest"), first.stderr
    began = time.monotonic()
    second = dev(empty_copy, "test", "--version", environment={})
    assert second.returncode == 0
    assert "Setting up" not in second.stderr
    assert time.monotonic() - began < 3


@pytest.mark.skipif(UV is None, reason="no uv here")
def test_uv_is_enough(empty_copy: Path, tmp_path: Path) -> None:
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "uv").symlink_to(str(UV))
    environment = {"PATH": f"{tmp_path / 'path'}:{os.defpath}"}
    environment |= {name: os.environ[name] for name in ("SSL_CERT_FILE",) if name in os.environ}
    done = dev(empty_copy, "test", "--version", environment=environment)
    assert done.returncode == 0
    assert "uv failed" not in done.stderr
    assert not (empty_copy / ".venv" / "uv-cache").exists()


def test_a_uv_that_fails_leaves_it_to_pip(empty_copy: Path, tmp_path: Path) -> None:
    (tmp_path / "path").mkdir()
    put_program(tmp_path / "path", "uv", "#!/bin/sh\necho broken\nexit 1\n")
    environment = {"PATH": f"{tmp_path / 'path'}:{os.defpath}"}
    done = dev(empty_copy, "run", "--help", environment=environment)
    assert done.returncode == 0
    done = dev(empty_copy, "bench", "--help", environment=environment)
    assert "uv failed" in done.stderr
    assert (empty_copy / ".venv" / "kith-set-up.json").exists()


def test_two_calls_at_once_and_one_killed_before(empty_copy: Path) -> None:
    killed = subprocess.Popen(
        ["./dev", "test", "--version"],
        cwd=empty_copy,
        env={},
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(12)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    calls = [
        subprocess.Popen(
            ["./dev", "test", "--version"],
            cwd=empty_copy,
            env={},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    told = [call.communicate(timeout=LIMIT_SECONDS) for call in calls]
    assert [call.returncode for call in calls] == [0, 0]
    assert sum("Set up in" in errors for _, errors in told) == 1


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_images_commands_work_on_every_python(empty_copy: Path, tmp_path: Path, version: str) -> None:
    python = shutil.which(f"python{version}")
    if not python or subprocess.call([python, "-c", "pass"], stderr=subprocess.DEVNULL):
        pytest.skip(f"no Python {version} here")
    pip = [str(tmp_path / "opt" / "bin" / "pip"), "install", "--quiet", "--no-cache-dir", "--no-deps"]
    locked = ["--only-binary", ":all:", "--require-hashes", "-r", "requirements.lock"]
    for command in (
        [python, "-m", "venv", str(tmp_path / "opt")],
        [*pip, *locked],
        [*pip, "--no-build-isolation", "."],
    ):
        subprocess.run(command, check=True, cwd=empty_copy)
    told = subprocess.run(
        [str(tmp_path / "opt" / "bin" / "kith"), "--help"],
        check=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert "serve" in told.stdout
