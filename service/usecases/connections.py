"""Connections: told by the platform, one by one or as an import, and ended by either of the two."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from service.errors import Conflict, Invalid, NotFound
from service.records import ConnectionRecord, ImportLine, ImportReport, Member, Outcome, Pair
from service.storage import profiles
from service.storage.communities import Write
from service.storage.pairs import find_pairs
from service.storage.session import Session
from service.usecases import pairs
from service.usecases.feedback import note_connections
from service.usecases.imports import in_batches
from service.usecases.responses import connected, find_member, two_members

Key = tuple[str, str]
UNKNOWN = "There is no such profile."


def connect(session: Session, stated: ConnectionRecord) -> tuple[Pair, str]:
    """Let two be connected because they know each other; return the pair, and the name of the second."""
    with session.write() as write:
        me, peer, before = two_members(write, stated.a, stated.b)
        if before is not None and pairs.is_blocked(before):
            raise Conflict("This member blocks the other.")
        after = _told(before or Pair(me.code, peer.code), stated, write.now)
        pairs.save(write, [(before, after)], {me.code: me, peer.code: peer})
        return after, peer.record.name


def _told(pair: Pair, stated: ConnectionRecord, now: int) -> Pair:
    errors = {
        name: ["Must not be in the future."]
        for name in ("since", "last_met")
        if (getattr(stated, name) or 0) > now
    }
    if errors:
        raise Invalid(errors)
    if not pairs.is_connected(pair):
        return connected(pair, now if stated.since is None else stated.since, stated.last_met)
    # What is left out stays as it is known; each later meeting that we are told of counts, and only once:
    # an earlier one told again, as by importing a file twice, changes nothing.
    met_again = stated.last_met is not None and (pair.last_met is None or stated.last_met > pair.last_met)
    return replace(
        pair,
        since=pair.since if stated.since is None else stated.since,
        last_met=stated.last_met if met_again else pair.last_met,
        times_met=pair.times_met + met_again,
    )


def disconnect(session: Session, profile_id: str, peer_id: str) -> None:
    """End a connection; that counts as a decline by who does it."""
    with session.write() as write:
        me = find_member(write, profile_id)
        code = write.community.code_of(peer_id)
        before = pairs.find(write, me.code, code)
        if before is None or not pairs.is_connected(before):
            raise NotFound("There is no such connection.")
        ended = pairs.without_consent(before)
        after = replace(ended, mine=replace(ended.mine, response="decline", answered_at=write.now))
        pairs.save(write, [(before, after)], pairs.members_in(write, [before]))


def import_connections(session: Session, lines: Iterable[ImportLine[ConnectionRecord]]) -> ImportReport:
    """Connect the pairs that the lines name, in order; importing twice changes nothing."""
    report = ImportReport()
    for batch in in_batches(lines):
        with session.write() as write:
            outcomes = _import_batch(write, [line for line in batch if line.record])
        for line in batch:
            report.add(outcomes.get(line.number, line))
    if report.created or report.updated:
        with session.write() as write:
            note_connections(write, report.created + report.updated)
    return report


def _import_batch(
    write: Write, lines: Sequence[ImportLine[ConnectionRecord]]
) -> dict[int, Outcome | ImportLine[ConnectionRecord]]:
    ids = {name for line in lines if line.record for name in (line.record.a, line.record.b)}
    known = profiles.find_members(write.connection, write.community.number, sorted(ids))
    keys = [_key(known, line.record) for line in lines if line.record]
    found = find_pairs(write.connection, write.community.number, [key for key in set(keys) if key])
    before = {(pair.me, pair.peer): pair for pair in found}
    after = dict(before)
    outcomes: dict[int, Outcome | ImportLine[ConnectionRecord]] = {}
    for line, key in zip(lines, keys, strict=True):
        if line.record:
            outcomes[line.number] = _import_line(write, known, after, line, line.record, key)
    members = {member.code: member for member in known.values()}
    pairs.save(write, [(before.get(key), pair) for key, pair in after.items()], members)
    return outcomes


def _key(known: Mapping[str, Member], record: ConnectionRecord) -> Key | None:
    codes = sorted(known[name].code for name in (record.a, record.b) if name in known)
    return (codes[0], codes[1]) if len(codes) == 2 else None


def _import_line(
    write: Write,
    known: Mapping[str, Member],
    after: dict[Key, Pair],
    line: ImportLine[ConnectionRecord],
    record: ConnectionRecord,
    key: Key | None,
) -> Outcome | ImportLine[ConnectionRecord]:
    try:
        unknown = [side for side in ("a", "b") if getattr(record, side) not in known]
        old = after.get(key) if key else None
        # Whoever may not meet somebody, or is blocked by them, is told no more than of an unknown id.
        if key and (_are_apart(write, known, record) or (old and pairs.is_blocked(old))):
            unknown = ["b"]
        if key is None or unknown:
            raise Invalid({side: [UNKNOWN] for side in unknown})
        new = _told(old or Pair(*key), record, write.now)
    except Invalid as error:
        return ImportLine(line.number, id=line.id, errors=error.errors)
    after[key] = new
    if old is None or not pairs.is_connected(old):
        return "created"
    return "unchanged" if old == new else "updated"


def _are_apart(write: Write, known: Mapping[str, Member], record: ConnectionRecord) -> bool:
    return write.community.parts(known[record.a].record, known[record.b].record)
