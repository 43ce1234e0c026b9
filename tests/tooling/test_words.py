"""`./dev WORD` and `kith WORD`: which Python reads it, what it runs, and with which exit code."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from service.cli import main
from service.storage.cache import CacheKey, open_cache
from service.storage.communities import find_community
from service.storage.database import Database
from service.storage.session import Session
from service.usecases.erasures import erase_profile
from service.worker import work_once
from tests.attacks.erasure_canary import (
    HERE,
    ID,
    document,
    everything_logged,
    files_with_canary,
    keys_with_canary,
)
from tests.attacks.erasure_canary import (
    ROOT as CANARY_ROOT,
)
from tests.servers import RedisServer
from tests.tenants import TestClock
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


@dataclass(slots=True)
class Kiths:
    """The `kith` command in a home of its own."""

    home: Path
    capsys: pytest.CaptureFixture[str]

    @property
    def database(self) -> Path:
        return self.home / "kith.db"

    def run(self, *words: str) -> tuple[int, Any]:
        """Run a command; return its exit status and the one line of its result, None for none."""
        status = main(words)
        said = self.capsys.readouterr().out.splitlines()
        assert len(said) <= 1
        return status, json.loads(said[0]) if said else None

    def community(self, *members: dict[str, Any]) -> str:
        """Create a community with some members; return its id."""
        _, made = self.run("community", "create", "Town")
        file = self.home / "members.ndjson"
        file.write_text("".join(json.dumps(member) + "\n" for member in members))
        status, report = self.run("import", str(file), "--community", made["community"])
        assert (status, report["created"]) == (0, len(members))
        file.unlink()
        return str(made["community"])

    def members(self, community: str) -> list[str]:
        """Export a community; return its members' ids."""
        assert main(["export", "--community", community]) == 0
        return [json.loads(line)["id"] for line in self.capsys.readouterr().out.splitlines()]

    def erase(self, community: str, profile_id: str) -> None:
        """Erase a member as the API does."""
        with closing(Database(f"sqlite:///{self.database}")) as database:
            with database.read() as connection:
                number = find_community(connection, community).number
            erase_profile(Session(database, number), profile_id)

    def sweep(self, clock: TestClock) -> None:
        """Let the worker do all its rounds."""
        with (
            closing(Database(f"sqlite:///{self.database}", clock.file)) as database,
            closing(open_cache("off")) as cache,
        ):
            for seconds in (0, 20, 25):
                clock.forward(seconds=seconds)
                work_once(database, cache, self.home / "erased.log")


@pytest.fixture
def kiths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Kiths]:
    for name in [name for name in os.environ if name.startswith("KITH_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("KITH_HOME", str(home))
    monkeypatch.setenv("KITH_REDIS_URL", "off")
    with everything_logged():  # which puts back what each command sets
        yield Kiths(home, capsys)


def named(*ids: str) -> list[dict[str, Any]]:
    return [{"id": profile_id, "name": "N", "location": HERE} for profile_id in ids]


def test_a_restored_database_is_erased_from_again(kiths: Kiths, clock: TestClock, tmp_path: Path) -> None:
    canary = {"id": ID} | document(1, 40, 60)
    town = kiths.community(canary, *named("ben", "cem"))
    kiths.erase(town, "ben")
    again = tmp_path / "again.ndjson"
    again.write_text(json.dumps(named("ben")[0]))
    assert kiths.run("import", str(again), "--community", town)[0] == 0
    shutil.copy(kiths.database, tmp_path / "backup.db")
    kiths.erase(town, ID)
    kiths.sweep(clock)
    assert files_with_canary(kiths.home) == []

    shutil.copy(tmp_path / "backup.db", kiths.database)
    assert files_with_canary(kiths.home) == ["kith.db"]
    log = kiths.home / "erased.log"
    assert kiths.run("erasures", "replay", str(log)) == (0, {"erased": 1, "absent": 1, "failed": 0})
    assert kiths.members(town) == ["ben", "cem"]
    kiths.sweep(clock)
    assert files_with_canary(kiths.home) == []
    # Both are in it twice by now: the restored database knew nothing of what had been logged.
    log.write_bytes(log.read_bytes() + b'{"community": "half a li')
    assert kiths.run("erasures", "replay", str(log)) == (1, {"erased": 0, "absent": 4, "failed": 1})


def test_a_replay_needs_a_file_that_is_there(kiths: Kiths) -> None:
    assert kiths.run("erasures", "replay", str(kiths.home / "nowhere.log")) == (1, None)
    with pytest.raises(SystemExit) as error:
        main(["erasures", "replay"])
    assert error.value.code == 2


def test_a_deleted_community_leaves_nothing_and_is_deleted_again_by_replay(
    kiths: Kiths, tmp_path: Path, redis_url: str, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = [{"id": f"{CANARY_ROOT}-{number}"} | document(number, number % 40) for number in range(120)]
    town, other = kiths.community(*crowd), kiths.community(*named("zoe"))
    shutil.copy(kiths.database, tmp_path / "backup.db")
    monkeypatch.setenv("KITH_REDIS_URL", redis_url)
    with closing(open_cache(redis_url)) as cache:
        assert cache.put(CacheKey(town, ID, ()), CANARY_ROOT.encode())
    assert files_with_canary(kiths.home)
    assert keys_with_canary(redis_server.client)

    assert kiths.run("community", "delete", town) == (0, {"deleted": town})
    assert files_with_canary(kiths.home) == []
    assert keys_with_canary(redis_server.client) == []
    assert kiths.members(other) == ["zoe"]
    assert kiths.run("community", "delete", town) == (1, None)

    shutil.copy(tmp_path / "backup.db", kiths.database)
    log = str(kiths.home / "erased.log")
    assert kiths.run("erasures", "replay", log) == (0, {"erased": 1, "absent": 0, "failed": 0})
    assert kiths.members(other) == ["zoe"]
    assert main(["export", "--community", town]) == 1


def test_a_deletion_that_is_not_swept_says_so(kiths: Kiths, monkeypatch: pytest.MonkeyPatch) -> None:
    town = kiths.community(*named("zoe"))
    monkeypatch.setenv("KITH_ERASURE_LOG", str(kiths.home))
    assert main(["community", "delete", town]) == 1
    said = kiths.capsys.readouterr()
    assert json.loads(said.out) == {"deleted": town}
    assert str(kiths.home) in said.err
    assert kiths.run("community", "delete", town) == (1, None)


def test_a_refit_tells_how_far_it_is(kiths: Kiths) -> None:
    town = kiths.community(*named("ana", "ben"))

    assert main(["refit", town]) == 0

    said = kiths.capsys.readouterr()
    assert json.loads(said.out)["accepted"] is True
    phases = [line.split()[1] for line in said.err.splitlines() if line.startswith("kith: ")]
    assert list(dict.fromkeys(phases)) == ["reading", "learning", "placing", "prices", "keeping"]
    assert "kith: prices 100%" in said.err
