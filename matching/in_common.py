"""What a member has in common with others: in come rows of the index, out come terms, heaviest first.

The numbers of the others' terms tell what is shared or kin, and few are either: how somebody wrote a term is
read where it is to be shown.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain

from .arrays import FloatArray
from .columns import Row
from .index import PeerIndex
from .profile import FACETS
from .reasons import Common, Related, Shared
from .related import concept, near
from .spelling import SPELT
from .terms import distinct

Kin = Sequence[tuple[str, float]]  # terms of the asking member, and what the pair with each weighs
Written = Mapping[str, Sequence[str]]  # terms by facet


class InCommon:
    """Tell what a profile has in common with the rows of an index.

    Parameters
    ----------
    terms : mapping of str to mapping of str to str
        A profile's terms by facet, in normal form and as written.
    rows : mapping of str to Row
        The profile's row of each facet.
    index : PeerIndex
    weights : array of shape (3,)
        Of the facets, in the order of FACETS.
    """

    def __init__(
        self,
        terms: Mapping[str, Mapping[str, str]],
        rows: Mapping[str, Row],
        index: PeerIndex,
        weights: FloatArray,
    ) -> None:
        self._facets = [
            _Facet(facet, terms[facet], rows[facet], index, weight)
            for facet, weight in zip(FACETS, weights.tolist(), strict=True)
        ]
        self._roster = index.roster

    def with_rows(self, rows: Sequence[int]) -> list[Common]:
        """Tell it of some rows."""
        terms_of = cache(self._roster.terms)
        compared = [facet.compare(rows, terms_of) for facet in self._facets]
        return [_joined(parts) for parts in zip(*compared, strict=True)]


def _joined(parts: Sequence[tuple[list[Shared], list[Related]]]) -> Common:
    """Put in order what there is in each facet."""
    shared = [one for some, _ in parts for one in some]
    related = [pair for _, pairs in parts for pair in pairs]
    return Common(tuple(sorted(shared, key=_order)), tuple(sorted(related, key=_order_of_related)))


def _order(shared: Shared) -> tuple[float, int, str]:
    return -shared.weight, FACETS.index(shared.facet), shared.term


def _order_of_related(pair: Related) -> tuple[float, str, str]:
    return -pair.weight, pair.mine, pair.theirs


class _Facet:
    """Compare one facet's terms, those of others by their columns."""

    def __init__(
        self, name: str, terms: Mapping[str, str], row: Row, index: PeerIndex, weight: float
    ) -> None:
        self._name, self._terms, self._weight = name, terms, weight
        self._stated = index.terms[name]
        self._columns, self._model = index.vectorizer.columns_[name], index.vectorizer.model_
        self._shared = self._weighed(row)
        self._reach = self._reached()

    def compare(
        self, rows: Sequence[int], terms_of: Callable[[int], Written]
    ) -> Iterator[tuple[list[Shared], list[Related]]]:
        """Yield what each row shares with the profile, and what is kin, in the order of terms."""
        columns = self._stated.lists(rows)
        close = set(self._close()).intersection(chain.from_iterable(columns)).difference(self._shared)
        kin = {column: found for column in close if (found := self._kin_of(column))}
        for row, stated in zip(rows, columns, strict=True):
            shared = [self._shared[column] for column in stated if column in self._shared]
            kindred = {column: kin[column] for column in stated if column in kin}
            yield shared, self._related(kindred, shared, terms_of(row)) if kindred else []

    def _related(self, kin: Mapping[int, Kin], shared: Iterable[Shared], terms: Written) -> list[Related]:
        """Pair each term of mine with the rarest and closest one of theirs; a shared term needs no kin."""
        pairs: dict[str, Related] = {}
        both, written = {one.term for one in shared}, distinct(terms[self._name])
        for column, near_it in kin.items():
            theirs = written[self._columns.term(column)]
            for mine, weight in near_it:
                if mine not in both and (mine not in pairs or weight > pairs[mine].weight):
                    pairs[mine] = Related(self._terms[mine], theirs, weight)
        return list(pairs.values())

    def _weighed(self, row: Row) -> dict[int, Shared]:
        """Weigh the terms, by column, by what they add to the likeness of whoever states them too."""
        known = {self._columns.column(term): term for term in self._terms if term in self._columns}
        weights = {column: self._weight * row[column] * self._columns.own(column) for column in known}
        return {
            column: Shared(self._name, term, self._terms[term], weights[column])
            for column, term in known.items()
        }

    def _close(self) -> Iterator[int]:
        """Yield the columns of all terms that may be kin to mine, some of them twice."""
        for key in self._reach:
            if isinstance(key, int):
                yield from self._columns.leaning_on(key)
            elif key in self._columns:
                column = self._columns.column(key)
                yield column
                yield from self._columns.leaning_on(column)

    def _kin_of(self, column: int) -> Kin:
        """Return what of mine a term of theirs is kin to."""
        meant = self._columns.meant(self._columns.term(column))
        near_it = (*self._reach.get(meant, ()), *self._reach.get(concept(meant), ()))
        if not near_it:  # as of most terms: weighing them would take longer than all the rest
            return ()
        weight = self._weight * self._model.weight(self._name, meant)
        return tuple((mine, weight * close) for mine, close in near_it)

    def _reached(self) -> dict[str | int, list[tuple[str, float]]]:
        """Return what each term or concept of a peer would be close to, and what that would weigh."""
        reach: dict[str | int, list[tuple[str, float]]] = {}
        for term in self._terms:
            meant = self._columns.meant(term)
            weight = self._model.weight(self._name, meant)
            reach.setdefault(meant, []).append((term, SPELT * weight))
            for kin, close in near(meant).items():
                reach.setdefault(kin, []).append((term, close * weight))
            for fellow, close in self._model.akin(self._name, meant).items():
                reach.setdefault(fellow, []).append((term, close * weight))
        return reach
