"""A schema that reads a value only once gives what one that reads it each time gives, right or wrong."""

from typing import Any

import pytest

from service.errors import Invalid
from service.schemas import fields
from service.schemas.profiles import ProfileSchema, schema_of_many

SLOT = {"day": "tue", "from": "18:00", "to": "21:00"}
TURNED = {"to": "21:00", "from": "18:00", "day": "tue"}
ZONE = {"timezone": "Europe/Berlin"}
# In this order: what was read before must neither be taken for what follows nor hide what is wrong with it.
STATED: list[dict[str, Any]] = [
    {"interests": ["Hiking", "chess", "1", "True", "None", "['Hiking']"], "goals": ["chess"]},
    {"interests": ["hiking", "Hiking", "chess"]},
    {"interests": ["Hiking", 1, True, None, ["Hiking"], {"Hiking": "Hiking"}, {}]},
    {"goals": ["Hiking\n", "", "\u200b", "é" * 61]},
    {"interests": [["day", "tue"], [["day", "tue"]]]},
    {**ZONE, "availability": [SLOT, TURNED, SLOT | {"to": "21:15"}]},
    {**ZONE, "availability": [SLOT | {"to": "18:00"}, SLOT, SLOT | {"day": 1}, SLOT | {"day": ["tue"]}]},
    {**ZONE, "availability": [SLOT | {"until": "22:00"}, {"day": "tue"}, "tue", {}]},
    {**ZONE, "availability": [{"on": "tue", "from": "18:00", "to": "21:00"}]},
    {"availability": [SLOT]},
    {"languages": ["de", "en", "de"], "modes": ["online", "online"]},
    {"languages": ["de", "d", 1], "modes": ["online", "in person"]},
    {"languages": ["online"], "modes": ["de"]},
    {"attributes": {"role": "chess"}, "seeks": {"role": ["chess", ""]}},
]


def outcome(schema: ProfileSchema, stated: dict[str, Any]) -> Any:
    try:
        return schema.read({"name": "Ana"} | stated)
    except Invalid as error:
        return error.errors


def test_the_same_records_and_the_same_messages() -> None:
    many = schema_of_many()

    for stated in STATED * 2:
        assert outcome(many, stated) == outcome(ProfileSchema(), stated)


def test_a_value_is_read_once_by_one_schema_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Any] = []
    plain = fields.Line._deserialize

    def watched(field: fields.Line, value: Any, *given: Any, **options: Any) -> str:
        read.append(value)
        return plain(field, value, *given, **options)

    monkeypatch.setattr(fields.Line, "_deserialize", watched)

    many = schema_of_many()
    for schema in (many, many, schema_of_many()):
        schema.read({"name": "Ana", "interests": ["chess"]})

    assert read == ["Ana", "chess", "Ana", "Ana", "chess"]


def test_no_more_is_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "MOST_REMEMBERED", 2)
    term = fields.Remembered(fields.Line(60))

    assert [term.deserialize(text) for text in "abcabc"] == list("abcabc")
    assert list(term.known) == ["a", "b"]
