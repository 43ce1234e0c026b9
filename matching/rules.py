"""Hard constraints: in come an asking member and members' facts, out come masks of who may be met.

Each rule is one mask, so that what is kept back, and why, is one line of logic (see
`shortfall`).
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .arrays import BoolArray, FloatArray, Growing, IntArray, Table, WordArray
from .facts import NOWHERE, Facts, Pairs, Question, Seeks
from .interned import Interned, Verdicts
from .meeting import Availabilities, any_opening
from .profile import Place, Profile, Slot, unit_vector
from .ranking import kilometres

_COLUMNS: dict[str, type[np.generic]] = {
    "radius_km": np.float64,
    "in_person": np.bool_,
    "online": np.bool_,
    "suggestible": np.bool_,
    "full": np.bool_,
    "place": np.int32,
    "availability": np.int32,
    "languages": np.int32,
    "attributes": np.int32,
    "seeks": np.int32,
    "apart": np.int32,
}
_INTERNED = ("place", "availability", "languages", "attributes", "seeks", "apart")


def speak_alike(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """Tell whether two share a language, or one of them states none."""
    return not mine or not theirs or not mine.isdisjoint(theirs)


def is_sought(seeks: Seeks, attributes: Pairs) -> bool:
    """Tell whether a member's attributes are what somebody seeks: one accepted value of each."""
    return all(not attributes.isdisjoint(accepted) for accepted in seeks)


def seeks_it(attributes: Pairs, seeks: Seeks) -> bool:
    """Tell whether somebody seeks what these attributes are."""
    return is_sought(seeks, attributes)


class Verdict:
    """Say what each rule says of the members asked about: arrays of one length, worked out when looked at.

    Parameters
    ----------
    members : Members
    facts, question
        Who asks, and for what.
    rows : array
        Of the members asked about, with the fields of the table.
    codes : array of int
        What stands for their ids.
    """

    def __init__(
        self, members: "Members", facts: Facts, question: Question, rows: NDArray[Any], codes: WordArray
    ) -> None:
        self._members, self._facts, self._question = members, facts, question
        self._rows, self._codes = rows, codes
        self._modes = question.modes_of(facts)

    @cached_property
    def equal(self) -> BoolArray:
        """Tell who is equal in what the community separates by."""
        equal: BoolArray = self._rows["apart"] == self._members.apart_from(self._facts)
        return equal

    @cached_property
    def present(self) -> BoolArray:
        """Tell who is equal, suggestible, has room for the asking member, and is not them, nor excluded."""
        rows, codes, question = self._rows, self._codes, self._question
        room = rows["suggestible"] & (~rows["full"] | _among(codes, question.seen))
        other = (codes != np.uint64(self._facts.code)) & ~_among(codes, question.absent)
        present: BoolArray = room & other & self.equal
        return present

    @cached_property
    def km(self) -> FloatArray:
        """Return the distances, NaN where one of the two has no place."""
        return self._members.place.kilometres(self._numbers("place"), self._facts.centre)

    @cached_property
    def near_ok(self) -> BoolArray:
        """Tell who is within both radii."""
        reach = self._question.reach_of(self._facts.radius_km)
        near: BoolArray = self.km <= np.minimum(reach, self.peer_radius_km)
        return near

    @property
    def both_in_person(self) -> BoolArray:
        """Tell where both have the mode, as far as the question allows it."""
        return self.peer_in_person & ("in_person" in self._modes)

    @property
    def both_online(self) -> BoolArray:
        """Tell where both have the mode, as far as the question allows it."""
        return self.peer_online & ("online" in self._modes)

    @cached_property
    def language(self) -> BoolArray:
        """Tell where there is a common language."""
        return self._members.languages.of(self._facts.languages)[self._numbers("languages")]

    @cached_property
    def slot(self) -> BoolArray:
        """Tell where there is a common slot."""
        theirs, number = self._openings
        mine = self._members.availability.openings_of(self._facts.availability, self._question.on)
        return any_opening(theirs & mine)[number]

    @property
    def has_hour(self) -> BoolArray:
        """Tell who is free for an hour at all."""
        theirs, number = self._openings
        return any_opening(theirs)[number]

    @cached_property
    def mine_met(self) -> BoolArray:
        """Tell whose attributes the asking member seeks."""
        return self._members.attributes.of(self._facts.seeks)[self._numbers("attributes")]

    @cached_property
    def theirs_met(self) -> BoolArray:
        """Tell who seeks what the asking member is."""
        return self._members.seeks.of(self._facts.attributes)[self._numbers("seeks")]

    @property
    def peer_in_person(self) -> BoolArray:
        """Tell who has the mode, whatever was asked."""
        mode: BoolArray = self._rows["in_person"]
        return mode

    @property
    def peer_online(self) -> BoolArray:
        """Tell who has the mode, whatever was asked."""
        mode: BoolArray = self._rows["online"]
        return mode

    @property
    def peer_placed(self) -> BoolArray:
        """Tell who has a place."""
        return ~np.isnan(self.km) if self._facts.place else self._members.place.known[self._numbers("place")]

    @property
    def peer_radius_km(self) -> FloatArray:
        """Return the members' own radii."""
        radii: FloatArray = self._rows["radius_km"]
        return radii

    @property
    def in_person(self) -> BoolArray:
        """Tell who can be met in person."""
        return self.both_in_person & self.near_ok

    @cached_property
    def meets(self) -> BoolArray:
        """Tell who can be met in some way."""
        return self.in_person | self.both_online

    @cached_property
    def sought(self) -> BoolArray:
        """Tell where seeks are met both ways."""
        return self.mine_met & self.theirs_met

    @property
    def fits(self) -> BoolArray:
        """Tell whom no rule forbids."""
        return self.present & self.meets & self.language & self.slot & self.sought

    @cached_property
    def _openings(self) -> tuple[WordArray, IntArray]:
        """Return the distinct openings, and which of them each member has."""
        distinct, number = np.unique(self._numbers("availability"), return_inverse=True)
        return self._members.availability.openings(self._question.on)[distinct], number

    def _numbers(self, name: str) -> IntArray:
        numbers: IntArray = self._rows[name]
        return numbers


class Members:
    """Keep every member's facts as columns, a row each; rows are appended and masked, and change their order.

    Parameters
    ----------
    separate_by : tuple of str
        Attributes that must be equal; a missing one equals only a missing one.
    """

    def __init__(self, separate_by: tuple[str, ...] = ()) -> None:
        self.separate_by = separate_by
        self.table = Table(_COLUMNS)
        self.place = Places()
        self.availability = Availabilities()
        self.languages: Verdicts[frozenset[str], frozenset[str]] = Verdicts(speak_alike)
        self.attributes: Verdicts[Seeks, Pairs] = Verdicts(is_sought)
        self.seeks: Verdicts[Pairs, Seeks] = Verdicts(seeks_it)
        self.apart: Interned[tuple[str | None, ...]] = Interned()

    def extend(self, profiles: Sequence[Profile]) -> None:
        """Append rows. A profile that can't be read leaves everything as it was."""
        facts = [Facts.of(profile) for profile in profiles]
        columns: dict[str, Any] = {"radius_km": [f.radius_km for f in facts]}
        columns["in_person"] = ["in_person" in f.modes for f in facts]
        columns["online"] = ["online" in f.modes for f in facts]
        columns["suggestible"] = [p.suggestible and not p.paused for p in profiles]
        columns["full"] = [p.full for p in profiles]
        columns["place"] = [self.place.number_of(f.place) for f in facts]
        columns["availability"] = [self.availability.number_of(f.availability) for f in facts]
        columns["languages"] = [self.languages.number_of(f.languages) for f in facts]
        columns["attributes"] = [self.attributes.number_of(f.attributes) for f in facts]
        columns["seeks"] = [self.seeks.number_of(f.seeks) for f in facts]
        columns["apart"] = [self.apart.number_of(self._separated(f.attributes)) for f in facts]
        self.table.extend(columns)

    def as_dict(self) -> dict[str, Any]:
        """Return what of it JSON can hold: the values that the columns name by number."""
        return {
            "place": [place and place.cell for place in self.place.values],
            "availability": [
                one and (one[0], [(slot.day, slot.start, slot.end) for slot in one[1]])
                for one in self.availability.values
            ],
            "languages": [sorted(one) for one in self.languages.values],
            "attributes": [sorted(one) for one in self.attributes.values],
            "seeks": [[sorted(some) for some in one] for one in self.seeks.values],
            "apart": self.apart.values,
        }

    def restore(self, kept: Mapping[str, Any], parts: Mapping[str, Growing]) -> None:
        """Take what `as_dict` gave, and the parts of the table."""
        self.table.restore(parts)
        self.place.restore(Place.of(cell) if cell else None for cell in kept["place"])
        self.availability.restore(
            one and (one[0], tuple(Slot(*slot) for slot in one[1])) for one in kept["availability"]
        )
        self.languages.restore(map(frozenset, kept["languages"]))
        self.attributes.restore(frozenset(map(tuple, one)) for one in kept["attributes"])
        self.seeks.restore(frozenset(frozenset(map(tuple, some)) for some in one) for one in kept["seeks"])
        self.apart.restore(map(tuple, kept["apart"]))

    def kill(self, row: int) -> None:
        """Let nobody be suggested this row any more."""
        self.table["suggestible"][row] = False

    def tidy(self) -> None:
        """Forget the values that no row holds."""
        for name in _INTERNED:
            interned: Interned[Any] = getattr(self, name)
            self.table.replace(name, interned.keep(self.table[name])[self.table[name]])

    def separate(self, separate_by: tuple[str, ...]) -> None:
        """Separate by other attributes."""
        self.separate_by = separate_by
        self.apart = Interned()
        numbers = [self.apart.number_of(self._separated(attributes)) for attributes in self.attributes.values]
        self.table.replace("apart", np.array(numbers, np.int64)[self.table["attributes"]])

    def apart_from(self, facts: Facts) -> int:
        """Return the number of those who are equal in what the community separates by, -1 for none."""
        return self.apart.find(self._separated(facts.attributes))

    def judge(self, facts: Facts, question: Question, rows: IntArray, codes: WordArray) -> Verdict:
        """Judge some rows, whose members have these codes; nobody meets themself."""
        return Verdict(self, facts, question, self.table.rows[rows], codes)

    def _separated(self, attributes: Pairs) -> tuple[str | None, ...]:
        stated = dict(attributes)
        return tuple(stated.get(name) for name in self.separate_by)


def _among(codes: WordArray, some: WordArray) -> BoolArray:
    """Tell which codes are among some others, which ascend."""
    if not len(some):
        return np.zeros(len(codes), np.bool_)
    found: BoolArray = some[np.minimum(np.searchsorted(some, codes), len(some) - 1)] == codes
    return found


class Places(Interned[Place | None]):
    """Number places, and keep their points on the unit sphere; nowhere is a place too, at NaN."""

    def __init__(self) -> None:
        super().__init__()
        self._points = Growing(np.float64)

    @property
    def points(self) -> FloatArray:
        """Return the points of all places, by number: shape (n_places, 3)."""
        fresh = self.values[len(self._points) // 3 :]
        self._points.extend([axis for place in fresh for axis in (unit_vector(place) if place else NOWHERE)])
        points: FloatArray = self._points.values.reshape(-1, 3)
        return points

    @property
    def known(self) -> BoolArray:
        """Tell which numbers stand for somewhere."""
        return ~np.isnan(self.points[:, 0])

    def kilometres(self, numbers: IntArray, centre: tuple[float, float, float]) -> FloatArray:
        """Return the distances of places from a point; NaN where one of the two is nowhere."""
        x, y, z = self.points[numbers].T
        return kilometres(x, y, z, centre)

    def keep(self, used: IntArray) -> IntArray:
        """Forget all but the places of these numbers."""
        self._points = Growing(np.float64)
        return super().keep(used)
