"""Venues: where a community meets. Read, write, delete, import."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from matching import Place
from service.errors import NotFound, Stale
from service.records import ImportLine, ImportReport, Outcome, content_hash
from service.records_meetups import VenueRecord
from service.storage import venues
from service.storage.communities import Write
from service.storage.session import Session
from service.usecases.imports import in_batches
from service.usecases.profiles import Condition

if TYPE_CHECKING:
    from matching.gathering import Venue


def find_venue(session: Session, venue_id: str) -> VenueRecord:
    """Return a venue, or raise `NotFound`."""
    return _existing(session.find_venue(venue_id))


def replace_venue(session: Session, record: VenueRecord, holds: Condition) -> Outcome:
    """Create a venue or replace it whole."""
    with session.write() as write:
        before = _before(write, record.id)
        _check(holds, before)
        if before == record:
            return "unchanged"
        venues.save_venues(write, [record])
        return "updated" if before else "created"


def remove_venue(session: Session, venue_id: str, holds: Condition) -> None:
    """Delete a venue; meetups that have it keep it."""
    with session.write() as write:
        before = _before(write, venue_id)
        _check(holds, before)
        _existing(before)
        venues.delete_venue(write, venue_id)


def import_venues(session: Session, lines: Iterable[ImportLine[VenueRecord]]) -> ImportReport:
    """Save the venues in order; the last of an id wins. Importing twice changes nothing."""
    report = ImportReport()
    for batch in in_batches(lines):
        records = [line.record for line in batch if line.record]
        with session.write() as write:
            here = write.community.number
            known = venues.find_venues(write.connection, here, list({record.id for record in records}))
            results = [_import_line(line, known) for line in batch]
            venues.save_venues(write, list({record.id: record for record in records}.values()))
        # Counted only once they are committed.
        for result in results:
            report.add(result)
    return report


def etag_of(record: VenueRecord) -> str:
    """Return a hash of what a venue's GET shows."""
    return content_hash(asdict(record))


def as_venue(record: VenueRecord) -> "Venue":
    """Return what the matcher may know of a venue: its cell, to measure ways as between members."""
    from matching.gathering import Venue

    return Venue(record.id, record.name, Place.at(record.lat, record.lon), record.hours, record.timezone)


def _import_line(
    line: ImportLine[VenueRecord], known: dict[str, VenueRecord]
) -> Outcome | ImportLine[VenueRecord]:
    record = line.record
    if record is None:
        return line
    before = known.get(record.id)
    known[record.id] = record
    if before is None:
        return "created"
    return "unchanged" if before == record else "updated"


def _before(write: Write, venue_id: str) -> VenueRecord | None:
    return venues.find_venues(write.connection, write.community.number, [venue_id]).get(venue_id)


def _existing(record: VenueRecord | None) -> VenueRecord:
    if record is None:
        raise NotFound("There is no such venue.")
    return record


def _check(holds: Condition, before: VenueRecord | None) -> None:
    if not holds(etag_of(before) if before else None):
        raise Stale("The venue has changed since it was read.")
