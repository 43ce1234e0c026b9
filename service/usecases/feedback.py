"""Feedback: what a pair tells of whether two belong together, and how much of it there is.

+1: they are connected, or met; +0.5: one has accepted, the other has not answered; -1: one declined, or ended
the connection; -2: one blocks the other, or called a meetup unsafe. A put-off tells nothing.
"""

from collections.abc import Iterable
from dataclasses import replace

from matching.model import FEWEST_MEMBERS
from service.records import DAY_MS, Pair
from service.storage import jobs
from service.storage.communities import Write

TOGETHER, WISHED, APART, UNSAFE = 1.0, 0.5, -1.0, -2.0
# Of what people told since the last refit: so much, and a tenth of all that was learnt from, is worth one.
ENOUGH = 50
SHARE = 10
REFIT = "refit"


def label_of(pair: Pair) -> float | None:
    """Return what a pair tells; None where it tells nothing."""
    sides = (pair.mine, pair.theirs)
    responses = {side.response for side in sides}
    outcomes = {side.outcome for side in sides}
    if "unsafe" in outcomes or any(side.blocked_at is not None for side in sides):
        return UNSAFE
    if "decline" in responses:
        return APART
    if pair.since is not None or outcomes & {"again", "met"}:
        return TOGETHER
    return WISHED if "accept" in responses else None


def count_feedback(write: Write, changes: Iterable[tuple[Pair | None, Pair]]) -> None:
    """Count what some changes of pairs tell; once there is enough of it, have it learnt from."""
    told = introduced = replied = 0
    for before, after in changes:
        told += label_of(after) not in (None, before and label_of(before))
        opened, was_open = _waiting(after), before is not None and _waiting(before)
        introduced += opened and not was_open
        replied += before is not None and _waiting(before) and _is_answered(before, after)
    if not (told or introduced or replied):
        return
    community = write.community
    after_it = replace(
        community,
        feedback=community.feedback + told,
        introduced=community.introduced + introduced,
        replied=community.replied + replied,
    )
    write.settle(after_it)
    if told and after_it.feedback >= max(ENOUGH, after_it.learnt_feedback / SHARE):
        jobs.enqueue(write, REFIT)


def _waiting(pair: Pair) -> bool:
    return pair.since is None and label_of(pair) == WISHED and _responses(pair) == {"accept", None}


def _responses(pair: Pair) -> set[str | None]:
    return {pair.mine.response, pair.theirs.response}


def _is_answered(before: Pair, after: Pair) -> bool:
    """Tell whether the one who was asked has said something."""
    asked = after.theirs if before.mine.response else after.mine
    return after.since is not None or asked.response is not None


def note_profiles(write: Write, changed: int) -> None:
    """Have a community that an import changed by a tenth or more learn from it."""
    if changed * SHARE >= write.community.members:
        refit_soon(write)


def note_connections(write: Write, changed: int) -> None:
    """Have a community learn from an import of connections that are as many as a tenth of its members."""
    if changed * SHARE >= write.community.members:
        jobs.enqueue(write, REFIT)


def refit_soon(write: Write) -> None:
    """Have a community that has grown learn at once, or within a day where it is too small to show much."""
    wait = 0 if write.community.members >= FEWEST_MEMBERS else DAY_MS
    jobs.enqueue(write, REFIT, run_at=write.now + wait)
