"""The steps that a walk is made of.

A step depends on no answer, so any part of a walk is a walk too: that is how a failing one is made small.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Write:
    """A request that may change something, through one of the processes; a list goes as an import's lines."""

    process: int
    method: str
    path: str
    body: Any = None


@dataclass(frozen=True, slots=True)
class Read:
    """A GET to one process after the other."""

    processes: tuple[int, ...]
    path: str


@dataclass(frozen=True, slots=True)
class Jump:
    """The clock set forward."""

    by: timedelta


@dataclass(frozen=True, slots=True)
class Refit:
    """The community's terms counted anew."""


Step = Write | Read | Jump | Refit
