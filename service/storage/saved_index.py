"""Saved indexes: a large community's index as files, mapped by every process of the machine, which share it.

Comes in: a compacted matcher, the change it reflects. Goes out: the same matcher, or nothing where there is
none that fits the database. A folder per community and change: `index.json`, whose first line is the checksum
of the rest, and a file an array. Files have room at their ends (sparse, so it takes no disk): what is written
later goes there, into memory of the process' own.

A database restored from a backup may hold other changes under the same numbers. So the members who changed
last are witnesses: their stamps, which are random, must be those that were saved.
"""

import json
import shutil
import tempfile
import time
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from service.records import Community
from service.storage.stamps import number_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from matching import Matcher, TermModel

FORMAT = 3
ROOM, LEAST_ROOM = 0.25, 65_536  # what an array may grow by before it has to move
_AT_ONCE = 2**20  # bytes
_ABOUT = "index.json"
_NEW = "new-"
SECONDS_TO_SAVE = 600.0  # after which what is not ready never will be
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Witness:
    """One of the members who changed last: by number, with the change and the stamp."""

    number: int
    changed: int
    own: str


@dataclass(frozen=True, slots=True)
class Saved:
    """What was read back: a matcher, the members' numbers and codes, and the witnesses.

    `seen` is the community with the change, model and settings that the matcher reflects.
    """

    seen: Community
    matcher: "Matcher"
    numbers: "NDArray[np.int64]"
    codes: "NDArray[np.uint64]"
    witnesses: tuple[Witness, ...]


class SavedIndexes:
    """The saved indexes of one machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(
        self,
        community: Community,
        matcher: "Matcher",
        numbers: "NDArray[np.int64]",
        codes: "NDArray[np.uint64]",
        witnesses: Sequence[Witness],
    ) -> None:
        """Write a compacted matcher as it was at the community's change, and remove older ones.

        A disk that is full or can't be written costs only the saved index, older ones too: they may hold
        who was erased since.
        """
        from matching.arrays import Growing

        parts, weights = matcher.index_.parts(), community.facet_weights
        parts |= {"numbers": Growing.over(numbers, len(numbers)), "codes": Growing.over(codes, len(codes))}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=_NEW, dir=self._folder) as new:
                arrays = {name: _write(Path(new) / name, part.values) for name, part in parts.items()}
                about = {
                    "format": FORMAT,
                    "change": community.change_number,
                    "model": community.model,
                    "facet_weights": weights and dict(weights),
                    "separate_by": community.separate_by,
                    "witnesses": [(one.number, one.changed, one.own) for one in witnesses],
                    "arrays": arrays,
                    "index": matcher.index_.as_dict(),
                }
                text = json.dumps(about, ensure_ascii=False).encode("utf-8", "surrogatepass")
                (Path(new) / _ABOUT).write_bytes(b"%d\n" % zlib.crc32(text) + text)
                self.forget(community.number)
                Path(new).rename(self._folder / f"{community.number}-{community.change_number}")
                Path(new).mkdir()  # for the temporary folder to have something to remove
        except OSError as error:
            log.warning("index_not_saved", reason=error.strerror)
            self.forget(community.number)

    def load(self, community: Community, model: "TermModel") -> Saved | None:
        """Return the newest that is whole; `model` is the community's."""
        for folder in self._folders(community.number):
            try:
                return _load(folder, community, model)
            except (OSError, ValueError, KeyError, TypeError):
                log.warning("saved_index_unusable", index=folder.name)
        return None

    def forget(self, number: int) -> None:
        """Remove a community's saved indexes; who has mapped one keeps what they have."""
        for folder in self._folders(number):
            shutil.rmtree(folder, ignore_errors=True)

    def forget_left(self) -> None:
        """Remove what a crash has left."""
        for left in self._folder.glob(f"{_NEW}*"):
            if time.time() - left.stat().st_mtime > SECONDS_TO_SAVE:
                shutil.rmtree(left, ignore_errors=True)

    def all(self) -> list[tuple[int, int]]:
        """Return whose indexes are saved, each with its change."""
        names = [path.name.partition("-") for path in self._folder.glob("[0-9]*-[0-9]*")]
        return [(int(number), int(change)) for number, _, change in names]

    def _folders(self, number: int) -> list[Path]:
        changes = sorted((change for one, change in self.all() if one == number), reverse=True)
        return [self._folder / f"{number}-{change}" for change in changes]


def _write(path: Path, values: "NDArray[Any]") -> tuple[Any, int, int, int]:
    """Write an array with room behind it; return its type, size, room and checksum."""
    import numpy as np

    room = len(values) + max(int(ROOM * len(values)), LEAST_ROOM)
    data = values.view(np.uint8).data if len(values) else b""
    with path.open("wb") as file:
        file.write(data)
        file.truncate(room * values.itemsize)
    return np.lib.format.dtype_to_descr(values.dtype), len(values), room, zlib.crc32(data)


def _load(folder: Path, community: Community, model: "TermModel") -> Saved:
    from matching import Matcher, TermModel

    checksum, _, text = (folder / _ABOUT).read_bytes().partition(b"\n")
    if int(checksum) != zlib.crc32(text):
        raise ValueError("expected index.json as it was written")
    about = json.loads(text.decode("utf-8", "surrogatepass"))
    if about["format"] != FORMAT or about["change"] > community.change_number:
        raise ValueError(f"expected format {FORMAT} and no later change than the community's")
    settings = {"facet_weights": about["facet_weights"], "separate_by": tuple(about["separate_by"])}
    same = about["model"] == community.model
    matcher = Matcher(**settings).fit((), model=model if same else TermModel.of(0, ()))
    parts = {name: _map(folder / name, *how) for name, how in about["arrays"].items()}
    numbers, codes = parts.pop("numbers").values, parts.pop("codes").values
    matcher.index_.restore(about["index"], parts)
    if not same:  # whoever takes another model will place everybody anew
        matcher.index_.place()
    seen = replace(community, change_number=about["change"], model=about["model"], **settings)
    return Saved(seen, matcher, numbers, codes, tuple(Witness(*one) for one in about["witnesses"]))


def _map(path: Path, described: Any, size: int, room: int, checksum: int) -> Any:
    """Map an array, once its checksum is right; reading it for that takes no memory of ours."""
    import numpy as np

    from matching.arrays import Growing

    dtype = np.lib.format.descr_to_dtype(described)
    left, found = size * dtype.itemsize, 0
    with path.open("rb") as file:
        while left and (data := file.read(min(left, _AT_ONCE))):
            found, left = zlib.crc32(data, found), left - len(data)
    if left or found != checksum:
        raise ValueError(f"expected {path.name} as it was written")
    return Growing.over(np.memmap(path, dtype, "c", shape=(room,)).view(np.ndarray), size)


def sound(witnesses: Sequence[Witness], found: Mapping[int, tuple[int, str]], change: int) -> bool:
    """Tell whether the database still is the one that was saved, by what it holds of the witnesses.

    Who changed since, or is gone, witnesses nothing.
    """
    return all(
        one.number not in found
        or found[one.number][0] > change
        or number_of(found[one.number][1]) > change
        or found[one.number] == (one.changed, one.own)
        for one in witnesses
    )
