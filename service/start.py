"""Starting: what every command opens before it works, and the server with all that stands beside it."""

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from service.errors import KithError
from service.settings import Settings
from service.storage.cache import Cache, open_cache
from service.storage.database import Database
from service.storage.embedded import EmbeddedServer, EmbeddedServerUnavailable
from service.storage.loaded import LoadedCommunities
from service.storage.migrate import check_current, migrate
from service.storage.saved_index import SavedIndexes

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


SECONDS_BETWEEN_TIDYINGS = 15.0
log = structlog.get_logger(__name__)


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """Open the database with its tables up to date.

    The embedded one migrates itself, a named one only on command.
    """
    database = Database(settings.database, settings.clock_file)
    try:
        if settings.embedded_database:
            migrate(database)
        else:
            check_current(database)
        yield database
    finally:
        database.close()


def saved_indexes(settings: Settings) -> SavedIndexes:
    """Return the saved indexes, which all processes of a machine share."""
    return SavedIndexes(settings.home / "index")


@contextmanager
def open_answers(settings: Settings) -> Iterator[Cache]:
    """Open the cache of finished answers."""
    address, revive = find_redis(settings)
    cache = open_cache(address, revive=revive)
    try:
        yield cache
    finally:
        cache.close()


def find_redis(settings: Settings) -> tuple[str, Callable[[], str] | None]:
    """Return the cache's address, and what brings the embedded server back should it go."""
    if settings.redis_url is not None:
        return settings.redis_url, None
    server = EmbeddedServer(settings.home)
    try:
        return server.ensure(), server.ensure
    except EmbeddedServerUnavailable as reason:
        print(f"kith: {reason}: every process keeps finished answers itself", file=sys.stderr)
        return "local", None


def serve(settings: Settings, *, host: str, port: int, workers: int | None, worker: bool) -> int:
    """Serve until told to stop; return an exit status."""
    from service.serving import serve as serve_app

    with open_database(settings):
        pass
    beside: list[subprocess.Popen[bytes]] = []
    found: list[tuple[str, Callable[[], str] | None]] = []

    def before_workers(_port: int) -> None:
        # Here, in the parent: whoever is recycled later doesn't take the embedded server along.
        found.append(find_redis(settings))
        if worker:
            beside.append(start_worker())

    try:
        return serve_app(
            lambda: make_app(settings, *found[0]),
            host=host,
            port=port,
            workers=workers or settings.workers,
            before_workers=before_workers,
        )
    finally:
        for process in beside:
            process.terminate()


def make_app(settings: Settings, redis_address: str, revive: Callable[[], str] | None) -> "WSGIApplication":
    """Make a serving process' app, on its own connections."""
    # Nearly all that is loaded stays: to look through it again and again meanwhile took a seventh of a start.
    gc.disable()
    # Imported here: the parent must not import Prometheus' client before it has named the place for metrics.
    from service.app import create_app

    database = Database(settings.database, settings.clock_file)
    cache = open_cache(redis_address, revive=revive)
    loaded = LoadedCommunities(database, saved_indexes(settings))
    app = create_app(settings, database, cache, loaded)
    threading.Thread(target=load_matching, daemon=True).start()
    threading.Thread(target=_tidy, args=(loaded, cache), daemon=True).start()
    return app


def _tidy(loaded: LoadedCommunities, cache: Cache) -> None:
    while True:
        time.sleep(SECONDS_BETWEEN_TIDYINGS)
        try:
            tidy_once(loaded, cache)
        except KithError:
            log.warning("tidying_failed", exc_info=True)


def tidy_once(loaded: LoadedCommunities, cache: Cache) -> None:
    """Forget who was erased in this process' memory: the worker sweeps only what processes share."""
    for community_id in loaded.tidy():
        if cache.link is None:
            cache.forget_community(community_id)


def start_worker() -> "subprocess.Popen[bytes]":
    """Start a worker that ends when this process does: its standard input is closed then."""
    command = [sys.executable, "-m", "service.cli", "worker", "--until-parent-ends"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)


def load_matching() -> None:
    """Load what a first miss needs, and keep all that is there by then out of the garbage collector's way."""
    # scikit-learn takes a second to import: meanwhile hits are answered, and a first miss waits less.
    try:
        from matching import Matcher

        Matcher()
    finally:
        # To look through the 170,000 objects of modules again stops every thread for an eighth of a second.
        gc.freeze()
        gc.enable()
