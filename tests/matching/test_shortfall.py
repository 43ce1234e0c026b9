"""Each reason and each relaxation by its plainest example, in the contract's order."""

from dataclasses import replace
from typing import Any

import pytest

from matching import Matcher, Place, Profile, Slot

HERE, NEAR, FAR = Place.at(52.52, 13.405), Place.at(52.5, 13.6), Place.at(52.4, 13.05)  # 13 and 27 km away
EVENING, MORNING = (Slot(0, 1080, 1200),), (Slot(0, 480, 600),)
ASKER = Profile("asker", "A", place=HERE, radius_km=20)
PEER = Profile("peer", "P", place=NEAR, radius_km=200)
ONLINE = frozenset({"online"})


def shortfall(asker: Profile, *peers: Profile, **asked: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    answer = Matcher().fit([asker, *peers]).suggest(asker, **asked)
    assert answer.shortfall is not None
    assert answer.shortfall.missing == 10 - len(answer.items)
    return answer.shortfall.reasons, answer.shortfall.relax


def test_nobody_at_all_is_no_reason() -> None:
    assert shortfall(ASKER) == ((), ())


def test_who_fits_keeps_nobody_back() -> None:
    assert shortfall(ASKER, PEER) == ((), ())


@pytest.mark.parametrize(
    ("asker", "peer", "reasons", "relax"),
    [
        (replace(ASKER, place=None, modes=frozenset({"in_person"})), PEER, ("no_location",), ()),
        (replace(ASKER, place=None), PEER, ("no_location",), ()),
        (ASKER, replace(PEER, place=FAR), ("too_far",), ("radius_km",)),
        (ASKER, replace(PEER, radius_km=5), ("too_far",), ()),
        (ASKER, replace(PEER, modes=ONLINE), ("no_shared_mode",), ("modes",)),
        (replace(ASKER, modes=ONLINE), PEER, ("no_shared_mode",), ("modes",)),
        (
            replace(ASKER, availability=EVENING),
            replace(PEER, availability=MORNING),
            ("no_shared_slot",),
            ("availability",),
        ),
        (ASKER, replace(PEER, availability=(Slot(0, 0, 45),)), ("no_shared_slot",), ()),
        (
            replace(ASKER, languages=("de",)),
            replace(PEER, languages=("fr",)),
            ("no_shared_language",),
            ("languages",),
        ),
        (replace(ASKER, seeks={"role": ("mentor",)}), PEER, ("not_sought",), ("seeks",)),
        (ASKER, replace(PEER, seeks={"role": ("mentor",)}), ("not_sought",), ()),
        (
            replace(ASKER, seeks={"role": ("mentor",)}),
            replace(PEER, seeks={"role": ("mentee",)}),
            ("not_sought",),
            (),
        ),
    ],
)
def test_what_alone_keeps_a_member_back_is_named(
    asker: Profile, peer: Profile, reasons: tuple[str, ...], relax: tuple[str, ...]
) -> None:
    assert shortfall(asker, peer) == (reasons, relax)


def test_what_two_things_keep_back_is_named_by_neither() -> None:
    asker = replace(ASKER, languages=("de",))

    assert shortfall(asker, replace(PEER, place=FAR, languages=("fr",))) == ((), ())


def test_who_is_absent_is_no_reason() -> None:
    assert shortfall(ASKER, replace(PEER, place=FAR), exclude=("peer",)) == ((), ())
    assert shortfall(ASKER, replace(PEER, place=FAR, suggestible=False)) == ((), ())


def test_beyond_twice_the_radius_nobody_is_counted() -> None:
    assert shortfall(replace(ASKER, radius_km=10), replace(PEER, place=FAR)) == ((), ())
    assert shortfall(ASKER, replace(PEER, place=FAR), radius_km=5.0) == ((), ())


def test_a_question_narrowed_to_a_mode_says_so() -> None:
    asker, peer = replace(ASKER, modes=frozenset({"in_person", "online"})), replace(PEER, place=None)

    assert shortfall(asker, peer, mode="in_person") == (("no_shared_mode",), ("modes",))
    assert shortfall(replace(ASKER, place=None), PEER, mode="online") == ((), ())


def test_where_a_place_is_missing_no_mode_is_said_to_be() -> None:
    peer = replace(PEER, modes=frozenset({"in_person", "online"}))

    assert shortfall(replace(ASKER, place=None), peer, mode="in_person") == (("no_location",), ("modes",))


def test_reasons_stand_in_the_contracts_order_and_relaxations_by_their_effect() -> None:
    asker = replace(ASKER, languages=("de",), availability=EVENING, seeks={"role": ("mentor",)})
    fits = replace(PEER, attributes={"role": "mentor"})
    peers = [
        replace(fits, id="1", attributes={}),
        replace(fits, id="2", languages=("fr",)),
        replace(fits, id="3", languages=("fr",)),
        replace(fits, id="4", availability=MORNING),
        replace(fits, id="5", modes=ONLINE),
        replace(fits, id="6", place=FAR),
        replace(fits, id="7", place=FAR),
        replace(fits, id="8", place=FAR),
    ]

    assert shortfall(asker, *peers) == (
        ("too_far", "no_shared_mode", "no_shared_slot", "no_shared_language", "not_sought"),
        ("radius_km", "languages", "modes", "availability", "seeks"),
    )


def test_a_full_list_has_no_shortfall() -> None:
    answer = Matcher().fit([ASKER, PEER]).suggest(ASKER, n=1)

    assert len(answer.items) == 1
    assert answer.shortfall is None
