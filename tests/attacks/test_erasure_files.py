"""SQLite's own files after an erasure: rows of every size come, grow, shrink and go, and no byte stays.

`secure_delete` overwrites what is deleted where it stands. When pages are split and merged, copies of rows
that moved stay in the unused space of their old pages; only a rewritten file is free of them.
"""

from __future__ import annotations

import random
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, update

from service.storage.database import Database
from service.storage.tables import communities, kept_answers, metadata, profiles, reports

SIZES = (50, 120, 400, 900, 1500, 2500, 3500, 8000, 20_000)
WEIGHTS = (6, 6, 6, 4, 3, 3, 3, 1, 1)
BEGIN = 500
TURNS = 40
CHANGES = 40
WORD = re.compile(rb"canary[a-z]{18}")


@dataclass
class Crowd:
    """Members written straight into the tables: each row begins with and repeats a word of its own."""

    database: Database
    chance: random.Random
    here: dict[str, int] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    numbers: int = 0

    def begin(self) -> None:
        """Make the tables and the first members."""
        metadata.create_all(self.database.engine)
        row = {column.name: 0 if column.type.python_type is not str else "" for column in communities.columns}
        with self.database.write() as connection:
            connection.execute(insert(communities).values(row | {"number": 1}))
            for _ in range(BEGIN):
                self.come(connection)

    def turn(self) -> None:
        """Let some come, change and go, in one transaction."""
        with self.database.write() as connection:
            for _ in range(CHANGES):
                step = self.chance.choices((self.come, self.change, self.go), (3, 3, 4))[0]
                step(connection)

    def come(self, connection: Connection) -> None:
        """Insert a member, an answer kept about them, and a report."""
        word = "canary" + "".join(self.chance.choices(string.ascii_lowercase, k=18))
        self.numbers += 1
        number, code = self.numbers, self.chance.randbytes(16).hex()
        stamps = {"own": "", "pairs": "", "changed": number, "code": code, "radius_km": 25.0}
        row = {"number": number, "community": 1, "id": word * self.chance.randint(1, 5), **stamps}
        connection.execute(insert(profiles).values(row | {"document": self.text(word)}))
        kept = {"community": 1, "key": code, "fingerprint": "", "about": code, "status": 201}
        said = {"headers": word, "body": self.text(word), "created_at": number}
        connection.execute(insert(kept_answers).values(kept | said))
        report = {"id": code, "community": 1, "profile_code": code, "peer_code": code, "reason": "other"}
        about = {"stranger": word, "detail": self.text(word), "state": "open", "created_at": number}
        connection.execute(insert(reports).values(report | about))
        self.here[word] = number

    def change(self, connection: Connection) -> None:
        """Give a member another document."""
        word = self.anybody()
        here = profiles.c.number == self.here[word]
        connection.execute(update(profiles).where(here).values(document=self.text(word)))

    def go(self, connection: Connection) -> None:
        """Delete a member's rows, and empty the report as an erasure does."""
        word = self.anybody()
        number = self.here.pop(word)
        connection.execute(delete(profiles).where(profiles.c.number == number))
        connection.execute(delete(kept_answers).where(kept_answers.c.created_at == number))
        empty = update(reports).where(reports.c.created_at == number).values(detail=None, stranger=None)
        connection.execute(empty)
        self.gone.append(word)

    def anybody(self) -> str:
        """Choose a member."""
        return self.chance.choice(list(self.here))

    def text(self, word: str) -> str:
        """Return a text of some size, full of a member's word."""
        return (word + " ") * (self.chance.choices(SIZES, WEIGHTS)[0] // (len(word) + 1) + 1)

    def left(self, folder: Path) -> set[str]:
        """Return the members who are gone, of whom a word is in a file."""
        found = {word.decode() for file in folder.iterdir() for word in WORD.findall(file.read_bytes())}
        return found.intersection(self.gone)


@pytest.fixture
def crowd(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Crowd]:
    database = Database(f"sqlite:///{tmp_path / 'kith.db'}")
    yield Crowd(database, random.Random(request.param))
    database.close()


DRILL = [pytest.param(seed, marks=pytest.mark.drill) for seed in range(100, 120)]


@pytest.mark.parametrize("crowd", [1, *DRILL], indirect=True)
def test_nothing_of_who_is_gone_is_left_in_a_rewritten_file(crowd: Crowd, tmp_path: Path) -> None:
    crowd.begin()
    for _ in range(TURNS):
        crowd.turn()
    assert len(crowd.gone) > 500
    assert crowd.left(tmp_path), "the log must still hold them, or this looks in the wrong place"
    assert crowd.database.checkpoint()
    # The few whom moved rows left behind: without secure_delete it would be most of them.
    assert len(crowd.left(tmp_path)) < len(crowd.gone) / 20
    assert crowd.database.rewrite()
    assert crowd.left(tmp_path) == set()
    assert (tmp_path / "kith.db-wal").stat().st_size == 0
