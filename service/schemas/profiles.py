"""The wire shape of a profile: what comes in becomes a `ProfileRecord`, a `Member` goes out."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from matching import FACETS, Place, Slot
from service.records import DAYS, Member, ProfileRecord
from service.schemas.base import StrictSchema
from service.schemas.fields import (
    Choice,
    Flag,
    Language,
    Line,
    Location,
    Moment,
    Named,
    Number,
    Remembered,
    Several,
    Terms,
    TimeZone,
    Whole,
    write_time,
)

ID_PATTERN = r"(?!(?:import|export)$)[A-Za-z0-9][A-Za-z0-9._~@:-]{0,127}"
QUARTER_PATTERN = r"(?:[01][0-9]|2[0-3]):(?:00|15|30|45)"
_ID = re.compile(ID_PATTERN)
MODES = ("in_person", "online")


def is_profile_id(text: str) -> bool:
    """Tell whether a text is in the grammar of profile ids."""
    return _ID.fullmatch(text) is not None


class ProfileId(fields.Field[str]):
    """An id out of the grammar."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if not isinstance(value, str) or not is_profile_id(value):
            raise ValidationError(
                "Must be 1 to 128 of A-Z a-z 0-9 . _ ~ @ : -, begin with a letter or digit, "
                "and not be import or export."
            )
        return value


class Time(fields.Field[int]):
    """A wall-clock time on the quarter hour; minutes since midnight inside."""

    def __init__(self, pattern: str, **options: Any) -> None:
        super().__init__(**options)
        self.pattern = re.compile(pattern)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        if not isinstance(value, str) or not self.pattern.fullmatch(value):
            raise ValidationError("Must be a time on the quarter hour such as 18:15.")
        return int(value[:2]) * 60 + int(value[3:])


class SlotSchema(StrictSchema):
    """A weekly slot, from before to, not across midnight."""

    day = Choice(*DAYS, required=True)
    start = Time(QUARTER_PATTERN, required=True, data_key="from")
    end = Time(f"{QUARTER_PATTERN}|24:00", required=True, data_key="to")

    @post_load
    def make(self, data: Mapping[str, Any], **_: Any) -> Slot:
        """Return the slot."""
        if data["start"] >= data["end"]:
            raise ValidationError("Must be later than from; a slot does not cross midnight.", "to")
        return Slot(DAYS.index(data["day"]), data["start"], data["end"])


class ProfileSchema(StrictSchema):
    """A member's profile, whole."""

    read_only: ClassVar[tuple[str, ...]] = ("moves_at",)

    id = ProfileId()
    name = Line(100, required=True)
    interests = Terms(load_default=())
    activities = Terms(load_default=())
    goals = Terms(load_default=())
    location = Location(load_default=None, allow_none=True)
    radius_km = Number(1, 200, load_default=None, allow_none=False)
    modes = Several(Choice(*MODES), 2, fewest=1, unique=True, load_default=None, allow_none=False)
    timezone = TimeZone(load_default=None, allow_none=True)
    availability = Several(fields.Nested(SlotSchema), 50, load_default=())
    languages = Several(Language(), 20, unique=True, load_default=())
    attributes = Named(Line(60), load_default=dict)
    seeks = Named(Several(Line(60), 20, fewest=1, unique=True), load_default=dict)
    capacity = Whole(0, 20, load_default=3)
    joins_rounds = Flag(load_default=False)
    status = Choice("active", "paused", load_default="active")
    paused_until = Moment(load_default=None, allow_none=True)

    @validates_schema(skip_on_field_errors=False)
    def check_together(self, data: Mapping[str, Any], **_: Any) -> None:
        """Check what one field asks of another."""
        if data.get("availability") and "timezone" in data and data["timezone"] is None:
            raise ValidationError("Needed where availability is given.", "timezone")
        if data.get("paused_until") is not None and data.get("status") == "active":
            raise ValidationError("Only with status paused.", "paused_until")

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> ProfileRecord:
        """Return the record; an id that was left out is empty."""
        return ProfileRecord(id=data.pop("id", ""), place=data.pop("location"), **data)


def schema_of_many() -> ProfileSchema:
    """Return a schema for an import: terms, slots, languages and modes that many state are checked once."""
    schema = ProfileSchema()
    for field in schema.fields.values():
        if isinstance(field, Several):
            field.item = Remembered(field.item)
    return schema


class LocationAnswer(Schema):
    """The centre of the member's cell, and how far from it they may be at most."""

    lat = Number(-90, 90, required=True)
    lon = Number(-180, 180, required=True)
    accuracy_km = Number(0, 10, required=True)


class ProfileAnswer(ProfileSchema):
    """A profile as it is read back: every field, with `moves_at` where a move waits."""

    id = ProfileId(required=True)
    location = fields.Nested(LocationAnswer, required=True, allow_none=True)  # type: ignore[assignment]
    moves_at = Moment(required=True, allow_none=True)


class ProfilePage(Schema):
    """A page of profiles; `next` is the cursor of the one that follows."""

    items = fields.List(fields.Nested(ProfileAnswer), required=True)
    next = fields.String()


def profile_wire(member: Member) -> dict[str, Any]:
    """Return a member's profile as it is read back."""
    modes = tuple(mode for mode in MODES if mode in member.public().effective_modes)
    moves_at = member.stay.moves_at
    wire = stated_wire(replace(member.record, radius_km=member.radius_km, modes=modes))
    return wire | {"moves_at": None if moves_at is None else write_time(moves_at)}


def stated_wire(record: ProfileRecord) -> dict[str, Any]:
    """Return the JSON that states a record; what was left to us by default stays out."""
    wire: dict[str, Any] = {"id": record.id, "name": record.name}
    wire |= {facet: list(getattr(record, facet)) for facet in FACETS}
    wire["location"] = location_wire(record.place)
    if record.radius_km is not None:
        wire["radius_km"] = record.radius_km
    if record.modes is not None:
        wire["modes"] = list(record.modes)
    return wire | {
        "timezone": record.timezone,
        "availability": [slot_wire(slot) for slot in record.availability],
        "languages": list(record.languages),
        "attributes": dict(record.attributes),
        "seeks": {name: list(values) for name, values in record.seeks.items()},
        "capacity": record.capacity,
        "joins_rounds": record.joins_rounds,
        "status": record.status,
        "paused_until": None if record.paused_until is None else write_time(record.paused_until),
    }


def slot_wire(slot: Slot) -> dict[str, str]:
    """Return a slot as it is read back."""
    return {"day": DAYS[slot.day], "from": _clock(slot.start), "to": _clock(slot.end)}


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def location_wire(place: Place | None) -> dict[str, float] | None:
    """Return a place as it is read back."""
    return None if place is None else {"lat": place.lat, "lon": place.lon, "accuracy_km": place.accuracy_km}


def merge_patch(target: Any, patch: Any) -> Any:
    """Return `target` changed by a JSON merge patch (RFC 7396)."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def patched_record(schema: ProfileSchema, record: ProfileRecord, patch: Mapping[str, Any]) -> ProfileRecord:
    """Return the record that a merge patch makes of this one, or raise `Invalid`."""
    # A null would take an unknown field away before the schema could refuse it.
    unknown = {name: patch[name] for name in patch.keys() - schema.fields.keys() - set(schema.read_only)}
    given = {name: value for name, value in patch.items() if name not in schema.read_only}
    if given.get("status", "paused") != "paused":
        # Who comes back from a pause need not say that its end is gone, too.
        given.setdefault("paused_until", None)
    loaded: ProfileRecord = schema.read(merge_patch(stated_wire(record), given) | unknown)
    return loaded
