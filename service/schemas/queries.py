"""Query parameters: digits are ASCII, limits are limits."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, pre_load

from matching import FACETS
from service.schemas.base import StrictSchema
from service.schemas.fields import Choice, Line
from service.schemas.profiles import MODES, ProfileId

_WHOLE = re.compile(r"[0-9]{1,9}")
_DECIMAL = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
LONGEST_CURSOR = 1000
_MAY_BE_EMPTY = ("radius_km", "mode", "facet")


class QueryWhole(fields.Field[int]):
    """A whole number in ASCII digits."""

    def __init__(self, low: int, high: int, **options: Any) -> None:
        super().__init__(**options)
        self.low, self.high = low, high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        if not _WHOLE.fullmatch(value) or not self.low <= int(value) <= self.high:
            raise ValidationError(f"Must be a whole number from {self.low} to {self.high}.")
        return int(value)


class QueryNumber(fields.Field[float]):
    """A decimal number in ASCII digits."""

    def __init__(self, low: float, high: float, **options: Any) -> None:
        super().__init__(**options)
        self.low, self.high = low, high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> float:
        if not _DECIMAL.fullmatch(value) or not self.low <= float(value) <= self.high:
            raise ValidationError(f"Must be a number from {self.low:g} to {self.high:g}.")
        return float(value)


class Cursor(fields.Field[tuple[Any, ...]]):
    """An opaque mark of where a list goes on, made of JSON values of these types."""

    def __init__(self, *types: type, **options: Any) -> None:
        super().__init__(**options)
        self.types = types

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> tuple[Any, ...]:
        try:
            if len(value) > LONGEST_CURSOR:
                raise ValueError
            read = json.loads(base64.b64decode(value.encode("ascii"), altchars=b"-_", validate=True))
            if not isinstance(read, list) or tuple(map(type, read)) != self.types:
                raise ValueError
            json.dumps(read, ensure_ascii=False).encode()
        except (ValueError, binascii.Error, RecursionError):
            raise ValidationError("Must be a cursor that an answer gave.") from None
        if any(
            (isinstance(part, str) and "\0" in part) or (isinstance(part, int) and abs(part) > 2**62)
            for part in read
        ):
            raise ValidationError("Must be a cursor that an answer gave.")
        return tuple(read)


def write_cursor(*values: Any) -> str:
    """Return an opaque cursor that holds these values."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(text.encode(), altchars=b"-_").decode()


class NoQuery(StrictSchema):
    """No query parameter is known here."""


class PageQuery(StrictSchema):
    """Where a list begins and how much of it to give."""

    limit = QueryWhole(1, 100, load_default=20)
    cursor = Cursor(str, load_default=None, allow_none=False)


class NewestFirstQuery(StrictSchema):
    """Where a list of people, newest first, begins and how much of it to give."""

    limit = QueryWhole(1, 100, load_default=20)
    cursor = Cursor(int, str, load_default=None, allow_none=False)


class NumberedQuery(StrictSchema):
    """Where a list in the order of numbers begins and how much of it to give."""

    limit = QueryWhole(1, 100, load_default=20)
    cursor = Cursor(int, load_default=None, allow_none=False)


class MeetupQuery(PageQuery):
    """Whose meetups, or those of which round; what is left empty is not asked for."""

    profile = ProfileId(load_default=None, allow_none=False)
    round = Line(60, load_default=None, allow_none=False)

    @pre_load
    def leave_out_empty(self, data: Mapping[str, str], **_: Any) -> dict[str, str]:
        """Take an empty parameter for one that isn't there, as `?profile=&round=` has it."""
        return {name: text for name, text in data.items() if text or name not in {"profile", "round"}}


class TermQuery(StrictSchema):
    """What to complete."""

    prefix = Line(60, shortest=0, load_default="")
    facet = Choice(*FACETS, load_default=None, allow_none=False)
    limit = QueryWhole(1, 100, load_default=20)
    cursor = Cursor(int, str, load_default=None, allow_none=False)


class SuggestionQuery(StrictSchema):
    """How to ask for suggestions; what is left out, or left empty, comes from the profile."""

    names_nobody = True

    limit = QueryWhole(1, 100, load_default=10)
    radius_km = QueryNumber(1, 200, load_default=None, allow_none=False)
    mode = Choice(*MODES, load_default=None, allow_none=False)
    facet = Choice(*FACETS, load_default=None, allow_none=False)

    @pre_load
    def leave_out_empty(self, data: Mapping[str, str], **_: Any) -> dict[str, str]:
        """Take an empty parameter for one that isn't there, as `?radius_km=&mode=` has it."""
        return {name: text for name, text in data.items() if text or name not in _MAY_BE_EMPTY}
