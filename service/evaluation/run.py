"""How well Kith finds the friendships of a community: a folder in, a line a method out."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.errors import Invalid
from service.evaluation.community import read_friends, read_profiles

if TYPE_CHECKING:
    from matching.comparison import Method
    from matching.evaluation import Trial

QUERIES = 600
DIGITS = 4


def read_trial(folder: Path, queries: int = QUERIES) -> "Trial":
    """Read a community and whom to ask about, or raise `Invalid` where there is nobody."""
    from matching.evaluation import Trial

    profiles = read_profiles(folder)
    trial = Trial(profiles, read_friends(folder, profiles), queries)
    if not trial.relevant:
        raise Invalid({"friends": ["Expected somebody to ask about: a member with a friend within reach."]})
    return trial


def evaluate(folder: Path, queries: int = QUERIES) -> Iterator[dict[str, Any]]:
    """Measure a community; yield a line for each method, then one for each step of the learning curve."""
    from matching.comparison import Fitted, learning_curve, methods

    trial = read_trial(folder, queries)
    members, asked, known = len(trial.profiles), len(trial.relevant), len(trial.feedback)
    _say(f"{members} members, {asked} asked about, {known} connections to learn from")
    fitted = Fitted.to(trial)
    for method in methods(trial, fitted):
        yield {"set": set_name(folder), **line_of(method)}
    for count, ndcg_10 in learning_curve(trial, fitted):
        figures = {"ndcg_10": round(ndcg_10.mean, DIGITS), "ndcg_10_error": round(ndcg_10.error, DIGITS)}
        yield {"set": set_name(folder), "learnt_from": count, **figures}


def set_name(folder: Path) -> str:
    """Name a community by its folder, in letters that a page and a file's name can hold."""
    return "".join(letter if letter.isalnum() or letter in "_-" else "_" for letter in folder.resolve().name)


def line_of(method: "Method") -> dict[str, Any]:
    """Return a method's figures as one line."""
    line: dict[str, Any] = {"method": method.name, "queries": len(method.found.ndcg_10)}
    for name, estimate in method.found.estimates().items():
        line |= {name: round(estimate.mean, DIGITS), f"{name}_error": round(estimate.error, DIGITS)}
    if method.exposure is not None:
        line["never_suggested"] = round(method.exposure.never_suggested, DIGITS)
        line["exposure_gini"] = round(method.exposure.exposure_gini, DIGITS)
    return line


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
