"""`python -m benchmarks [NAME]`: run all benchmarks or the one named, print tables, keep them with --save.

Exit 0: measured, or nothing here to measure on; 1: something failed to run; 2: usage.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import (
    attacks,
    batch,
    http_load,
    import_load,
    index_speed,
    market,
    page,
    quality,
    real_sets,
    rounds,
    start,
    town,
)
from benchmarks.running import FailedError
from benchmarks.sets import SetsMissingError

ROUNDS = 5
BENCHES: dict[str, Callable[[int], str]] = {
    "real_sets": real_sets.measure,
    "start": start.measure,
    "attacks": attacks.measure,
    "round": rounds.measure,
    "market": market.measure,
}
ROUNDS_OF = {"round": 12}  # here a round is one of a community's, with the history of those before
DRAWN: dict[str, Any] = {"index": index_speed, "http": http_load, "import": import_load}
NAMES = (*BENCHES, *DRAWN, "quality", "town", "batch")


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="./dev bench", description="Measure what Kith costs and finds.")
    parser.add_argument("name", nargs="?", choices=NAMES, help="one benchmark instead of all")
    parser.add_argument("--rounds", type=int, help=f"{ROUNDS}, or {ROUNDS_OF}, unless told otherwise")
    parser.add_argument(
        "--quick", action="store_true", help="index, http, import, quality, town, batch: smaller"
    )
    parser.add_argument("--save", action="store_true", help="put the figures on their page in docs/")
    wanted = parser.parse_args()
    names = [wanted.name] if wanted.name else NAMES
    return max([run(name, wanted.rounds, save=wanted.save, quick=wanted.quick) for name in names])


def run(name: str, rounds: int | None, *, save: bool, quick: bool = False) -> int:
    """Run one benchmark and return its exit code."""
    try:
        figures, plots = _measure(name, rounds or ROUNDS_OF.get(name, ROUNDS), quick=quick)
    except SetsMissingError as reason:
        print(reason)
        return 0
    except FailedError as failure:
        print(f"{name} failed: {failure}", file=sys.stderr)
        return 1
    print(f"## {name}\n\n{figures}\n", flush=True)
    if save:
        page.save(name, figures, page.page_of(name))
        for file, plot in plots.items():
            page.PAGE.with_name(file).write_text(plot)
    return 0


def _measure(name: str, times: int, *, quick: bool) -> tuple[str, Mapping[str, str]]:
    """Return a benchmark's figures, and its plots by file."""
    if name == "quality":
        queries = quality.QUICK if quick else quality.QUERIES
        head = page.machine(f"{queries} members of each set asked about, at most; ± is a standard error")
        figures, plot = quality.measure(queries)
        return f"{head}\n\n{figures}", {quality.PLOT: plot}
    if name == "town":
        return f"{page.machine('one day')}\n\n{town.measure(town.FEWER if quick else town.MEMBERS)}", {}
    if name == "batch":
        return f"{page.machine('once')}\n\n{batch.measure(batch.SIZES[: -1 if quick else None])}", {}
    head = page.machine(f"median (least to most) of {times} rounds")
    if name in DRAWN:
        bench = DRAWN[name]
        figures, plot = bench.measure(times, bench.SIZES[: -1 if quick else None])
        return f"{head}\n\n{figures}", {bench.PLOT: plot}
    return f"{head}\n\n{BENCHES[name](times)}", {}


if __name__ == "__main__":
    sys.exit(main())
