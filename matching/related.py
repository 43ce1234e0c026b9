"""Kindred terms: in comes a term in normal form, out comes the number of its group, if it has one.

The table is `related.json`: English synonyms and near neighbours, the same for every community and every
facet.
"""

import json
from functools import lru_cache
from importlib import resources

from .terms import normalise

RHO = 0.3  # part of a term's weight that goes to what it is kindred with


def related_group(term: str) -> int | None:
    """Return the number of a term's group, or None.

    Examples
    --------
    >>> related_group(normalise("Jogging")) == related_group(normalise("trail running"))
    True
    >>> related_group(normalise("alphorn")) is None
    True
    """
    return _groups()[0].get(term)


def related_count() -> int:
    """Return how many groups the table has."""
    return _groups()[1]


@lru_cache(maxsize=1)
def _groups() -> tuple[dict[str, int], int]:
    table = json.loads(resources.files(__package__).joinpath("related.json").read_text(encoding="utf-8"))[
        "groups"
    ]
    return {normalise(term): number for number, terms in enumerate(table) for term in terms}, len(table)
