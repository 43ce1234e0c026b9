"""A row of the index told as a suggestion or an introduction: what two share, how and when they can meet."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from .answer import Acquaintance, Introduction, Suggestion
from .arrays import FloatArray
from .catalogue import ENGLISH
from .columns import Block
from .index import PeerIndex
from .meeting import common_slots, openings
from .profile import FACETS, Profile, Slot
from .reasons import Common, Related, Shared, band, how_known, openers, reasons
from .related import concept, near
from .rules import Facts, Verdict
from .spelling import SPELT
from .terms import distinct


@dataclass(frozen=True, slots=True)
class Asker:
    """Hold the asking member in all the forms that a question needs, and the first of the seven days."""

    profile: Profile
    facts: Facts
    blocks: Mapping[str, Block]
    on: date


class Teller:
    """Tell the suggestions or introductions of one question, by position among the rows that were judged."""

    def __init__(
        self, asker: Asker, index: PeerIndex, weights: FloatArray, rows: Sequence[int], verdict: Verdict
    ) -> None:
        self._asker, self._index, self._rows, self._verdict = asker, index, rows, verdict
        self._weights = dict(zip(FACETS, weights.tolist(), strict=True))
        self._in_person = verdict.in_person
        self._openings = index.members.availability.openings(asker.on)
        self._mine = openings([asker.facts.availability], asker.on)[:, 0]
        self._slots: dict[int, tuple[Slot, ...]] = {}
        self._adds: dict[str, dict[str, float]] = {}
        self._terms = {facet: distinct(asker.profile.terms(facet)) for facet in FACETS}
        self._kin = {facet: self._reach(facet, terms) for facet, terms in self._terms.items()}
        self._entries = {
            facet: dict(zip(block.columns.tolist(), block.values.tolist(), strict=True))
            for facet, block in asker.blocks.items()
        }

    def tell(self, at: int, score: float) -> Suggestion:
        """Tell one peer."""
        peer = self._index.profile(self._rows[at])
        in_person, online = bool(self._in_person[at]), bool(self._verdict.both_online[at])
        common, distance, slots = self._common(peer), self._distance(at), self._slots_with(at)
        return Suggestion(
            id=peer.id,
            name=peer.name,
            score=round(score, 4),
            modes=("in_person",) * in_person + ("online",) * online,
            shared=common.by_facet(),
            related=tuple((pair.mine, pair.theirs) for pair in common.related),
            distance=distance,
            slots=slots,
            reasons=reasons(common, distance, slots),
            openers=openers(common, self._pair(at), ENGLISH.first),
        )

    def introduce(self, at: int, acquaintance: Acquaintance | None) -> Introduction:
        """Tell what there is between the asking member and one peer, who may know each other."""
        common = self._common(self._index.profile(self._rows[at]))
        said = reasons(common, self._distance(at), self._slots_with(at))
        if acquaintance is None:
            return Introduction(common.by_facet(), said, openers(common, self._pair(at), ENGLISH.first))
        asked = openers(common, self._pair(at), ENGLISH.again)
        return Introduction(common.by_facet(), (how_known(acquaintance), *said), asked)

    def _pair(self, at: int) -> bytes:
        """Return what stands for the two, the same from either side."""
        code = self._asker.facts.code ^ int(self._index.roster.codes[self._rows[at]])
        return code.to_bytes(8, "little")

    def _distance(self, at: int) -> tuple[int, int] | None:
        return band(float(self._verdict.km[at])) if self._in_person[at] else None

    def _slots_with(self, at: int) -> tuple[Slot, ...]:
        """Return the common slots; members of one availability have the same."""
        members, facts = self._index.members, self._asker.facts
        number = int(members.table["availability"][self._rows[at]])
        if facts.availability is None and members.availability.values[number] is None:
            return ()
        if number not in self._slots:
            self._slots[number] = common_slots(
                self._mine, self._openings[:, number], facts.zone, self._asker.on
            )
        return self._slots[number]

    def _common(self, peer: Profile) -> Common:
        shared, related = [], []
        for facet, mine in self._terms.items():
            theirs = distinct(peer.terms(facet))
            both = mine.keys() & theirs.keys()
            if both:
                shared += self._shared(facet, both)
            related += self._related(facet, theirs, both)
        shared.sort(key=lambda one: (-one.weight, FACETS.index(one.facet), one.term))
        related.sort(key=lambda pair: (-pair.weight, pair.mine, pair.theirs))
        return Common(tuple(shared), tuple(related))

    def _shared(self, facet: str, both: Iterable[str]) -> list[Shared]:
        """Weigh the shared terms by what they add to the likeness."""
        if facet not in self._adds:
            self._adds[facet] = self._added(facet)
        adds = self._adds[facet]
        return [Shared(facet, term, self._terms[facet][term], adds[term]) for term in both]

    def _added(self, facet: str) -> dict[str, float]:
        """Return what each of the asking member's terms adds where it is shared."""
        mine, columns = self._entries[facet], self._index.vectorizer.columns_[facet]
        at = {term: columns.column(term) for term in self._terms[facet] if term in columns}
        theirs = columns.own(np.array(list(at.values()), np.int64)).tolist()
        return {
            term: self._weights[facet] * mine[column] * value
            for (term, column), value in zip(at.items(), theirs, strict=True)
        }

    def _related(self, facet: str, theirs: Mapping[str, str], both: set[str]) -> list[Related]:
        """Pair each term of mine with the rarest and closest one of theirs; a shared term needs no kin."""
        pairs: dict[str, Related] = {}
        for term in sorted(theirs.keys() - both):
            meant, kin = self._meant(facet, term), self._kin[facet]
            near_it = (*kin.get(meant, ()), *kin.get(concept(meant), ()))
            if not near_it:  # as of most terms: weighing them would take longer than all the rest
                continue
            weight = self._weights[facet] * self._worth(facet, meant)
            for mine, close in near_it:
                pair = Related(self._terms[facet][mine], theirs[term], weight * close)
                if mine not in both and (mine not in pairs or pair.weight > pairs[mine].weight):
                    pairs[mine] = pair
        return list(pairs.values())

    def _reach(self, facet: str, terms: Iterable[str]) -> dict[str | int, list[tuple[str, float]]]:
        """Return what each term or concept of a peer would be close to, and what that would weigh."""
        reach: dict[str | int, list[tuple[str, float]]] = {}
        for term in terms:
            meant = self._meant(facet, term)
            weight = self._worth(facet, meant)
            reach.setdefault(meant, []).append((term, SPELT * weight))
            for kin, close in near(meant).items():
                reach.setdefault(kin, []).append((term, close * weight))
            for fellow, close in self._index.vectorizer.model_.akin(facet, meant).items():
                reach.setdefault(fellow, []).append((term, close * weight))
        return reach

    def _meant(self, facet: str, term: str) -> str:
        return self._index.vectorizer.columns_[facet].meant(term)

    def _worth(self, facet: str, term: str) -> float:
        return self._index.vectorizer.model_.weight(facet, term)
