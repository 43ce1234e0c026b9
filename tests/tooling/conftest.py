"""The `dev` script as a module, in a small checkout of its own."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def load(script: Path) -> Any:
    """Import a script that has no ending."""
    loader = importlib.machinery.SourceFileLoader("dev_script", str(script))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("dev_script", loader) or fail())
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes
    return module


def fail() -> Any:
    raise AssertionError("no module can be made of the script")


class SetUp:
    """A checkout whose set-up steps are noted, not carried out."""

    def __init__(self, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dev: Any = module
        self.steps: list[str] = []
        self.failing = ""  # a step that holds this word fails
        monkeypatch.setattr(module, "carry_out", self.note)

    def note(self, command: Sequence[str], extra: dict[str, str] | None = None) -> None:
        """Stand for a step: a venv gets its Python, a failing one fails."""
        line = " ".join(command)
        self.steps.append(line)
        if self.failing and self.failing in line:
            raise self.dev.SetUpError("as asked")
        if "venv" in command:
            self.dev.BIN.mkdir(parents=True, exist_ok=True)
            # A Python that answers to anything, so that pip seems to be there.
            self.dev.python().symlink_to(shutil.which("true") or "/bin/true")

    def tools(self) -> set[str]:
        """Name what the noted steps installed with."""
        return {"uv" if "uv pip" in step else "pip" for step in self.steps if "install" in step}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the script, project file and two small locks."""
    place = tmp_path / "checkout"
    place.mkdir()
    for name in ("dev", "pyproject.toml"):
        shutil.copy(ROOT / name, place / name)
    (place / "requirements.lock").write_text("# none\n")
    (place / "requirements-dev.lock").write_text("# none either\n")
    return place


@pytest.fixture
def empty_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with one folder, in which tests put what shall be found."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def set_up(checkout: Path, empty_path: Path, monkeypatch: pytest.MonkeyPatch) -> SetUp:
    """That checkout's script, whose steps are noted."""
    return SetUp(load(checkout / "dev"), monkeypatch)


def put_program(folder: Path, name: str, text: str = "#!/bin/sh\nexit 1\n") -> Path:
    """Put a program on the PATH."""
    program = folder / name
    program.write_text(text)
    program.chmod(0o755)
    return program
