"""Hard constraints: in come an asking member and everybody's facts, out come masks of who may be met.

Each rule is one mask over all members, so that what is kept back, and why, is one line of logic (see
`shortfall`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from .arrays import BoolArray, FloatArray, IntArray, Table
from .interned import Interned, Verdicts
from .meeting import Availabilities, Availability, any_opening, availability_of, openings, zone_of
from .profile import Profile, unit_vector
from .ranking import kilometres, member_code

Pairs = frozenset[tuple[str, str]]
Seeks = frozenset[Pairs]

_NOWHERE = (np.nan, np.nan, np.nan)
_COLUMNS: dict[str, type[np.generic]] = {
    "x": np.float64,
    "y": np.float64,
    "z": np.float64,
    "radius_km": np.float64,
    "in_person": np.bool_,
    "online": np.bool_,
    "suggestible": np.bool_,
    "full": np.bool_,
    "availability": np.int64,
    "languages": np.int64,
    "attributes": np.int64,
    "seeks": np.int64,
    "apart": np.int64,
    "code": np.uint64,
}
_INTERNED = ("availability", "languages", "attributes", "seeks", "apart")


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold what the rules look at in one profile, in one form for one meaning."""

    centre: tuple[float, float, float]  # on the unit sphere; NaN without a place
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
            centre=_NOWHERE if profile.place is None else unit_vector(profile.place),
            radius_km=profile.radius_km,
            modes=profile.effective_modes,
            zone=zone_of(profile),
            availability=availability_of(profile),
            languages=frozenset(tag.split("-")[0].casefold() for tag in profile.languages),
            attributes=frozenset(profile.attributes.items()),
            seeks=frozenset(frozenset((name, v) for v in values) for name, values in profile.seeks.items()),
            code=member_code(profile.id),
        )


def speak_alike(mine: frozenset[str], theirs: frozenset[str]) -> bool:
    """Tell whether two share a language, or one of them states none."""
    return not mine or not theirs or not mine.isdisjoint(theirs)


def is_sought(seeks: Seeks, attributes: Pairs) -> bool:
    """Tell whether a member's attributes are what somebody seeks: one accepted value of each."""
    return all(not attributes.isdisjoint(accepted) for accepted in seeks)


def seeks_it(attributes: Pairs, seeks: Seeks) -> bool:
    """Tell whether somebody seeks what these attributes are."""
    return is_sought(seeks, attributes)


@dataclass(frozen=True, slots=True)
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

    def reach_of(self, own_km: float) -> float:
        """Return the radius asked for, or else the member's own."""
        return own_km if self.radius_km is None else self.radius_km


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold what each rule says of every member: arrays of one length.

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
    """Keep every member's facts as columns, a row each; rows are appended and masked, never changed.

    Parameters
    ----------
    separate_by : tuple of str
        Attributes that must be equal; a missing one equals only a missing one.
    """

    def __init__(self, separate_by: tuple[str, ...] = ()) -> None:
        self.separate_by = separate_by
        self.table = Table(_COLUMNS)
        self.availability = Availabilities()
        self.languages: Verdicts[frozenset[str], frozenset[str]] = Verdicts(speak_alike)
        self.attributes: Verdicts[Seeks, Pairs] = Verdicts(is_sought)
        self.seeks: Verdicts[Pairs, Seeks] = Verdicts(seeks_it)
        self.apart: Interned[tuple[str | None, ...]] = Interned()

    def extend(self, profiles: Sequence[Profile]) -> None:
        """Append rows. A profile that can't be read leaves everything as it was."""
        facts = [Facts.of(profile) for profile in profiles]
        centres = np.array([f.centre for f in facts], np.float64).reshape(-1, 3)
        columns: dict[str, Any] = dict(zip("xyz", centres.T, strict=True))
        columns["radius_km"] = [f.radius_km for f in facts]
        columns["in_person"] = ["in_person" in f.modes for f in facts]
        columns["online"] = ["online" in f.modes for f in facts]
        columns["suggestible"] = [p.suggestible and not p.paused for p in profiles]
        columns["full"] = [p.full for p in profiles]
        columns["availability"] = [self.availability.number_of(f.availability) for f in facts]
        columns["languages"] = [self.languages.number_of(f.languages) for f in facts]
        columns["attributes"] = [self.attributes.number_of(f.attributes) for f in facts]
        columns["seeks"] = [self.seeks.number_of(f.seeks) for f in facts]
        columns["apart"] = [self.apart.number_of(self._separated(f.attributes)) for f in facts]
        columns["code"] = np.array([f.code for f in facts], np.uint64)
        self.table.extend(columns)

    def kill(self, row: int) -> None:
        """Let nobody be suggested this row any more."""
        self.table["suggestible"][row] = False

    def keep(self, rows: IntArray) -> None:
        """Keep only some rows, and the values that they hold."""
        self.table.keep(rows)
        for name in _INTERNED:
            interned: Interned[Any] = getattr(self, name)
            self.table.replace(name, interned.keep(self.table[name])[self.table[name]])

    def separate(self, separate_by: tuple[str, ...]) -> None:
        """Separate by other attributes."""
        self.separate_by = separate_by
        self.apart = Interned()
        numbers = [self.apart.number_of(self._separated(attributes)) for attributes in self.attributes.values]
        self.table.replace("apart", np.array(numbers, np.int64)[self.table["attributes"]])

    def judge(self, facts: Facts, question: Question, invited_by: IntArray, absent: IntArray) -> Verdict:
        """Apply every rule to every row; being full hides no `invited_by`, `absent` rows are not there."""
        table = self.table
        equal = table["apart"] == self.apart.find(self._separated(facts.attributes))
        room = ~table["full"]
        room[invited_by] = True
        present = table["suggestible"] & room & equal
        present[absent] = False
        km = self.kilometres(facts)
        modes = facts.modes if question.mode is None else facts.modes & {question.mode}
        theirs = self.availability.openings(question.on)
        common = any_opening(theirs & openings([facts.availability], question.on))
        return Verdict(
            equal=equal,
            present=present,
            km=km,
            near_ok=km <= np.minimum(question.reach_of(facts.radius_km), table["radius_km"]),
            both_in_person=table["in_person"] & ("in_person" in modes),
            both_online=table["online"] & ("online" in modes),
            language=self.languages.of(facts.languages)[table["languages"]],
            slot=common[table["availability"]],
            mine_met=self.attributes.of(facts.seeks)[table["attributes"]],
            theirs_met=self.seeks.of(facts.attributes)[table["seeks"]],
            has_hour=any_opening(theirs)[table["availability"]],
            peer_in_person=table["in_person"],
            peer_online=table["online"],
            peer_placed=~np.isnan(table["x"]),
            peer_radius_km=table["radius_km"],
        )

    def kilometres(self, facts: Facts) -> FloatArray:
        """Return the distance to every row; NaN where one of the two has no place."""
        return kilometres(self.table["x"], self.table["y"], self.table["z"], facts.centre)

    def _separated(self, attributes: Pairs) -> tuple[str | None, ...]:
        stated = dict(attributes)
        return tuple(stated.get(name) for name in self.separate_by)
