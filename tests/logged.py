"""The log of this process, sent where a test can read it."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import structlog

from service import logs

Stream = TypeVar("Stream", bound=io.StringIO)


@contextmanager
def logged(level: str, stream: Stream) -> Iterator[Stream]:
    """Log to a stream as `kith serve` does to its own; put everything back afterwards."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    logs.configure(level, stream)
    try:
        yield stream
    finally:
        structlog.reset_defaults()
        root.handlers[:], root.level = before
        for name in logs.OURS:
            logging.getLogger(name).setLevel(logging.NOTSET)
