"""A roster gives back the profiles that it was given, and finds each by its id."""

from dataclasses import replace

import numpy as np
import pytest

from matching import FACETS, Place, Profile, Slot, roster
from matching.roster import Roster, pack, unpack

FULL = Profile(
    "id \ud800 ü",
    'Na"me',
    interests=("Ⓐ", "日本", "a\\b"),
    activities=("x",),
    goals=(),
    place=Place.at(52.52, 13.405),
    radius_km=12.7,
    modes=frozenset({"online", "in_person"}),
    timezone="Europe/Berlin",
    availability=(Slot(1, 1080, 1260), Slot(0, 0, 1440)),
    languages=("de-AT", "en"),
    attributes={"team": "x", "role": ""},
    seeks={"role": ("a", "b"), "team": ()},
    suggestible=False,
    full=True,
    paused=True,
)
PLAIN = Profile("plain", "P")


def filled(*ids: str) -> Roster:
    kept = Roster()
    kept.extend(ids, [pack(Profile(one, one.upper())) for one in ids])
    return kept


def told(kept: Roster) -> dict[str, int]:
    return {kept.profile(row).id: row for row in kept.taken.tolist()}


@pytest.mark.parametrize("profile", [FULL, PLAIN])
def test_a_profile_comes_back_as_it_was(profile: Profile) -> None:
    assert unpack(pack(profile)) == profile
    assert pack(unpack(pack(profile))) == pack(profile)


@pytest.mark.parametrize("profile", [replace(FULL, id='id "ü'), PLAIN])
def test_names_and_terms_are_read_by_themselves(profile: Profile) -> None:
    kept = Roster()
    kept.extend([profile.id], [pack(profile)])

    assert kept.names(0) == (profile.id, profile.name)
    assert kept.terms(0) == {facet: list(profile.terms(facet)) for facet in FACETS}


def test_early_and_late_rows_are_found() -> None:
    kept = filled("c", "a", "b")
    assert kept.find(["a", "b", "x"]) == {"a": 1, "b": 2}

    kept.reorder(0, np.array([2, 1, 0]))
    kept.extend(["late"], [pack(Profile("late", "L"))])

    assert kept.find(["a", "b", "c", "late", "x"]) == {"a": 1, "b": 0, "c": 2, "late": 3}
    assert kept.find([]) == {}
    assert told(kept) == {"b": 0, "a": 1, "c": 2, "late": 3}
    assert kept.holds(3, pack(Profile("late", "L")))
    assert not kept.holds(3, pack(Profile("late", "Other")))


def test_late_rows_change_their_order_too() -> None:
    kept = filled("a", "b")
    kept.reorder(0, np.arange(2))
    kept.extend(["c", "d", "e"], [pack(Profile(one, "N")) for one in "cde"])
    kept.take_out("d", 3)

    kept.reorder(2, np.array([2, 0]))

    assert kept.find("abcde") == {"a": 0, "b": 1, "e": 2, "c": 3}
    assert (len(kept), kept.rows) == (4, 4)

    kept.reorder(2, np.array([1]))
    kept.extend(["f"], [pack(Profile("f", "N"))])
    kept.reorder(2, np.array([1, 0]))

    assert kept.find("abcf") == {"a": 0, "b": 1, "f": 2, "c": 3}


def test_who_is_taken_out_is_not_found() -> None:
    kept = filled("a", "b")
    kept.reorder(0, np.arange(2))
    kept.extend(["a"], [pack(Profile("a", "New"))])
    kept.take_out("a", 0)

    assert kept.find(["a"]) == {"a": 2}
    assert len(kept) == 2
    kept.take_out("b", 1)
    kept.take_out("a", 2)
    assert kept.find(["a", "b"]) == {}
    assert len(kept) == 0


def test_ids_of_one_code_are_not_confused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roster, "member_code", lambda _: 7)
    kept = filled("a", "b", "c")
    kept.reorder(0, np.arange(3))
    kept.take_out("b", 1)

    assert kept.find(["a", "b", "c", "d"]) == {"a": 0, "c": 2}


def test_many_ids_are_found_as_few_are() -> None:
    ids = [f"m{number}" for number in range(100)]
    kept = filled(*ids)
    kept.reorder(0, np.arange(100)[::-1])

    assert kept.find([*ids, "nobody"]) == {one: 99 - number for number, one in enumerate(ids)}
    assert [kept.find([one]) for one in (*ids[:3], "nobody")] == [{"m0": 99}, {"m1": 98}, {"m2": 97}, {}]


def test_members_are_found_by_code() -> None:
    kept = filled("a", "b")
    assert kept.rows_of(kept.codes).tolist() == [0, 1]
    kept.reorder(0, np.arange(2))
    kept.extend(["c"], [pack(Profile("c", "C"))])
    kept.take_out("b", 1)

    codes = kept.codes.copy()
    assert kept.rows_of(np.append(codes, np.uint64(5))).tolist() == [0, -1, 2, -1]
    assert [kept.id_of(int(code)) for code in codes] == ["a", None, "c"]
    assert kept.id_of(5) is None


def test_nothing_is_left_of_who_was_dropped() -> None:
    kept = filled("stays", "canary")
    kept.take_out("canary", 1)

    kept.reorder(0, kept.taken)

    assert not any(b"canary" in part.values.tobytes() for part in kept.parts().values())
