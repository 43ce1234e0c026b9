"""Misspelt terms find what was meant, and what is a word of its own is left alone."""

from hypothesis import given, settings
from hypothesis import strategies as st

from matching import Matcher, Profile, TermModel, normalise, spelling
from matching import model as model_module
from matching.related import kin_table
from matching.spelling import SpellingIndex, distance
from tests.matching.reference import slips

MODEL = TermModel.count(1, [{"interests": ["zymurgy club", "hiking"], "goals": ["zymurgy"]}] * 3)
MEANT = """
hickng: hiking, hikign: hiking, phtography: photography, fotography: photography, photograhpy: photography
swiming: swimming, badmington: badminton, vollyball: volleyball, guittar: guitar, litterature: literature
meditaton: meditation, rock climing: rock climbing, mountian biking: mountain biking, knitinng: knitting
learn spansh: learn spanish, volunteerng: volunteering, programing: programming, rockclimbing: rock climbing
e-sports: esports, zymurgi: zymurgy, zymurgyclub: zymurgy club, zymurrgy club: zymurgy club
"""
LEFT_ALONE = """
boating, bating, rowing, towing, chess, chest, baking, biking, dating, panting, painting, signing, singing
roving, waking, wedding, welding, quilting, quitting, poker, joker, spanish, punish, yogaa, jazzz, judoo
tenn1s, hikin9, hiking, alphorn, zymurgy, zymurgy clubb, trail, horse-music, trekker
日本語日本語, 日本語日本訳
"""


def listed(text: str) -> list[str]:
    return [piece.strip() for piece in text.strip().replace("\n", ",").split(",")]


def test_a_misspelt_term_finds_the_one_that_was_meant() -> None:
    meant = dict(piece.split(": ") for piece in listed(MEANT))

    found = {written: MODEL.spelling.nearest(normalise(written)) for written in meant}

    assert found == {written: normalise(term) for written, term in meant.items()}


def test_a_process_that_just_started_finds_the_same() -> None:
    spelling._left.cache_clear()
    model_module._spelling_of_tables.cache_clear()

    fresh = TermModel.count(1, [{"interests": ["zymurgy club"]}] * 3).spelling

    assert fresh.nearest("hickng") == "hiking"
    assert fresh.nearest("zymurrgy club") == normalise("zymurgy club")
    assert fresh.nearest("chess") is None


def test_a_word_of_its_own_is_left_alone() -> None:
    found = {written: MODEL.spelling.nearest(normalise(written)) for written in listed(LEFT_ALONE)}

    assert {written: term for written, term in found.items() if term is not None} == {}


def test_no_term_of_the_tables_is_ever_put_right() -> None:
    assert {MODEL.spelling.nearest(term) for term in kin_table().concept_of} == {None}


def test_the_commonest_wins_and_of_equals_none() -> None:
    found = [
        SpellingIndex({"marble": ours, "marbles": 3, "garble": 9}).nearest("marblex") for ours in (2, 3, 4)
    ]

    assert found == ["marbles", None, "marble"]
    assert SpellingIndex({"ab cde": 3, "abc de": 3}).nearest("abcde") == "ab cde"
    assert SpellingIndex({}).nearest("marble") is None


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.text("abeк", min_size=4, max_size=11), min_size=1, max_size=5, unique=True),
    st.text("abeк", min_size=4, max_size=11),
)
def test_what_is_found_by_letters_left_out_is_what_comparing_with_all_finds(
    known: list[str], word: str
) -> None:
    index = SpellingIndex(dict.fromkeys(known, 0))
    fit = {term: slips(word, term) for term in known if len(word) >= 5 <= len(term) and word[0] == term[0]}
    within = {term: count for term, count in fit.items() if count <= (2 if len(word) >= 9 else 1)}
    best = [term for term, count in within.items() if count == min(within.values())]

    found = index.nearest(word)

    if word in known:
        assert found is None
    elif len(best) == 1:
        assert found == best[0]
    elif found is not None:  # by sound alone
        assert not best
        assert fit[found] == 2


@settings(max_examples=100, deadline=None)
@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_the_distance_is_that_of_the_definition(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one) == slips(one, other)


def test_a_misspelt_term_is_named_beside_what_was_meant() -> None:
    one, other = Profile("a", "A", interests=("Phtography",)), Profile("b", "B", interests=("photography",))
    synonym = Profile("c", "C", interests=("taking photos",))
    stranger = Profile("d", "D", interests=("opera", "alphorn"))

    items = Matcher().fit([one, other, synonym, stranger]).suggest(one).items

    assert [(item.id, item.related) for item in items] == [
        ("b", (("Phtography", "photography"),)),
        ("c", (("Phtography", "taking photos"),)),
        ("d", ()),
    ]
    assert items[0].shared["interests"] == ()
    assert 1 > items[0].score > items[1].score > items[2].score == 0


def test_two_who_slip_alike_share_and_two_who_slip_apart_are_kin() -> None:
    names = {"a": "alphron", "b": "alphron", "c": "alphorne"}
    members = [Profile(key, key, interests=(term,)) for key, term in names.items()]
    model = TermModel.count(1, [{"interests": ["alphorn"]}] * 3)
    matcher = Matcher().fit(members, model=model)

    first, second = matcher.suggest(members[0], facet="interests").items

    assert (first.id, first.related) == ("b", ())
    assert (second.id, second.related) == ("c", (("alphron", "alphorne"),))
    assert 0.1 < second.score < first.score < 1


def test_another_model_knows_other_terms() -> None:
    one, other = Profile("a", "A", interests=("alphron",)), Profile("b", "B", interests=("alphorn",))
    matcher = Matcher().fit([one, other])
    assert matcher.suggest(one).items[0].related == ()

    matcher.use(TermModel.count(1, [{"interests": ["alphorn"]}] * 3))
    assert matcher.suggest(one).items[0].related == (("alphron", "alphorn"),)
    assert matcher.suggest(one).items == Matcher().fit([other, one], model=matcher.model_).suggest(one).items

    matcher.use(TermModel.count(2, [{"interests": ["alphron"]}] * 3))
    assert matcher.suggest(one).items[0].related == (("alphron", "alphorn"),)
    matcher.use(TermModel.count(3, []))
    assert matcher.suggest(one).items[0].score == 0
