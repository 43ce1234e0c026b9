"""What all schemas share: strict about names, quick to say which path is wrong."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, ClassVar, NoReturn

from marshmallow import INCLUDE, RAISE, Schema, ValidationError, pre_load

from service.errors import Invalid

# Told of one body: who sends 50,000 unknown fields need not read of them all.
MOST_ERRORS = 100


class StrictSchema(Schema):
    """Refuse unknown fields; read-only ones are ignored, so what was read can be written back."""

    class Meta:
        """Options of marshmallow."""

        unknown = RAISE

    read_only: ClassVar[tuple[str, ...]] = ()
    # A query that can hold nothing of anybody: what it was read as may be remembered.
    names_nobody: ClassVar[bool] = False

    @pre_load
    def leave_out_read_only(self, data: Any, **_: Any) -> Any:
        """Drop what only we write."""
        if not self.read_only or not isinstance(data, Mapping):
            return data
        return {name: value for name, value in data.items() if name not in self.read_only}

    def read(self, data: Any) -> Any:
        """Load data, or raise `Invalid`."""
        try:
            return self.load(data)
        except ValidationError as error:
            refuse(error)


class AnyObject(Schema):
    """A JSON object whose fields are checked later, such as a merge patch."""

    class Meta:
        """Options of marshmallow."""

        unknown = INCLUDE


def refuse(error: ValidationError) -> NoReturn:
    """Raise what marshmallow found as `Invalid`, each message under its field's path."""
    raise Invalid(dict(islice(_flat(error.messages, ""), MOST_ERRORS))) from None


def _flat(messages: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    if isinstance(messages, Mapping):
        for step, inner in messages.items():
            shown = "" if step == "_schema" else str(step)
            yield from _flat(inner, f"{path}.{shown}" if path and shown else path or shown)
    else:
        yield path or "body", [str(message) for message in messages]
