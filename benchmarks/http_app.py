"""`python -m benchmarks.http_app [--nothing|--profiled] PORT`: what `./dev bench http` measures, as served.

Our app with one route more, which authenticates in SQL and answers 3 kB: what any service would have to do.
With --nothing a WSGI app that does nothing, under the same server; with --profiled in one process, whose time
is looked at (see `http_shares`).
"""

import sys
from typing import TYPE_CHECKING, cast

from flask import Flask, Response

from benchmarks.http_shares import Profiled
from service import cli, start
from service.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PLAIN = "/v1/plain"
PLAIN_BYTES = 3 * 1024
WORKERS = 2
_make_app = start.make_app


def with_plain_route(
    settings: Settings, redis_address: str, revive: "Callable[[], str] | None"
) -> "WSGIApplication":
    """Make our app, with the route that only authenticates."""
    app = cast(Flask, _make_app(settings, redis_address, revive))
    body = b'{"items":["' + b"x" * (PLAIN_BYTES - 13) + b'"]}'
    app.add_url_rule(PLAIN, "plain", lambda: Response(body, content_type="application/json"))
    return app


def with_profile(
    settings: Settings, redis_address: str, revive: "Callable[[], str] | None"
) -> "WSGIApplication":
    """Make the same app, profiled."""
    return Profiled(with_plain_route(settings, redis_address, revive))


def nothing(_environ: "WSGIEnvironment", respond: "StartResponse") -> "Iterable[bytes]":
    """Answer nothing, to anything."""
    respond("200 OK", [("Content-Type", "application/json"), ("Content-Length", "2")])
    return [b"{}"]


def main() -> int:
    """Serve until told to stop."""
    port = sys.argv[-1]
    if "--nothing" in sys.argv:
        from service.serving import serve

        return serve(lambda: nothing, host="127.0.0.1", port=int(port), workers=WORKERS)
    profiled = "--profiled" in sys.argv
    start.make_app = with_profile if profiled else with_plain_route
    return cli.main(["serve", "--port", port, "--workers", str(1 if profiled else WORKERS), "--no-worker"])


if __name__ == "__main__":
    sys.exit(main())
