"""The erasure log: whole lines on the disk, and whatever a crash leaves of one costs only itself."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.storage.erasure_log import Erasure, append, read

AT = 1_764_000_000_123
MEMBER = Erasure("com_1", "c" * 32, AT)
WHOLE = Erasure("com_1", None, AT)


def lines_of(path: Path) -> list[Erasure | None]:
    with path.open("rb") as stream:
        return list(read(stream))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "erased.log"
    assert append(path, [MEMBER, WHOLE])
    assert append(path, [MEMBER])
    assert lines_of(path) == [MEMBER, WHOLE, MEMBER]
    assert path.read_bytes().count(b"\n") == 3
    assert b'"2025-11-24T16:00:00.123+00:00"' in path.read_bytes()


@given(st.lists(st.builds(Erasure, st.text(), st.none() | st.text(), st.integers(0, 2**42))))
def test_whatever_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, erasures: list[Erasure]
) -> None:
    path = tmp_path_factory.mktemp("log") / "erased.log"
    assert append(path, erasures)
    assert path.exists() == bool(erasures)
    assert not erasures or lines_of(path) == erasures


def test_it_is_the_owners_alone_whatever_the_mask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        append(tmp_path / "erased.log", [MEMBER])
    finally:
        os.umask(before)
    assert (tmp_path / "erased.log").stat().st_mode & 0o777 == 0o600


def test_nothing_to_write_makes_no_file(tmp_path: Path) -> None:
    assert append(tmp_path / "erased.log", [])
    assert not (tmp_path / "erased.log").exists()


def test_a_place_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    assert not append(tmp_path, [MEMBER])
    (tmp_path / "file").write_text("")
    assert not append(tmp_path / "file" / "erased.log", [MEMBER])


def test_half_a_write_is_told_and_does_not_spoil_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write = tmp_path / "erased.log", os.write
    append(path, [MEMBER])
    monkeypatch.setattr(os, "write", lambda file, content: write(file, content[: len(content) // 2]))
    assert not append(path, [WHOLE])
    monkeypatch.undo()
    assert append(path, [WHOLE])
    assert lines_of(path) == [MEMBER, None, WHOLE]


def test_writers_at_once_do_not_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "erased.log"
    erasures = [[Erasure(f"com_{writer}", "d" * 32, turn) for turn in range(50)] for writer in range(6)]
    threads = [
        threading.Thread(target=lambda mine=mine: [append(path, [one]) for one in mine]) for mine in erasures
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = lines_of(path)
    assert None not in found
    for mine in erasures:
        assert [line for line in found if line and line.community == mine[0].community] == mine


@pytest.mark.parametrize(
    "line",
    [
        b'{"community": "com_1", "member": "cc',
        b"nonsense",
        b"[]",
        b"7",
        b"null",
        b'"text"',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"member": "cc", "erased_at": "2026-11-23T18:00:00Z"}',
        b'{"community": "com_1", "member": "cc"}',
        b'{"community": 1, "member": "cc", "erased_at": "2026-11-23T18:00:00Z"}',
        b'{"community": "com_1", "member": 7, "erased_at": "2026-11-23T18:00:00Z"}',
        b'{"community": "com_1", "member": "cc", "erased_at": "2026-11-23T18:00:00"}',
        b'{"community": "com_1", "member": "cc", "erased_at": "yesterday"}',
        b'{"community": "com_1", "member": null, "erased_at": "2026-11-23T18:00:00Z"}',
        b'{"community": "com_1", "member": "cc", "erased_at": 7}',
    ],
)
def test_an_odd_line_costs_only_itself(line: bytes) -> None:
    good = b'{"community": "com_1", "member": "cc", "erased_at": "2026-11-23T18:00:00Z"}\n'
    found = list(read(io.BytesIO(good + line + b"\n\n  \n" + good)))
    assert found == [found[0], None, found[0]]
    assert found[0] is not None
    assert found[0].code == "cc"
