"""Where the time of a request goes: what cProfile saw in, the share of each part of the service out.

What a library or Python itself does is the part's that called it, as far up as it takes.
"""

import cProfile
import json
import pstats
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from benchmarks.figures import table

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SHARES = "/shares"
TELLING, ASKING, SCAN = "telling the peers", "putting the question, and the order", "the scan"
SQL, REDIS = "SQL, with SQLAlchemy", "Redis, with its client"
WEB, WATCHING, OURS = "Flask, Werkzeug, webargs", "metrics and the log line", "our views and use cases"
REST = "Python between them"
# By a piece of a file's path, the first that fits.
PARTS = {
    "/matching/compiled.py": SCAN, "/matching/suggestion.py": TELLING, "/matching/in_common.py": TELLING,
    "/matching/reasons.py": TELLING, "/matching/meeting.py": TELLING, "/matching/roster.py": TELLING,
    "/matching/": ASKING,
    "/sqlalchemy/": SQL, "/psycopg/": SQL, "/storage/cache.py": REDIS, "/storage/redis_link.py": REDIS,
    "/storage/": SQL, "/redis/": REDIS, "/flask/": WEB, "/werkzeug/": WEB, "/flask_smorest/": WEB,
    "/webargs/": WEB, "/marshmallow/": WEB, "/structlog/": WATCHING, "/prometheus_client/": WATCHING,
    "/web/metrics.py": WATCHING, "/web/request_log.py": WATCHING, "/service/": OURS, "/benchmarks/": OURS,
}  # fmt: skip
ORDER = (WEB, WATCHING, OURS, SQL, REDIS, ASKING, SCAN, TELLING, REST)
Function = tuple[str, int, str]
Seen = Mapping[Function, tuple[int, int, float, float, Mapping[Function, tuple[int, int, float, float]]]]
OWN, WITH_CALLS = 2, 3  # where the seconds stand


class Profiled:
    """Profile every call of an app; answer at one path with the seconds of each part since the last time.

    One request at a time: what others do meanwhile would count too, or not at all.
    """

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app
        self._profile = cProfile.Profile()

    def __call__(self, environ: "WSGIEnvironment", respond: "StartResponse") -> Iterable[bytes]:
        """Call the app, or tell."""
        if environ["PATH_INFO"] == SHARES:
            return self._tell(respond)
        self._profile.enable()
        try:
            return self._app(environ, respond)
        finally:
            self._profile.disable()

    def _tell(self, respond: "StartResponse") -> Iterable[bytes]:
        found: Any = pstats.Stats(self._profile)
        body = json.dumps(seconds_of(found.stats)).encode()
        self._profile.clear()
        respond("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]


def seconds_of(seen: Seen) -> dict[str, float]:
    """Sum the seconds of each part."""
    whose = _Whose(seen)
    total: dict[str, float] = defaultdict(float)
    for function, (_, _, own, _, _) in seen.items():
        for part, share in whose.parts(function, OWN).items():
            total[part] += own * share
    return dict(total)


class _Whose:
    """Tell whose a function is: its part's, or its callers' by what they called it for."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._known: dict[tuple[Function, int], Mapping[str, float]] = {}

    def parts(self, function: Function, by: int) -> Mapping[str, float]:
        """Return each part's share of a function, of its own seconds or of all."""
        part = next((part for piece, part in PARTS.items() if piece in function[0]), None)
        if part is not None:
            return {part: 1.0}
        if (function, by) not in self._known:
            self._known[function, by] = {REST: 1.0}  # for whoever calls itself
            self._known[function, by] = self._of_callers(function, by)
        return self._known[function, by]

    def _of_callers(self, function: Function, by: int) -> Mapping[str, float]:
        callers = self._seen[function][4] if function in self._seen else {}
        all_of_it = sum(edge[by] for edge in callers.values())
        if not all_of_it:
            return {REST: 1.0}
        found: dict[str, float] = defaultdict(float)
        for caller, edge in callers.items():
            for part, share in self.parts(caller, WITH_CALLS).items():
                found[part] += share * edge[by] / all_of_it
        return found


def shares_table(kinds: Mapping[str, Mapping[str, float]]) -> str:
    """Write the share that each part has of each kind of request."""
    rows = [
        (part, *(f"{found.get(part, 0.0) / sum(found.values()):.0%}" for found in kinds.values()))
        for part in ORDER
    ]
    return table(("share of the time in the app", *kinds), rows)
