"""A small app served for real: `python -m tests.serving.small_service WORKERS [SILENCE [PORT [THREADS]]]`.

Prints nothing but what is asked of it; says its port and what its hooks saw on stderr.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from flask import Flask, Response, request

from service.serving import patience, serve


def make_app() -> Flask:
    from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    app = Flask(__name__)
    answered = Counter("answered", "Requests.")
    Gauge("living", "Workers.", multiprocess_mode="livesum").set(1)

    @app.get("/who")
    def who() -> dict[str, int]:
        answered.inc()
        return {"pid": os.getpid()}

    @app.get("/slow")
    def slow() -> dict[str, int]:
        time.sleep(0.3)
        return {"pid": os.getpid()}

    @app.get("/metrics")
    def metrics() -> Response:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry))

    @app.post("/lines")
    def lines() -> dict[str, int]:
        count = sum(1 for _ in request.stream)
        peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
        return {"lines": count, "peak_kib": int(peak.split()[1])}

    @app.post("/refuse")
    def refuse() -> tuple[dict[str, str], int]:
        return {"title": "unread"}, 413

    return app


def tell(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def main(workers: str, silence: str = "10", port: str = "0", threads: str = "8") -> int:
    patience.SILENCE_SECONDS = float(silence)
    try:
        return serve(
            make_app,
            host="127.0.0.1",
            port=int(port),
            workers=int(workers),
            threads=int(threads),
            before_workers=lambda port: tell(f"port {port} in {os.getpid()}"),
            after_fork=lambda: tell(f"forked {os.getpid()}"),
        )
    finally:
        tell(f"cleaned up by {os.getpid()}")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
