"""Small communities whose best answer a person can see."""

from matching import Matcher, Place, Profile, TermModel
from tests.matching.values import pair_code

TOWN = Place.at(52.52, 13.405)
PARK = Place.at(52.535, 13.42)
SUBURB = Place.at(52.45, 13.30)


def member(name: str, *interests: str, place: Place | None = None) -> Profile:
    return Profile(name, name, interests=interests, place=place)


def crowd(number: int, *interests: str) -> list[Profile]:
    """Return members who make terms common; they are in nobody's list."""
    return [
        Profile(f"crowd{at}", "C", interests=interests, place=TOWN, suggestible=False) for at in range(number)
    ]


def best(asker: Profile, *others: Profile, n: int = 10) -> list[str]:
    return [item.id for item in Matcher().fit([asker, *others]).suggest(asker, n).items]


def test_who_lists_fifty_terms_does_not_beat_who_shares_the_same_two() -> None:
    fifty = member("fifty", "chess", "pottery", *(f"thing number {at}" for at in range(48)))

    assert best(member("ana", "chess", "pottery"), fifty, member("two", "chess", "pottery"))[0] == "two"


def test_who_shares_one_of_two_beats_who_shares_one_of_fifty() -> None:
    fifty = member("fifty", "chess", *(f"thing number {at}" for at in range(49)))

    assert best(member("ana", "chess", "pottery"), fifty, member("two", "chess", "zither"))[0] == "two"


def test_a_rare_shared_term_beats_a_common_one_and_two_beat_one() -> None:
    ana = member("ana", "coffee", "zither", "pottery")
    others = member("rare", "zither"), member("common", "coffee"), member("both", "coffee", "zither")

    assert best(ana, *others, *crowd(60, "coffee")) == ["both", "rare", "common"]


def test_a_shared_term_beats_its_synonym_which_beats_its_like_and_a_stranger_comes_last() -> None:
    ana = member("ana", "photography")
    others = member("synonym", "taking photos"), member("same", "Photography"), member("stranger", "opera")

    assert best(ana, *others) == ["same", "synonym", "stranger"]


def test_a_typo_is_found_and_counts_for_less() -> None:
    ana = member("ana", "photography")
    others = member("typo", "photografhy"), member("same", "photography"), member("stranger", "zither")

    assert best(ana, *others) == ["same", "typo", "stranger"]


def test_of_two_who_share_the_same_the_nearer_comes_first() -> None:
    ana = member("ana", "chess", place=TOWN)
    near, far = member("near", "chess", place=PARK), member("far", "chess", place=SUBURB)

    assert best(ana, far, near) == ["near", "far"]


def test_next_door_does_not_beat_a_rare_shared_term_across_town() -> None:
    ana = member("ana", "coffee", "zither", place=TOWN)
    neighbour, kindred = member("neighbour", "coffee", place=TOWN), member("kindred", "zither", place=SUBURB)

    assert best(ana, neighbour, kindred, *crowd(60, "coffee")) == ["kindred", "neighbour"]


def test_who_has_nothing_in_common_comes_last_the_nearest_of_them_first() -> None:
    ana = member("ana", "coffee", place=TOWN)
    others = [member("next door", "opera", place=TOWN), member("park", "opera", place=PARK)]

    assert best(ana, *others, member("far", "coffee", place=SUBURB), *crowd(60, "coffee")) == [
        "far",
        "next door",
        "park",
    ]


def test_acquaintances_in_common_come_first_and_the_score_says_nothing_of_them() -> None:
    ana = member("ana", "chess", "zither")
    others = [member("alike", "chess", "zither"), member("knows one", "opera"), member("knows many", "opera")]
    matcher = Matcher().fit([ana, *others])

    answer = matcher.suggest(ana, acquainted={"knows one": 1, "knows many": 7, "gone": 3, "alike": 0})

    assert [item.id for item in answer.items] == ["knows many", "knows one", "alike"]
    scores = {item.id: item.score for item in answer.items}
    assert scores == {item.id: item.score for item in matcher.suggest(ana).items}


def test_after_four_who_is_shown_too_often_gives_way_and_keeps_their_score() -> None:
    ana = member("ana", "chess", "zither", "opera")
    best_four = [member(f"best {at}", "chess", "zither", "opera") for at in range(4)]
    everybody = [ana, *best_four, member("popular", "chess", "zither"), member("quiet", "chess")]
    prices = {"best 0": 9.0, "popular": 4.0}
    matcher = Matcher().fit(everybody, prices=prices)

    dear = matcher.suggest(ana).items
    matcher.use(matcher.model_, prices=None)
    plain = matcher.suggest(ana).items

    assert [item.id for item in dear[:4]] == [item.id for item in plain[:4]]
    assert [item.id for item in dear[4:]] == ["quiet", "popular"]
    assert [item.id for item in plain[4:]] == ["popular", "quiet"]
    assert {item.id: item.score for item in dear} == {item.id: item.score for item in plain}


def test_exact_ties_are_ordered_by_the_pairs_code_alone() -> None:
    ana = member("ana", "chess")
    alike = [member(f"m{at}", "chess", "zither") for at in range(30)]
    model = TermModel.of(4, [ana, *alike])

    orders = [
        [item.id for item in Matcher().fit(some, model=model).suggest(ana, 5).items]
        for some in (alike, alike[::-1])
    ]

    assert (
        orders[0] == orders[1] == sorted((one.id for one in alike), key=lambda i: pair_code("ana", i, 4))[:5]
    )
