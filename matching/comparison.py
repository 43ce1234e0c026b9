"""Kith beside plain cosines on one community: in comes a trial, out come figures, cold and learnt.

Each model is measured twice: by its own order, and as it is served, once exposure is balanced by prices.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from .evaluation import Estimate, Found, Trial, everyones
from .exposure import Figures, balance, figures
from .learning import Learnt, learn
from .matcher import Matcher
from .model import TermModel

CURVE = (10, 100, 1000)  # connections learnt from, before all of them
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Method:
    """Hold what one way of suggesting comes to; exposure where everybody's first ten were looked at."""

    name: str
    found: Found
    exposure: Figures | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """Hold the two models of a trial: what is known without any connection, and with all of its half."""

    cold: TermModel
    learnt: Learnt

    @classmethod
    def to(cls, trial: Trial) -> "Fitted":
        """Fit both."""
        cold = learn(1, trial.profiles).model
        return cls(cold, learn(2, trial.profiles, trial.feedback, before=cold))

    def named(self) -> Mapping[str, TermModel]:
        """Return the models by what they are called."""
        return {"kith cold": self.cold, "kith learnt": self.learnt.model}


def methods(trial: Trial, fitted: Fitted) -> Iterator[Method]:
    """Yield every way of suggesting with its figures, as they come."""
    yield Method("binary cosine", trial.plain(rarity=False))
    yield Method("tf-idf cosine", trial.plain(rarity=True))
    for name, model in fitted.named().items():
        matcher = Matcher().fit(trial.profiles, model=model)
        shown = figures(everyones(matcher, trial.profiles, served=False))
        yield Method(name, trial.suggested(matcher, served=False), shown)
        balanced = balance(matcher)
        matcher.use(model, prices=balanced.prices)
        yield Method(f"{name}, as served", trial.suggested(matcher), figures(balanced.lists))


def learning_curve(trial: Trial, fitted: Fitted) -> Iterator[tuple[int, Estimate]]:
    """Yield nDCG@10 by the number of connections that were learnt from, up to all."""
    all_of_them = trial.feedback
    models = {0: fitted.cold}
    for count in CURVE:
        if count < len(all_of_them):
            models[count] = learn(3, trial.profiles, all_of_them[:count], before=fitted.cold).model
    models[len(all_of_them)] = fitted.learnt.model
    for count, model in models.items():
        found = trial.suggested(Matcher().fit(trial.profiles, model=model), served=False)
        yield count, Estimate.of(found.ndcg_10)
