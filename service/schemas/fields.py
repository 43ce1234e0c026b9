"""Strict fields: a value of another JSON type is refused, never converted.

marshmallow's own accept 1.9 for 1, "12" for 12 and "yes" for true.
"""

import re
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any
from zoneinfo import available_timezones

from marshmallow import ValidationError, fields, missing, validate

from matching import Place, normalise

LONGEST_TERM = 60
# What normalising can take away (invisible characters, marks) is bounded too.
LONGEST_TERM_AS_WRITTEN = 240
MOST_TERMS = 50
# Told of one object: who sends 50,000 names need not read of them all.
MOST_UNKNOWN = 20
MOST_REMEMBERED = 1 << 14
_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
# Of our time: what a calendar can hold is more than can be reckoned with.
_DAY = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_LINE_BREAK = re.compile(r"[\n\r\t\x85\u2028\u2029]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
LONGEST_LANGUAGE = 35
_TIMEZONES = frozenset(available_timezones())


class Text(fields.Field[str]):
    """Text of a length, with something to see in it."""

    def __init__(self, longest: int, *, shortest: int = 1, **options: Any) -> None:
        super().__init__(**options)
        self.longest = longest
        self.shortest = shortest

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("Must be text.")
        if not self.shortest <= len(value) <= self.longest:
            raise ValidationError(f"Must hold {self.shortest} to {self.longest} characters.")
        if _CONTROL.search(value):
            raise ValidationError("Must not hold control characters.")
        if self.shortest and not normalise(value):
            raise ValidationError("Must hold a visible character.")
        return value


class Line(Text):
    """Text on one line."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        if _LINE_BREAK.search(text):
            raise ValidationError("Must stand on one line.")
        return text


class Number(fields.Field[float]):
    """A JSON number within bounds."""

    def __init__(self, low: float, high: float, **options: Any) -> None:
        super().__init__(**options)
        self.low, self.high = low, high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> float:
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not self.low <= value <= self.high
        ):
            raise ValidationError(f"Must be a number from {self.low:g} to {self.high:g}.")
        return float(value)


class Whole(fields.Field[int]):
    """A JSON integer within bounds: neither 1.0 nor "1"."""

    def __init__(self, low: int, high: int, **options: Any) -> None:
        super().__init__(**options)
        self.low, self.high = low, high

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        if type(value) is not int or not self.low <= value <= self.high:
            raise ValidationError(f"Must be a whole number from {self.low} to {self.high}.")
        return value


_DEGREES = {"lat": Number(-90, 90, required=True), "lon": Number(-180, 180, required=True)}


class Flag(fields.Field[bool]):
    """True or false, as JSON writes them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Must be true or false.")
        return value


class Choice(fields.Field[str]):
    """One of some words."""

    def __init__(self, *allowed: str, **options: Any) -> None:
        super().__init__(
            validate=validate.OneOf(allowed, error=f"Must be one of {', '.join(allowed)}."), **options
        )
        self.allowed = allowed

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError(f"Must be one of {', '.join(self.allowed)}.")
        return value


class Several(fields.Field[tuple[Any, ...]]):
    """A list of a bounded length, whose items another field reads; the length is checked first."""

    def __init__(
        self, item: fields.Field[Any], most: int, *, fewest: int = 0, unique: bool = False, **options: Any
    ) -> None:
        super().__init__(**options)
        self.item, self.most, self.fewest, self.unique = item, most, fewest, unique

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValidationError("Must be a list.")
        if not self.fewest <= len(value) <= self.most:
            raise ValidationError(f"Must hold {self.fewest} to {self.most} items.")
        read: list[Any] = []
        errors: dict[int, Any] = {}
        for index, item in enumerate(value):
            try:
                read.append(self.item.deserialize(item, attr, data, **options))
            except ValidationError as error:
                errors[index] = error.messages
        if errors:
            raise ValidationError(errors)
        return tuple(dict.fromkeys(read)) if self.unique else tuple(read)


class Remembered(fields.Field[Any]):
    """A field of texts, or of objects of texts, that reads a value only once.

    It must read nothing but the value. What is wrong is read each time: its messages are made for its place.
    """

    def __init__(self, field: fields.Field[Any]) -> None:
        super().__init__()
        self.field = field
        self.known: dict[Any, Any] = {}

    def deserialize(self, value: Any, attr: str | None = None, data: Any = None, **options: Any) -> Any:
        """Return what is known of a value, or read it."""
        key = tuple(value.items()) if type(value) is dict else value
        try:
            return self.known[key]
        except (KeyError, TypeError):  # not yet, or never: what holds a list is nobody's key
            read = self.field.deserialize(value, attr, data, **options)
        if len(self.known) < MOST_REMEMBERED:
            self.known[key] = read
        return read


class Terms(Several):
    """Up to 50 interests, activities or goals: kept as written, repeats in normal form dropped."""

    def __init__(self, **options: Any) -> None:
        super().__init__(_Term(LONGEST_TERM_AS_WRITTEN), MOST_TERMS, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> tuple[Any, ...]:
        first: dict[str, str] = {}
        for term in super()._deserialize(value, attr, data, **options):
            first.setdefault(normalise(term), term)
        return tuple(first.values())


class _Term(Line):
    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        term = super()._deserialize(value, attr, data, **options)
        if len(normalise(term)) > LONGEST_TERM:
            raise ValidationError(f"Must hold 1 to {LONGEST_TERM} characters after normalising.")
        return term


class Language(fields.Field[str]):
    """A BCP 47 language tag."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if not isinstance(value, str) or len(value) > LONGEST_LANGUAGE or not _LANGUAGE.fullmatch(value):
            raise ValidationError("Must be a BCP 47 language tag such as de or pt-BR.")
        return value


class TimeZone(fields.Field[str]):
    """An IANA time zone."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        if not isinstance(value, str) or value not in _TIMEZONES:
            raise ValidationError("Must be an IANA time zone such as Europe/Berlin.")
        return value


class Moment(fields.Field[int]):
    """An RFC 3339 time; milliseconds since 1970 inside."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> int:
        try:
            if not isinstance(value, str) or not _TIME.fullmatch(value):
                raise ValueError
            milliseconds = round(datetime.fromisoformat(value.upper()).timestamp() * 1000)
            # In UTC it may lie outside the years 1 to 9999: what can't be written is not taken.
            write_time(milliseconds)
            return milliseconds
        except (ValueError, OverflowError):
            raise ValidationError("Must be an RFC 3339 time such as 2026-12-01T18:00:00Z.") from None

    def _serialize(self, value: int | None, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else write_time(value)


class Day(fields.Field[str]):
    """A day such as 2026-12-01, in UTC."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> str:
        try:
            if not isinstance(value, str) or not _DAY.fullmatch(value):
                raise ValueError
            date.fromisoformat(value)
        except ValueError:
            raise ValidationError("Must be a day such as 2026-12-01.") from None
        return value


def write_time(milliseconds: int) -> str:
    """Return a time as RFC 3339 in UTC."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds" if milliseconds % 1000 else "seconds").replace(
        "+00:00", "Z"
    )


class Point(fields.Field[tuple[float, float]]):
    """Degrees of a public place, as they are: latitude and longitude."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> tuple[float, float]:
        return _degrees(value, **options)


class Location(fields.Field[Place]):
    """Degrees of a member, moved to the centre of their cell here: nothing after this field knows more."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Place:
        return Place.at(*_degrees(value, also=("accuracy_km",), **options))

    def _serialize(
        self, value: Place | None, attr: str | None, obj: Any, **_: Any
    ) -> dict[str, float] | None:
        return (
            None if value is None else {"lat": value.lat, "lon": value.lon, "accuracy_km": value.accuracy_km}
        )


def _degrees(value: Any, also: tuple[str, ...] = (), **options: Any) -> tuple[float, float]:
    """Return latitude and longitude out of an object that holds both, and perhaps what only we write."""
    if not isinstance(value, dict):
        raise ValidationError('Must be an object such as {"lat": 52.52, "lon": 13.405}.')
    read: dict[str, Any] = {}
    errors: dict[str, Any] = {}
    for name, field in _DEGREES.items():
        try:
            read[name] = field.deserialize(value.get(name, missing), name, value, **options)
        except ValidationError as error:
            errors[name] = error.messages
    unknown = (name for name in value if name not in _DEGREES and name not in also)
    errors |= {name: ["Unknown field."] for name in islice(unknown, MOST_UNKNOWN)}
    if errors:
        raise ValidationError(errors)
    return read["lat"], read["lon"]


class Named(fields.Field[dict[str, Any]]):
    """An object of up to 20 names, whose values another field reads."""

    most = 20

    def __init__(self, item: fields.Field[Any], **options: Any) -> None:
        super().__init__(**options)
        self.key, self.item = Line(60), item

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("Must be an object.")
        if len(value) > self.most:
            raise ValidationError(f"Must hold at most {self.most} names.")
        read: dict[str, Any] = {}
        errors: dict[str, Any] = {}
        for name, item in value.items():
            try:
                self.key.deserialize(name)
                read[name] = self.item.deserialize(item, attr, data, **options)
            except ValidationError as error:
                errors[name[:60]] = error.messages
        if errors:
            raise ValidationError(errors)
        return read
