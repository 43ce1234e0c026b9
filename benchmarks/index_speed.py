"""Kith's index beside scikit-learn, one sparse product and memory itself: sizes in, tables and a plot out."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks import writing
from benchmarks.cost_plot import draw
from benchmarks.country import Country
from benchmarks.figures import Spread, quantile, table
from benchmarks.scans import BOUND, COMPILED, NUMPY, PRODUCT, SKLEARN, SUGGEST, Asking, Cost, Rival, costs
from matching import Matcher

SIZES = (10_000, 100_000, 1_000_000)
PLOT = "cost-of-index.svg"
ASKERS, CHECKED = 200, 20
USUAL_KM, WIDEST_KM = 25.0, 200.0
WIDE = 100_000  # in reach, or half of all
PAIRS = (
    (SKLEARN, COMPILED, "80 wide, 50 usual"),
    (SKLEARN, NUMPY, "10"),
    (SKLEARN, SUGGEST, ""),
    (PRODUCT, COMPILED, ""),
    (COMPILED, BOUND, "at most 6 wide"),
)
Round = Mapping[str, Cost]


@dataclass(frozen=True)
class Reach:
    """Hold what questions within one radius cost: a few rounds."""

    members: int
    km: float
    in_reach: float
    rounds: Sequence[Round]

    def spread(self, way: str, share: float) -> Spread:
        """Return the milliseconds of a way, as the clock saw them."""
        return Spread.of(quantile(one[way].clock, share) for one in self.rounds)

    def ratio(self, way: str, other: str, share: float, of: Callable[[Cost], Sequence[float]]) -> Spread:
        """Return how often one way's quantile holds another's, round by round."""
        return Spread.of(
            quantile(of(one[way]), share) / quantile(of(one[other]), share) for one in self.rounds
        )


@dataclass(frozen=True)
class Size:
    """Hold what a community of one size cost."""

    members: int
    building: float
    reaches: Sequence[Reach]
    writing: writing.Writing


def measure(rounds: int, sizes: Sequence[int] = SIZES, askers: int = ASKERS) -> tuple[str, str]:
    """Measure every size; return the tables and the plot."""
    found = [_measured(*_built(size), rounds, askers) for size in sizes]
    reaches = [reach for size in found for reach in size.reaches]
    tables = [_cost_table(reaches), _ratio_table(reaches), _growth_table(found), _size_table(found)]
    ways = (SKLEARN, PRODUCT, NUMPY, COMPILED, BOUND)
    widest = max(found, key=lambda size: size.members).reaches
    curves = {way: [(max(one.in_reach, 1), one.spread(way, 0.5).median) for one in widest] for way in ways}
    return "\n\n".join(tables), draw(curves, "members in reach", "milliseconds, the median question")


def _built(members: int) -> tuple[Country, Matcher, float]:
    """Make a community and put it in a matcher; say how many seconds of a processor that took."""
    country, spent = Country.of(members), 0.0
    matcher = Matcher().fit((), model=country.model())
    for number, chunk in enumerate(country.chunks()):
        _tell(members, f"chunk {number}")
        began = time.process_time()
        matcher.update(*chunk)
        spent += time.process_time() - began
    matcher.compact()
    return country, matcher, spent


def _measured(country: Country, matcher: Matcher, spent: float, rounds: int, askers: int) -> Size:
    members = len(country)
    rival, who = Rival(country), country.central(askers).tolist()
    wide = _radius(rival, who[:20], min(WIDE, members // 2))
    reaches = []
    for km in sorted({USUAL_KM, *(km for km in (50.0, 100.0) if km < wide), wide}):
        asking = Asking.of(matcher, rival, country, who, km)
        Asking.of(matcher, rival, country, who[:CHECKED], km).check()
        touched, in_reach = asking.touched(), float(np.median(asking.in_reach()))
        times = rounds if km in (USUAL_KM, wide) else 1
        done = []
        for number in range(times):
            _tell(members, f"{km:.0f} km, round {number + 1}")
            done.append(costs(asking, touched))
        reaches.append(Reach(members, km, in_reach, done))
    _tell(members, "writing")
    profiles = [country.profile(member) for member in who]
    written = writing.measure(matcher, country, profiles, USUAL_KM, rounds)
    return Size(members, spent, reaches, written)


def _tell(members: int, what: str) -> None:
    print(f"{members:,} members, {what}", file=sys.stderr, flush=True)


def _radius(rival: Rival, askers: Sequence[int], wanted: int) -> float:
    """Return within how many kilometres the median asker has so many."""
    least, most = 1.0, WIDEST_KM
    while most - least > 1:
        km = (least + most) / 2
        enough = np.median([len(rival.near(asker, km)) for asker in askers]) >= wanted
        least, most = (least, km) if enough else (km, most)
    return float(round(most))


def _words(reach: Reach) -> tuple[str, str, str]:
    return f"{reach.members:,}", f"{reach.km:.0f}", f"{reach.in_reach:,.0f}"


def _cost_table(reaches: Sequence[Reach]) -> str:
    ways = (SKLEARN, PRODUCT, NUMPY, COMPILED, SUGGEST, BOUND)
    rows = [(*_words(reach), *(reach.spread(way, 0.5).words(3) for way in ways)) for reach in reaches]
    return table(("members", "km", "in reach", *(f"{way}, ms" for way in ways)), rows)


def _ratio_table(reaches: Sequence[Reach]) -> str:
    kinds: tuple[tuple[float, Callable[[Cost], Sequence[float]]], ...] = (
        (0.5, lambda cost: cost.clock),
        (0.99, lambda cost: cost.clock),
        (0.5, lambda cost: cost.processor),
        (0.99, lambda cost: cost.processor),
    )
    rows = [
        (
            *_words(reach),
            f"{way} / {other}",
            *(reach.ratio(way, other, *kind).words(1) for kind in kinds),
            goal,
        )
        for reach in reaches
        if len(reach.rounds) > 1
        for way, other, goal in PAIRS
    ]
    head = ("members", "km", "in reach", "ratio", "p50", "p99", "p50, processor", "p99, processor", "goal")
    return table(head, rows)


def _growth_table(sizes: Sequence[Size]) -> str:
    """Compare each row with the one of the fewest members in the usual radius, and per member in reach."""
    base, rows = sizes[0].reaches[0], []
    for reach in (reach for size in sizes for reach in size.reaches):
        figures = []
        for way in (NUMPY, COMPILED, SKLEARN):
            cost = _processor(reach, way)
            figures.append(f"{cost / _processor(base, way):.2f}")
        more = reach.in_reach / base.in_reach
        rows.append((*_words(reach), f"{more:.2f}", *figures))
    head = ("members", "km", "in reach", "times as many", f"{NUMPY}, times the cost", f"{COMPILED}", SKLEARN)
    return table(head, rows)


def _processor(reach: Reach, way: str) -> float:
    return Spread.of(quantile(one[way].processor, 0.5) for one in reach.rounds).median


def _size_table(sizes: Sequence[Size]) -> str:
    lines: Sequence[tuple[str, Callable[[Size], str]]] = (
        ("building, processor µs a member", lambda one: f"{1e6 * one.building / one.members:.0f}"),
        ("index without the dense part, bytes a member", lambda one: f"{one.writing.index:.0f}"),
        ("packed profiles, bytes a member", lambda one: f"{one.writing.packed:.0f}"),
        ("adding one, ms", lambda one: one.writing.insert.words(3)),
        ("the longest of 2,049 additions: it seals, ms", lambda one: one.writing.seal.words(0)),
        ("rebuilding all, ms", lambda one: one.writing.rebuild.words(0)),
        ("p99 of a suggestion, ms", lambda one: one.writing.quiet.words(1)),
        ("the same, while 1,000 a second are added", lambda one: one.writing.busy.words(1)),
        ("ratio (goal: at most 1.25)", lambda one: one.writing.ratio.words(2)),
        ("the longest answer meanwhile, ms", lambda one: f"{one.writing.pause:.0f}"),
        ("the longest addition meanwhile, ms (goal: 50)", lambda one: f"{one.writing.longest:.0f}"),
    )
    head = ("", *(f"{one.members:,}" for one in sizes))
    return table(head, [(name, *map(words, sizes)) for name, words in lines])
