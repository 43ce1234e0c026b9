"""The wire shape of term completion."""

from marshmallow import Schema, fields

from service.schemas.fields import Whole


class TermAnswer(Schema):
    """A term as most of its members write it."""

    term = fields.String(required=True)
    count = Whole(3, 2**53, required=True)


class TermPage(Schema):
    """A page of terms; `next` is the cursor of the one that follows."""

    items = fields.List(fields.Nested(TermAnswer), required=True)
    next = fields.String()
