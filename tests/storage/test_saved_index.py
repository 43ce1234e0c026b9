"""A saved index is taken by the next process, follows what came since, and is never trusted blindly."""

import errno
import json
import os
import shutil
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import update

from service.storage import loaded as loaded_module
from service.storage import profiles, saved_index
from service.storage.cache import NoCache
from service.storage.loaded import LoadedCommunities
from service.storage.saved_index import SavedIndexes, Witness, sound
from service.storage.stamps import new_stamp
from service.storage.tables import profiles as profile_table
from service.usecases.erasures import remove_community
from service.usecases.refits import refit_now
from tests.harness import Kith
from tests.storage.test_loaded import HERE, known, read

MEMBERS = {"ana": "Ana", "ben": "Ben", "cem": "Cem"}


@pytest.fixture
def folder(kith: Kith, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three members, whose index a first process has saved."""
    monkeypatch.setattr(loaded_module, "FEWEST_SAVED", 3)
    for member in MEMBERS:
        kith.post_profile(member, location=HERE, interests=["hiking", f"{member}s own"])
    assert known(process(kith, tmp_path), read(kith)) == MEMBERS
    return tmp_path


def process(kith: Kith, folder: Path) -> LoadedCommunities:
    return LoadedCommunities(kith.database, SavedIndexes(folder))


def never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Any:
        raise AssertionError("everybody was read from the database")

    monkeypatch.setattr(profiles, "everybody", fail)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    calls, original = list[object](), profiles.everybody

    def count(*arguments: Any) -> Any:
        calls.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(profiles, "everybody", count)
    return calls


def suggested(kith: Kith, loaded: LoadedCommunities) -> list[Any]:
    return loaded.use(read(kith), lambda matcher: [matcher.suggest(one) for one in matcher.index_.profiles()])


def test_the_next_process_takes_it_and_gives_the_same_answers(
    kith: Kith, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = suggested(kith, LoadedCommunities(kith.database))
    never_read(monkeypatch)

    found = suggested(kith, process(kith, folder))

    assert sorted(found, key=repr) == sorted(expected, key=repr)
    assert any(answer.items for answer in found)


def test_who_saves_it_maps_it_too(kith: Kith, folder: Path) -> None:
    for saved in folder.iterdir():
        shutil.rmtree(saved)
    loaded = process(kith, folder)
    assert known(loaded, read(kith)) == MEMBERS

    mapped = loaded.use(read(kith), lambda matcher: matcher.index_.roster.codes.base)

    assert mapped is not None
    assert isinstance(mapped.base, np.memmap)


def test_an_older_one_is_not_taken_for_one_that_could_not_be_saved(
    kith: Kith, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = process(kith, folder)
    assert known(loaded, read(kith)) == MEMBERS
    assert kith.call("DELETE", "/v1/profiles/cem").status_code == 204
    kith.post_profile("dan", location=HERE)
    kith.post_profile("eve", location=HERE)
    expected = {"ana": "Ana", "ben": "Ben", "dan": "Dan", "eve": "Eve"}
    assert known(loaded, read(kith)) == expected

    def full(*_: object) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(saved_index, "_write", full)
    loaded.tidy()

    assert known(loaded, read(kith)) == expected
    assert not list(folder.glob("*-*")), "cem is on no disk"


def test_another_one_that_was_saved_meanwhile_is_not_mapped(
    kith: Kith, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (older,) = folder.iterdir()
    kept = folder / "kept"
    shutil.copytree(older, kept)
    loaded = process(kith, folder)
    assert known(loaded, read(kith)) == MEMBERS
    assert kith.call("DELETE", "/v1/profiles/cem").status_code == 204
    kith.post_profile("dan", location=HERE)
    expected = {"ana": "Ana", "ben": "Ben", "dan": "Dan"}
    assert known(loaded, read(kith)) == expected
    original = SavedIndexes.load

    def overtaken(self: SavedIndexes, *arguments: Any) -> Any:
        self.forget(arguments[0].number)
        shutil.copytree(kept, older)
        return original(self, *arguments)

    monkeypatch.setattr(SavedIndexes, "load", overtaken)
    loaded.tidy()

    assert known(loaded, read(kith)) == expected


def test_what_was_written_since_is_seen(kith: Kith, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    never_read(monkeypatch)
    kith.post_profile("dan", location=HERE)
    assert kith.call("PATCH", "/v1/profiles/ana", {"name": "Anna"}).status_code == 200
    assert kith.call("DELETE", "/v1/profiles/ben").status_code == 204
    kith.post_profile("ben", name="Benno", location=HERE)
    assert kith.call("DELETE", "/v1/profiles/cem").status_code == 204

    loaded = process(kith, folder)

    assert known(loaded, read(kith)) == {"ana": "Anna", "ben": "Benno", "dan": "Dan"}
    assert kith.call("DELETE", "/v1/profiles/dan").status_code == 204
    assert known(loaded, read(kith)) == {"ana": "Anna", "ben": "Benno"}


def test_what_a_process_writes_stays_its_own(kith: Kith, folder: Path) -> None:
    first, second = process(kith, folder), process(kith, folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert known(first, read(kith)) == MEMBERS
    assert kith.call("PATCH", "/v1/profiles/ana", {"name": "Anna"}).status_code == 200

    assert known(first, read(kith)) == MEMBERS | {"ana": "Anna"}

    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert known(second, read(kith)) == MEMBERS | {"ana": "Anna"}


def test_the_erased_are_in_no_file_once_tidied(kith: Kith, folder: Path) -> None:
    loaded = process(kith, folder)
    assert known(loaded, read(kith)) == MEMBERS
    kith.post_profile("dan", location=HERE)
    assert any(b"bens own" in path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert kith.call("DELETE", "/v1/profiles/ben").status_code == 204

    loaded.tidy()

    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(b"anas own" in path.read_bytes() for path in files)
    assert not any(b"bens own" in path.read_bytes() for path in files)
    assert known(process(kith, folder), read(kith)) == {"ana": "Ana", "cem": "Cem", "dan": "Dan"}


def test_a_question_while_it_is_made_anew_is_answered(
    kith: Kith, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = process(kith, folder)
    known(loaded, read(kith))
    kith.post_profile("dan", location=HERE)
    assert kith.call("DELETE", "/v1/profiles/ben").status_code == 204
    answers, original = list[dict[str, str]](), SavedIndexes.save

    def asked_meanwhile(*arguments: Any) -> None:
        kith.post_profile("eve", location=HERE)
        answers.append(known(loaded, read(kith)))
        original(*arguments)

    monkeypatch.setattr(SavedIndexes, "save", asked_meanwhile)
    loaded.tidy()

    expected = {"ana": "Ana", "cem": "Cem", "dan": "Dan", "eve": "Eve"}
    assert answers == [expected]
    assert known(loaded, read(kith)) == expected


def test_it_is_saved_again_once_much_has_changed(
    kith: Kith, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = process(kith, folder)
    known(loaded, read(kith))
    (before,) = folder.iterdir()
    loaded.tidy()
    assert [before] == list(folder.iterdir())

    for number in range(4):
        kith.post_profile(f"m{number}", location=HERE)
    everybody = known(loaded, read(kith))
    loaded.tidy()

    (after,) = folder.iterdir()
    assert before != after
    assert len(everybody) == 7
    never_read(monkeypatch)
    assert known(process(kith, folder), read(kith)) == everybody


@pytest.mark.parametrize("asked", [True, False])
def test_a_deleted_community_leaves_no_saved_index(kith: Kith, folder: Path, asked: bool) -> None:
    loaded, community = process(kith, folder), read(kith)
    if asked:
        known(loaded, community)
    loaded.tidy()
    assert len(list(folder.iterdir())) == 1
    remove_community(kith.database, NoCache(), kith.community)

    loaded.tidy()

    assert list(folder.iterdir()) == []


def test_the_erased_are_in_no_file_though_nobody_asks(kith: Kith, folder: Path) -> None:
    assert kith.call("DELETE", "/v1/profiles/ben").status_code == 204

    process(kith, folder).tidy()

    assert list(folder.iterdir()) == []


def test_what_a_crash_has_left_is_removed(kith: Kith, folder: Path) -> None:
    for name, age in (("new-a", 3600), ("new-b", 0)):
        (folder / name).mkdir()
        (folder / name / "roster.numbers").write_bytes(b"half")
        os.utime(folder / name, (time.time() - age,) * 2)

    process(kith, folder).tidy()

    assert [path.name for path in folder.glob("new-*")] == ["new-b"]


def test_a_small_community_leaves_no_saved_index(
    kith: Kith, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = process(kith, folder)
    known(loaded, read(kith))
    assert kith.call("DELETE", "/v1/profiles/ben").status_code == 204

    loaded.tidy()

    assert list(folder.iterdir()) == []


def _shorten(folder: Path) -> None:
    for path in folder.rglob("roster.numbers"):
        path.write_bytes(path.read_bytes()[:10])


def _flip(folder: Path) -> None:
    for path in folder.rglob("terms_interests.numbers"):
        written = bytearray(path.read_bytes())
        written[0] ^= 1
        path.write_bytes(written)


def _lose(folder: Path) -> None:
    for path in folder.rglob("index.price"):
        path.unlink()


def _edit(folder: Path, change: Callable[[dict[str, Any]], None], *, checked: bool = True) -> None:
    for path in folder.rglob("index.json"):
        about = json.loads(path.read_bytes().partition(b"\n")[2])
        change(about)
        text = json.dumps(about).encode()
        path.write_bytes(b"%d\n" % (zlib.crc32(text) if checked else 7) + text)


@pytest.mark.parametrize(
    "harm",
    [
        _shorten,
        _flip,
        _lose,
        lambda folder: _edit(folder, lambda about: about.update(format=0)),
        lambda folder: _edit(folder, lambda about: about.pop("index")),
        lambda folder: _edit(folder, lambda about: about.update(change=10**9)),
        lambda folder: _edit(folder, lambda about: None, checked=False),
        lambda folder: _edit(folder, lambda about: about["index"]["columns"]["goals"].update(groups=1)),
    ],
)
def test_a_damaged_or_older_one_is_made_anew(
    kith: Kith, folder: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path], None]
) -> None:
    harm(folder)
    calls = counted(monkeypatch)

    assert known(process(kith, folder), read(kith)) == MEMBERS

    assert len(calls) == 1
    assert known(process(kith, folder), read(kith)) == MEMBERS
    assert len(calls) == 1  # the second process took what the first had made


def test_other_settings_and_models_since_are_taken(
    kith: Kith, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"facet_weights": {"interests": 3, "goals": 1}, "separate_by": ["role"]}
    assert kith.call("PATCH", "/v1/community", settings).status_code == 200
    refit_now(kith.database, read(kith).number)
    expected = suggested(kith, LoadedCommunities(kith.database))
    never_read(monkeypatch)

    found = suggested(kith, process(kith, folder))

    assert sorted(found, key=repr) == sorted(expected, key=repr)


def test_a_database_restored_to_before_it_is_told_by_its_witnesses(
    kith: Kith, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = counted(monkeypatch)
    with kith.database.write() as connection:
        # The same change made again, which gave another stamp.
        change = profiles.changed_last(connection, read(kith).number, 1)[0][1]
        own = {"own": new_stamp(change)}
        connection.execute(update(profile_table).where(profile_table.c.changed == change).values(own))

    assert known(process(kith, folder), read(kith)) == MEMBERS

    assert len(calls) == 1


def test_witnesses_who_changed_since_say_nothing() -> None:
    witness = Witness(7, 4, new_stamp(4))

    assert sound([witness], {7: (4, witness.own)}, 5)
    assert sound([witness], {}, 5)
    assert sound([witness], {7: (6, new_stamp(6))}, 5)
    assert sound([witness], {7: (4, new_stamp(6))}, 5)
    assert not sound([witness], {7: (4, new_stamp(4))}, 5)
    assert not sound([witness], {7: (3, new_stamp(3))}, 5)


def test_a_folder_that_cannot_be_written_costs_only_the_saved_index(
    kith: Kith, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaded_module, "FEWEST_SAVED", 1)
    (tmp_path / "index").write_text("in the way")
    kith.post_profile("ana")

    assert known(process(kith, tmp_path / "index"), read(kith)) == {"ana": "Ana"}
