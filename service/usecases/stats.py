"""Stats: how a community's members fare, and who is left without, counted with its model.

A refit counts them. Where there was none yet, or the members have changed by a tenth since, a small community
is counted when it is asked for; a large one gets what was counted last, and a refit.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from service.records import Access, Community, Fit, Member, Stats
from service.storage import jobs, models
from service.storage.database import Database
from service.storage.loaded import LoadedCommunities
from service.storage.models import KeptModel
from service.storage.session import Session
from service.storage.unserved import Unserved, replace_unserved
from service.usecases.feedback import REFIT, SHARE
from service.usecases.suggestions import Question, ask
from service.usecases.surveys import Survey, read_survey

if TYPE_CHECKING:
    from matching import Shortfall
    from matching.arrays import BoolArray
    from matching.exposure import Exposure

MOST_COUNTED_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class Left:
    """A member who is left without, and as it is now: why, and what to relax."""

    id: str
    counted: Unserved
    shortfall: "Shortfall | None"


def read_stats(database: Database, community: Community) -> Stats | None:
    """Return how a community's members fare; None for a large one in which nothing was counted yet."""
    with database.read() as connection:
        fit = models.load_fit(connection, community.number)
    if fit is not None and not _is_outgrown(community.members, fit.stats.members):
        return fit.stats
    if community.members <= MOST_COUNTED_AT_ONCE:
        return _count_now(database, community.number)
    with Session(database, community.number).write() as write:
        jobs.enqueue(write, REFIT)
    return fit.stats if fit else None


def read_model(database: Database, community: Community) -> KeptModel:
    """Return a community's model."""
    with database.read() as connection:
        return models.load_or_repair(database, connection, community.number, community.model)


def _is_outgrown(now: int, then: int) -> bool:
    return abs(now - then) * SHARE >= max(now, 1)


def _count_now(database: Database, number: int) -> Stats:
    from matching.exposure import balance

    survey = read_survey(database, number)
    exposure = balance(survey.matcher, exclude=survey.hidden)
    stats = stats_of(survey, exposure)
    fit = replace(survey.kept.fit, stats=stats) if survey.kept.fit else Fit(None, stats)
    with Session(database, number).write() as write:
        # Where another model came meanwhile, its own figures hold.
        if models.note_fit(write, survey.community.model, fit):
            replace_unserved(write, unserved_in(survey, exposure))
    return stats


def stats_of(survey: Survey, exposure: "Exposure") -> Stats:
    """Count how those fare who can be suggested."""
    shares, community = exposure.figures(_active(survey, exposure)), survey.community
    members = len(survey.matcher)
    return Stats(
        members=members,
        with_suggestion=shares.with_suggestion,
        connected=len(survey.connected) / max(members, 1),
        never_suggested=shares.never_suggested,
        exposure_gini=shares.exposure_gini,
        reply_rate=min(1.0, community.replied / max(community.introduced, 1)),
        meetups_held=survey.meetups_held,
        as_of=survey.now,
    )


def unserved_in(survey: Survey, exposure: "Exposure") -> dict[int, Unserved]:
    """Return who got nobody or is on nobody's list, by the numbers of their rows."""
    alone, unseen = exposure.unserved(_active(survey, exposure))
    left = alone | unseen
    numbers = survey.numbers.numbers_of(exposure.listed.codes[left]).tolist()
    reasons = zip(numbers, alone[left].tolist(), unseen[left].tolist(), strict=True)
    return {number: Unserved(*reason) for number, *reason in reasons}


def _active(survey: Survey, exposure: "Exposure") -> "BoolArray":
    # Who is paused or has no room for anybody is left without because they want to be.
    suggestible: BoolArray = survey.matcher.index_.members.table["suggestible"][exposure.rows]
    return suggestible


def list_unserved(
    loaded: LoadedCommunities, session: Session, access: Access, after: str, limit: int
) -> list[Left]:
    """Return up to `limit` of those left without whose ids follow `after`."""
    found = session.page_of_unserved(after, limit)
    return [Left(member.record.id, one, _why(loaded, session, access, member)) for member, one in found]


def _why(loaded: LoadedCommunities, session: Session, access: Access, member: Member) -> "Shortfall | None":
    # One question at a time: members' own take turns with it.
    answer, _ = loaded.use_with(
        access.community,
        lambda: session.pairs_of(member.code),
        lambda matcher, found, _: ask(matcher, found, {}, access.now, member, Question()),
    )
    return answer.shortfall
