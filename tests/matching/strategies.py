"""Random members and questions, out of small pools so that they meet, tie and miss each other often."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
from hypothesis import strategies as st

from matching import FACETS, Matcher, Place, Profile, Slot, TermModel, normalise
from matching.latent import Fitted
from tests.matching.reference import Asked

TERMS = (
    "hiking",
    "Hikes",
    "trekking",
    "Trail Running",
    "joging",
    "jogging",
    "chess",
    "soroban",
    "sorobann",
    "Café",
    "cafe",
    "yoga",
    "日本",
    "🎲",
    " ",
)
ZONES = ("Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "America/New_York", None)
# An ordinary Monday, both changes of the clock in Berlin, one in Lord Howe, and the turn of a year.
DATES = (date(2024, 1, 1), date(2026, 3, 25), date(2026, 10, 22), date(2026, 4, 1), date(2026, 12, 29))
POINTS = (
    (52.52, 13.405),
    (52.5, 13.45),
    (52.4, 13.1),
    (52.9, 13.4),
    (53.55, 10.0),
    (0.0, 179.99),
    (0.0, -179.99),
)
IDS = tuple("abcdefghijkl")

BOTH = frozenset({"in_person", "online"})
modes = st.sampled_from(
    (None, None, BOTH, frozenset({"in_person"}), frozenset({"online"}), BOTH, frozenset())
)
places = st.sampled_from((None, *POINTS)).map(lambda point: point and Place.at(*point))
radii = st.sampled_from((40.0, 40.0, 90.0, 200.0, 1.0, 5.0, 12.0))


@st.composite
def slots(draw: st.DrawFn) -> Slot:
    start = draw(st.integers(0, 95))
    length = draw(st.sampled_from((1, 3, 4, 5, 12, 96)))
    return Slot(draw(st.integers(0, 6)), start * 15, min(start + length, 96) * 15)


def some(pool: tuple[str, ...], most: int = 4) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(pool), max_size=most).map(tuple)


def rarely(usual: Any, strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return the usual value four times in five, so that not every rule stands in the way at once."""
    return st.integers(0, 4).flatmap(lambda dice: strategy if dice == 3 else st.just(usual))


profiles = st.builds(
    Profile,
    id=st.sampled_from(IDS),
    name=st.just("N"),
    interests=some(TERMS),
    activities=some(TERMS, 2),
    goals=some(TERMS, 2),
    place=places,
    radius_km=radii,
    modes=modes,
    timezone=st.sampled_from(ZONES),
    availability=rarely((), st.lists(slots(), max_size=8).map(tuple)),
    languages=rarely((), some(("de", "de-AT", "EN", "fr"), 2)),
    attributes=st.dictionaries(st.sampled_from(("role", "team")), st.sampled_from(("x", "y")), max_size=2),
    seeks=rarely({}, st.dictionaries(st.sampled_from(("role", "team")), some(("x", "y"), 2), max_size=1)),
    suggestible=st.integers(0, 7).map(lambda dice: dice != 5),
    full=st.integers(0, 4).map(lambda dice: dice == 2),
    paused=st.integers(0, 12).map(lambda dice: dice == 9),
)
populations = st.lists(profiles, max_size=10)


def crowd(seed: int) -> list[Profile]:
    """Return twelve members who mostly get on: with each drawn by itself, hardly any two may meet."""
    chance = random.Random(seed)

    def usually(usual: Any, *others: Any) -> Any:
        return usual if chance.random() < 0.75 else chance.choice(others)

    def terms(most: int) -> tuple[str, ...]:
        return tuple(chance.choices(TERMS, k=chance.randint(0, most)))

    def slot() -> Slot:
        start = chance.randrange(96)
        return Slot(chance.randrange(7), start * 15, min(start + chance.choice((1, 3, 4, 12, 60)), 96) * 15)

    return [
        Profile(
            profile_id,
            "N",
            interests=terms(4),
            activities=terms(2),
            goals=terms(2),
            place=usually(Place.at(*chance.choice(POINTS[:4])), None, Place.at(*POINTS[4])),
            radius_km=usually(chance.choice((20.0, 40.0, 90.0)), 1.0, 5.0, 200.0),
            modes=usually(chance.choice((None, BOTH)), frozenset({"in_person"}), frozenset({"online"})),
            timezone=chance.choice(ZONES),
            availability=usually((), tuple(slot() for _ in range(chance.randint(1, 20)))),
            languages=usually((), ("de", "EN"), ("de-AT",), ("fr",)),
            attributes={"role": chance.choice("xy")} if chance.random() < 0.7 else {},
            seeks=usually({}, {"role": ("x",)}, {"role": ("x", "y")}, {"team": ()}),
            suggestible=chance.random() < 0.9,
            full=chance.random() < 0.2,
        )
        for profile_id in IDS
    ]


crowds = st.integers(0, 2**32 - 1).map(crowd)
questions = st.builds(
    Asked,
    n=st.sampled_from((1, 3, 20)),
    on=st.sampled_from(DATES),
    radius_km=st.none() | radii,
    mode=st.sampled_from((None, None, "in_person", "online")),
    facet=st.sampled_from((None, None, "interests", "goals")),
    exclude=some(IDS, 1),
    invited_by=some(IDS, 4),
    acquainted=st.dictionaries(st.sampled_from(IDS), st.integers(0, 5), max_size=3),
)
facet_weights = st.none() | st.fixed_dictionaries(
    {"interests": st.sampled_from((1.0, 0.0, 0.25)), "goals": st.sampled_from((1.0, 3.0))}
)
separations = st.sampled_from(((), (), (), ("role",), ("role", "team")))


def fitted(seed: int) -> Fitted:
    """Return what a fit might add, by chance."""
    chance = np.random.default_rng(seed)
    known = sorted({normalise(term) for term in TERMS} - {""})
    terms = {facet: tuple(term for term in known if chance.random() < 0.8) for facet in FACETS}
    vectors = {
        facet: (0.5 * chance.standard_normal((len(terms[facet]), 6))).astype(np.float32) for facet in FACETS
    }
    return Fitted(
        facets=chance.choice([0.5, 1.0, 2.0], 3),
        near=float(chance.choice([0.1, 0.8])),
        rotation=0.2,
        terms=terms,
        vectors=vectors,
        centre=0.3 * chance.standard_normal(6),
        signs=chance.choice([-1.0, 1.0], 6).astype(np.float32),
        longest=float(chance.choice([1.0, 4.0, np.inf])),  # shorter than some points, than few, than none
    )


def much_kindred(members: Sequence[Profile], seed: int, longest: float) -> Fitted:
    """Return a fit to some members, by chance, by which what is kindred counts more than what is shared."""
    kinds = sorted({term for one in members for term in (*one.interests, *one.activities)})
    chance = np.random.default_rng(seed)
    return Fitted(
        facets=np.ones(3),
        near=0.5,
        rotation=0.4,
        terms=dict.fromkeys(FACETS, tuple(kinds)),
        vectors={facet: chance.normal(size=(len(kinds), 8)).astype(np.float32) for facet in FACETS},
        centre=chance.normal(size=8),
        signs=chance.choice([-1.0, 1.0], 8).astype(np.float32),
        longest=longest,
    )


prices = st.none() | st.dictionaries(st.sampled_from(IDS), st.sampled_from((-0.5, 1.5, 4.0)), max_size=6)


@st.composite
def models(draw: st.DrawFn) -> TermModel:
    seeds = draw(st.lists(st.integers(0, 1000), max_size=4))  # some of 48 members, so that weights differ
    counted = TermModel.of(draw(st.integers(0, 5)), [profile for seed in seeds for profile in crowd(seed)])
    return replace(counted, fitted=draw(st.none() | st.integers(0, 1000).map(fitted)))


changes = st.lists(
    st.tuples(st.just("update"), profiles)
    | st.tuples(st.just("remove"), st.sampled_from(IDS))
    | st.tuples(st.just("compact"), st.none())
    | st.tuples(st.just("use"), st.tuples(models(), facet_weights, separations, prices)),
    max_size=25,
)


def apply(matcher: Matcher, change: tuple[str, Any]) -> None:
    """Change a matcher as said."""
    verb, what = change
    if verb == "update":
        matcher.update(what)
    elif verb == "remove":
        matcher.remove(what)
    elif verb == "compact":
        matcher.compact()
    else:
        model, weights, separate_by, charged = what
        matcher.use(model, facet_weights=weights, separate_by=separate_by, prices=charged)
