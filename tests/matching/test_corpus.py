"""A community as matrices: weights, lengths, who is near whom, and the space in which members differ."""

import math

import numpy as np
import pytest

from matching import FACETS, Matcher, Place, Profile, TermModel
from matching import corpus as corpus_module
from matching.corpus import Corpus, Space, count
from matching.model import FEWEST_MEMBERS
from tests.matching import strategies, values
from tests.matching.communities import two_tastes


def read(profiles: list[Profile]) -> Corpus:
    return Corpus.of(TermModel.of(1, profiles), profiles)


def test_rows_hold_each_counted_term_by_its_weight_and_lengths_all_of_them() -> None:
    crowd = [Profile(f"m{n}", "M", interests=("chess", "go")[: 1 + n % 2]) for n in range(8)]
    one = Profile("one", "O", interests=("go", "chess", "Chess", "kites"), goals=("retire",))

    corpus = read([*crowd, one])

    model = corpus.model
    chess, go, rarest = (model.weight("interests", term) for term in ("chess", "go", "kite"))
    assert corpus.terms == {"interests": ("chess", "go"), "activities": (), "goals": ()}
    assert corpus.weighted["interests"].toarray()[-1].tolist() == [chess, go]
    assert corpus.lengths[-1] == pytest.approx(math.sqrt(chess**2 + go**2 + 2 * rarest**2))
    assert corpus.norms[-1] == pytest.approx(values.norm(one, model, FACETS))
    assert (len(corpus), corpus.rows_of(["one", "nobody"]).tolist()) == (9, [8, -1])
    assert read([]).rows_of(["one"]).tolist() == [-1]


def test_an_index_is_read_as_its_profiles_are() -> None:
    crowd = [*strategies.crowd(3), *two_tastes(40)]
    matcher = Matcher().fit([*crowd, Profile("gone", "G", interests=("chess",))])
    matcher.remove("gone")

    model = count(7, matcher.index_)
    ours, theirs = Corpus.of_index(model, matcher.index_), read(crowd)

    assert model == TermModel.of(7, crowd)
    order = theirs.rows_of(one.id for one in crowd)[np.argsort(theirs.codes)]
    assert ours.codes.tolist() == theirs.codes[order].tolist()
    for facet in FACETS:
        assert ours.weighted[facet].toarray() == pytest.approx(theirs.weighted[facet].toarray()[order])
    assert (ours.terms, ours.stated) == (theirs.terms, theirs.stated)
    for name in ("lengths", "norms", "centres", "radius_km", "in_person", "online"):
        assert getattr(ours, name) == pytest.approx(getattr(theirs, name)[order], nan_ok=True)


def test_who_could_meet_whom_and_how_near() -> None:
    def at(name: str, east: float | None, *modes: str, radius: float = 40.0) -> Profile:
        place = None if east is None else Place.at(52.5, 13 + east)
        return Profile(name, name, place=place, modes=frozenset(modes) if modes else None, radius_km=radius)

    members = [at("a", 0), at("b", 0.01), at("c", 0.01, "online"), at("d", 0.3, radius=5.0), at("e", 20)]
    members += [at("f", None), at("g", 0, "online", "in_person")]
    corpus = read(members)

    near, could = corpus.near(0, np.arange(7))
    assert could.tolist() == [False, True, False, False, False, False, True]
    assert near == pytest.approx([values.near(members[0], other) for other in members])
    assert near[[2, 4, 5]].tolist() == [0, 0, 0]
    assert corpus.near(6, np.array([2, 5, 0]))[1].tolist() == [True, True, True]


def test_a_small_community_has_no_space() -> None:
    many, few_terms = (
        two_tastes(FEWEST_MEMBERS - 1),
        [Profile("a", "A", interests=("x",))] * 300,
    )

    assert Space.of(read(many)) is None
    assert Space.of(read(few_terms)) is None


def test_a_space_has_orthonormal_axes_and_members_around_its_centre() -> None:
    corpus = read(two_tastes(300))

    space = Space.of(corpus)

    assert space is not None
    dimensions = space.axes.shape[1]
    assert dimensions == sum(map(len, corpus.terms.values())) - 1
    assert space.axes.T @ space.axes == pytest.approx(np.eye(dimensions), abs=1e-6)
    assert (space.points * corpus.norms[:, None]).mean(axis=0) == pytest.approx(
        np.zeros(dimensions), abs=1e-9
    )
    again = Space.of(read(two_tastes(300)))
    assert again is not None
    assert again.points.tobytes() == space.points.tobytes()


def test_a_large_community_gets_fewer_dimensions_from_a_part_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus_module, "MANY_MEMBERS", 200)
    monkeypatch.setattr(corpus_module, "DIMENSIONS_OF_MANY", 8)
    monkeypatch.setattr(corpus_module, "_AT_MOST", 100)

    space = Space.of(read(two_tastes(300)))

    assert space is not None
    assert space.axes.shape[1] == 8
    assert space.points.shape == (300, 8)


def test_members_are_placed_in_the_space_of_another_model() -> None:
    members = [*strategies.crowd(4) * 3, Profile("z", "Z", interests=("kites",))]
    corpus, fitted = read(members), strategies.fitted(4)

    points = corpus.placed(fitted, np.arange(13))

    for point, member in zip(points, members, strict=False):
        total = -fitted.centre
        for facet in FACETS:
            for at, term in enumerate(fitted.terms[facet]):
                if term in corpus.terms[facet] and term in values.terms(member, facet):
                    total = total + corpus.model.weight(facet, term) * fitted.vectors[facet][at]
        assert point == pytest.approx(total / values.norm(member, corpus.model, FACETS), abs=1e-6)


def test_a_facet_of_many_terms_says_more_than_one_of_a_few_broad_kinds() -> None:
    profiles = [
        Profile(f"m{n}", "M", interests=(f"kind {n % 2}",), activities=(f"place {n % 32}", f"alone {n}"))
        for n in range(96)
    ]
    corpus = read(profiles)

    weights = corpus.specificity()

    assert corpus.stated == {"interests": 96, "activities": 192, "goals": 0}
    # In effect two terms; 32 of three members each, and 96 of one, which the model doesn't count.
    effective = 192 / math.exp(96 * math.log(3) / 192)
    assert weights["activities"] / weights["interests"] == pytest.approx((effective / 2) ** 0.25)
    squares = {facet: 96 * corpus.model.weight(facet, term) ** 2 for facet, term in _COMMON_TERMS.items()}
    mean = sum(weights[facet] * square for facet, square in squares.items()) / sum(squares.values())
    assert mean == pytest.approx(1)
    assert weights["goals"] == 1


_COMMON_TERMS = {"interests": "kind 0", "activities": "place 0"}


def test_where_nothing_is_counted_facets_weigh_alike() -> None:
    assert read([Profile("a", "A")]).specificity() == dict.fromkeys(FACETS, 1.0)
    assert read([Profile("a", "A", goals=("x",))]).specificity()["goals"] == 1


def test_dimensions_count_by_the_root_of_how_far_members_differ() -> None:
    space = Space.of(read(two_tastes(400)))
    assert space is not None
    assert len(space.strengths) == len(space.axes) // 4
    spreads = space.points[:, : len(space.strengths)].std(axis=0)
    assert (space.strengths**2 / spreads).tolist() == pytest.approx([1 / spreads.mean()] * len(spreads))
