"""`./dev WORD`: which Python reads it, what it runs, and with which exit code."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.tooling.conftest import ROOT, SetUp, put_program

AS_AN_OLDER_PYTHON = """
import runpy, sys
sys.version_info = (3, 8, 18, "final", 0)
sys.argv = ["dev", "test", "--quiet"]
runpy.run_path("dev", run_name="__main__")
"""


def run_as_older(checkout: Path, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", AS_AN_OLDER_PYTHON],
        check=False,
        cwd=checkout,
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
    )


def test_an_older_python_can_read_the_script() -> None:
    ast.parse((ROOT / "dev").read_text(), feature_version=(3, 7))
    assert ":=" not in (ROOT / "dev").read_text()


def test_an_older_python_is_told_so(checkout: Path, empty_path: Path) -> None:
    done = run_as_older(checkout, empty_path)
    assert done.returncode == 1
    assert done.stderr == "./dev needs Python 3.11 or newer; this is 3.8.\n"


def test_an_older_python_hands_over_to_a_newer_one(checkout: Path, empty_path: Path) -> None:
    put_program(empty_path, "python3.13")  # one that doesn't start, as a shim without its version
    newer = '#!/bin/sh\ncase "$1" in -c) exit 0;; *) echo newer "$@";; esac\n'
    put_program(empty_path, "python3.12", newer)
    done = run_as_older(checkout, empty_path)
    assert done.stdout == "newer dev test --quiet\n"


def system_python_is_new() -> bool:
    found = shutil.which("python3", path=os.defpath)
    probe = "import sys; sys.exit(sys.version_info < (3, 11))"
    return bool(found) and subprocess.call([str(found), "-c", probe]) == 0


@pytest.mark.skipif(not system_python_is_new(), reason="no Python 3.11 or newer outside PATH")
def test_it_starts_in_an_empty_environment() -> None:
    done = subprocess.run(
        ["/usr/bin/env", "-i", str(ROOT / "dev"), "--help"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0
    assert [line.split()[1] for line in done.stdout.splitlines()] == [
        "run",
        "test",
        "check",
        "bench",
        "drill",
        "lock",
    ]


def test_the_python_that_makes_the_venv_is_named_even_without_a_path(set_up: SetUp) -> None:
    assert subprocess.call([set_up.dev.BASE_PYTHON, "-c", "import venv"]) == 0


@pytest.mark.parametrize("words", [[], ["fly"]])
def test_a_word_that_is_none_is_a_usage_error(
    set_up: SetUp, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert set_up.dev.main(words) == 2
    assert "./dev test" in capsys.readouterr().err


def test_a_failed_set_up_is_one_message_and_exit_1(set_up: SetUp, capsys: pytest.CaptureFixture[str]) -> None:
    set_up.failing = "venv"
    assert set_up.dev.main(["run"]) == 1
    assert "Setting up failed. as asked" in capsys.readouterr().err


@pytest.mark.parametrize(("libc", "hints"), [("glibc", 0), ("", 1), ("musl", 1)])
def test_a_set_up_that_fails_on_musl_says_why(
    set_up: SetUp, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], libc: str, hints: int
) -> None:
    monkeypatch.setattr(set_up.dev.sys, "platform", "linux")
    monkeypatch.setattr(set_up.dev.platform, "libc_ver", lambda: (libc, "1"))
    set_up.failing = "install"
    assert set_up.dev.main(["run"]) == 1
    assert capsys.readouterr().err.count("scikit-learn comes as a wheel for no other") == hints


class Run:
    """Notes what would be run."""

    def __init__(self, set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
        self.dev: Any = set_up.dev
        self.locks: list[str] = []
        self.command: list[str] = []
        monkeypatch.setattr(self.dev, "set_up", self.locks.append)
        monkeypatch.setattr(self.dev, "become", self.note)

    def note(self, command: Sequence[str]) -> int:
        self.command = [Path(word).name if word.startswith("/") else word for word in command]
        return 0


@pytest.fixture
def run(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> Run:
    return Run(set_up, monkeypatch)


@pytest.mark.parametrize(
    ("words", "lock", "command"),
    [
        ("run", "requirements.lock", "kith demo --port 8000"),
        ("run --port 81 --empty", "requirements.lock", "kith demo --port 81 --empty"),
        ("test tests/web -x", "requirements-dev.lock", "python -m pytest tests/web -x"),
        ("bench cache", "requirements-dev.lock", "python -m benchmarks cache"),
        ("drill -x", "requirements-dev.lock", "python -m pytest -m drill -x"),
    ],
)
def test_each_word_sets_up_what_it_needs_and_becomes_its_program(
    run: Run, words: str, lock: str, command: str
) -> None:
    assert run.dev.main(words.split()) == 0
    assert run.locks == [lock]
    assert " ".join(run.command) == command


def test_a_program_that_dev_becomes_keeps_its_exit_code(checkout: Path) -> None:
    code = "import runpy; runpy.run_path('dev', run_name='dev')['become'](['/bin/sh', '-c', 'exit 7'])"
    assert subprocess.call([sys.executable, "-c", code], cwd=checkout) == 7


@pytest.mark.parametrize(("tests", "gate", "status"), [(0, 0, 0), (0, 1, 1), (1, 0, 1), (5, 0, 5)])
def test_tests_fail_with_the_tests_or_a_gate_and_end_with_their_summary(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tests: int,
    gate: int,
    status: int,
) -> None:
    def shown(command: Sequence[str]) -> tuple[int, str]:
        sys.stdout.write("== 3 passed in 0.1s ==\n")
        return tests, "== 3 passed in 0.1s =="

    monkeypatch.setattr(run.dev, "shown_to_the_end", shown)
    monkeypatch.setattr(run.dev, "below_gate", lambda package, least: gate)
    assert run.dev.main(["test"]) == status
    assert capsys.readouterr().out.splitlines()[-1] == "== 3 passed in 0.1s =="


def test_output_is_shown_as_it_comes_and_its_last_line_kept(
    set_up: SetUp, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-c", "print('one'); print('two'); print(); raise SystemExit(4)"]
    assert set_up.dev.shown_to_the_end(command) == (4, "two")
    assert capsys.readouterr().out == "one\ntwo\n\n"


def test_a_failed_check_hides_no_other(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def answer(name: str, passes: bool) -> bool:
        asked.append(name)
        return passes

    verdicts = {"lint": False, "types": True, "locks": False}
    checks = {
        name: (lambda name=name, passes=passes: answer(name, passes)) for name, passes in verdicts.items()
    }
    monkeypatch.setattr(run.dev, "checks", lambda: checks)
    assert run.dev.main(["check"]) == 1
    assert asked == ["lint", "types", "locks"]
    assert capsys.readouterr().out.endswith("Failed: lint, locks\n")


def test_every_check_names_a_tool_and_a_file_that_are_there() -> None:
    from tests.tooling.conftest import load

    dev = load(ROOT / "dev")
    assert {"format", "lint", "types", "imports", "Dockerfile", "compose file", "locks"} <= set(dev.checks())
    assert dev.passing("python -c pass")()
    assert not dev.passing("python -c 0/0")()


def test_a_lock_made_from_other_dependencies_is_found(
    set_up: SetUp, capsys: pytest.CaptureFixture[str]
) -> None:
    dev = set_up.dev
    for name in (dev.RUNTIME, dev.DEVELOPMENT):
        (dev.ROOT / name).write_text(dev.lock_header())
    assert dev.locks_in_step()
    project = dev.ROOT / "pyproject.toml"
    project.write_text(project.read_text().replace("flask>=3.1,<3.2", "flask>=3.2,<3.3"))
    assert not dev.locks_in_step()
    assert "run ./dev lock" in capsys.readouterr().out


@pytest.mark.parametrize(("check", "test", "status"), [(0, 0, 0), (1, 0, 1), (0, 1, 1), (2, 2, 1)])
def test_ci_runs_both_and_fails_with_either(tmp_path: Path, check: int, test: int, status: int) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    put_program(
        tmp_path,
        "dev",
        f'#!/bin/sh\necho "$1"\ncase "$1" in check) exit {check};; test) exit {test};; esac\n',
    )
    done = subprocess.run(["bash", ".ci/run"], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (status, "check\ntest\n")
