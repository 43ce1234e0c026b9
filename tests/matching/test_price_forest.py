"""Trees of prices: pairs of the most worth, alone for nothing, by networkx where alone is allowed."""

import random
from collections.abc import Mapping
from itertools import combinations

import networkx as nx
import pytest

from matching.odd_sets import ALONE, OddSets
from matching.price_forest import PriceForest

Worths = Mapping[tuple[int, int], int]  # multiples of four


def grown(size: int, worths: Worths) -> PriceForest:
    near: list[list[tuple[int, int]]] = [[] for _ in range(size)]
    for (a, b), worth in worths.items():
        near[a].append((b, worth))
        near[b].append((a, worth))
    prices = [max((worth for _, worth in mine), default=0) // 2 for mine in near]
    forest = PriceForest(OddSets([ALONE] * size), prices, lambda member: near[member], ahead=1)
    forest.grow()
    return forest


def worth_of(forest: PriceForest, worths: Worths) -> int:
    pairs = [(a, b) for a, b in enumerate(forest.sets.mates) if a < b]
    return sum(worths[pair] for pair in pairs)


@pytest.mark.parametrize("seed", range(60))
def test_no_pairs_are_worth_more(seed: int) -> None:
    chance = random.Random(seed)
    size, most = chance.randint(2, 24), chance.choice((1, 5, 1000))
    pairs = [pair for pair in combinations(range(size), 2) if chance.random() < 0.4]
    worths = {pair: 4 * chance.randint(0, most) for pair in pairs}

    forest = grown(size, worths)

    judge = nx.Graph()
    judge.add_weighted_edges_from((a, b, worth) for (a, b), worth in worths.items())
    assert worth_of(forest, worths) == sum(judge[a][b]["weight"] for a, b in nx.max_weight_matching(judge))
    alone = [one for one, mate in enumerate(forest.sets.mates) if mate == ALONE]
    assert all(forest.prices[one] == 0 for one in alone)
    assert min([*forest.prices, *forest.set_prices.values()]) >= 0


def test_a_tree_comes_to_one_who_is_alone_for_nothing_already() -> None:
    worths = {(0, 1): 1000, (1, 2): 900, (0, 3): 200}

    assert grown(4, worths).sets.mates == [3, 2, 1, 0]
