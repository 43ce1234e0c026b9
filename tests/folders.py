"""Folders of a test run, in memory where there is room; those of runs that were killed go with the next."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def new_folder(parent: str) -> Path:
    """Make a private folder, and remove those of killed test runs (the name tells the process)."""
    for folder in Path(parent).glob("kith-tests-*-*"):
        if folder.is_dir() and not _is_running(int(folder.name.split("-")[2])):
            shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"kith-tests-{os.getpid()}-", dir=parent))


def short_folder() -> Path:
    """Make a private folder in which a unix socket's path stays below 107 bytes."""
    parent = tempfile.gettempdir()
    return new_folder(parent if len(os.fsencode(parent)) < 50 else "/tmp")


def fast_folder() -> Path:
    """Make a private folder in memory where there is room: a disk makes a database twenty times slower."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK):
        room = os.statvfs(memory)
        # Tests run programs that they have written, which some containers forbid there.
        if room.f_bavail * room.f_frsize > 2**30 and not room.f_flag & os.ST_NOEXEC:
            return new_folder(str(memory))
    return short_folder()
