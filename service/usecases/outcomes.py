"""Outcomes: how a meetup went, as each of its members says; and what is due when it is over."""

from dataclasses import replace
from itertools import combinations
from typing import Literal

from service.errors import Conflict
from service.records import Member, Pair
from service.records_meetups import Attendee, Meetup
from service.storage import meetups, profiles
from service.storage import pairs as pair_rows
from service.storage.communities import Write
from service.storage.session import Session
from service.usecases import pairs
from service.usecases.attendance import FEWEST, tell
from service.usecases.meetups import arrange, attendee, find_meetup, with_attendee
from service.usecases.profiles import write_members
from service.usecases.reports import file_report

MEETUPS_PER_SETTLING = 500
MET, UNSAFE = "met", "unsafe"
Word = Literal["again", "met", "unsafe", "no_show"]
# What is learnt of an outcome; of a meeting that is still to come, nothing is.
_WORDS: dict[str, Word] = {UNSAFE: "unsafe", "did_not_happen": "no_show"}


def record_outcome(
    session: Session, meetup_id: str, profile_id: str, outcome: str, again: bool | None
) -> Meetup:
    """Record how a meetup went for a member. `unsafe` blocks and reports; `again` from all makes the next."""
    with session.write() as write:
        before = find_meetup(write, meetup_id)
        who = attendee(before, profile_id)
        if before.state == "cancelled":
            raise Conflict("The meetup is cancelled.")
        after = with_attendee(before, replace(who, outcome=outcome, again=again))
        meetups.save_meetup(write, before, after)
        meetups.note_missed(write, after, [], [who.number])
        here, ids = write.community.number, [one.id for one in after.attendees]
        members = profiles.find_members(write.connection, here, ids)
        me = members.pop(profile_id)
        _note(write, after, me, list(members.values()), _word(outcome, again))
        if outcome == UNSAFE:
            # Of a group it is not said who: nobody is met again whom they would not want to meet.
            for peer in members:
                file_report(session, profile_id, peer, UNSAFE, None)
        elif _all_want_more(after):
            _meet_again(write, after, [me, *members.values()])
        return find_meetup(write, meetup_id)


def _word(outcome: str, again: bool | None) -> Word | None:
    if outcome == MET:
        return "again" if again else "met"
    return _WORDS.get(outcome)


def _note(write: Write, meetup: Meetup, me: Member, others: list[Member], word: Word | None) -> None:
    """Keep a member's last word on the others; that two who are connected met counts once a meetup."""
    if word is None:
        return
    codes = [(me.code, other.code) for other in others]
    found = pair_rows.find_pairs(write.connection, write.community.number, codes)
    before = {pair.peer: pair for pair in found}
    at = min(write.now, write.now if meetup.starts_at is None else meetup.starts_at)
    changes: list[pairs.Change] = []
    for other in others:
        pair = before.get(other.code) or Pair(me.code, other.code)
        after = replace(pair, mine=replace(pair.mine, outcome=word))
        changes.append((before.get(other.code), _met(after, at) if word in {"again", MET} else after))
    pairs.save(write, changes, {member.code: member for member in (me, *others)})


def _met(pair: Pair, at: int) -> Pair:
    if not pairs.is_connected(pair) or (pair.last_met is not None and pair.last_met >= at):
        return pair
    return replace(pair, last_met=at, times_met=pair.times_met + 1)


def _all_want_more(meetup: Meetup) -> bool:
    come = meetup.attendees
    return len(come) >= FEWEST and all(one.outcome == MET and one.again for one in come)


def _meet_again(write: Write, meetup: Meetup, members: list[Member]) -> None:
    if meetups.has_next(write.connection, meetup):
        return
    twos = list(combinations(members, 2))
    codes = [(one.code, other.code) for one, other in twos]
    found = pair_rows.find_pairs(write.connection, write.community.number, codes)
    parted = any(write.community.parts(one.record, other.record) for one, other in twos)
    if not parted and not any(pairs.forbids(pair) for pair in found):
        arrange(write, members, meetup)


def settle_due(write: Write) -> None:
    """Ask how the meetups went that are over, and leave in peace who has not answered three in a row."""
    here = write.community.number
    due = meetups.meetups_due(write.connection, here, write.now, MEETUPS_PER_SETTLING)
    over: list[Meetup] = []
    silent: set[int] = set()
    for before in due:
        after = replace(before, state="over", due_at=None)
        meetups.save_meetup(write, before, after)
        quiet = [one.number for one in after.attendees if _is_silent(one)]
        spoke = [one.number for one in after.attendees if not _is_silent(one)]
        meetups.note_missed(write, after, quiet, spoke)
        over.append(after)
        silent.update(quiet)
    tell(write, "meetup.outcome_due", over)
    _leave_in_peace(write, meetups.missed_lately(write.connection, sorted(silent)))


def _is_silent(one: Attendee) -> bool:
    return one.reply is None and one.outcome is None


def _leave_in_peace(write: Write, numbers: list[int]) -> None:
    if not numbers:
        return
    meetups.forgive(write, numbers)
    found = profiles.find_by_numbers(write.connection, write.community.number, numbers)
    joining = [member for member in found if member.record.joins_rounds]
    write_members(
        write,
        [(member, replace(member, record=replace(member.record, joins_rounds=False))) for member in joining],
    )
