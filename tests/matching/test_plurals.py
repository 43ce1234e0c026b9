"""English plurals meet their singular; words that only look like plurals stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.plurals import _ENDINGS, _PLAIN, _UNCHANGED, singular

PLURALS = """
    hobbies hobby, movies movie, cookies cookie, classes class, boxes box, churches church, dishes dish,
    potatoes potato, shoes shoe, snowshoes snowshoe, wolves wolf, knives knife, olives olive, waves wave,
    people person, women woman, womens woman, children child, grandchildren grandchild, mice mouse, feet foot,
    fishermen fisherman, craftsmen craftsman, gentlemen gentleman, quizzes quiz, waltzes waltz, beaches beach,
    headaches headache, caches cache, heroes hero, toes toe, ties tie, pies pie, dogs dog, houses house,
    courses course, buses bus, viruses virus, campuses campus, lenses lens, crises crisis, skis ski,
    comics comic, menus menu, photos photo, pizzas pizza, axes axe, gloves glove, languages language
"""
STAYING = """
    news physics tennis chess series species bus gas glass yoga pilates blues lens chaos mathematics christmas
    pottery cross virus basis dance pub art as is 80s
"""


@pytest.mark.parametrize("pair", [pair.strip() for pair in PLURALS.split(",")])
def test_a_plural_meets_its_singular(pair: str) -> None:
    plural, one = pair.split()

    assert singular(plural) == one == singular(one)


@pytest.mark.parametrize("word", STAYING.split())
def test_a_word_that_is_no_plural_stays(word: str) -> None:
    assert singular(word) == word


@given(
    st.from_regex(r"[a-z]{0,6}", fullmatch=True), st.sampled_from([e for e, _ in _ENDINGS] + sorted(_PLAIN))
)
def test_the_singular_of_a_singular_is_itself(stem: str, ending: str) -> None:
    once = singular(stem + ending)

    assert singular(once) == once


def test_no_ending_hides_behind_one_that_it_ends_in() -> None:
    endings = [ending for ending, _ in _ENDINGS]

    for place, ending in enumerate(endings):
        assert not any(ending.endswith(before) for before in endings[:place])
    assert not _PLAIN & _UNCHANGED
