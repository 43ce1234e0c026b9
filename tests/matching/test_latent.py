"""Points are exact: the same products in any order of adding, for one member or for many."""

from dataclasses import replace

import numpy as np
import pytest

from matching import FACETS, TermModel
from matching.latent import DIRECTION_GRAIN, NORM_GRAIN, Fitted, Points, products


def fitted(dimensions: int = 256, terms: int = 40) -> Fitted:
    chance = np.random.default_rng(1)
    names = tuple(f"t{number:02}" for number in range(terms))
    return Fitted(
        facets=np.ones(3),
        near=0.3,
        rotation=0.2,
        terms=dict.fromkeys(FACETS, names),
        vectors={facet: chance.normal(size=(terms, dimensions)).astype(np.float32) for facet in FACETS},
        centre=chance.normal(size=dimensions),
        signs=chance.choice([-1.0, 1.0], dimensions).astype(np.float32),
    )


def placed(one: Fitted, members: int = 50) -> Points:
    chance = np.random.default_rng(2)
    rows = {facet: [chance.choice(one.terms[facet], 3).tolist() for _ in range(members)] for facet in FACETS}
    return one.points(TermModel.count(0, []), rows, np.ones(3))


def test_products_of_directions_are_exact_in_any_order() -> None:
    one = fitted()
    directions, lengths = placed(one)
    shuffled = np.random.default_rng(3).permutation(one.dimensions)

    in_order = directions @ (directions[0] * one.signs)
    otherwise = np.ascontiguousarray(directions[:, shuffled]) @ (directions[0] * one.signs)[shuffled]
    summed = (directions.astype(np.float64) * (directions[0] * one.signs).astype(np.float64)).sum(axis=1)

    assert in_order.dtype == np.float32
    assert in_order.tolist() == otherwise.tolist() == summed.tolist()
    assert len(set(summed.tolist())) == 50
    values = products((directions[:1], lengths[:1]), (directions, lengths), one.signs)
    assert values.tolist() == (summed * lengths * lengths[0]).tolist()


def test_a_product_is_the_same_from_either_side_and_one_by_one() -> None:
    one = fitted()
    directions, lengths = placed(one)

    table = [
        products((directions[at : at + 1], lengths[at : at + 1]), (directions, lengths), one.signs)
        for at in range(50)
    ]

    assert np.array_equal(np.array(table), np.array(table).T)
    single = products((directions[:1], lengths[:1]), (directions[7:8], lengths[7:8]), one.signs)
    assert single.tolist() == [table[0][7]]


def test_directions_have_a_length_of_one_and_stand_on_their_grain() -> None:
    directions, lengths = placed(fitted())

    assert np.array_equal(np.rint(directions / DIRECTION_GRAIN) * DIRECTION_GRAIN, directions)
    assert np.array_equal(np.rint(lengths / NORM_GRAIN) * NORM_GRAIN, lengths)
    assert np.linalg.norm(directions, axis=1) == pytest.approx(np.ones(50), abs=1e-3)


def test_a_member_is_placed_alike_alone_and_among_others_in_any_order_of_terms() -> None:
    one, model = fitted(), TermModel.count(0, [])
    rows = {facet: [["t03", "t11", "t20", "t11"], ["t01"], []] for facet in FACETS}
    turned = {facet: [some[0][::-1]] for facet, some in rows.items()}

    together, alone = one.points(model, rows, np.ones(3)), one.points(model, turned, np.ones(3))

    assert together[0][:1].tobytes() == alone[0].tobytes()
    assert together[1][:1].tobytes() == alone[1].tobytes()


def test_who_states_nothing_known_stands_where_nobody_does() -> None:
    one, model = fitted(4), TermModel.count(0, [])
    rows = {facet: [["never heard"]] for facet in FACETS}

    directions, lengths = one.points(model, rows, np.ones(3))
    assert directions[0] * lengths[0] == pytest.approx(-one.centre, abs=1e-2)
    directions, lengths = replace(one, centre=np.zeros(4)).points(model, rows, np.ones(3))
    assert (directions.tolist(), lengths.tolist()) == ([[0, 0, 0, 0]], [0])


def test_no_point_is_longer_than_the_longest_and_nobody_more_kindred_than_can_be() -> None:
    one, free = replace(fitted(), longest=48.0), fitted()
    (directions, lengths), (_, unbound) = placed(one), placed(free)

    assert unbound.min() < 48 < unbound.max()
    assert lengths.tolist() == np.minimum(unbound, 48).tolist()
    for at in range(50):
        mine = directions[at : at + 1], lengths[at : at + 1]
        bound = one.bound(float(lengths[at]), np.ones(3))
        kindred = products(mine, (directions, lengths), np.ones(256, np.float32))
        assert (kindred <= bound.a_unit * lengths).all()
        assert lengths[at] ** 2 * 0.99 < kindred.max() <= bound.most
    assert free.bound(1.0, np.ones(3)).most == np.inf
    assert one.bound(0.0, np.ones(3)).most == free.bound(0.0, np.ones(3)).most == 0
    assert one.reach(np.array([0.5, 2.0, 1.0])) == 2 * one.reach(np.array([0.5, 0.5, 0.5])) == 96


def test_a_flat_fit_has_no_dimensions_and_survives() -> None:
    flat = Fitted.flat(0.4, 0.1)

    again = Fitted.from_dict(flat.as_dict(), flat.arrays())

    assert flat.dimensions == again.dimensions == 0
    assert again.as_dict() == flat.as_dict()
    assert (again.near, again.rotation, again.facets.tolist()) == (0.4, 0.1, [1, 1, 1])
    directions, lengths = again.points(
        TermModel.count(0, []), {facet: [["chess"]] for facet in FACETS}, np.ones(3)
    )
    assert products((directions, lengths), (directions, lengths), again.signs).tolist() == [0]
