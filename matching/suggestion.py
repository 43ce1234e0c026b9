"""A row of the index told as a suggestion or an introduction: what two share, how and when they can meet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from .answer import Acquaintance, Introduction, Suggestion
from .arrays import FloatArray
from .catalogue import ENGLISH
from .columns import Row
from .facts import Facts
from .in_common import InCommon
from .index import PeerIndex
from .meeting import common_slots
from .profile import Profile, Slot
from .reasons import band, how_known, openers, reasons
from .rules import Verdict


@dataclass(frozen=True, slots=True)
class Asker:
    """Hold the asking member in all the forms that a question needs, and the first of the seven days."""

    profile: Profile
    facts: Facts
    terms: Mapping[str, Mapping[str, str]]  # by facet, in normal form and as written
    rows: Mapping[str, Row]
    on: date


class Teller:
    """Tell the suggestions or introductions of one question, by position among the rows that were judged."""

    def __init__(
        self, asker: Asker, index: PeerIndex, weights: FloatArray, rows: Sequence[int], verdict: Verdict
    ) -> None:
        self._asker, self._members, self._roster, self._rows = asker, index.members, index.roster, rows
        self._in_person, self._online = verdict.in_person.tolist(), verdict.both_online.tolist()
        self._km = verdict.km.tolist()
        self._codes = index.roster.codes[rows].tolist()
        self._numbers = index.members.table["availability"][rows].tolist()
        self._openings = index.members.availability.openings(asker.on)
        self._mine = index.members.availability.openings_of(asker.facts.availability, asker.on)
        self._slots: dict[int, tuple[Slot, ...]] = {}
        self._common = InCommon(asker.terms, asker.rows, index, weights).with_rows(rows)

    def tell(self, at: int, score: float) -> Suggestion:
        """Tell one peer."""
        profile_id, name = self._roster.names(self._rows[at])
        common, distance, slots = self._common[at], self._distance(at), self._slots_with(at)
        return Suggestion(
            id=profile_id,
            name=name,
            score=round(score, 4),
            modes=("in_person",) * self._in_person[at] + ("online",) * self._online[at],
            shared=common.by_facet(),
            related=tuple((pair.mine, pair.theirs) for pair in common.related),
            distance=distance,
            slots=slots,
            reasons=reasons(common, distance, slots),
            openers=openers(common, self._pair(at), ENGLISH.first),
        )

    def introduce(self, at: int, acquaintance: Acquaintance | None) -> Introduction:
        """Tell what there is between the asking member and one peer, who may know each other."""
        common = self._common[at]
        said = reasons(common, self._distance(at), self._slots_with(at))
        if acquaintance is None:
            return Introduction(common.by_facet(), said, openers(common, self._pair(at), ENGLISH.first))
        asked = openers(common, self._pair(at), ENGLISH.again)
        return Introduction(common.by_facet(), (how_known(acquaintance), *said), asked)

    def _pair(self, at: int) -> bytes:
        """Return what stands for the two, the same from either side."""
        code: int = self._asker.facts.code ^ self._codes[at]
        return code.to_bytes(8, "little")

    def _distance(self, at: int) -> tuple[int, int] | None:
        return band(self._km[at]) if self._in_person[at] else None

    def _slots_with(self, at: int) -> tuple[Slot, ...]:
        """Return the common slots; members of one availability have the same."""
        facts, number = self._asker.facts, self._numbers[at]
        if facts.availability is None and self._members.availability.values[number] is None:
            return ()
        if number not in self._slots:
            self._slots[number] = common_slots(self._mine, self._openings[number], facts.zone, self._asker.on)
        return self._slots[number]
