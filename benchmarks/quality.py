"""How well Kith finds real friendships, beside all that a user would otherwise do, on four communities.

In this order, for each set: the script's own methods, Kith cold and learnt, each as served too, the learning
curve; common acquaintances where half of all friendships are known; newcomers. Last, the constants that one
set can't choose for itself are chosen by the three others.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.acquaintances import Known, acquaintances_table, with_half_known
from benchmarks.baseline import Baseline, run_baseline, script
from benchmarks.constants import constants_table, values_of
from benchmarks.figures import table
from benchmarks.newcomers import newcomers_table, welcomed
from benchmarks.sets import NAMES, folder_of
from matching.comparison import Fitted, Method, learning_curve, methods
from matching.evaluation import Estimate, Found, Trial
from service.evaluation.chart import Curve, draw
from service.evaluation.page import table as methods_table
from service.evaluation.run import line_of, read_trial

QUERIES, QUICK = 600, 150
SETS_WITH_KNOWN = {"lastfm": 1.3, "foursquare_nyc": 2.5}  # goals: times the recall of profiles alone
PLOT = "quality.svg"


@dataclass(frozen=True, slots=True)
class Measured:
    """Hold what was measured on one set."""

    name: str
    trial: Trial
    methods: Mapping[str, Method]
    curve: Curve
    baseline: Baseline | None
    known: Known | None
    welcomed: float
    constants: Mapping[str, float]


def measure(queries: int = QUERIES) -> tuple[str, str]:
    """Measure all sets; return the tables, and the plot as SVG."""
    folders = {name: folder_of(name) for name in NAMES}
    if not script().is_file():
        _say("No baseline.py beside the sets: Kith stands alone.")
    measured = [_measure(name, folder, queries) for name, folder in folders.items()]
    parts = [f"**{one.name}**\n\n{_methods(one)}" for one in measured]
    parts += [
        ratios_table(measured),
        acquaintances_table({one.name: one.known for one in measured if one.known}, SETS_WITH_KNOWN),
        newcomers_table({one.name: one.welcomed for one in measured}),
        constants_table({one.name: one.constants for one in measured}),
        f"![nDCG@10 by the number of connections learnt from]({PLOT})",
    ]
    return "\n\n".join(parts), draw([one.curve for one in measured])


def _measure(name: str, folder: Path, queries: int) -> Measured:
    trial = read_trial(folder, queries)
    _say(f"{name}: the baseline")
    baseline = run_baseline(folder, queries)
    _say(f"{name}: fitting")
    fitted = Fitted.to(trial)
    _say(f"{name}: suggesting")
    found = {method.name: method for method in methods(trial, fitted)}
    _say(f"{name}: the learning curve")
    counts, steps = zip(*learning_curve(trial, fitted), strict=True)
    curve = Curve(name, counts, tuple(one.mean for one in steps), tuple(one.error for one in steps))
    _say(f"{name}: acquaintances, newcomers, constants")
    known = with_half_known(trial, fitted.cold) if name in SETS_WITH_KNOWN else None
    return Measured(
        name, trial, found, curve, baseline, known, welcomed(trial, fitted.cold), values_of(trial)
    )


def _methods(one: Measured) -> str:
    theirs = [
        {
            "method": f"baseline.py: {line['method']}",
            "ndcg_10": line["nDCG@10"],
            "ndcg_10_error": line["se"],
            "recall_10": line["R@10"],
            "recall_100": line["R@100"],
        }
        for line in (one.baseline.lines if one.baseline else ())
    ]
    return methods_table([*theirs, *(line_of(method) for method in one.methods.values())])


def ratios_table(measured: Sequence[Measured]) -> str:
    """Compare Kith with the best lines of the baseline, paired by member asked about."""
    head = ("set", "Kith", "against", "ratio of nDCG@10", "difference, paired")
    rows: list[tuple[str, ...]] = []
    for ours, learnt in (("kith cold", False), ("kith learnt", True)):
        for name in (ours, f"{ours}, as served"):
            ratios = []
            for one in measured:
                if one.baseline is None:
                    continue
                best = one.baseline.best(learnt=learnt)
                ratio, won = paired(one.trial, one.methods[name].found, one.baseline.ndcg_10[best])
                ratios.append(ratio)
                rows.append((one.name, name, best, f"{ratio:.3f}", f"{won.mean:+.4f} ± {won.error:.4f}"))
            if ratios:
                rows.append(("mean", name, "", f"{np.mean(ratios):.3f}", ""))
    return table(head, rows)


def paired(trial: Trial, ours: Found, theirs: Mapping[str, float]) -> tuple[float, Estimate]:
    """Return the ratio of the means, and the mean difference, over whom both were asked about."""
    by_member = dict(zip(trial.relevant, ours.ndcg_10.tolist(), strict=True))
    both = [one for one in by_member if one in theirs]
    mine, other = (np.array([of[one] for one in both]) for of in (by_member, theirs))
    return float(mine.mean() / other.mean()), Estimate.of(mine - other)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
