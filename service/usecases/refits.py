"""Refits: a community learns from what became of its suggestions, and balances who is shown to whom.

Comes in: everybody's profile and what stands between them, read without the community's lock. Goes out, in
one short write: a model, a price a member, figures, and who is unserved. Readers see it as one new
generation. A model that does worse on feedback held out from it is refused: what was learnt before stays,
with new counts and prices.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.records import DAY_MS, Figures, Fit
from service.storage import communities, jobs
from service.storage.communities import Write
from service.storage.database import Database
from service.storage.jobs import Job
from service.storage.models import KeptModel, keep_model, load_fit
from service.storage.numbers import NumberedPrices
from service.storage.saved_index import SavedIndexes
from service.storage.session import Session
from service.storage.unserved import Unserved, replace_unserved
from service.usecases.feedback import REFIT
from service.usecases.jobs import JobContext
from service.usecases.stats import stats_of, unserved_in
from service.usecases.surveys import Survey, read_survey

if TYPE_CHECKING:
    from matching.exposure import Exposure
    from matching.learning import Learnt

Progress = Callable[[str, float], None]


def _untold(_phase: str, _done: float) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Refit:
    """What came of a refit, and what of the community it came from."""

    survey: Survey
    kept: KeptModel
    fit: Fit
    unserved: Mapping[int, Unserved]
    accepted: bool
    figures: Figures


def refit(context: JobContext, job: Job) -> None:
    """Do the job: learn, keep it, and be back in a day."""
    idle = _is_idle(context.database, job.community)
    done = None if idle else learn_from(context.database, job.community, context.saved, _untold)
    with Session(context.database, job.community).write() as write:
        if done is not None:
            keep(write, done)
        jobs.finish(write, job)
        jobs.enqueue(write, REFIT, run_at=write.now + DAY_MS)


def refit_now(
    database: Database, community: int, saved: SavedIndexes | None = None, progress: Progress = _untold
) -> Refit:
    """Learn now, and keep it; `progress` is told what is being done and how much of it is."""
    done = learn_from(database, community, saved, progress)
    with Session(database, community).write() as write:
        keep(write, done)
        jobs.enqueue(write, REFIT, run_at=write.now + DAY_MS)
    return done


def _is_idle(database: Database, number: int) -> bool:
    """Tell whether nothing has changed since the last refit, which was a change itself."""
    with database.read() as connection:
        fit = load_fit(connection, number)
        return fit is not None and fit.change == communities.find_change_number(connection, number)


def learn_from(database: Database, community: int, saved: SavedIndexes | None, progress: Progress) -> Refit:
    """Learn from a community as it is now."""
    from matching.corpus import count
    from matching.exposure import balance
    from matching.learning import learn

    progress("reading", 0.0)
    survey = read_survey(database, community, saved)
    before, number, matcher = survey.kept.model, survey.community.change_number + 1, survey.matcher
    learnt = learn(
        number,
        matcher.index_,
        survey.feedback,
        before=before if before.members else None,
        progress=lambda done: progress("learning", done),
    )
    model = learnt.model if learnt.accepted else count(number, matcher.index_, before.fitted)
    progress("placing", 0.0)
    matcher.use(model, prices=None)
    matcher.index_.points()  # of everybody: now, to be told apart from prices
    exposure = balance(matcher, exclude=survey.hidden, progress=lambda done: progress("prices", done))
    learnt = replace(learnt, figures=_finite(learnt.figures))
    fit, listed = _fit(survey, learnt, exposure), exposure.listed
    prices = NumberedPrices(survey.numbers.numbers_of(listed.codes), listed.values)
    unserved = unserved_in(survey, exposure)
    progress("keeping", 0.0)
    return Refit(survey, KeptModel(model, prices), fit, unserved, learnt.accepted, learnt.figures)


def _fit(survey: Survey, learnt: "Learnt", exposure: "Exposure") -> Fit:
    stats, old = stats_of(survey, exposure), survey.kept.fit
    if learnt.accepted:
        return Fit(survey.now, stats, learnt=learnt.figures)
    return Fit(survey.now, stats, learnt=old.learnt if old else None, refused=learnt.figures)


def _finite(figures: Figures) -> Figures:
    # JSON knows no NaN, which is what a measure of nobody comes to.
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in figures.items()
    }


def keep(write: Write, done: Refit) -> None:
    """Make what was learnt the community's model."""
    keep_model(write, replace(done.kept, fit=replace(done.fit, change=write.number)))
    replace_unserved(write, done.unserved)
    # What was told while it learnt is still to be learnt from.
    since = max(0, write.community.feedback - done.survey.community.feedback)
    write.settle(replace(write.community, feedback=since, learnt_feedback=len(done.survey.feedback)))
