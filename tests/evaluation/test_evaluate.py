"""`kith evaluate` on a made community in the shared form."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from service.cli import main
from tests.logged import logged
from tests.matching.circles import circles


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    with logged("info", io.StringIO()):  # the command sets it up for a process of its own
        yield


@pytest.fixture
def community(tmp_path: Path) -> Path:
    profiles, friends = circles()
    folder = tmp_path / "made set"
    folder.mkdir()
    with gzip.open(folder / "profiles.ndjson.gz", "wt") as stream:
        for one in profiles:
            stream.write(json.dumps({"id": one.id, "name": one.name, "interests": one.interests}) + "\n")
    with gzip.open(folder / "friends.csv.gz", "wt") as stream:
        rows = csv.writer(stream)
        rows.writerow(["a", "b", "kind"])
        rows.writerows((one, other, "friend") for one in friends for other in friends[one] if one < other)
    return folder


def test_a_line_a_method_and_a_page_with_a_plot(
    community: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(community.parent)
    page = community.parent / "docs" / "measurements.md"
    page.parent.mkdir()
    page.write_text(
        "# Measurements\n\n<!-- kith evaluate made_set -->stale<!-- end of kith evaluate made_set -->\n"
    )

    status = main(["evaluate", str(community), "--queries", "10", "--save"])

    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    by_method = {line["method"]: line for line in lines if "method" in line}
    assert status == 0
    assert len(by_method) == 6
    assert by_method["kith cold"]["queries"] == 10
    assert by_method["kith cold"]["ndcg_10"] > 0.9
    assert 0 <= by_method["kith learnt, as served"]["exposure_gini"] <= 1
    assert [line["learnt_from"] for line in lines if "learnt_from" in line][:2] == [0, 10]
    text = page.read_text()
    assert text.startswith("# Measurements")
    assert "stale" not in text
    assert "| kith learnt, as served | " in text
    assert ET.fromstring((page.parent / "quality_made_set.svg").read_text()).tag.endswith("svg")


def test_what_an_import_would_refuse_is_told_by_its_line(
    community: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with gzip.open(community / "profiles.ndjson.gz", "at") as stream:
        stream.write('{"id": "z", "name": "Z", "radius_km": 900}\n')

    assert main(["evaluate", str(community)]) == 1
    assert "profiles line 121, radius_km" in capsys.readouterr().err


@pytest.mark.parametrize("row", ["c0-1,nobody,friend", "c0-1,c0-1,friend", "c0-1"])
def test_a_friendship_of_nobody_is_told_by_its_line(
    community: Path, capsys: pytest.CaptureFixture[str], row: str
) -> None:
    with gzip.open(community / "friends.csv.gz", "wt") as stream:
        stream.write(f"a,b,kind\n{row}\n")

    assert main(["evaluate", str(community)]) == 1
    assert "friends line 2" in capsys.readouterr().err


def test_a_community_without_friendships_or_a_folder_without_one_is_refused(
    community: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with gzip.open(community / "friends.csv.gz", "wt") as stream:
        stream.write("a,b,kind\n")

    assert main(["evaluate", str(community)]) == 1
    assert "friends: Expected somebody" in capsys.readouterr().err
    assert main(["evaluate", str(tmp_path)]) == 1
    assert "profiles.ndjson.gz" in capsys.readouterr().err
