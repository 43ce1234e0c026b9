"""The best that are looked for are those of everybody, with NumPy and with compiled code."""

import random
import subprocess
import sys
from dataclasses import replace
from datetime import date
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from matching import FACETS, Front, Matcher, Place, Profile, Slot, TermModel, index, search
from matching import compiled as kernels
from matching.asking import Asking
from matching.facts import Question
from matching.index import Prices
from matching.latent import Fitted
from matching.ranking import turns
from matching.search import Found, Order, Search

# Uncompiled, the mixing of codes tells of what it does on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:overflow encountered in scalar")
ON = date(2024, 1, 1)
BOTH = frozenset({"in_person", "online"})
# Whom the rules let meet everybody else in the town.
OPEN: dict[str, Any] = {
    "modes": None,
    "availability": (),
    "languages": (),
    "attributes": {},
    "seeks": {},
    "suggestible": True,
    "full": False,
    "radius_km": 60.0,
}


def town(count: int, seed: int = 1, **always: object) -> list[Profile]:
    chance = random.Random(seed)
    kinds = ["hiking", "chess", "opera", "jogging", *(f"zt{number}q" for number in range(40))]

    def one(number: int) -> Profile:
        return Profile(
            f"m{number}",
            "M",
            interests=tuple(chance.sample(kinds, chance.randint(0, 5))),
            activities=tuple(chance.sample(kinds, chance.randint(0, 2))),
            place=Place.at(52.5 + chance.gauss(0, 0.2), 13.4 + chance.gauss(0, 0.3)),
            radius_km=chance.choice((5.0, 20.0, 40.0)),
            modes=chance.choice((None, None, BOTH, frozenset({"online"}))),
            availability=chance.choice(((), (), (Slot(1, 1080, 1200),), (Slot(2, 0, 60),))),
            languages=chance.choice(((), ("de",), ("en",))),
            attributes={"role": chance.choice("xy")},
            seeks=chance.choice(({}, {}, {"role": ("x",)})),
            suggestible=chance.random() < 0.9,
            full=chance.random() < 0.1,
        )

    return [replace(one(number), **always) for number in range(count)]  # type: ignore[arg-type]


def matcher_of(
    members: list[Profile], tail: int, prices: dict[str, float] | None = None, fitted: Fitted | None = None
) -> Matcher:
    model = replace(TermModel.of(3, members), fitted=fitted)
    with patch.object(index, "TAIL", tail):
        matcher = Matcher().fit(members[: -tail or None], model=model, prices=prices)
    matcher.update(*members[len(members) - tail :])
    return matcher


def search_of(matcher: Matcher, profile: Profile, facet: str | None = None, **asked: object) -> Search:
    question = Question(ON, **asked)  # type: ignore[arg-type]
    return Asking(matcher.index_, matcher.weights_).put(profile, question, facet)[1]


def best_of(found: Found, one: Search, order: Order) -> tuple[list[tuple[int, float, float]], ...]:
    """Return the best by rank, and by rank, turns and prices: rows with what they share and are worth."""
    moves = turns(one.codes(found.rows), order.rotation) - order.prices.values[found.rows]
    lists = []
    for values, most in ((found.ranks, order.few), (found.ranks + moves, order.moved)):
        at = np.lexsort((one.codes(found.rows), -values))[:most]
        lists.append(
            list(
                zip(found.rows[at].tolist(), found.shared[at].tolist(), found.worth[at].tolist(), strict=True)
            )
        )
    return tuple(lists)


@pytest.fixture(params=[False, True], ids=["numpy", "compiled"])
def compiled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    taken: bool = request.param
    monkeypatch.setattr(search, "COMPILED", taken)
    return taken


def agree(matcher: Matcher, one: Search, few: int = 5, others: int = 10, rotation: float = 0.5) -> Found:
    order = Order(few, few + others, rotation, matcher.index_.prices)
    found, everybody = one.best(order), one.everybody()
    assert best_of(found, one, order) == best_of(everybody, one, order)
    assert len(set(found.rows.tolist())) == len(found.rows)
    return found


@pytest.mark.parametrize("tail", [0, 60])
@pytest.mark.parametrize("rotation", [0.0, 0.5])
def test_the_best_are_among_the_found(compiled: bool, tail: int, rotation: float) -> None:
    members = town(400)
    matcher = matcher_of(members, tail, {f"m{number}": number % 7 / 5 - 0.6 for number in range(0, 400, 3)})
    for member in members[:20]:
        agree(matcher, search_of(matcher, member), rotation=rotation)
        agree(matcher, search_of(matcher, member, radius_km=8.0), 2, 0)
        agree(matcher, search_of(matcher, member, facet="activities"))
        agree(matcher, search_of(matcher, member, mode="online"))


def test_few_of_many_are_looked_at(compiled: bool) -> None:
    members = town(900, modes=None, availability=(), languages=(), seeks={}, suggestible=True, full=False)
    members = [replace(member, radius_km=100.0) for member in members]
    matcher = matcher_of(members, 0)
    looked_at = [len(agree(matcher, search_of(matcher, one), 5, 10, 0.1).rows) for one in members[:10]]
    assert min(looked_at) < 300


def test_who_states_several_dear_terms_counts_as_one_of_the_best(compiled: bool) -> None:
    members = town(300, **OPEN, activities=())
    terms = ("dearest", "dearer", "dear"), ("dearest", "dearer"), ("dear", "usual")
    usual = [replace(member, interests=("usual",)) for member in members[3:]]
    known = [replace(member, interests=some) for member, some in zip(members[:3], terms, strict=True)]
    matcher = matcher_of([*known, *usual], 0)

    found = agree(matcher, search_of(matcher, known[0]), 2, 0, 0.0)

    ids = [matcher.index_.profile(row).id for row in found.rows[np.argsort(-found.shared)].tolist()]
    assert ids[:2] == ["m1", "m2"]


@pytest.mark.parametrize("n", [1, 4, 12])
def test_a_front_tells_that_somebody_is_behind(compiled: bool, n: int) -> None:
    members = town(300, **OPEN)
    matcher = matcher_of(members, 0)
    for member in members[:12]:
        front = matcher.suggest(member, n, front=Front()).front
        assert front is not None
        assert front.by_rank is not None
        assert front.by_moved is not None


def test_terms_that_come_to_nothing_are_nothing_in_common(compiled: bool) -> None:
    members = town(120, **OPEN, interests=(), activities=("opera",))
    asker = replace(members[0], interests=("hiking",))
    with patch.object(index, "TAIL", 0):
        matcher = Matcher(facet_weights={"activities": 1e-12}).fit(
            [asker, replace(members[1], interests=("hiking",)), *members[2:]]
        )

    answer = matcher.suggest(asker, 20)

    assert [len(answer.items), answer.items[0].id] == [20, "m1"]


def test_common_terms_are_looked_for_only_where_they_may_decide(compiled: bool) -> None:
    chance = random.Random(4)
    members = [
        replace(
            member,
            interests=(f"rare {number % 40}", "hiking", "chess")[number % 5 == 0 :],
            activities=chance.choice(((), ("opera",), ("opera", f"rare {number % 41}"))),
        )
        for number, member in enumerate(town(900, modes=None, radius_km=60.0, availability=(), seeks={}))
    ]
    matcher = matcher_of(members, 0)
    for member in members[:20]:
        agree(matcher, search_of(matcher, member), 3, 2, 0.0)


def test_terms_that_came_after_a_segment_was_sorted_are_found_behind_it(compiled: bool) -> None:
    free: dict[str, Any] = {"modes": None, "availability": (), "languages": (), "seeks": {}}
    members = town(300, radius_km=60.0, full=False, activities=(), **free)
    here: dict[str, Any] = {"place": members[0].place, "suggestible": True}
    late = [replace(one, interests=("zt99q",), **here) for one in members[-3:]]
    matcher = matcher_of([*members[:-3], *late], 3)

    found = agree(matcher, search_of(matcher, late[0]))

    ids = {matcher.index_.profile(row).id for row in found.rows[found.shared > 0].tolist()}
    assert ids == {one.id for one in late[1:]}


def test_peers_without_anything_in_common_fill_up(compiled: bool) -> None:
    members = town(300, interests=(), activities=(), full=False)
    alone = replace(members[0], interests=("hiking",))
    matcher = matcher_of([alone, replace(members[1], interests=("hiking",)), *members[2:]], 0)

    agree(matcher, search_of(matcher, alone))


def test_masses_of_alike_peers_are_told_apart_by_code(compiled: bool) -> None:
    alike = town(300, interests=("chess",), activities=(), place=Place.at(52.5, 13.4), modes=None, full=False)
    matcher = matcher_of(alike, 0)

    agree(matcher, search_of(matcher, alike[7]), rotation=0.0)


def test_excluded_invited_and_changed_members_are_seen_to(compiled: bool) -> None:
    members = town(300, modes=None, availability=(), languages=(), seeks={}, suggestible=True, radius_km=40.0)
    matcher = matcher_of(members, 0)
    asker, full = members[0], [member.id for member in members if member.full]
    before = agree(matcher, search_of(matcher, asker))
    gone = matcher.index_.profile(int(before.rows[0])).id
    assert not any(matcher.index_.profile(row).full for row in before.rows.tolist())

    found = agree(matcher, search_of(matcher, asker, exclude=[gone], invited_by=full))
    assert gone not in {matcher.index_.profile(row).id for row in found.rows.tolist()}
    assert any(
        matcher.index_.profile(row).full
        for row in search_of(matcher, asker, invited_by=full).everybody().rows
    )

    matcher.remove(gone)
    matcher.update(replace(asker, id="twin"), replace(members[5], interests=asker.interests))
    found = agree(matcher, search_of(matcher, asker))
    assert "twin" in {matcher.index_.profile(row).id for row in found.rows.tolist()}


def test_where_no_facet_counts_everybody_is_alike(compiled: bool) -> None:
    members = town(200)
    with patch.object(index, "TAIL", 0):
        matcher = Matcher(facet_weights=dict.fromkeys(FACETS, 0.0)).fit(members)
    for member in members[:5]:
        found = agree(matcher, search_of(matcher, member))
        assert not found.shared.any()


@pytest.mark.parametrize("merged", [20, 10_000])
def test_several_segments_are_one_community(compiled: bool, merged: int) -> None:
    members = town(420)
    with patch.object(index, "TAIL", 10), patch.object(index, "MERGED", merged):
        matcher = Matcher().fit(members[:300], model=TermModel.of(3, members))
        for first in range(300, 415, 5):
            matcher.update(*members[first : first + 5])
        lengths = [one.last - one.first for one in matcher.index_.segments]
        assert len(lengths) > 1
        assert max(lengths[1:]) <= merged
    matcher.update(*members[415:])
    whole = matcher_of(members, 0)
    for member in members[:10]:
        assert matcher.suggest(member, 12) == whole.suggest(member, 12)
        agree(matcher, search_of(matcher, member))


def test_prices_given_are_those_that_count(compiled: bool) -> None:
    members = town(200, modes=None, full=False)
    matcher = matcher_of(members, 0)
    cheap = np.zeros(matcher.index_.rows)
    cheap[matcher.index_.row("m9")] = -50.0
    one = search_of(matcher, replace(members[0], radius_km=40.0, seeks={}))
    order = Order(5, 15, 0.0, Prices.of(cheap))

    assert best_of(one.best(order), one, order) == best_of(one.everybody(), one, order)


def test_without_a_folder_to_write_to_each_process_compiles_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[bool]()

    def refuse(function: object, *, cache: bool = False, nogil: bool, error_model: str) -> object:
        asked.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return function

    monkeypatch.setattr("matching.compiled.njit", refuse)

    assert kernels.compiled(len) is len
    assert asked == [True, False]


@pytest.mark.unmeasured
def test_compiled_code_finds_what_numpy_finds() -> None:
    program = """
from unittest.mock import patch
from tests.matching.test_search import Order, index, matcher_of, best_of, search, search_of, town
import numba
assert not numba.config.DISABLE_JIT
members = town(500)
matcher = matcher_of(members, 40, {f"m{number}": number % 5 / 5 for number in range(0, 400, 3)})
for member in members[:40]:
    one, order, found = search_of(matcher, member), Order(5, 15, 0.5, matcher.index_.prices), []
    for search.COMPILED in (False, True):
        found.append(best_of(one.best(order), one, order))
    assert found[0] == found[1]
matcher.suggest(members[0], facet="interests")
from matching import compiled
assert len(compiled.best_of_segment.signatures) == 1  # a second would take seconds
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
