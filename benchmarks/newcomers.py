"""Members who came after the fit, looked for on somebody's first ten at the next read."""

from collections.abc import Mapping

from benchmarks.figures import table
from matching import Matcher, TermModel
from matching.evaluation import Trial, ordered
from matching.exposure import balance

NEWCOMERS = 10
LIKELIEST = 200  # of a newcomer's own list, on whose lists they are looked for


def welcomed(trial: Trial, model: TermModel) -> float:
    """Return the share of newcomers who are on the first ten of somebody likely."""
    late = [trial.profile(one) for one in list(trial.relevant)[:NEWCOMERS]]
    matcher = Matcher().fit([one for one in trial.profiles if one not in late], model=model)
    matcher.use(model, prices=balance(matcher).prices)
    seen = 0
    for newcomer in late:
        matcher.update(newcomer)
        likeliest = ordered(matcher, newcomer, LIKELIEST)
        seen += any(newcomer.id in ordered(matcher, trial.profile(peer)) for peer in likeliest)
        matcher.remove(newcomer.id)
    return seen / len(late)


def newcomers_table(shares: Mapping[str, float]) -> str:
    """Write the shares."""
    head = ("set", f"of {NEWCOMERS} newcomers, on somebody's first ten")
    return table(head, ((name, f"{share:.0%}") for name, share in shares.items()))
