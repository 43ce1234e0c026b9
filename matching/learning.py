"""Learn from a community: in come profiles and what people answered, out comes a model, if it does no worse.

Without answers a model is the counts, a latent space of the terms, and weights that did well on other
communities. Answers move them: a form on the latent space (see `bilinear`), and the weights of each part, one
at a time, where members who were left out of the learning would clearly have been served better. A tenth of
the members is left out of all learning, always the same by their codes: they judge a new model beside the one
it would replace.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array

from .arrays import BoolArray, FloatArray, IntArray
from .bilinear import learn_form
from .company import pairs_in_company
from .corpus import Corpus, Space, count
from .held_out import ndcg_at_10
from .index import PeerIndex
from .latent import Fitted
from .model import TermModel
from .profile import FACETS, Profile
from .ranking import NEAR

FEWEST_ANSWERS = 20  # connections below which nothing is learnt from them
QUERIES = 300  # members of a fold who are asked for, at most
CANDIDATES = 20_000  # whom they are compared with, at most
SAMPLE = 2000  # members whose pairs show how far values spread
CLEARLY = 2.0  # standard errors by which a change must do better: thirty are tried
ROTATION = 0.4  # of the spread of values


@dataclass(frozen=True, slots=True)
class Feedback:
    """State what two made of each other: `label` is above 0 where they chose each other, else below."""

    one: str
    other: str
    label: float


@dataclass(frozen=True, slots=True)
class Learnt:
    """Hold a model and its figures; where it was not accepted, the model is the old one, counted anew."""

    model: TermModel
    accepted: bool
    figures: Mapping[str, float | int | str | bool | None]


@dataclass(frozen=True, slots=True)
class Weights:
    """Hold how much each part counts; `nearness` and `taught` in standard deviations of what is shared.

    Facets are in multiples of their specificity.
    """

    facets: tuple[float, float, float] = (1.0, 1.0, 1.0)
    alike: float = 0.5
    nearness: float = 0.16
    taught: float = 0.0


STEPS: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("taught", (0.1, 0.3, 1.0, 3.0, 10.0)),
    ("alike", (0.0, 0.25, 0.5, 1.0, 2.0)),
    ("nearness", (0.0, 0.05, 0.16, 0.5, 1.5)),
    *((facet, (0.25, 0.5, 1.0, 2.0, 4.0)) for facet in FACETS),
)
_AT_ONCE = 65_536  # members whose points are measured together
Progress = Callable[[float], None]


def learn(
    number: int,
    members: Sequence[Profile] | PeerIndex,
    feedback: Sequence[Feedback] = (),
    *,
    before: TermModel | None = None,
    progress: Progress = lambda _: None,
) -> Learnt:
    """Fit a model to a community.

    Parameters
    ----------
    number : int
        The new model's.
    members : sequence of Profile, or PeerIndex
        From an index no profile is read: of a million members they would take gigabytes.
    feedback : sequence of Feedback
        Each pair once; who is not among the members is passed over.
    before : TermModel, optional
        What the new one would replace: it must not do worse on the members left out, by more than a standard
        error.
    progress : callable
        Is told how far it is, from 0 to 1.
    """
    if isinstance(members, PeerIndex):
        counted = count(number, members)
        corpus = Corpus.of_index(counted, members)
    else:
        counted = TermModel.of(number, members)
        corpus = Corpus.of(counted, members)
    progress(0.1)
    space = Space.of(corpus)
    progress(0.4)
    answers = _answers(corpus, feedback)
    learner = _Learner(corpus, space, answers)
    weights = learner.choose(progress)
    model = replace(counted, fitted=learner.fitted(weights))
    figures, accepted = learner.judge(weights, model, before)
    progress(1.0)
    if before is not None and not accepted:
        model = replace(counted, fitted=before.fitted)
    return Learnt(model, accepted, figures)


def _answers(corpus: Corpus, feedback: Sequence[Feedback]) -> Any:
    ones, others = (corpus.rows_of(ids) for ids in ([f.one for f in feedback], [f.other for f in feedback]))
    known = (ones >= 0) & (others >= 0)
    ones, others = ones[known], others[known]
    labels = np.array([one.label for one in feedback], np.float64)[known]
    both = np.concatenate([ones, others]), np.concatenate([others, ones])
    return csr_array(coo_array((np.concatenate([labels, labels]), both), shape=(len(corpus), len(corpus))))


@dataclass(frozen=True, slots=True)
class _Fold:
    """Hold members who are asked for, their candidates, and each part's values for every pair of them."""

    asked: IntArray
    candidates: IntArray
    relevant: BoolArray
    possible: BoolArray
    nearness: FloatArray
    parts: Mapping[str, FloatArray]

    def values(self, weights: Weights, spread: float) -> FloatArray:
        """Return the value of every pair, -inf where the two could not meet."""
        total = weights.nearness * spread * self.nearness + weights.alike * self.parts["alike"]
        total += weights.taught * spread * self.parts["taught"]
        for at, facet in enumerate(FACETS):
            total += weights.facets[at] * self.parts[facet]
        return np.where(self.possible, total, -np.inf)


class _Learner:
    """Hold what is learnt from, and the spread of what members share."""

    def __init__(self, corpus: Corpus, space: Space | None, answers: Any) -> None:
        self._corpus, self._space, self._answers = corpus, space, answers
        # In a small community chance decides how many terms a facet has.
        self._specific = dict.fromkeys(FACETS, 1.0) if space is None else corpus.specificity()
        self._judges = corpus.codes % 10 == 0
        self._fold_of = corpus.codes // 10 % 2
        self._random = np.random.default_rng(0)
        self._sample = self._random.permutation(len(corpus))[:SAMPLE]
        shared = [self._shared(facet, self._sample, self._sample) for facet in FACETS]
        self._spread = _spread(shared[0] + shared[1] + shared[2])

    def choose(self, progress: Progress) -> Weights:
        """Return the weights that serve members best who were left out of learning the form."""
        weights = Weights()
        if (self._answers > 0).sum() < 2 * FEWEST_ANSWERS:
            return weights
        folds = [self._fold(~self._judges & (self._fold_of == number)) for number in (0, 1)]
        gains = self._gains(folds, weights)
        if not len(gains):  # nobody could meet whom they chose
            return weights
        for at, (name, steps) in enumerate(STEPS):
            tried = [_with(weights, name, step) for step in steps]
            results = [self._gains(folds, one) for one in tried]
            best = int(np.argmax([result.mean() for result in results]))
            if _clearly_better(results[best], gains):
                weights, gains = tried[best], results[best]
            progress(0.5 + 0.4 * at / len(STEPS))
        return weights

    def fitted(self, weights: Weights) -> Fitted:
        """Return what the weights make of the space, learnt from all but the judges."""
        facets, near = np.array(weights.facets), weights.nearness * self._spread or NEAR
        rotation = ROTATION * self._spread
        if self._space is None:
            return replace(Fitted.flat(near, rotation), facets=facets)
        form = np.zeros((self._space.points.shape[1],) * 2)
        alike = np.arange(len(self._space.strengths))
        form[alike, alike] = weights.alike * self._space.strengths
        if weights.taught:
            taught = learn_form(self._space.points, self._answers, self._teachers(self._judges))
            form += weights.taught * self._spread * taught / self._scale(self._space, taught)
        # Whatever the weights: one unit means the same, to scores and to prices.
        unit = self._unit(self._space, facets, form)
        strengths, turned = np.linalg.eigh(form * unit)
        kept = np.abs(strengths) > 1e-6 * np.abs(strengths).max(initial=0)
        turned = turned[:, kept] * np.sqrt(np.abs(strengths[kept]))
        vectors = (self._space.axes @ turned).astype(np.float32)
        ends = np.cumsum([len(self._corpus.terms[facet]) for facet in FACETS])[:-1]
        return Fitted(
            facets=facets * list(self._specific.values()) * unit,
            near=near * unit,
            rotation=rotation,
            terms=self._corpus.terms,
            vectors=dict(zip(FACETS, np.split(vectors, ends), strict=True)),
            centre=self._space.centre @ turned,
            signs=np.sign(strengths[kept]).astype(np.float32),
            longest=self._longest(self._space, turned),
            company=dict(zip(FACETS, self._company(self._space, ends), strict=True)),
        )

    def _longest(self, space: Space, turned: FloatArray) -> float:
        """Return the length of the longest point of a member."""
        longest, norms = 0.0, self._corpus.norms
        for first in range(0, len(norms), _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            lengths = np.linalg.norm(space.points[some] @ turned, axis=1) * norms[some]
            longest = max(longest, float(lengths.max()))
        return longest

    def _company(self, space: Space, ends: IntArray) -> Iterator[IntArray]:
        # By how far members differ in each dimension: what nobody differs in tells no company.
        axes = space.axes[:, : len(space.strengths)] * space.strengths**2
        for facet, some in zip(FACETS, np.split(axes, ends), strict=True):
            counts = self._corpus.model.counts[facet]
            yield pairs_in_company(some, np.array([counts[term] for term in self._corpus.terms[facet]]))

    def _unit(self, space: Space, facets: FloatArray, form: FloatArray) -> float:
        """Return what brings values to the spread of what members share."""
        some = space.points[self._sample]
        total = some @ form @ some.T
        for weight, facet in zip(facets, FACETS, strict=True):
            total += weight * self._shared(facet, self._sample, self._sample)
        return self._spread / (_spread(total) or 1.0)

    def judge(
        self, weights: Weights, model: TermModel, before: TermModel | None
    ) -> tuple[dict[str, float | int | str | bool | None], bool]:
        """Compare on the judges: the new model, the one before, and one that has learnt nothing."""
        fold = self._fold(self._judges)
        figures: dict[str, float | int | str | bool | None] = {
            "members": len(self._corpus),
            "terms": sum(map(len, self._corpus.terms.values())),
            "dimensions": model.fitted.dimensions if model.fitted else 0,
            "positive": int((self._answers > 0).sum()) // 2,
            "negative": int((self._answers < 0).sum()) // 2,
            "judges": len(fold.relevant),
            **{f"weight_{f}": weights.facets[at] * self._specific[f] for at, f in enumerate(FACETS)},
            "weight_alike": weights.alike,
            "weight_nearness": weights.nearness,
            "weight_taught": weights.taught,
            "ndcg": None,
            "ndcg_unlearnt": None,
            "ndcg_before": None,
        }
        if not len(fold.relevant):
            return figures, True
        mine = ndcg_at_10(fold.values(weights, self._spread), fold.relevant)
        figures["ndcg"] = float(mine.mean())
        figures["ndcg_unlearnt"] = float(
            ndcg_at_10(fold.values(Weights(), self._spread), fold.relevant).mean()
        )
        if before is None or before.fitted is None:
            return figures, True
        theirs = ndcg_at_10(self._values_of(before.fitted, fold), fold.relevant)
        figures["ndcg_before"] = float(theirs.mean())
        lost = theirs - mine
        return figures, bool(lost.mean() <= lost.std() / np.sqrt(len(lost)))

    def _fold(self, members: BoolArray) -> _Fold:
        """Ask for some of these members: those who chose somebody; learn the form from the others."""
        chose = np.asarray((self._answers > 0).sum(axis=1)).ravel() > 0
        asked = self._random.permutation(np.flatnonzero(members & chose))[:QUERIES]
        candidates = np.arange(len(self._corpus))
        if len(candidates) > CANDIDATES:
            chosen = self._answers[asked].nonzero()[1]
            candidates = np.union1d(self._random.permutation(candidates)[:CANDIDATES], chosen)
        near = [self._corpus.near(row, candidates) for row in asked]
        shape = (len(asked), len(candidates))
        possible = np.array([could for _, could in near], np.bool_).reshape(shape)
        relevant = (self._answers[asked][:, candidates] > 0).toarray() & possible
        parts = {facet: self._shared(facet, asked, candidates) for facet in FACETS}
        parts |= self._latent(asked, candidates, self._teachers(members | self._judges))
        some = relevant.any(axis=1)
        return _Fold(
            asked[some],
            candidates,
            relevant[some],
            possible[some],
            np.array([nearness for nearness, _ in near]).reshape(shape)[some],
            {name: part[some] for name, part in parts.items()},
        )

    def _teachers(self, left_out: BoolArray) -> IntArray:
        answered = np.diff(self._answers.indptr) > 0
        return np.flatnonzero(answered & ~left_out)

    def _shared(self, facet: str, rows: IntArray, others: IntArray) -> FloatArray:
        matrix, norms = self._corpus.weighted[facet], self._corpus.norms
        product: FloatArray = (matrix[rows] @ matrix[others].T).toarray() * self._specific[facet]
        return product / norms[rows][:, None] / norms[others]

    def _latent(self, rows: IntArray, others: IntArray, teachers: IntArray) -> dict[str, FloatArray]:
        if self._space is None:
            nothing = np.zeros((len(rows), len(others)))
            return {"alike": nothing, "taught": nothing}
        points = self._space.points
        strengths = self._space.strengths
        first = points[:, : len(strengths)]
        alike = (first[rows] * strengths) @ first[others].T
        taught = learn_form(points, self._answers, teachers)
        return {
            "alike": alike,
            "taught": points[rows] @ (taught / self._scale(self._space, taught)) @ points[others].T,
        }

    def _scale(self, space: Space, form: FloatArray) -> float:
        """Return the spread of a form's values, to bring every form to one scale."""
        some = space.points[self._sample]
        return _spread(some @ form @ some.T) or 1.0

    def _gains(self, folds: Sequence[_Fold], weights: Weights) -> FloatArray:
        gains = [ndcg_at_10(fold.values(weights, self._spread), fold.relevant) for fold in folds]
        return np.concatenate(gains)

    def _values_of(self, fitted: Fitted, fold: _Fold) -> FloatArray:
        """Return the values that another model gives the pairs of a fold."""
        points = [self._corpus.placed(fitted, rows) for rows in (fold.asked, fold.candidates)]
        total = (points[0] * fitted.signs) @ points[1].T + fitted.near * fold.nearness
        for weight, facet in zip(fitted.facets, FACETS, strict=True):
            total += weight / self._specific[facet] * fold.parts[facet]
        return np.where(fold.possible, total, -np.inf)


def _spread(values: FloatArray) -> float:
    return float(values.std()) if values.size else 0.0


def _with(weights: Weights, name: str, value: float) -> Weights:
    if name in FACETS:
        facets = [value if facet == name else old for facet, old in zip(FACETS, weights.facets, strict=True)]
        return replace(weights, facets=(facets[0], facets[1], facets[2]))
    changed: dict[str, Any] = {name: value}
    return replace(weights, **changed)


def _clearly_better(gains: FloatArray, before: FloatArray) -> bool:
    """Tell whether a change serves the same members better by more than chance would have it."""
    won = gains - before
    return bool(len(won) and won.mean() > CLEARLY * won.std() / np.sqrt(len(won)) > 0)
