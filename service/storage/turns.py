"""Turns at writing one SQLite file: in come threads of any process, and each gets its turn soon.

SQLite itself lets a writer who finds it taken sleep, longer each time, and try again: whoever comes at the
right moment goes first, and some wait a hundred times as long as others.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from service.errors import NotReady

TIED_UP = "The database can't be used just now."
TRY_SECONDS = 0.0005  # of one thread a process: the others wait for that one


class Turns:
    """Let one writer at a time go on: the threads of a process by a lock, processes by one on a file.

    A process that ends lets go of it; one that is stopped keeps it, as it may keep SQLite's own. It is a
    courtesy: where the file can't be locked SQLite alone keeps processes apart.
    """

    def __init__(self, file: Path, patience_seconds: float) -> None:
        self._file = file
        self._patience_seconds = patience_seconds
        self._begin()

    def _begin(self) -> None:
        """Set up what belongs to one process: a file that a parent opened is locked for both."""
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._opened: int | None = None

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for a turn, and have it for as long as the block; raise `NotReady` if none comes."""
        if self._pid != os.getpid():
            self._begin()
        until = time.monotonic() + self._patience_seconds
        if not self._lock.acquire(timeout=self._patience_seconds):
            raise NotReady(TIED_UP)
        try:
            while not self._lock_file():
                if time.monotonic() > until:
                    raise NotReady(TIED_UP)
                time.sleep(TRY_SECONDS)
            yield
        finally:
            self._unlock_file()
            self._lock.release()

    def _lock_file(self) -> bool:
        """Lock the file; False where another process has it."""
        try:
            import fcntl  # not on Windows

            if self._opened is None:
                self._opened = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except (ImportError, OSError):
            pass
        return True

    def _unlock_file(self) -> None:
        if self._opened is not None:
            import fcntl

            with suppress(OSError):
                fcntl.flock(self._opened, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file."""
        opened, self._opened = self._opened, None
        if opened is not None and self._pid == os.getpid():
            os.close(opened)
