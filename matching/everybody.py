"""Everybody's best rivals at once: in comes a matcher, out comes whom each of some members would see.

The same as `Matcher.rivals` finds for one after the other, from the columns of the index alone: no profile is
read, and what is worked out for one member serves whoever has the same.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import block_diag

from .arrays import BoolArray, FloatArray, IntArray, Numbers, spread
from .columns import GRAIN
from .index import PeerIndex, Prices
from .interned import Verdicts
from .matcher import A_MONDAY, Matcher
from .profile import EARTH_KM, FACETS
from .ranking import FAR_KM, LEVEL, NEAR, TIER, UNMOVED, length_norm, pair_key
from .segment import reach

if TYPE_CHECKING:
    from .compiled_rivals import Asking, Everybody, Terms

_FACTS = (
    "radius_km", "in_person", "online", "suggestible", "full",
    "place", "availability", "languages", "attributes", "seeks", "apart",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rivals:
    """Hold the best of some members: how many each has, who, and what they rank by but for prices.

    The first few of each come first.
    """

    counts: IntArray
    others: Numbers
    turned: FloatArray


class Crowd:
    """Ask for the rivals of many members of a compacted matcher of which all rows are sorted.

    Parameters
    ----------
    matcher : Matcher
    """

    def __init__(self, matcher: Matcher) -> None:
        self._index, self._weights = matcher.index_, matcher.weights_

    def ask(self, rows: IntArray, n: int, prices: Prices, hidden: Mapping[int, IntArray]) -> Rivals:
        """Return the n best of each under some prices, and the first few without; `hidden`: rows by row."""
        from . import compiled_rivals as scans

        few = min(UNMOVED, n)
        counts, room = np.zeros(len(rows), np.int64), len(rows) * (few + n)
        others, turned = np.empty(room, np.int32), np.empty(room)
        terms = self._terms(few, n, prices.least)
        out = counts, others, turned
        scans.rivals_of(self._everybody, terms, self._asking(rows, hidden), prices.values, out)
        size = int(counts.sum())
        return Rivals(counts, others[:size].copy(), turned[:size].copy())

    def _terms(self, few: int, most: int, cheapest: float) -> "Terms":
        from . import compiled_rivals as scans

        model = self._index.vectorizer.model_
        return scans.Terms(
            near=float(model.fitted.near if model.fitted else NEAR),
            salt=pair_key(0, model.number),
            rotation=float(model.rotation or -LEVEL),
            few=few,
            most=most,
            cheapest=cheapest,
            kindred=self._index.vectorizer.bound(1.0).most,
            earth_km=EARTH_KM,
            far=math.log1p(FAR_KM),
            grain=GRAIN,
            tier=TIER,
        )

    def _asking(self, rows: IntArray, hidden: Mapping[int, IntArray]) -> "Asking":
        from . import compiled_rivals as scans

        members = self._index.members
        table = members.table
        circles, ranges = self._ranges(rows)
        speaks, language = _verdicts(members.languages, table["languages"][rows], members.languages.values)
        wants, mine = _verdicts(members.attributes, table["seeks"][rows], members.seeks.values)
        offers, theirs = _verdicts(members.seeks, table["attributes"][rows], members.attributes.values)
        unseen = [hidden.get(row, np.empty(0, np.int64)) for row in (rows.tolist() if hidden else ())]
        return scans.Asking(
            rows=rows,
            range_ends=np.cumsum([0, *map(len, ranges)]),
            ranges=np.concatenate([np.empty((0, 2), np.int64), *ranges]),
            reach=circles,
            speaks=speaks,
            language=language,
            wants=wants,
            mine=mine,
            offers=offers,
            theirs=theirs,
            hidden_ends=np.cumsum([0, *map(len, unseen)]) if hidden else np.zeros(len(rows) + 1, np.int64),
            hidden=np.concatenate([np.empty(0, np.int64), *unseen]),
        )

    def _ranges(self, rows: IntArray) -> tuple[IntArray, list[IntArray]]:
        """Return which circle each member's peers live in, and the ranges of rows of each."""
        table = self._index.members.table
        columns = [
            table[name][rows].astype(np.float64) for name in ("place", "radius_km", "in_person", "online")
        ]
        distinct, number = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
        places, (segment,) = self._index.members.place.values, self._index.segments
        ranges = [
            segment.within(reach(places[int(place)] if meets else None, km, online=bool(online)))
            for place, km, meets, online in distinct.tolist()
        ]
        return number.reshape(-1), ranges

    @cached_property
    def _everybody(self) -> "Everybody":
        from . import compiled_rivals as scans

        index, members = self._index, self._index.members
        fitted, (directions, lengths) = index.vectorizer.model_.fitted, index.points()
        stresses = np.sqrt(self._weights).tolist()
        shares = block_diag(
            [
                index.vectorizer.columns_[facet].shares(one)
                for facet, one in zip(FACETS, stresses, strict=True)
            ],
            format="csr",
        )
        ends, numbers = _side_by_side(index)
        (segment,) = index.segments
        facts: dict[str, NDArray[Any]] = {name: members.table[name].copy() for name in _FACTS}
        return scans.Everybody(
            codes=index.roster.codes,
            stated=index.stated(),
            **facts,
            directions=directions,
            lengths=lengths,
            row_ends=ends,
            row_terms=numbers,
            starts=np.concatenate([segment.ends[facet][:-1] for facet in FACETS]),
            stops=np.concatenate([segment.ends[facet][1:] for facet in FACETS]),
            postings=segment.postings,
            share_ends=shares.indptr.astype(np.int32),
            share_of=shares.indices.astype(np.int32),
            shares=shares.data,
            points=members.place.points,
            openings=members.availability.openings(A_MONDAY),
            norms=length_norm(np.arange(index.most_terms + 1.0), index.vectorizer.model_.terms),
            signs=np.zeros(0, np.float32) if fitted is None else fitted.signs,
        )


def _verdicts(
    members: Verdicts[Any, Any], numbers: NDArray[Any], values: list[Any]
) -> tuple[IntArray, BoolArray]:
    """Return which row of verdicts each who asks needs, by the number of what they state, and the rows."""
    distinct, at = np.unique(numbers, return_inverse=True)
    return at, np.array([members.of(values[number]) for number in distinct.tolist()], np.bool_).reshape(
        len(distinct), len(members.values)
    )


def _side_by_side(index: PeerIndex) -> tuple[IntArray, Numbers]:
    """Return the columns of each row's terms in all facets, the columns of one facet after another's."""
    widths = [len(index.vectorizer.columns_[facet]) for facet in FACETS]
    parts = [index.terms[facet] for facet in FACETS]
    ends = np.concatenate([[0], np.cumsum(sum(part.lengths for part in parts))])
    numbers, starts = np.empty(int(ends[-1]), np.int32), ends[:-1].copy()
    for part, offset in zip(parts, accumulate([0, *widths]), strict=False):
        numbers[spread(starts, part.lengths)] = part.numbers + offset
        starts += part.lengths
    return ends, numbers
