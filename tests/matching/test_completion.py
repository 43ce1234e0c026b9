"""Completions come commonest first, as most people spell them, and never from fewer than three members."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from matching import FACETS, Matcher, Profile, fold, normalise
from tests.matching import strategies

Found = list[tuple[str, int]]


def community(*terms: tuple[str, int]) -> Matcher:
    """Return a matcher in which so many members have each interest."""
    members = [(term, number) for term, count in terms for number in range(count)]
    return Matcher().fit([Profile(f"{term}{number}", "N", interests=(term,)) for term, number in members])


def test_the_commonest_come_first_then_in_order_of_the_normal_form() -> None:
    matcher = community(("hill walking", 3), ("hiking", 5), ("Hats", 3), ("chess", 9))

    assert matcher.complete("h", "interests", 10) == [("hiking", 5), ("Hats", 3), ("hill walking", 3)]
    assert matcher.complete("h", "interests", 2) == [("hiking", 5), ("Hats", 3)]


def test_a_term_of_two_members_never_comes_out() -> None:
    matcher = community(("hiking", 2))

    assert matcher.complete("", "interests", 10) == []
    matcher.update(Profile("third", "N", interests=("Hiking",)))
    assert matcher.complete("", "interests", 10) == [("hiking", 3)]
    matcher.remove("third")
    assert matcher.complete("", "interests", 10) == []


def test_the_spelling_is_that_of_the_most_and_any_spelling_is_a_way_to_it() -> None:
    matcher = community(("Hobby", 2), ("hobbies", 3))

    assert matcher.complete("HOBBIE", None, 10) == matcher.complete("hobby", None, 10) == [("hobbies", 5)]


def test_without_a_facet_each_member_counts_once() -> None:
    both = [Profile(f"m{number}", "N", interests=("chess",), goals=("Chess",)) for number in range(3)]

    matcher = Matcher().fit(both)

    assert matcher.complete("ch", None, 10) == [("chess", 3)]
    assert matcher.complete("ch", "goals", 10) == [("Chess", 3)]
    assert matcher.complete("ch", "activities", 10) == []


def test_pages_follow_one_another_without_gap_or_repeat() -> None:
    matcher = community(*((f"term {letter}", 3 + number % 3) for number, letter in enumerate("abcdefg")))
    whole = matcher.complete("te", None, 100)

    pages: Found = []
    for _ in whole:  # one page more than needed, and never without end
        pages += matcher.complete("te", None, 2, after=(pages[-1][1], pages[-1][0]) if pages else None)

    assert pages == whole
    assert len(whole) == 7


steps = st.lists(st.tuples(st.booleans(), strategies.profiles), min_size=4, max_size=20)


@settings(max_examples=40, deadline=None)
@given(st.lists(strategies.profiles, max_size=10), steps, st.sampled_from(("", "h", "Hikes", "c", "tra")))
def test_counts_are_those_of_who_is_in(
    population: list[Profile], changed: list[tuple[bool, Profile]], prefix: str
) -> None:
    matcher = Matcher().fit(population)
    members = {profile.id: profile for profile in population}
    matcher.complete("", None, 1)  # from here on it keeps count
    for goes, profile in changed:
        if goes:
            matcher.remove(profile.id)
            members.pop(profile.id, None)
        else:
            matcher.update(profile)
            members[profile.id] = profile

    for facet in (*FACETS, None):
        assert matcher.complete(prefix, facet, 100) == counted(list(members.values()), facet, prefix)


def counted(members: list[Profile], facet: str | None, prefix: str) -> Found:
    """Count completions from the definition."""
    spelt: dict[str, list[str]] = {}
    for profile in members:
        written = [term for one in FACETS if facet in (None, one) for term in getattr(profile, one)]
        for form in {normalise(term) for term in written} - {""}:
            spelt.setdefault(form, []).append(next(term for term in written if normalise(term) == form))
    kept = [
        (-len(spellings), form)
        for form, spellings in spelt.items()
        if len(spellings) >= 3 and any(fold(one).startswith(fold(prefix)) for one in (form, *spellings))
    ]
    return [(commonest(spelt[form]), -count) for count, form in sorted(kept)]


def commonest(spellings: list[str]) -> str:
    tally = Counter(spellings)
    return min(tally, key=lambda one: (-tally[one], one))
