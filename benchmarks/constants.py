"""Are the constants of the model good for a community that had no say in them? Leave one set out and see.

Each constant is moved alone, down and up. Three sets choose the best by nDCG@10, each relative to what Kith
ships; the fourth judges the choice.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from benchmarks.figures import table
from matching import Matcher, learning, ranking
from matching.evaluation import Trial

SHIPPED = "as shipped"
ASKED = 150
WEIGHTS = {"alike": (0.25, 1.0), "nearness": (0.08, 0.32)}
SOFT_TERMS = (50.0, 200.0)


def values_of(trial: Trial) -> dict[str, float]:
    """Return nDCG@10 of a set by which constant was moved."""
    some = trial.asking(ASKED)
    found = {SHIPPED: _ndcg(some, {})}
    for name, values in WEIGHTS.items():
        for value in values:
            found[f"{name} {value:g}"] = _ndcg(some, {name: value})
    for soft in SOFT_TERMS:
        with patch.object(ranking, "_SOFT_TERMS", soft):
            found[f"soft terms {soft:g}"] = _ndcg(some, {})
    return found


def _ndcg(trial: Trial, weights: Mapping[str, Any]) -> float:
    with ExitStack() as moved:
        if weights:
            shipped = learning.Weights
            moved.enter_context(patch.object(learning, "Weights", lambda: replace(shipped(), **weights)))
        model = learning.learn(1, trial.profiles).model
    return float(trial.suggested(Matcher().fit(trial.profiles, model=model)).ndcg_10.mean())


def constants_table(measured: Mapping[str, Mapping[str, float]]) -> str:
    """Let each set be judged by what the others choose."""
    relative = {
        name: {moved: value / values[SHIPPED] for moved, value in values.items()}
        for name, values in measured.items()
    }
    rows = []
    for name, values in relative.items():
        others = [relative[other] for other in relative if other != name]
        total = {moved: sum(other[moved] for other in others) for moved in values}
        chosen, own = _best(total), _best(values)
        rows.append((name, chosen, f"{values[chosen]:.3f}", own, f"{values[own]:.3f}"))
    head = ("set left out", "the others choose", "which gives it", "its own best", "which gives it")
    return table(head, rows)


def _best(values: Mapping[str, float]) -> str:
    return max(values, key=lambda moved: values[moved])
