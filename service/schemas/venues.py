"""The wire shape of a venue: as JSON, and as a GeoJSON feature (RFC 7946)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from service.records_meetups import VenueRecord
from service.schemas.base import StrictSchema
from service.schemas.fields import Choice, Line, Number, Point, Several, TimeZone
from service.schemas.profiles import ProfileId, SlotSchema, slot_wire

MOST_HOURS = 50
LOWEST_M, HIGHEST_M = -12_000, 9_000


class _Opening(StrictSchema):
    """What a venue states in either form, but for its point."""

    id = ProfileId()
    name = Line(100, required=True)
    timezone = TimeZone(load_default=None, allow_none=True)
    hours = Several(fields.Nested(SlotSchema), MOST_HOURS, load_default=())

    @validates_schema(skip_on_field_errors=False)
    def check_together(self, data: Mapping[str, Any], **_: Any) -> None:
        """Check what one field asks of another."""
        if data.get("hours") and "timezone" in data and data["timezone"] is None:
            raise ValidationError("Needed where hours are given.", "timezone")


class VenueSchema(_Opening):
    """A public place where the community meets; its point is kept as it is. Without `hours` always open."""

    location = Point(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> VenueRecord:
        """Return the record; an id that was left out is empty."""
        lat, lon = data.pop("location")
        return VenueRecord(data.pop("id", ""), lat=lat, lon=lon, **data)


class VenueAnswer(VenueSchema):
    """A venue as it is read back."""

    id = ProfileId(required=True)


class Position(Several):
    """Longitude, latitude and, where it is stated, a height in metres that nothing is made of."""

    def __init__(self, **options: Any) -> None:
        super().__init__(fields.Raw(), 3, fewest=2, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> tuple[Any, ...]:
        stated = super()._deserialize(value, attr, data, **options)
        bounds = ((-180, 180), (-90, 90), (LOWEST_M, HIGHEST_M))
        errors: dict[int, Any] = {}
        for index, (number, (low, high)) in enumerate(zip(stated, bounds, strict=False)):
            try:
                Number(low, high).deserialize(number)
            except ValidationError as error:
                errors[index] = error.messages
        if errors:
            raise ValidationError(errors)
        return stated


class PointSchema(StrictSchema):
    """A GeoJSON point."""

    type = Choice("Point", required=True)
    coordinates = Position(required=True)


class FeatureSchema(StrictSchema):
    """A venue as a GeoJSON feature; its id stands in `properties` or beside them."""

    read_only: ClassVar[tuple[str, ...]] = ("bbox",)

    type = Choice("Feature", required=True)
    id = ProfileId(load_default=None)
    geometry = fields.Nested(PointSchema, required=True)
    properties = fields.Nested(_Opening, required=True)

    @post_load
    def make(self, data: Mapping[str, Any], **_: Any) -> VenueRecord:
        """Return the record."""
        stated = dict(data["properties"])
        inner = stated.pop("id", None)
        if data["id"] and inner and data["id"] != inner:
            raise ValidationError({"id": ["Must be the id in properties."]})
        if not (data["id"] or inner):
            raise ValidationError({"properties": {"id": ["Missing data for required field."]}})
        lon, lat = map(float, data["geometry"]["coordinates"][:2])
        return VenueRecord(data["id"] or inner, lat=lat, lon=lon, **stated)


class CalendarAnswer(Schema):
    """Where a member's calendar is read: an address to be kept secret."""

    url = fields.String(required=True)


def venue_wire(record: VenueRecord) -> dict[str, Any]:
    """Return a venue as it is read back."""
    return {
        "id": record.id,
        "name": record.name,
        "location": {"lat": record.lat, "lon": record.lon},
        "timezone": record.timezone,
        "hours": [slot_wire(slot) for slot in record.hours],
    }
