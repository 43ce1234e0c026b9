"""The time: the database's own, plus what tests add through a file."""

from pathlib import Path

from sqlalchemy import ColumnElement, literal_column, select

NOW: dict[str, ColumnElement[int]] = {
    "sqlite": literal_column("CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)").label("now"),
    "postgresql": literal_column("CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)").label("now"),
}


class Clock:
    """Milliseconds since 1970 in database time, so that machines whose clocks differ agree.

    `file`, if any, holds seconds to add; it is read anew at every use.
    """

    def __init__(self, dialect: str, file: Path | None = None) -> None:
        self.column = NOW[dialect]
        self.reading = select(self.column)
        self._file = file

    def shift(self, now: int) -> int:
        """Return the database's time moved by what the file says."""
        if self._file is None:
            return now
        try:
            return now + int(float(self._file.read_text().strip() or 0) * 1000)
        except (OSError, ValueError, OverflowError):
            return now
