"""The erasure log: a file beside the database that says who was erased when, for the day it is restored.

One JSON object a line: the community, the member's code (none where the whole community went), the time. It
holds no id and no name, and it must not lie where the database's backups overwrite it.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO


@dataclass(frozen=True, slots=True)
class Erasure:
    """One line: whom, in which community (by its public id), and when, in milliseconds since 1970."""

    community: str
    code: str | None
    erased_at: int


def append(path: Path, erasures: Iterable[Erasure]) -> bool:
    """Add lines and wait until they are on the disk; False where that can't be done now."""
    lines = b"".join(_line(erasure) for erasure in erasures)
    if not lines:
        return True
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # One write at the end of the file: lines of several processes don't mix.
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            # After half a line, as a full disk or a crash leaves it, a new one begins.
            added = _end_of_line(opened) + lines
            whole = os.write(opened, added) == len(added)
            os.fsync(opened)
        finally:
            os.close(opened)
    except OSError:
        return False
    return whole


def _end_of_line(opened: int) -> bytes:
    size = os.fstat(opened).st_size
    return b"" if size == 0 or os.pread(opened, 1, size - 1) == b"\n" else b"\n"


def _line(erasure: Erasure) -> bytes:
    at = datetime.fromtimestamp(erasure.erased_at / 1000, UTC).isoformat(timespec="milliseconds")
    said = {"community": erasure.community, "member": erasure.code, "erased_at": at}
    return json.dumps({name: value for name, value in said.items() if value is not None}).encode() + b"\n"


def read(stream: IO[bytes]) -> Iterator[Erasure | None]:
    """Yield the lines of a log; None for one that is none of ours, as a crash may leave at the end."""
    for line in stream:
        if line.strip():
            yield _parse(line)


def _parse(line: bytes) -> Erasure | None:
    try:
        said = json.loads(line)
        at = datetime.fromisoformat(said["erased_at"])
        # A whole community goes where no member is named, never where one is named oddly.
        named = [said[name] for name in ("community", "member") if name == "community" or name in said]
        if at.tzinfo is None or not all(isinstance(text, str) for text in named):
            return None
        return Erasure(said["community"], said.get("member"), round(at.timestamp() * 1000))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None
