"""Hard constraints: in come an asking member and members' facts, out come masks of who may be met.

Each rule is one mask, so that what is kept back, and why, is one line of logic (see
`shortfall`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np

from .arrays import BoolArray, FloatArray, Growing, IntArray, Table, WordArray
from .interned import Interned, Verdicts
from .meeting import Availabilities, Availability, any_opening, availability_of, zone_of
from .profile import Place, Profile, Slot, unit_vector
from .ranking import kilometres, member_code, member_codes

Pairs = frozenset[tuple[str, str]]
Seeks = frozenset[Pairs]

_NOWHERE = (np.nan, np.nan, np.nan)
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


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold what the rules look at in one profile, in one form for one meaning."""

    place: Place | None
    radius_km: float
    modes: frozenset[str]
    zone: str
    availability: Availability
    languages: frozenset[str]  # first subtags
    attributes: Pairs
    seeks: Seeks  # for each attribute sought, the pairs that will do
    code: int

    @classmethod
    def of(cls, profile: Profile) -> "Facts":
        """Read the facts off a profile.

        Raises
        ------
        ValueError
            If the time zone is unknown: found out now, it can't break the answers of others later.
        """
        return cls(
            place=profile.place,
            radius_km=profile.radius_km,
            modes=profile.effective_modes,
            zone=zone_of(profile),
            availability=availability_of(profile),
            languages=frozenset(tag.split("-")[0].casefold() for tag in profile.languages),
            attributes=frozenset(profile.attributes.items()),
            seeks=frozenset(frozenset((name, v) for v in values) for name, values in profile.seeks.items()),
            code=member_code(profile.id),
        )

    @property
    def centre(self) -> tuple[float, float, float]:
        """Return the place on the unit sphere, NaN where there is none."""
        return _NOWHERE if self.place is None else unit_vector(self.place)


def speak_alike(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """Tell whether two share a language, or one of them states none."""
    return not mine or not theirs or not mine.isdisjoint(theirs)


def is_sought(seeks: Seeks, attributes: Pairs) -> bool:
    """Tell whether a member's attributes are what somebody seeks: one accepted value of each."""
    return all(not attributes.isdisjoint(accepted) for accepted in seeks)


def seeks_it(attributes: Pairs, seeks: Seeks) -> bool:
    """Tell whether somebody seeks what these attributes are."""
    return is_sought(seeks, attributes)


@dataclass(frozen=True)
class Question:
    """Hold what an asking member asks for, besides who they are.

    Attributes
    ----------
    on : date
        First of the seven days (UTC) in which slots are sought.
    radius_km : float or None
        In place of the member's own.
    mode : str or None
        The only mode asked for.
    exclude : collection of str
        Ids that count as absent.
    invited_by : collection of str
        Ids that are seen although they are full.
    """

    on: date
    radius_km: float | None = None
    mode: str | None = None
    exclude: Collection[str] = ()
    invited_by: Collection[str] = ()

    @cached_property
    def absent(self) -> WordArray:
        """Return the codes of those who count as absent, ascending."""
        return member_codes(self.exclude)

    @cached_property
    def seen(self) -> WordArray:
        """Return the codes of those who are seen although they are full, ascending."""
        return member_codes(self.invited_by)

    def modes_of(self, facts: Facts) -> frozenset[str]:
        """Return the modes asked for."""
        return facts.modes if self.mode is None else facts.modes & {self.mode}

    def reach_of(self, own_km: float) -> float:
        """Return the radius asked for, or else the member's own."""
        return own_km if self.radius_km is None else self.radius_km


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold what each rule says of the members asked about: arrays of one length.

    Attributes
    ----------
    equal : bool
        Equal in what the community separates by.
    present : bool
        Equal, suggestible, with room for the asking member, not themself, not excluded.
    km : float
        Distance, NaN where one of the two has no place.
    near_ok : bool
        Within both radii.
    both_in_person, both_online : bool
        Both have the mode, as far as the question allows it.
    language, slot, mine_met, theirs_met : bool
        A common language, a common slot, the asking member's seeks met, the peer's seeks met.
    has_hour : bool
        The peer is free for an hour at all.
    peer_in_person, peer_online : bool
        The peer has the mode, whatever was asked.
    peer_placed : bool
    peer_radius_km : float
    """

    equal: BoolArray
    present: BoolArray
    km: FloatArray
    near_ok: BoolArray
    both_in_person: BoolArray
    both_online: BoolArray
    language: BoolArray
    slot: BoolArray
    mine_met: BoolArray
    theirs_met: BoolArray
    has_hour: BoolArray
    peer_in_person: BoolArray
    peer_online: BoolArray
    peer_placed: BoolArray
    peer_radius_km: FloatArray

    @property
    def in_person(self) -> BoolArray:
        """Tell who can be met in person."""
        return self.both_in_person & self.near_ok

    @property
    def meets(self) -> BoolArray:
        """Tell who can be met in some way."""
        return self.in_person | self.both_online

    @property
    def sought(self) -> BoolArray:
        """Tell where seeks are met both ways."""
        return self.mine_met & self.theirs_met

    @property
    def fits(self) -> BoolArray:
        """Tell whom no rule forbids."""
        return self.present & self.meets & self.language & self.slot & self.sought


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
        """Apply every rule to some rows, whose members have these codes; nobody meets themself."""
        column = self.table.rows[rows]
        equal = column["apart"] == self.apart_from(facts)
        present = column["suggestible"] & (~column["full"] | _among(codes, question.seen)) & equal
        present &= (codes != np.uint64(facts.code)) & ~_among(codes, question.absent)
        km = self.place.kilometres(column["place"], facts.centre)
        modes = question.modes_of(facts)
        distinct, number = np.unique(column["availability"], return_inverse=True)
        theirs = self.availability.openings(question.on)[distinct]
        mine = self.availability.openings_of(facts.availability, question.on)
        common = any_opening(theirs & mine)
        return Verdict(
            equal=equal,
            present=present,
            km=km,
            near_ok=km <= np.minimum(question.reach_of(facts.radius_km), column["radius_km"]),
            both_in_person=column["in_person"] & ("in_person" in modes),
            both_online=column["online"] & ("online" in modes),
            language=self.languages.of(facts.languages)[column["languages"]],
            slot=common[number],
            mine_met=self.attributes.of(facts.seeks)[column["attributes"]],
            theirs_met=self.seeks.of(facts.attributes)[column["seeks"]],
            has_hour=any_opening(theirs)[number],
            peer_in_person=column["in_person"],
            peer_online=column["online"],
            peer_placed=~np.isnan(km) if facts.place else self.place.known[column["place"]],
            peer_radius_km=column["radius_km"],
        )

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
        self._points.extend([axis for place in fresh for axis in (unit_vector(place) if place else _NOWHERE)])
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
