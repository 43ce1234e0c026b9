"""What compiled scans are handed and hand back."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .arrays import BoolArray, FloatArray, IntArray, Numbers, WordArray

Heaps = tuple[FloatArray, FloatArray]  # the best ranks so far, alone and moved; the least in front
Ascending = Numbers | FloatArray | WordArray
Picks = tuple[IntArray, FloatArray]  # rows and what they share, as far as filled
Kept = tuple[IntArray, FloatArray, FloatArray, int]  # rows, what they share and are worth, how many


class Stated(NamedTuple):
    """Everybody's terms by facet: their columns, row after row, and where each row ends."""

    columns: tuple[Numbers, ...]
    ends: tuple[Numbers, ...]


class Rows(NamedTuple):
    """What is known of everybody, by row: `facts` as `Members` has them; places by number, shape (n, 3).

    `lengths` are those of points in the latent space, NaN where one has not been worked out.
    """

    codes: WordArray
    stated: NDArray[np.uint16]
    terms: Stated
    prices: FloatArray
    facts: NDArray[Any]
    points: FloatArray
    lengths: FloatArray


class Asked(NamedTuple):
    """What is asked; `language`, `mine` and `theirs` are verdicts by number, `norms` by number of terms.

    `fixed` tells that all are wanted who may come to what is in front of the heaps, and not just the best:
    with `kindred` for each unit of the length of their point, which is no longer than `longest`.

    The constants of other modules come last: kept code would not see that one of them was changed.
    """

    x: float
    y: float
    z: float
    reach_km: float
    in_person: bool
    online: bool
    meets: bool
    apart: int
    language: BoolArray
    mine: BoolArray
    theirs: BoolArray
    openings: WordArray
    free: WordArray
    own: np.uint64
    seen: WordArray
    absent: WordArray
    near: float
    norms: FloatArray
    code: np.uint64
    rotation: float
    cheapest: float
    fixed: bool
    kindred: float
    longest: float
    most_kindred: float
    earth_km: float
    far: float
    grain: float
    tier: float


class Terms(NamedTuple):
    """What is offered, the dearest first: the facet, column and share of each term.

    `rests` is one longer: what all terms from one on come to.
    """

    facets: IntArray
    columns: IntArray
    shares: FloatArray
    rests: FloatArray


Offered = tuple[tuple[IntArray, FloatArray], ...]  # by facet, columns and shares


class Stretch(NamedTuple):
    """What is known of a segment, as `Segment` has it; `ends` by facet."""

    keys: FloatArray
    starts: Numbers
    postings: Numbers
    ends: tuple[Numbers, ...]


class Block(NamedTuple):
    """Rows of a segment from `first` on, in work.

    `spans` tells of each term where its rows stand in `postings`, then where those of the block do; `shared`
    is what each row shares, 0 between two blocks.
    """

    terms: Terms
    postings: Numbers
    spans: IntArray
    first: np.int64
    shared: FloatArray
