"""A community in the shared form: a folder in, profiles and friendships out.

It holds `profiles.ndjson.gz`, lines as an import takes them, and `friends.csv.gz` (columns `a` and `b`: who
really chose whom). Lines go through the schema of an import: what is measured is what would be stored.
"""

import csv
import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from matching import Profile
from service.errors import Invalid
from service.records import Community, Member, ProfileRecord, Stay
from service.web.lines import NDJSON, read_lines

DEFAULTS = Community(0, "", "")
Friends = Mapping[str, set[str]]


def read_profiles(folder: Path) -> list[Profile]:
    """Read a community as an import would store it, or raise `Invalid` with the line that it would refuse."""
    profiles: dict[str, Profile] = {}
    with gzip.open(folder / "profiles.ndjson.gz", "rb") as stream:
        for line in read_lines(cast("IO[bytes]", stream), NDJSON):
            if line.record is None:
                raise Invalid(
                    {f"profiles line {line.number}, {field}": texts for field, texts in line.errors.items()}
                )
            profiles[line.record.id] = _stored(line.record)
    if not profiles:
        raise Invalid({"profiles": ["Expected one line at least."]})
    return list(profiles.values())


def _stored(record: ProfileRecord) -> Profile:
    radius_km = DEFAULTS.radius_km if record.radius_km is None else record.radius_km
    return Member(record, radius_km, Stay(record.place, record.place)).public()


def read_friends(folder: Path, profiles: Sequence[Profile]) -> Friends:
    """Read who chose whom, from both sides, or raise `Invalid` with the line that names nobody's id."""
    friends: dict[str, set[str]] = {profile.id: set() for profile in profiles}
    with gzip.open(folder / "friends.csv.gz", "rt", encoding="utf-8", newline="") as stream:
        for number, row in enumerate(csv.DictReader(stream), 2):
            one, other = row.get("a"), row.get("b")
            if one not in friends or other not in friends or one == other:
                raise Invalid({f"friends line {number}": ["Expected a and b: ids of two profiles."]})
            friends[one].add(other)
            friends[other].add(one)
    return friends
