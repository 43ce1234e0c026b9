"""Serve a WSGI app with gunicorn.

In: a factory that makes the app, an address, hooks. Out: an exit code, when the last worker has stopped. In
this order: take the port, make the place for the workers' metrics, run the caller's hook, fork the workers;
each makes its own app. Nothing is printed on stdout. docs/adr/0003-wsgi-server.md says why gunicorn.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from service.serving.body import with_whole_bodies

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

BACKLOG_CONNECTIONS = 2048
WORKER_CONNECTIONS = 1000  # per worker, idle ones and slow ones among them
KEEP_ALIVE_SECONDS = 75
STOP_SECONDS = 8  # for answers under way when the service is told to stop
HANG_SECONDS = 30  # a worker whose main thread shows no life for so long is replaced
HEADER_FIELDS = 64
HEADER_BYTES = 8190  # per line

METRICS_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def serve(
    app_factory: Callable[[], WSGIApplication],
    *,
    host: str,
    port: int,
    workers: int = 1,
    threads: int = 8,
    before_workers: Callable[[int], None] | None = None,
    after_fork: Callable[[], None] | None = None,
) -> int:
    """Serve until told to stop (SIGTERM, SIGINT); return an exit code.

    `before_workers` runs in the parent's main thread with the port (the one given where 0 was asked for),
    after the port is ours and before any worker; `after_fork` runs in each worker before its app is made.
    """
    try:
        listener = listen(host, port)
    except OSError as error:
        sys.stderr.write(f"kith: can't listen on {host}:{port}: {error.strerror}. Is another one running?\n")
        return 1
    with listener, place_for_metrics():
        if before_workers:
            before_workers(listener.getsockname()[1])
        if os.name == "nt":  # gunicorn is for Unix
            return serve_in_one_process(app_factory, listener)
        return serve_in_workers(app_factory, options(listener, workers, threads), after_fork)


def listen(host: str, port: int) -> socket.socket:
    """Take the port, so that a second service fails at once and not after its set-up."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG_CONNECTIONS)


@contextlib.contextmanager
def place_for_metrics() -> Iterator[None]:
    """Give the workers' counters a common folder, from which any worker answers for all."""
    if os.environ.get(METRICS_VARIABLE):
        yield
        return
    # It reads the variable once, when imported: too late now, and every worker would count for itself.
    if "prometheus_client" in sys.modules:
        raise RuntimeError(f"prometheus_client was imported before {METRICS_VARIABLE} was set")
    with tempfile.TemporaryDirectory(prefix="kith-metrics-") as folder:
        os.environ[METRICS_VARIABLE] = folder
        try:
            yield
        finally:
            os.environ.pop(METRICS_VARIABLE, None)


def serve_in_workers(
    app_factory: Callable[[], WSGIApplication],
    limits: Mapping[str, Any],
    after_fork: Callable[[], None] | None,
) -> int:
    """Run gunicorn's arbiter in this process."""
    from service.serving.arbiter import Application

    parent = os.getpid()
    status: object = 0
    try:
        Application(app_factory, limits, after_fork).run()
    except SystemExit as stop:
        status = stop.code
    finally:
        # A worker is a fork of this call: it must not go on with what the parent does afterwards.
        if os.getpid() != parent:
            sys.stderr.flush()
            os._exit(status if isinstance(status, int) else 1)
    return 0 if status in (0, None) else 1


def options(listener: socket.socket, workers: int, threads: int) -> Mapping[str, Any]:
    """Spell our limits in gunicorn's words."""
    return {
        "bind": f"fd://{listener.detach()}",
        "workers": workers,
        "threads": threads,
        "worker_connections": WORKER_CONNECTIONS,
        "keepalive": KEEP_ALIVE_SECONDS,
        "timeout": HANG_SECONDS,
        "graceful_timeout": STOP_SECONDS,
        "limit_request_line": HEADER_BYTES,
        "limit_request_fields": HEADER_FIELDS,
        "limit_request_field_size": HEADER_BYTES,
        "control_socket_disable": True,  # it would stand outside KITH_HOME
        "forwarded_allow_ips": "",  # links come from KITH_PUBLIC_URL, never from a request
    }


def serve_in_one_process(app_factory: Callable[[], WSGIApplication], listener: socket.socket) -> int:
    """Serve with werkzeug's threads, for a trial where gunicorn doesn't run."""
    from werkzeug.serving import make_server

    host, port = listener.getsockname()[:2]
    listener.close()
    with contextlib.suppress(KeyboardInterrupt):
        make_server(host, port, with_whole_bodies(app_factory()), threaded=True).serve_forever()
    return 0
