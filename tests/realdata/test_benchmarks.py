"""What the benchmarks do without communities to measure: figures, the page, a machine without the sets."""

from __future__ import annotations

import os
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from benchmarks.__main__ import run
from benchmarks.communities import simulated
from benchmarks.cost_plot import draw
from benchmarks.country import Country
from benchmarks.figures import Spread, quantile, table
from benchmarks.http_shares import OURS, SQL, seconds_of
from benchmarks.http_shares import REST as NOBODYS
from benchmarks.import_load import measure as measure_imports
from benchmarks.import_shares import REST, STAGES, Stopwatch
from benchmarks.judge import in_reach, km_between
from benchmarks.page import PAGE, put
from benchmarks.rounds import compare
from benchmarks.running import FailedError, running
from benchmarks.scans import COMPILED, NUMPY, SKLEARN, Asking, Rival, costs
from matching import Matcher, TermModel
from tests.servers import PostgresServer, free_port

HERE, THERE = {"lat": 52.0, "lon": 13.0}, {"lat": 53.0, "lon": 13.0}


def test_a_machine_without_the_sets_has_none_to_measure_and_that_is_no_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KITH_SHARED_DATA", str(tmp_path))

    assert run("real_sets", 5, save=True) == 0
    assert "KITH_SHARED_DATA" in capsys.readouterr().out


def test_a_quantile_is_the_least_value_that_the_share_does_not_exceed() -> None:
    assert quantile([4, 1, 3, 2], 0.5) == 2
    assert quantile(range(1, 201), 0.99) == 198
    assert quantile([7], 0.99) == 7


def test_a_spread_is_written_as_median_least_and_most() -> None:
    assert Spread.of([3, 1000, 2]).words(1) == "3.0 (2.0 to 1,000.0)"


def test_a_table_is_markdown() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --: |\n| 1 | 2 |"


def test_new_figures_replace_the_old_ones_and_leave_the_prose() -> None:
    page = PAGE.read_text()

    once = put(page, "start", "| old |")
    twice = put(once, "start", r"| new \1 |")

    assert "| old |" in once
    assert "| old |" not in twice
    assert r"| new \1 |" in twice
    assert twice.startswith("# Measurements")
    assert twice.count("end of real_sets") == 1


def test_a_page_without_a_place_for_the_figures_is_refused() -> None:
    with pytest.raises(ValueError, match="figures of start"):
        put("# Measurements\n", "start", "| 1 |")


def test_the_judge_knows_distances_and_both_radii() -> None:
    asker = {"location": HERE, "radius_km": 200, "modes": ["in_person"]}
    near = {"location": THERE, "radius_km": 112, "modes": ["in_person", "online"]}

    assert km_between(HERE, THERE) == pytest.approx(111.195, abs=0.001)
    assert in_reach(asker, near, ["in_person"])
    assert not in_reach(asker, near | {"radius_km": 111}, ["in_person"])
    assert not in_reach(asker | {"radius_km": 111}, near, ["in_person"])
    assert not in_reach(asker, near | {"location": None}, ["in_person"])
    assert not in_reach(asker, near, ["in_person", "online"])
    assert not in_reach(asker, near, [])


def test_rounds_are_compared_on_the_same_community() -> None:
    found = compare(simulated(20, "mild"), 2)

    assert set(found) == {"Kith, graph included", "a shuffle", "greedy", "rustworkx"}
    ours, best = found["Kith, graph included"], found["rustworkx"]
    assert (ours.impossible, ours.repeats) == (0, 0)
    assert ours.left_out <= best.left_out <= found["greedy"].left_out
    assert found["a shuffle"].impossible > 0


def test_imports_are_measured_on_both_databases_and_their_shares_are_a_whole(
    postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("import_load", "import_shares"):
        monkeypatch.setattr(f"benchmarks.{module}.running_postgres", lambda: nullcontext(postgres_server))

    costs, shares = measure_imports(1, sizes=(30,), apart=0)[0].split("\n\n")

    rows = [line.strip("| ").split(" | ") for line in costs.splitlines()[2:]]
    assert [row[:2] for row in rows] == [["SQLite", "30"], ["PostgreSQL", "30"]]
    assert all(float(row[-1]) > 10 for row in rows), "each process has some memory"
    stages = [line.strip("| ").split(" | ") for line in shares.splitlines()[2:]]
    assert [stage for stage, *_ in stages] == [*STAGES, REST]
    for column in (1, 2):
        found = [float(stage[column].removesuffix(" %")) for stage in stages]
        assert sum(found) == pytest.approx(100, abs=1)
        assert min(found[:-2]) > 0, "every stage was seen"


def test_a_stage_within_a_stage_is_counted_once() -> None:
    watch = Stopwatch()
    inner = watch.timed("inner", lambda: time.sleep(0.02))

    watch.timed("outer", inner)()

    assert watch.seconds["inner"] >= 0.02
    assert watch.seconds["outer"] < 0.02


def test_the_time_of_what_belongs_to_nobody_is_its_callers() -> None:
    view, engine = ("/kith/service/resources/terms.py", 1, "get"), ("/lib/sqlalchemy/engine.py", 1, "execute")
    dumps, encode, lost = ("/lib/json.py", 1, "dumps"), ("~", 0, "<built-in encode>"), ("~", 0, "<lost>")

    found = seconds_of(
        {
            view: (1, 1, 1.0, 9.0, {}),
            engine: (1, 1, 2.0, 6.0, {view: (1, 1, 2.0, 6.0)}),
            dumps: (2, 2, 0.0, 4.0, {view: (1, 1, 0.0, 1.0), engine: (1, 1, 0.0, 3.0)}),
            encode: (2, 2, 4.0, 4.0, {dumps: (2, 2, 4.0, 4.0)}),
            lost: (1, 1, 0.5, 0.5, {}),
        }
    )

    assert found == {OURS: pytest.approx(2.0), SQL: pytest.approx(5.0), NOBODYS: pytest.approx(0.5)}


def test_a_country_counts_its_model_as_its_profiles_would() -> None:
    country = Country.of(300)

    profiles = [profile for chunk in country.chunks() for profile in chunk]

    assert len(profiles) == 300
    assert country.model() == TermModel.of(1, profiles)


def test_each_way_is_timed_for_each_asker_and_those_that_must_agree_do() -> None:
    country = Country.of(600)
    matcher = Matcher().fit((), model=country.model())
    matcher.update(*(profile for chunk in country.chunks() for profile in chunk))
    asking = Asking.of(matcher, Rival(country), country, country.central(3).tolist(), 25.0)

    asking.check()
    found = costs(asking, asking.touched())

    assert {SKLEARN, NUMPY, COMPILED} < set(found)
    assert {len(one.clock) for one in found.values()} == {3}
    assert all(min(one.clock) > 0 for one in found.values())


def test_a_plot_has_a_curve_a_way_with_tens_as_steps() -> None:
    plot = draw({"one": [(10, 0.1), (1_000, 10)], "other": [(10, 1)]}, "size", "cost")

    assert plot.count("<path") == 2 + 3  # 0.1, 1 and 10
    assert [f">{label}<" in plot for label in ("10", "100", "1,000")] == [True] * 3


def test_who_is_cut_off_is_told_what_the_service_said_last(tmp_path: Path) -> None:
    port = free_port()
    program = f"""
from http.server import BaseHTTPRequestHandler, HTTPServer
class Ready(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
HTTPServer(("127.0.0.1", {port}), Ready).serve_forever()
"""
    serving = running(os.environ, tmp_path / "log", [sys.executable, "-c", program], port)

    with pytest.raises(FailedError, match=r"BrokenPipeError.*the service said:.*GET .readyz"), serving:
        raise BrokenPipeError
