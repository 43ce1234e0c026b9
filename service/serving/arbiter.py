"""gunicorn as we use it: our app, our log, our worker class."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from service.serving.body import with_whole_bodies
from service.serving.patience import PatientWorker

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


class SharedLog(Logger):
    """gunicorn's words in the log of the process; no access log, for that would name paths."""

    def setup(self, cfg: Any) -> None:
        """Leave handlers to the root logger."""
        self.cfg = cfg
        self.error_log.propagate = True
        self.error_log.setLevel(logging.WARNING)

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """Say nothing: the app logs requests, by route."""


class Application(BaseApplication):
    """Tell gunicorn what to serve."""

    def __init__(
        self,
        app_factory: Callable[[], WSGIApplication],
        options: Mapping[str, Any],
        after_fork: Callable[[], None] | None,
    ) -> None:
        self.app_factory = app_factory
        self.options = options
        self.after_fork = after_fork
        super().__init__()

    def load_config(self) -> None:
        """Hand over options and hooks."""
        for name, value in self.options.items():
            self.cfg.set(name, value)
        self.cfg.set("worker_class", PatientWorker)
        self.cfg.set("logger_class", SharedLog)
        self.cfg.set("post_fork", self.begin_worker)
        self.cfg.set("child_exit", forget_worker)

    def load(self) -> WSGIApplication:
        """Make the app, in each worker."""
        return with_whole_bodies(self.app_factory())

    def begin_worker(self, arbiter: Any, worker: Any) -> None:
        """Run the caller's hook in a new worker."""
        if self.after_fork:
            self.after_fork()


def forget_worker(arbiter: Any, worker: Any) -> None:
    """Take a dead worker's gauges out of the metrics; what it counted stays."""
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
