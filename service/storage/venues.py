"""Venues: records to rows and back, always within one community."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, delete, select

from matching import Slot
from service.records_meetups import VenueRecord
from service.storage.communities import Write
from service.storage.tables import venues
from service.storage.upsert import upsert

IDS_PER_STATEMENT = 500


def find_venues(connection: Connection, community: int, ids: Sequence[str]) -> dict[str, VenueRecord]:
    """Return the venues of these ids that there are, by id."""
    found: dict[str, VenueRecord] = {}
    for start in range(0, len(ids), IDS_PER_STATEMENT):
        some = ids[start : start + IDS_PER_STATEMENT]
        chosen = select(venues).where(venues.c.community == community, venues.c.id.in_(some))
        found |= {row.id: _as_venue(row.id, row.document) for row in connection.execute(chosen)}
    return found


def all_venues(connection: Connection, community: int) -> list[VenueRecord]:
    """Return every venue of a community, in the order of their ids' bytes."""
    chosen = select(venues).where(venues.c.community == community).order_by(venues.c.id)
    return [_as_venue(row.id, row.document) for row in connection.execute(chosen)]


def save_venues(write: Write, records: Sequence[VenueRecord]) -> None:
    """Write venues, new or in place of what stands under their ids."""
    rows = [
        {"community": write.community.number, "id": record.id, "document": _as_document(record)}
        for record in records
    ]
    upsert(write.connection, venues, rows)


def delete_venue(write: Write, venue_id: str) -> None:
    """Delete a venue."""
    here = venues.c.community == write.community.number
    write.connection.execute(delete(venues).where(here, venues.c.id == venue_id))


def _as_document(record: VenueRecord) -> str:
    document: dict[str, Any] = {"name": record.name, "lat": record.lat, "lon": record.lon}
    if record.timezone is not None:
        document["timezone"] = record.timezone
    if record.hours:
        document["hours"] = [[slot.day, slot.start, slot.end] for slot in record.hours]
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _as_venue(venue_id: str, text: str) -> VenueRecord:
    document = json.loads(text)
    hours = tuple(Slot(*slot) for slot in document.pop("hours", ()))
    return VenueRecord(venue_id, hours=hours, **document)
