"""The real sets: a folder of shared data in, each set's lines and whom to ask about out.

They are for measuring only and no part of this repository; a machine without them has none to measure.
"""

import gzip
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "KITH_SHARED_DATA"
BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data"
NAMES = ("lastfm", "foursquare_nyc", "nashville_meetup", "twitch_engb")
ASKED = 200


class SetsMissingError(Exception):
    """The real sets aren't on this machine; the message says where they were looked for."""


@dataclass(frozen=True, slots=True)
class RealSet:
    """One community's profiles, as the lines of an import."""

    name: str
    lines: tuple[bytes, ...]

    @property
    def body(self) -> bytes:
        """The whole import."""
        return b"".join(self.lines)

    @property
    def ids(self) -> tuple[str, ...]:
        """Every member's id, in the order of the lines."""
        return tuple(json.loads(line)["id"] for line in self.lines)


def folder_of_sets(environ: Mapping[str, str] = os.environ) -> Path:
    """Name the folder in which the sets would be."""
    return Path(environ.get(VARIABLE) or BESIDE)


def folder_of(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Name one set's folder, or raise `SetsMissingError`."""
    folder = folder_of_sets(environ) / name
    if not (folder / "profiles.ndjson.gz").is_file():
        raise SetsMissingError(
            f"The real set {name} is not here: {VARIABLE} names no folder of sets, none is in ../shared/data."
        )
    return folder


def read_set(name: str, environ: Mapping[str, str] = os.environ) -> RealSet:
    """Read one set, or raise `SetsMissingError`."""
    file = folder_of(name, environ) / "profiles.ndjson.gz"
    return RealSet(name, tuple(gzip.decompress(file.read_bytes()).splitlines(keepends=True)))


def sample(ids: Iterable[str], size: int = ASKED) -> list[str]:
    """Return the same members every time, chosen by a hash so that no order of the set shows."""
    return sorted(ids, key=lambda profile_id: hashlib.sha256(profile_id.encode()).digest())[:size]
