"""Attendance: who comes to a meetup no more. The others learn only that somebody can't come."""

from collections.abc import Sequence
from dataclasses import replace

from service.records import Member
from service.records_meetups import Meetup, Seat
from service.storage import meetups, rounds
from service.storage.communities import Write
from service.storage.events import EventType, emit_all
from service.storage.kept_answers import forget_answers, forget_answers_about

FEWEST = 2
ERASED = "erased"


def leave(write: Write, before: Meetup, after: Meetup) -> Meetup:
    """Write a meetup to which somebody comes no more; with fewer than two left it is cancelled."""
    if len(after.attendees) < FEWEST:
        after = replace(after, state="cancelled", due_at=None)
    changed = replace(after, sequence=before.sequence + 1, changed_at=write.now)
    meetups.save_meetup(write, before, changed)
    tell(write, "meetup.cancelled" if changed.state == "cancelled" else "meetup.changed", [changed])
    return changed


def tell(write: Write, event: EventType, told: Sequence[Meetup]) -> None:
    """Tell the platform what became of some meetups; who comes is for it to fetch."""
    emit_all(write, event, [{"meetup": meetup.id, "round": meetup.round} for meetup in told])


def leave_shared(write: Write, me: Member, peer: Member) -> None:
    """Take a member out of every coming meetup that they share with another."""
    here = write.community.number
    for meetup in meetups.shared_coming(write.connection, here, me.number, peer.number):
        # As after an erasure: what the other was answered about it is not answered again.
        forget_answers(write, peer.code, write.community.code_of(meetup.id))
        leave(write, meetup, meetups.without(meetup, me.number))


def forget_member(write: Write, member: Member) -> None:
    """Take somebody who is erased out of all meetups and rounds, and delete what is kept of them there."""
    here = write.community.number
    asked = meetups.meetups_asked(write.connection, here, member.number)
    for meetup in asked:
        comes = any(one.number == member.number for one in meetup.attendees)
        if comes and meetup.state == meetups.COMING:
            leave(write, meetup, meetups.without(meetup, member.number))
    forget_answers_about(write, [meetup.id for meetup in asked])
    meetups.forget_member(write, member.number)
    drafted = rounds.drafts_with(write.connection, here, member.number)
    rounds.forget_member(write, member.number)
    for number, group in drafted:
        left = rounds.remaining_in(write.connection, number, group)
        if len(left) < FEWEST:
            rounds.move_seats(write, number, [Seat(one, "", None, ERASED) for one in left])
