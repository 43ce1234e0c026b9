"""Import profiles as a stream: lines in order, some hundred a transaction; a bad line costs only itself."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from service.errors import Forbidden, Invalid
from service.records import Access, ImportLine, ImportReport, Member, Outcome, ProfileRecord, R
from service.storage import models, profiles
from service.storage.communities import Write
from service.storage.session import Session
from service.usecases.feedback import note_profiles
from service.usecases.profiles import intend, write_members

LINES_PER_TRANSACTION = 1000


def import_profiles(
    session: Session, access: Access, lines: Iterable[ImportLine[ProfileRecord]]
) -> ImportReport:
    """Save the lines' records in order; the last of an id wins. Importing twice changes nothing."""
    report = ImportReport()
    for batch in in_batches(lines):
        good = [line for line in batch if line.record]
        with session.write() as write:
            outcome = _import_batch(write, access, good)
        # Counted only once they are committed, in the order of the lines.
        for line in batch:
            report.add(outcome.get(line.number, line))
    if report.created or report.updated:
        with session.write() as write:
            models.count_terms(write)
            note_profiles(write, report.created + report.updated)
    return report


def in_batches(lines: Iterable[ImportLine[R]]) -> Iterator[list[ImportLine[R]]]:
    """Yield the lines of an import in the portions that are committed together."""
    stream = iter(lines)
    while batch := list(islice(stream, LINES_PER_TRANSACTION)):
        yield batch


def _import_batch(
    write: Write, access: Access, lines: Sequence[ImportLine[ProfileRecord]]
) -> dict[int, Outcome | ImportLine[ProfileRecord]]:
    ids = list({line.record.id for line in lines if line.record})
    before: dict[str, Member] = profiles.find_members(write.connection, write.community.number, ids)
    after = dict(before)
    outcomes: dict[int, Outcome | ImportLine[ProfileRecord]] = {}
    for line in lines:
        if line.record:
            outcomes[line.number] = _import_line(write, access, line, line.record, after)
    pairs = [(before.get(profile_id), member) for profile_id, member in after.items()]
    write_members(write, [pair for pair in pairs if pair[0] != pair[1]])
    return outcomes


def _import_line(
    write: Write,
    access: Access,
    line: ImportLine[ProfileRecord],
    record: ProfileRecord,
    after: dict[str, Member],
) -> Outcome | ImportLine[ProfileRecord]:
    old = after.get(record.id)
    try:
        after[record.id] = intend(write, access, record, old)
    except Invalid as error:
        return ImportLine(line.number, id=record.id, errors=error.errors)
    except Forbidden as error:
        return ImportLine(line.number, id=record.id, errors={"attributes": [str(error)]})
    if old is None:
        return "created"
    return "unchanged" if after[record.id] == old else "updated"
