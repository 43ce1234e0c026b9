"""`.venv` is brought up to its lock once, by one at a time, with what there is."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from tests.tooling.conftest import SetUp, load, put_program

RUNTIME, DEVELOPMENT = "requirements.lock", "requirements-dev.lock"


def test_a_second_start_installs_nothing(set_up: SetUp) -> None:
    set_up.dev.set_up(RUNTIME)
    assert any("--require-hashes" in step and "--only-binary :all:" in step for step in set_up.steps)
    set_up.steps.clear()
    set_up.dev.set_up(RUNTIME)
    assert set_up.steps == []


def test_what_tests_need_serves_a_run_too(set_up: SetUp) -> None:
    set_up.dev.set_up(DEVELOPMENT)
    set_up.steps.clear()
    set_up.dev.set_up(RUNTIME)
    assert set_up.steps == []


def test_what_a_run_needs_is_not_enough_for_tests(set_up: SetUp) -> None:
    set_up.dev.set_up(RUNTIME)
    set_up.steps.clear()
    set_up.dev.set_up(DEVELOPMENT)
    assert any(DEVELOPMENT in step for step in set_up.steps)
    assert not any("-m venv" in step for step in set_up.steps)


def change_lock(set_up: SetUp) -> None:
    (set_up.dev.ROOT / RUNTIME).write_text("# another\n")


def change_project(set_up: SetUp) -> None:
    project = set_up.dev.ROOT / "pyproject.toml"
    project.write_text(project.read_text().replace('version = "0.1.0"', 'version = "0.2.0"'))


def change_python(set_up: SetUp) -> None:
    set_up.dev.python().unlink()
    set_up.dev.python().symlink_to("/bin/sh")


def damage_stamp(set_up: SetUp) -> None:
    set_up.dev.STAMP.write_text("{")


def leave_unfinished(set_up: SetUp) -> None:
    set_up.dev.UNFINISHED.touch()


@pytest.mark.parametrize(
    "change", [change_lock, change_project, change_python, damage_stamp, leave_unfinished]
)
def test_it_is_set_up_again_when_something_changed(set_up: SetUp, change: object) -> None:
    set_up.dev.set_up(RUNTIME)
    set_up.steps.clear()
    assert callable(change)
    change(set_up)
    set_up.dev.set_up(RUNTIME)
    assert any("install" in step for step in set_up.steps)
    assert set_up.dev.is_set_up(RUNTIME)


def test_a_change_of_style_rules_is_no_reason_to_install(set_up: SetUp) -> None:
    set_up.dev.set_up(RUNTIME)
    project = set_up.dev.ROOT / "pyproject.toml"
    project.write_text(project.read_text().replace("line-length = 110", "line-length = 99"))
    assert set_up.dev.is_set_up(RUNTIME)


def test_a_moved_checkout_is_set_up_again(set_up: SetUp, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up.dev.set_up(RUNTIME)
    moved = set_up.dev.ROOT.rename(set_up.dev.ROOT.with_name("moved"))
    assert not load(moved / "dev").is_set_up(RUNTIME)


def test_an_interrupted_set_up_is_begun_anew(set_up: SetUp) -> None:
    set_up.failing = "--require-hashes"
    with pytest.raises(set_up.dev.SetUpError):
        set_up.dev.set_up(RUNTIME)
    half_installed = set_up.dev.VENV / "lib"
    half_installed.mkdir()
    set_up.failing = ""
    set_up.dev.set_up(RUNTIME)
    assert not half_installed.exists()
    assert set_up.dev.is_set_up(RUNTIME)


def test_a_venv_whose_python_is_gone_is_made_anew(set_up: SetUp) -> None:
    set_up.dev.set_up(RUNTIME)
    set_up.dev.python().unlink()
    set_up.steps.clear()
    set_up.dev.set_up(RUNTIME)
    assert any("-m venv" in step for step in set_up.steps)


def test_uv_is_used_where_there_is_one(set_up: SetUp, empty_path: Path) -> None:
    put_program(empty_path, "uv")
    set_up.dev.set_up(RUNTIME)
    assert set_up.tools() == {"uv"}


def test_pip_takes_over_where_uv_fails(
    set_up: SetUp, empty_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_program(empty_path, "uv")
    set_up.failing = "uv pip install"
    set_up.dev.set_up(RUNTIME)
    assert set_up.tools() == {"uv", "pip"}
    assert (
        sum("venv" in step for step in set_up.steps if "install" not in step) == 2
    )  # nothing of uv's is kept
    assert "uv failed" in capsys.readouterr().err


def test_a_uv_that_does_not_start_counts_as_failed(
    checkout: Path, empty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev = load(checkout / "dev")
    put_program(empty_path, "uv", "#!/no/such/interpreter\n")
    by_pip: list[str] = []
    monkeypatch.setattr(dev, "install_with_pip", by_pip.append)
    dev.install(RUNTIME)
    assert by_pip == [RUNTIME]


def test_a_failed_step_shows_what_it_said(checkout: Path, empty_path: Path) -> None:
    dev = load(checkout / "dev")
    program = put_program(empty_path, "uv", "#!/bin/sh\necho out of space >&2\nexit 3\n")
    with pytest.raises(dev.SetUpError, match=r"ended with 3:\nout of space"):
        dev.carry_out([str(program)])


def test_what_would_send_packages_elsewhere_is_not_handed_on(
    checkout: Path, empty_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_TARGET", "elsewhere")
    program = put_program(empty_path, "uv", '#!/bin/sh\ntest -z "$PIP_TARGET" && test "$MORE" = 1\n')
    load(checkout / "dev").carry_out([str(program)], {"MORE": "1"})


def test_a_second_call_waits_for_the_first_and_installs_nothing(set_up: SetUp) -> None:
    with set_up.dev.only_one():
        waiting = threading.Thread(target=set_up.dev.set_up, args=(RUNTIME,))
        waiting.start()
        time.sleep(0.2)
        assert waiting.is_alive()
        set_up.dev.install(RUNTIME)
        set_up.dev.write_stamp(RUNTIME)
        set_up.steps.clear()
    waiting.join(10)
    assert set_up.steps == []
