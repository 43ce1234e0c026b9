"""What a database is sent while something happens."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from tests.harness import Kith


@contextmanager
def statements_sent(kith: Kith) -> Iterator[list[str]]:
    """Note each statement as often as the database gets it; for many rows SQLite prepares one once."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, rows: Any, _context: Any, many: bool) -> None:
        sent.extend([statement] * (len(rows) if many and kith.database.dialect == "postgresql" else 1))

    event.listen(kith.database.engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(kith.database.engine, "before_cursor_execute", note)
