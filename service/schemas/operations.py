"""The wire shape of the operator's answers."""

from marshmallow import Schema

from service.schemas.fields import Choice, Flag


class AliveAnswer(Schema):
    """The process lives."""

    alive = Flag(required=True)


class ReadyAnswer(Schema):
    """What the process needs, and how it is."""

    database = Choice("ok", "off", required=True)
    redis = Choice("ok", "off", required=True)
