"""What a user would otherwise do, as a script beside the sets has it: a set in, figures a query out.

The script prints means; what it judges is listened to while it runs, so that ours can be paired with it query
by query.
"""

import contextlib
import importlib.util
import io
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks.sets import folder_of_sets

LEARNT = "LEARNT"  # how the names begin of methods that learn


@dataclass(frozen=True, slots=True)
class Baseline:
    """Hold what the script printed, and each method's nDCG@10 by member asked about."""

    lines: tuple[dict[str, Any], ...]
    ndcg_10: dict[str, dict[str, float]]

    def best(self, *, learnt: bool) -> str:
        """Name the best method of those that learn, or of those that don't."""
        some = [line for line in self.lines if line["method"].startswith(LEARNT) is learnt]
        name: str = max(some, key=lambda line: line["nDCG@10"])["method"]
        return name


def script() -> Path:
    """Name the script's place, beside the folder of sets."""
    return folder_of_sets().parent / "tools" / "baseline.py"


def run_baseline(folder: Path, queries: int) -> Baseline | None:
    """Run the script on a set; None where it is not on this machine."""
    if not script().is_file():
        return None
    module = _loaded(script())
    asked: list[str] = []
    judged: list[tuple[str, float]] = []
    choose, measure = module.queries, module.metrics

    def listened(*chosen: Any) -> Iterator[str]:
        for one in choose(*chosen):
            asked.append(one)
            yield one

    def noted(ranked: Sequence[str], relevant: Collection[str]) -> tuple[float, ...]:
        figures: tuple[float, ...] = measure(ranked, relevant)
        judged.append((asked[-1], figures[0]))
        return figures

    module.queries, module.metrics = listened, noted  # type: ignore[attr-defined]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        module.main(str(folder), queries)
    return _baseline([json.loads(line) for line in printed.getvalue().splitlines()], judged)


def _loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("baseline_beside_the_sets", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"expected a script of Python, got {path.name}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _baseline(lines: list[dict[str, Any]], judged: Sequence[tuple[str, float]]) -> Baseline:
    # A query's methods are judged in one order and printed by their means: one maps onto the other.
    width = len(lines)
    columns = [dict(judged[at::width]) for at in range(width)]
    columns.sort(key=lambda column: sum(column.values()))
    by_name = {line["method"]: column for line, column in zip(lines, columns, strict=True)}
    return Baseline(tuple(lines), by_name)
