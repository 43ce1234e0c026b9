"""The tables of kindred terms are sound, and kin is who a person would call so."""

import json
from importlib import resources
from typing import Any

import pytest

from matching import TermModel, normalise, related
from matching.related import FAR, NAMED, SAME, closeness, concept, kin, kin_count, kin_table, near

RELATED = """
hiking, trekking | hiking, hill walking | hiking, nature walks | football, soccer | football, five a side
running, jogging | running, trail running | trail running, parkrun | cycling, biking
cycling, mountain biking | swimming, wild swimming | climbing, bouldering | bouldering, rock climbing
gym, weight training | yoga, hot yoga | yoga, pilates | meditation, mindfulness | tennis, badminton
table tennis, ping pong | skiing, snowboarding | surfing, kitesurfing | kayaking, canoeing | judo, karate
boxing, kickboxing | salsa, bachata | tango, argentine tango | horse riding, equestrian
camping, wild camping | fishing, angling | gardening, allotments | birdwatching, birding
birdwatching, wildlife | board games, card games | dungeons and dragons, role playing games
video games, gaming | video games, retro gaming | puzzles, jigsaws | pub quiz, trivia | books, reading
reading, book club | writing, poetry | photography, photo walks | painting, watercolour
watercolor, watercolour | pottery, ceramics | knitting, crochet | sewing, quilting | woodworking, carpentry
cooking, baking | sourdough, bread making | coffee, cafes | craft beer, home brewing
vegan cooking, veganism | movies, cinema | theater, theatre | theatre, improv | live music, concerts
guitar, ukulele | guitar, playing an instrument | choir, singing | techno, house music | programming, coding
programming, open source | machine learning, ai | learn Spanish, Spanish | learn Spanish, practise Spanish
learn German, learning languages | make friends, meet people | find a job, job hunting
lose weight, get fit | quit smoking, stop smoking | start a business, entrepreneurship | dogs, dog walking
parenting, playdates | volunteering, food bank | zero waste, sustainability | stargazing, astronomy
Bible study, church | philosophy, debating | public speaking, toastmasters | motorbikes, motorcycles
sports, running | gigs, music festivals | soccer, watching football | flea markets, car boot sales
new mums, motherhood | self defense, self defence | jewelry making, jewellery making | cozy games, cosy games
"""
UNRELATED = """
football, American football | go game, going out | running, running a business
run a race, running a business | chess, cheese | chess, chest | boating, bating | rowing, towing
fencing, fending | hiking, hitchhiking | house music, house renovation | rock music, rock climbing
rocks and minerals, rock music | metal music, metalworking | folk music, folk dance
country music, country walks | soul music, soul searching | pop music, popular science | trance, travelling
punk, pumpkins | magic tricks, magic the gathering | drag, drag racing | bridge card game, bridges
spinning classes, spinning wool | spinning wool, cycling | water polo, watercolour | ice cream, ice skating
ice hockey, field hockey | table tennis, table football | pool hall, swimming | bowls, singing bowls
darts, arts | train travel, weight training | dog training, weight training
marathon running, marathon of films | book club, film club | film photography, films
street food, street photography | street dance, street food | board games, board sports
card games, card making | party games, party politics | hot air balloons, hot yoga
cold plunge, cold calling | wine tasting, wind power | tea, team sport | coffee, coding | beer, bears
bass guitar, bass fishing | brass, bras | harp, harpoon | organ playing, organised | flute, fruit
learn Spanish, learn German | Polish, nail polish | Thai food, Thai boxing | Turkish, Turkish baths
Japanese food, learn Japanese | Dutch, going Dutch | French, French horn | Latin, Latin dance
find a job, find a partner | make friends, find a partner | lose weight, weight lifting
quit smoking, smoking meat | save money, save the planet | get fit, fittings
start a band, start a business | learn to code, learn to drive | dogs, cats | horses, house music
birds as pets, birdwatching | bees, beef | Python programming, snakes | web development, career development
gaming, gambling | cricket, crickets at night | squash, pumpkin soup | badminton, bad habits | church, chess
Islam, island holidays | zen, denim | shooting, shooting hoops | archery, art | hunting, job hunting
surfing, couchsurfing | diving, driving | sailing, sales | climbing, climate | walking, talking
painting, panting | skating, stating | baking, biking | singing, signing with hands
"""
TABLE = kin_table()
NOBODY = TermModel.count(0, [])
FILES = resources.files("matching").joinpath("kin").iterdir()
STORED = [json.loads(path.read_text(encoding="utf-8")) for path in FILES]
CONCEPTS: dict[str, dict[str, Any]] = {
    name: entry for one in STORED for name, entry in one["concepts"].items()
}


def pairs(listed: str) -> list[tuple[str, str]]:
    pieces = [piece.split(",") for line in listed.strip().splitlines() for piece in line.split("|")]
    return [(one.strip(), other.strip()) for one, other in pieces]


def as_meant(one: str, other: str) -> float:
    """Return how close two terms are after their spelling was put right."""
    meant = [NOBODY.spelling.nearest(term) or term for term in (normalise(one), normalise(other))]
    assert meant[0] != meant[1]
    return closeness(*meant)


def test_the_lists_of_pairs_are_long_enough() -> None:
    assert min(len(set(pairs(RELATED))), len(set(pairs(UNRELATED)))) >= 60


def test_kindred_terms_are_related_either_way() -> None:
    close = {pair: (as_meant(*pair), as_meant(*pair[::-1])) for pair in pairs(RELATED)}

    assert {
        pair for pair, (there, back) in close.items() if not 0 < there < 1 or abs(there - back) > 1e-12
    } == set()


def test_what_only_looks_alike_is_not_related() -> None:
    assert {pair for pair in pairs(UNRELATED) if as_meant(*pair) or as_meant(*pair[::-1])} == set()


def test_the_nearer_kin_is_the_closer() -> None:
    synonym, wider, broad = (closeness("hiking", word) for word in ("trekking", "backpacking", "outdoor"))

    assert synonym > wider > broad > 0
    assert closeness("backpacking", "snowshoeing") > 0 == closeness("backpacking", "camping")


def test_kin_columns_take_a_part_of_the_square_and_leave_much_to_the_term() -> None:
    shares = {term: kin(term) for term in TABLE.concept_of}

    assert [columns[0][0] for columns in shares.values()] == [concept(term) for term in shares]
    assert [columns[0][1] for columns in shares.values()] == pytest.approx([SAME] * len(shares))
    assert max(sum(share for _, share in columns) for columns in shares.values()) < 0.6
    assert dict(kin("parkrun"))[concept("endurance sport")] == pytest.approx(FAR)
    assert kin("alphorn") == ()
    assert near("alphorn") == {}
    assert concept("alphorn") == -1


def test_there_are_some_hundred_concepts_and_thousands_of_terms() -> None:
    assert kin_count() == len(CONCEPTS) >= 450
    assert len(TABLE.concept_of) >= 3000


def test_the_tables_are_read_english_first_and_only_what_is_close_is_kept() -> None:
    english = json.loads(resources.files("matching").joinpath("kin/en.json").read_text(encoding="utf-8"))

    read = kin_table.__wrapped__()

    assert read.names[: len(english["concepts"])] == tuple(english["concepts"])
    assert read.near == TABLE.near
    assert NAMED <= min(value for close in read.near for value in close.values()) < 2 * NAMED


def test_no_term_stands_twice_and_all_have_a_normal_form() -> None:
    forms = [normalise(term) for name, entry in CONCEPTS.items() for term in (name, *entry["also"])]

    assert sorted(form for form in set(forms) if forms.count(form) > 1) == []
    assert all(forms)
    assert set(forms) == TABLE.concept_of.keys()
    assert all(normalise(form) == form for form in forms)


def test_every_wider_concept_exists_and_none_is_wider_than_itself() -> None:
    def wider(name: str, below: tuple[str, ...] = ()) -> int:
        assert name not in below
        return 1 + max((wider(one, (*below, name)) for one in CONCEPTS[name]["in"]), default=0)

    assert max(map(wider, CONCEPTS)) <= 7
    assert all(len(set(entry["in"])) == len(entry["in"]) <= 3 for entry in CONCEPTS.values())
    assert all(set(one["broad"]) <= CONCEPTS.keys() for one in STORED)


def test_every_concept_has_another_name_or_a_narrower_one() -> None:
    parents = {one for entry in CONCEPTS.values() for one in entry["in"]}

    assert [name for name, entry in CONCEPTS.items() if not entry["also"] and name not in parents] == []


def test_words_that_are_no_misspellings_are_no_terms() -> None:
    assert TABLE.words
    assert not TABLE.words & TABLE.concept_of.keys()


def test_another_language_adds_terms_to_a_concept_and_concepts(monkeypatch: pytest.MonkeyPatch) -> None:
    english = {"hiking": {"also": ["trekking"], "in": []}, "pool": {"also": ["billiards"], "in": []}}
    german = {
        "hiking": {"also": ["Wandern", "Pool"], "in": []},
        "Kegeln": {"also": ["Kegelbahn"], "in": ["hiking"]},
    }
    tables = [
        {"concepts": english, "broad": [], "words": []},
        {"concepts": german, "broad": ["hiking"], "words": ["Wanderer"]},
    ]
    monkeypatch.setattr(related, "_tables", lambda: iter(tables))

    table = kin_table.__wrapped__()

    assert table.names == ("hiking", "pool", "Kegeln")
    assert table.concept_of["wandern"] == table.concept_of["trekking"] == 0
    assert table.concept_of["pool"] == 1  # a term keeps its first concept
    assert table.columns.tolist() == [0, 1, 2, 0]
    assert (table.values**2).tolist() == pytest.approx([SAME, SAME, SAME, FAR])
    assert table.words == {"wanderer"}
