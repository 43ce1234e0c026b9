"""The wire shape of keys."""

from typing import Any

from marshmallow import Schema, fields

from service.records import SCOPES, ApiKey
from service.schemas.base import StrictSchema
from service.schemas.fields import Choice, Line, Moment, Several, write_time


class KeySchema(StrictSchema):
    """A key to make."""

    name = Line(100, required=True)
    scopes = Several(Choice(*SCOPES), len(SCOPES), fewest=1, unique=True, required=True)


class KeyAnswer(Schema):
    """A key as it is listed."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    scopes = Several(Choice(*SCOPES), len(SCOPES), fewest=1, unique=True, required=True)
    created_at = Moment(required=True)


class NewKeyAnswer(KeyAnswer):
    """A key just made, shown this once."""

    key = fields.String(required=True)


def key_wire(key: ApiKey) -> dict[str, Any]:
    """Return a key as it is listed."""
    return {
        "id": key.id,
        "name": key.name,
        "scopes": list(key.scopes),
        "created_at": write_time(key.created_at),
    }


class KeyPage(Schema):
    """A page of keys; `next` is the cursor of the one that follows."""

    items = fields.List(fields.Nested(KeyAnswer), required=True)
    next = fields.String()
