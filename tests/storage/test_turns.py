"""Who writes to SQLite has a turn: one at a time, in any thread and process; nobody waits for the dead."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from pathlib import Path

import pytest

from service.errors import NotReady
from service.storage.database import Database
from service.storage.turns import Turns

SOON = 10.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "turn"


def crossings(takers: list[Turns]) -> int:
    """Let threads take turns; return how often two had one at once."""
    inside, crossed = list[int](), list[int]()

    def exercise(number: int) -> None:
        for _ in range(20):
            with takers[number % len(takers)].take():
                inside.append(number)
                time.sleep(0.0005)
                crossed.extend(inside[1:])
                inside.remove(number)

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(exercise, range(6)))
    return len(crossed)


def test_one_at_a_time_has_a_turn_in_one_process_and_in_several(file: Path) -> None:
    assert crossings([Turns(file, SOON)]) == 0
    assert crossings([Turns(file, SOON), Turns(file, SOON)]) == 0  # as two processes have it


@pytest.mark.parametrize("elsewhere", [False, True], ids=["a thread", "a process"])
def test_whoever_waits_goes_on_as_soon_as_a_turn_ends(file: Path, elsewhere: bool) -> None:
    first = Turns(file, SOON)
    second, entered = (Turns(file, SOON) if elsewhere else first), threading.Event()

    def wait() -> None:
        with second.take():
            entered.set()

    waiting = threading.Thread(target=wait)
    with first.take():
        waiting.start()
        assert not entered.wait(0.05)
    assert entered.wait(SOON)
    waiting.join()


@pytest.mark.parametrize("elsewhere", [False, True], ids=["a thread", "a process"])
def test_no_turn_in_time_is_an_error_and_leaves_the_next_one_free(file: Path, elsewhere: bool) -> None:
    turns = Turns(file, 0.02)
    holder = Turns(file, SOON) if elsewhere else turns

    def refused() -> None:
        with pytest.raises(NotReady), turns.take():
            pass

    with holder.take():
        thread = threading.Thread(target=refused)
        thread.start()
        thread.join()
    with turns.take():
        pass


def test_an_error_ends_a_turn(file: Path) -> None:
    turns = Turns(file, 0.02)
    with pytest.raises(ValueError, match="x"), turns.take():
        raise ValueError("x")
    with turns.take(), pytest.raises(BlockingIOError):
        locked_by_others(file)
    locked_by_others(file)


def locked_by_others(file: Path) -> None:
    """Lock the file as another process does, without waiting."""
    import fcntl

    opened = os.open(file, os.O_RDWR)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(opened)


def hold_and_die(file: Path, said: Callable[[str], None]) -> None:
    with Turns(file, SOON).take():
        said("mine")
        os._exit(1)


def test_nobody_waits_for_a_process_that_died(file: Path) -> None:
    said = multiprocessing.get_context("spawn").SimpleQueue()
    process = multiprocessing.get_context("spawn").Process(target=hold_and_die, args=(file, said.put))
    process.start()
    assert said.get() == "mine"
    process.join()
    with Turns(file, SOON).take():
        pass


def test_a_child_has_turns_of_its_own(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns, entered = Turns(file, SOON), threading.Event()

    def enter(child: Turns) -> None:
        with child.take():
            entered.set()

    with turns.take():
        child = copy(turns)  # as a fork has it, in which the parent's lock stays taken for ever
        monkeypatch.setattr(os, "getpid", lambda: -1)
        thread = threading.Thread(target=enter, args=(child,))
        thread.start()
        assert not entered.wait(0.05)
        monkeypatch.undo()
    assert entered.wait(SOON)
    thread.join()


def test_where_the_file_cannot_be_locked_threads_still_take_turns(tmp_path: Path) -> None:
    turns = Turns(tmp_path / "nowhere" / "turn", SOON)
    assert crossings([turns]) == 0
    turns.close()


def test_a_write_has_a_turn_and_a_read_none(tmp_path: Path) -> None:
    database, file = Database(f"sqlite:///{tmp_path / 'kith.db'}"), tmp_path / "kith.db-turn"
    try:
        with database.write(), pytest.raises(BlockingIOError):
            locked_by_others(file)
        with database.read():
            locked_by_others(file)
    finally:
        database.close()
