"""Figures: measurements in, their spread and their words in a table out."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spread:
    """The same figure from several rounds."""

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, rounds: Iterable[float]) -> "Spread":
        """Return the spread of some rounds, of which there must be one at least."""
        values = sorted(rounds)
        return cls(values[0], statistics.median(values), values[-1])

    def words(self, digits: int = 2) -> str:
        """Write the median, then the least and the most."""
        median, least, most = (f"{value:,.{digits}f}" for value in (self.median, self.least, self.most))
        return f"{median} ({least} to {most})"


def quantile(values: Iterable[float], share: float) -> float:
    """Return the smallest value that at least this share of the values doesn't exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table in Markdown; all but the first column flush right."""
    rules = ["---"] + ["--:"] * (len(head) - 1)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rules, *rows))
