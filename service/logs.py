"""The log: one JSON object a line on stderr (words in colour on a terminal), of fields that are allowed.

In: an event and fields, ours by structlog, other libraries' by `logging`. Out: a line, in which nothing
stands that `FIELDS` doesn't name, so that no name, term, place or key of a person gets there by accident.
What was left out is named in `dropped`. An exception is told by its kind and where it came from, never by its
message: messages quote what they failed on.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog

NUMBER = (int, float)  # bool is an int
WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,79}")  # a word out of the code
ROUTE = re.compile(r"none|/[A-Za-z0-9_./<>:{}-]{0,119}")  # a route's template, never a path
TEMPLATE = re.compile(r"[^\n]{1,200}")  # another library's message, before its values are put in
TIME = re.compile(r"[0-9TZ:.+-]{20,35}")

FRAMES = 20  # of a traceback, the innermost

# What may stand in a log line, and what it must look like.
FIELDS: Mapping[str, re.Pattern[str] | tuple[type, ...]] = {
    "attempt": NUMBER,
    "bytes": NUMBER,
    "cache": WORD,
    "community": WORD,  # its id or number; a community is no person
    "count": NUMBER,
    "created": NUMBER,
    "error": WORD,
    "exception": TEMPLATE,
    "failed": NUMBER,
    "job": WORD,
    "level": WORD,
    "lines": NUMBER,
    "logger": WORD,
    "members": NUMBER,
    "method": WORD,
    "milliseconds": NUMBER,
    "model": NUMBER,
    "pid": NUMBER,
    "port": NUMBER,
    "problem": WORD,
    "route": ROUTE,
    "seconds": NUMBER,
    "stack": (list,),
    "state": WORD,
    "status": NUMBER,
    "template": TEMPLATE,
    "timestamp": TIME,
    "unchanged": NUMBER,
    "updated": NUMBER,
    "workers": NUMBER,
}
NUMBERED = frozenset({"community"})  # words that may be numbers too

OURS = ("service", "matching")
STATIC = (*OURS, "gunicorn")  # whose messages are literals, with or without values to put in


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Send structlog and `logging` to a stream, stderr unless another is given."""
    out = stream or sys.stderr
    threshold = logging.getLevelNamesMapping()[level.upper()]
    renderer = structlog.dev.ConsoleRenderer() if out.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            tell_exception,
            keep_allowed,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(handlers=[Bridge()], level=logging.WARNING, force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(threshold)


class Bridge(logging.Handler):
    """Send on what other libraries log: the message's template, without the values that they put in."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record as an event of ours."""
        ours = record.name.partition(".")[0] in OURS
        fields: dict[str, Any] = {"logger": record.name, "exc_info": record.exc_info}
        # Without values to put in it may be an f-string, which holds them already.
        if not ours and (record.args or record.name.startswith(STATIC)):
            fields["template"] = str(record.msg)
        event = str(record.msg) if ours else "library_message"
        structlog.get_logger().log(record.levelno, event, **fields)


def tell_exception(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace an exception by its kind, its causes' kinds and the places it came through."""
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given is True else None
    if isinstance(given, tuple):
        error = given[1]
    if error is not None:
        event["exception"] = " from ".join(kinds(error))
        event["stack"] = places(error.__traceback__)
    return event


def kinds(error: BaseException) -> list[str]:
    """Name an exception's class and those of its causes."""
    found: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(found) < 5:
        found.append(type(seen).__name__)
        seen = seen.__cause__ or seen.__context__
    return found


def places(traceback: TracebackType | None) -> list[str]:
    """Name module, line and function of each frame, the innermost last."""
    found = []
    step = traceback
    while step is not None:
        module = step.tb_frame.f_globals.get("__name__", "?")
        found.append(f"{module}:{step.tb_lineno} {step.tb_frame.f_code.co_name}")
        step = step.tb_next
    return found[-FRAMES:]


def keep_allowed(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every field that isn't allowed, or doesn't look as it must, and name it."""
    kept = {name: value for name, value in event.items() if is_allowed(name, value)}
    dropped = sorted(name if WORD.fullmatch(name) else "?" for name in event.keys() - kept.keys())
    kept.setdefault("event", "unnamed")
    if dropped:
        kept["dropped"] = dropped
    return kept


def is_allowed(name: str, value: Any) -> bool:
    """Tell whether a field may stand in the log."""
    shape = WORD if name == "event" else FIELDS.get(name)
    if shape is None:
        return False
    if isinstance(shape, re.Pattern):
        numbered = name in NUMBERED and isinstance(value, NUMBER)
        return numbered or (isinstance(value, str) and shape.fullmatch(value) is not None)
    return isinstance(value, shape)
