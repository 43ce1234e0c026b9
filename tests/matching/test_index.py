"""What was written is seen at once, and what was taken out leaves nothing behind."""

import json
from unittest.mock import patch

import pytest

from matching import Matcher, PeerIndex, Profile, ProfileVectorizer, Slot
from matching import index as module
from matching.ranking import member_code
from matching.terms import distinct
from tests.matching import strategies


def empty() -> PeerIndex:
    return PeerIndex(ProfileVectorizer().fit([]))


def alike(index: PeerIndex, asker: Profile) -> dict[str, float]:
    """Return what everybody who is in shares with somebody in interests."""
    columns = index.vectorizer.columns_["interests"]
    offered = {"interests": columns.meeting(columns.row(distinct(asker.interests)), 1.0)}
    rows = index.roster.taken
    shared = index.shared(offered, rows).tolist()
    return {index.profile(row).id: share for row, share in zip(rows.tolist(), shared, strict=True)}


ZOETROPES = Profile("asker", "A", interests=("zoetropes",))


def test_a_member_is_found_replaced_and_gone() -> None:
    index = empty()

    index.update([Profile("a", "A", interests=("zoetropes",)), Profile("b", "B", interests=("kites",))])
    assert alike(index, ZOETROPES) == {"a": 1.0, "b": 0.0}
    index.update([Profile("a", "A", interests=("kites",)), Profile("b", "B", interests=("zoetropes",))])
    assert alike(index, ZOETROPES) == {"a": 0.0, "b": 1.0}
    index.remove("b")
    assert alike(index, ZOETROPES) == {"a": 0.0}
    assert len(index) == 1
    assert "b" not in index
    assert index.get("b") is None


def test_of_the_same_id_the_last_wins() -> None:
    index = empty()

    index.update([Profile("a", "A", interests=("zoetropes",)), Profile("a", "A", interests=("kites",))])

    assert alike(index, ZOETROPES) == {"a": 0.0}


def test_an_unchanged_profile_takes_no_row() -> None:
    index = empty()
    index.update([Profile("a", "A", interests=("zoetropes",))])

    index.update([Profile("a", "A", interests=("zoetropes",))])

    assert index.rows == 1


def test_removing_somebody_unknown_is_no_error() -> None:
    index = empty()

    index.remove("nobody")

    assert len(index) == 0


def test_a_member_who_cannot_be_read_changes_nothing() -> None:
    index = empty()
    index.update([Profile("a", "A", interests=("zoetropes",))])
    broken = Profile("a", "A", timezone="Mars/Olympus", availability=(Slot(0, 0, 60),))

    with pytest.raises(ValueError, match="expected an IANA time zone"):
        index.update([Profile("b", "B"), broken])

    assert alike(index, ZOETROPES) == {"a": 1.0}


def test_removals_leave_no_rows_behind() -> None:
    index = empty()
    index.update([Profile(f"m{number}", "M", interests=("zoetropes",)) for number in range(50)])

    for number in range(49):
        index.remove(f"m{number}")

    assert alike(index, ZOETROPES) == pytest.approx({"m49": 1.0})
    assert index.rows <= 8


def test_churn_leaves_no_rows_terms_or_values_behind() -> None:
    index = empty()
    index.update([Profile("a", "A", interests=("zoetropes",))])

    for number in range(100):
        churn = {"role": f"r{number}"}
        slots = (Slot(0, 15 * (number % 96), 1440),)
        index.update(
            [
                Profile(
                    "b",
                    "B",
                    interests=(f"term {number}",),
                    attributes=churn,
                    languages=(f"x{number}",),
                    availability=slots,
                )
            ]
        )

    assert index.rows <= 8
    assert len(index.vectorizer.columns_["interests"].terms) <= 8
    assert max(len(one.values) for one in (index.members.attributes, index.members.languages)) <= 8
    assert len(index.members.availability.values) <= 8
    assert alike(index, ZOETROPES) == {"a": 1.0, "b": 0.0}
    assert {profile.id for profile in index.profiles()} == {"a", "b"}


@pytest.mark.parametrize("tail", [0, 2048])
def test_what_was_kept_of_an_index_is_the_same_index(tail: int) -> None:
    members = strategies.crowd(3)
    with patch.object(module, "TAIL", tail):
        matcher = Matcher(separate_by=("team",)).fit(members, prices={"a": 0.5, "b": -1.0})
        matcher.compact()
    kept, parts = json.loads(json.dumps(matcher.index_.as_dict())), matcher.index_.parts()

    copy = Matcher(separate_by=("team",)).fit((), model=matcher.model_)
    copy.index_.restore(kept, parts)

    assert len(copy.index_.segments) == (tail == 0)
    assert [copy.suggest(one) for one in members] == [matcher.suggest(one) for one in members]
    copy.update(Profile("late", "L", interests=("chess",)))
    copy.remove_code(member_code("a"))
    copy.remove_code(member_code("nobody"))
    assert {profile.id for profile in copy.index_.profiles()} == {*"bcdefghijkl", "late"}
