"""A row of the index told as a suggestion or an introduction: what two share, how and when they can meet."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from .answer import Acquaintance, Introduction, Suggestion
from .arrays import FloatArray
from .catalogue import ENGLISH
from .features import Block
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
    """Tell the suggestions or introductions of one question."""

    def __init__(self, asker: Asker, index: PeerIndex, weights: FloatArray, verdict: Verdict) -> None:
        self._asker, self._index, self._verdict = asker, index, verdict
        self._weights = dict(zip(FACETS, weights.tolist(), strict=True))
        self._in_person = verdict.in_person
        self._openings = index.members.availability.openings(asker.on)
        self._mine = openings([asker.facts.availability], asker.on)[:, 0]
        self._slots: dict[int, tuple[Slot, ...]] = {}
        self._terms = {facet: distinct(asker.profile.terms(facet)) for facet in FACETS}
        self._kin = {facet: self._reach(facet, terms) for facet, terms in self._terms.items()}
        self._entries = {
            facet: dict(zip(block.columns.tolist(), block.values.tolist(), strict=True))
            for facet, block in asker.blocks.items()
        }

    def tell(self, row: int, score: float) -> Suggestion:
        """Tell one peer."""
        peer = self._index.profile(row)
        in_person, online = bool(self._in_person[row]), bool(self._verdict.both_online[row])
        common, distance, slots = self._common(row, peer), self._distance(row), self._slots_with(row)
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
            openers=openers(common, self._pair(row), ENGLISH.first),
        )

    def introduce(self, row: int, acquaintance: Acquaintance | None) -> Introduction:
        """Tell what there is between the asking member and one peer, who may know each other."""
        common = self._common(row, self._index.profile(row))
        said = reasons(common, self._distance(row), self._slots_with(row))
        if acquaintance is None:
            return Introduction(common.by_facet(), said, openers(common, self._pair(row), ENGLISH.first))
        asked = openers(common, self._pair(row), ENGLISH.again)
        return Introduction(common.by_facet(), (how_known(acquaintance), *said), asked)

    def _pair(self, row: int) -> bytes:
        """Return what stands for the two, the same from either side."""
        code = self._asker.facts.code ^ int(self._index.members.table["code"][row])
        return code.to_bytes(8, "little")

    def _distance(self, row: int) -> tuple[int, int] | None:
        return band(float(self._verdict.km[row])) if self._in_person[row] else None

    def _slots_with(self, row: int) -> tuple[Slot, ...]:
        """Return the common slots; members of one availability have the same."""
        members, facts = self._index.members, self._asker.facts
        number = int(members.table["availability"][row])
        if facts.availability is None and members.availability.values[number] is None:
            return ()
        if number not in self._slots:
            self._slots[number] = common_slots(
                self._mine, self._openings[:, number], facts.zone, self._asker.on
            )
        return self._slots[number]

    def _common(self, row: int, peer: Profile) -> Common:
        shared, related = [], []
        for facet, mine in self._terms.items():
            theirs = distinct(peer.terms(facet))
            both = mine.keys() & theirs.keys()
            if both:
                shared += self._shared(facet, both, row)
            related += self._related(facet, theirs, both)
        shared.sort(key=lambda one: (-one.weight, FACETS.index(one.facet), one.term))
        related.sort(key=lambda pair: (-pair.weight, pair.mine, pair.theirs))
        return Common(tuple(shared), tuple(related))

    def _shared(self, facet: str, both: set[str], row: int) -> list[Shared]:
        """Weigh the shared terms by what they add to the likeness."""
        mine, theirs = self._entries[facet], self._index.entries(facet, row)
        columns = {term: self._index.vectorizer.columns_[facet].column(term) for term in both}
        weight = self._weights[facet]
        return [
            Shared(facet, term, self._terms[facet][term], weight * mine[column] * theirs[column])
            for term, column in columns.items()
        ]

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
