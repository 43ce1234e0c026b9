"""Everybody's profiles by row, packed: in come profiles, out they come again, and whose row is which.

A profile as Python objects takes some kilobytes, as JSON some hundred bytes; only those that an answer shows
are read. Whose row is which is told by the codes that stand for ids, sorted: a dict of a million ids would
take more than all else that an index holds.
"""

import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import Growing, IntArray, Ragged, WordArray
from .profile import FACETS, Place, Profile, Slot
from .ranking import member_code

_FEW = 64  # ids, that are quicker looked up one by one
_CODING = "utf-8", "surrogatepass"
_JSON = json.JSONDecoder()


class Roster:
    """Keep profiles by row; rows are appended, taken out, and change their order."""

    def __init__(self) -> None:
        self._packed = Ragged(np.uint8, np.int64)
        self._alive = Growing(np.bool_)
        self._codes = Growing(np.uint64)
        self._sorted: NDArray[np.int32] = np.empty(0, np.int32)  # the first rows, by code
        self._late: dict[str, int] = {}  # members who came after these, numbered
        self._late_rows = Growing(np.int32)  # by number
        self._members = 0

    def __len__(self) -> int:
        return self._members

    def parts(self) -> dict[str, Growing]:
        """Return what of it is arrays; all rows have to be sorted."""
        order = Growing.over(self._sorted, len(self._sorted))
        return {**self._packed.parts(), "alive": self._alive, "codes": self._codes, "sorted": order}

    def restore(self, parts: Mapping[str, Growing]) -> None:
        """Take what `parts` gave."""
        self._packed.restore(parts)
        self._alive, self._codes = parts["alive"], parts["codes"]
        self._sorted = parts["sorted"].values
        self._forget_late()
        self._members = int(np.count_nonzero(self._alive.values))

    @property
    def rows(self) -> int:
        """Count the rows, those taken out too."""
        return len(self._alive)

    @property
    def codes(self) -> WordArray:
        """Return what stands for each row's id."""
        return self._codes.values

    @property
    def taken(self) -> IntArray:
        """Return the rows that somebody has."""
        return np.flatnonzero(self._alive.values)

    def find(self, ids: Iterable[str]) -> dict[str, int]:
        """Return the rows of those of these members who are in."""
        found, early, late_rows = {}, [], self._late_rows.values
        for one in ids:
            if one in self._late:
                found[one] = int(late_rows[self._late[one]])
            else:
                early.append(one)
        return found | self._find(early) if early and len(self._sorted) else found

    def rows_of(self, codes: WordArray) -> IntArray:
        """Return the rows of the members with these codes, -1 where there is none."""
        early, late = len(self._sorted), self.codes[len(self._sorted) :]
        order = np.concatenate([self._sorted, early + np.argsort(late, kind="stable")])
        found = np.full(len(codes), -1, np.int64)
        for part in (order[:early], order[early:]):
            taken = part[self._alive.values[part]]
            if len(taken):
                known = self.codes[taken]
                at = np.minimum(np.searchsorted(known, codes), len(taken) - 1)
                same = known[at] == codes
                found[same] = taken[at[same]]
        return found

    def id_of(self, code: int) -> str | None:
        """Return the id of the member with this code."""
        early = len(self._sorted)
        rows = early + np.flatnonzero(self.codes[early:] == code)
        rows = np.concatenate([rows, np.array(self._level(self._first([code])[0], code), np.int64)])
        taken = rows[self._alive.values[rows]]
        return self.profile(int(taken[0])).id if len(taken) else None

    def profile(self, row: int) -> Profile:
        """Return the profile of a row."""
        return unpack(self._document(row))

    def names(self, row: int) -> tuple[str, str]:
        """Return the id and the name of a row's member, and read no more than these."""
        text = self._document(row).decode(*_CODING)
        profile_id, end = _JSON.raw_decode(text, 1)
        name, _ = _JSON.raw_decode(text, end + 1)
        return profile_id, name

    def ids(self, rows: IntArray) -> list[str]:
        """Return the ids of some rows' members, and read no more than these."""
        texts = (self._document(row).decode(*_CODING) for row in rows.tolist())
        return [_JSON.raw_decode(text, 1)[0] for text in texts]

    def terms(self, row: int) -> dict[str, list[str]]:
        """Return the terms of a row's member as written, by facet."""
        return dict(zip(FACETS, _read(self._document(row))[2:5], strict=True))

    def holds(self, row: int, packed: bytes) -> bool:
        """Tell whether a row's profile is this one."""
        return self._document(row) == packed

    def extend(self, ids: Sequence[str], packed: Sequence[bytes]) -> None:
        """Append rows; nobody has these ids, or their rows are taken out next."""
        first, number = self.rows, len(self._late_rows)
        self._packed.append([len(one) for one in packed], np.frombuffer(b"".join(packed), np.uint8))
        self._codes.extend(np.array([member_code(one) for one in ids], np.uint64))
        self._alive.extend(np.ones(len(ids), np.bool_))
        self._late |= {one: number + at for at, one in enumerate(ids)}
        self._late_rows.extend(np.arange(first, first + len(ids)))
        self._members += len(ids)

    def take_out(self, profile_id: str, row: int) -> None:
        """Take a member's row out."""
        self._alive.values[row] = False
        self._members -= 1
        if profile_id in self._late and self._late_rows.values[self._late[profile_id]] == row:
            del self._late[profile_id]

    def reorder(self, first: int, order: IntArray) -> None:
        """Put the rows from `first` on in another order, or keep only some of them."""
        early, rows = len(self._sorted), self.rows
        self._packed.reorder(first, order)
        self._codes.reorder(first, order)
        self._alive.reorder(first, order)
        self._members = int(np.count_nonzero(self._alive.values))
        if first and first >= early:
            moved = np.full(rows - early, -1)
            moved[: first - early] = np.arange(early, first)
            moved[first - early + order] = np.arange(first, first + len(order))
            late = self._late_rows.values
            late[late >= 0] = moved[late[late >= 0] - early]
        else:
            self._sorted = np.argsort(self.codes, kind="stable").astype(np.int32)
            self._forget_late()

    def _forget_late(self) -> None:
        self._late, self._late_rows = {}, Growing(np.int32)

    def _document(self, row: int) -> bytes:
        return self._packed.row(row).tobytes()

    def _find(self, ids: Sequence[str]) -> dict[str, int]:
        codes = [member_code(one) for one in ids]
        found = {}
        for one, code, at in zip(ids, codes, self._first(codes), strict=True):
            for row in self._level(at, code):
                if self._alive.values[row] and self._document(row).startswith(_head(one)):
                    found[one] = row
        return found

    def _first(self, codes: Sequence[int]) -> list[int]:
        """Return where the sorted rows of each code begin."""
        if len(codes) > _FEW:
            known = self.codes[: len(self._sorted)]
            first: list[int] = np.searchsorted(
                known, np.array(codes, np.uint64), sorter=self._sorted
            ).tolist()
            return first
        # NumPy would make the whole order into integers of its own.
        return [bisect_left(self._sorted, code, key=self.codes.item) for code in codes]

    def _level(self, first: int, code: int) -> list[int]:
        """Return the sorted rows from a place on that have this code: of two, if ever, both."""
        last = first
        while last < len(self._sorted) and int(self.codes[self._sorted[last]]) == code:
            last += 1
        rows: list[int] = self._sorted[first:last].tolist()
        return rows


def pack(profile: Profile) -> bytes:
    """Write a profile as JSON, its id first; the same profile always alike."""
    stated = [
        profile.id,
        profile.name,
        *(profile.terms(facet) for facet in FACETS),
        profile.place and profile.place.cell,
        profile.radius_km,
        None if profile.modes is None else sorted(profile.modes),
        profile.timezone,
        [(slot.day, slot.start, slot.end) for slot in profile.availability],
        profile.languages,
        dict(profile.attributes),
        dict(profile.seeks),
        [profile.suggestible, profile.full, profile.paused],
    ]
    return _written(stated)


def unpack(packed: bytes) -> Profile:
    """Read a profile back."""
    stated = _read(packed)
    terms, (cell, radius_km, modes, zone) = map(tuple, stated[2:5]), stated[5:9]
    slots, languages, attributes, seeks, flags = stated[9:]
    return Profile(
        id=stated[0],
        name=stated[1],
        **dict(zip(FACETS, terms, strict=True)),
        place=None if cell is None else Place.of(cell),
        radius_km=radius_km,
        modes=None if modes is None else frozenset(modes),
        timezone=zone,
        availability=tuple(Slot(*slot) for slot in slots),
        languages=tuple(languages),
        attributes=attributes,
        seeks={name: tuple(values) for name, values in seeks.items()},
        suggestible=flags[0],
        full=flags[1],
        paused=flags[2],
    )


def _head(profile_id: str) -> bytes:
    """Return what a packed profile of this id begins with."""
    return _written([profile_id])[:-1] + b","


def _read(packed: bytes) -> Any:
    return _JSON.decode(packed.decode(*_CODING))


def _written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(*_CODING)
