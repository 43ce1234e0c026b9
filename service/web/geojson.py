"""Imports of venues: in comes a GeoJSON FeatureCollection or its features one a line, out come venues.

A collection is read feature by feature, so it may have any length. Where it breaks off, what came before the
break is taken and the break is told as the failure of the next feature; where it breaks before the first one,
the whole is refused.
"""

import codecs
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Any

from service.errors import Invalid, NotJson
from service.records import ImportLine
from service.records_meetups import VenueRecord
from service.schemas.profiles import is_profile_id
from service.schemas.venues import FeatureSchema
from service.web.blueprint import JSON
from service.web.gate import parse_json
from service.web.lines import LONGEST_LINE, NDJSON, read_ndjson

GEOJSON = "application/geo+json"
TYPES = (GEOJSON, JSON, NDJSON)
COLLECTION = "FeatureCollection"
BYTES_PER_READ = 64 * 1024
VenueLine = ImportLine[VenueRecord]
_DECODER = json.JSONDecoder()
_BLANK = " \t\r\n"


def read_venues(stream: IO[bytes], content_type: str) -> Iterator[VenueLine]:
    """Yield each feature of an import, numbered from 1."""
    schema = FeatureSchema()
    if content_type == NDJSON:
        return read_ndjson(stream, lambda number, line: _read(schema, number, partial(parse_json, line)))
    return _read_collection(stream, schema)


def _read(schema: FeatureSchema, number: int, parse: Callable[[], Any]) -> VenueLine:
    venue_id = None
    try:
        wire = parse()
        venue_id = _named(wire)
        record: VenueRecord = schema.read(wire)
    except Invalid as error:
        return ImportLine(number, id=venue_id, errors=error.errors)
    except NotJson as error:  # a number or a depth that JSON itself would let pass
        return ImportLine(number, errors={"line": [str(error)]})
    return ImportLine(number, record, record.id)


def _named(wire: Any) -> str | None:
    """Return the id of a feature whatever else is wrong with it."""
    feature = wire if isinstance(wire, dict) else {}
    inner = feature.get("properties")
    stated = [feature.get("id"), inner.get("id") if isinstance(inner, dict) else None]
    return next((name for name in stated if isinstance(name, str) and is_profile_id(name)), None)


def _read_collection(stream: IO[bytes], schema: FeatureSchema) -> Iterator[VenueLine]:
    number = 0
    try:
        for text in _features(_Text(stream)):
            number += 1
            yield _read(schema, number, partial(parse_json, text.encode()))
    except (NotJson, Invalid) as error:
        if not number:
            raise
        yield ImportLine(number + 1, errors={"body": [str(error)]})


class _Text:
    """JSON that is read on as it is needed."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._ended = False

    def peek(self) -> str:
        """Return the next character that is not blank, nothing at the end."""
        while True:
            self._fill(1)
            while self._at < len(self._text) and self._text[self._at] in _BLANK:
                self._at += 1
            if self._ended or self._at < len(self._text):
                return self._text[self._at : self._at + 1]

    def take(self, expected: str) -> None:
        """Step over a character that must come next."""
        found = self.peek()
        if found != expected:
            raise NotJson(f"The body is not JSON: {expected!r} must come before {found or 'its end'!r}.")
        self._at += 1

    def value(self) -> str:
        """Return the text of the value that comes next."""
        self.peek()
        self._fill(LONGEST_LINE)
        try:
            _, end = _DECODER.raw_decode(self._text, self._at)
        except (ValueError, RecursionError):
            raise NotJson(
                f"The body is not JSON, or holds a feature of more than {LONGEST_LINE} characters."
            ) from None
        found = self._text[self._at : end]
        self._at = end
        return found

    def _fill(self, characters: int) -> None:
        while not self._ended and len(self._text) - self._at < characters:
            read = self._stream.read(BYTES_PER_READ)
            self._ended = not read
            try:
                decoded = self._decoder.decode(read, final=self._ended)
            except UnicodeDecodeError:
                raise NotJson("The body is not UTF-8.") from None
            self._text, self._at = self._text[self._at :] + decoded, 0


def _features(text: _Text) -> Iterator[str]:
    """Yield the text of each feature; hold the rest of the collection to its rules."""
    if text.peek() != "{":
        parse_json(text.value().encode())
        raise Invalid({"body": [f"Must be a GeoJSON {COLLECTION}."]})
    seen: set[str] = set()
    for name in _names(text):
        if name in seen:
            raise Invalid({"body": [f"Holds a key twice: {name!r}."]})
        seen.add(name)
        if name == "features":
            yield from _items(text)
        else:
            _check_member(name, parse_json(text.value().encode()))
    if text.peek():
        raise NotJson("The body goes on after its end.")
    missing = {"type", "features"} - seen
    if missing:
        raise Invalid({name: ["Missing data for required field."] for name in sorted(missing)})


def _names(text: _Text) -> Iterator[str]:
    for _ in _each(text, "{", "}"):
        if text.peek() != '"':
            text.take('"')
        name: str = parse_json(text.value().encode())
        text.take(":")
        yield name


def _items(text: _Text) -> Iterator[str]:
    if text.peek() != "[":
        parse_json(text.value().encode())
        raise Invalid({"features": ["Must be a list."]})
    for _ in _each(text, "[", "]"):
        yield text.value()


def _each(text: _Text, opening: str, closing: str) -> Iterator[None]:
    """Step through an object or a list: pause where an entry begins, and go on behind it."""
    text.take(opening)
    if text.peek() != closing:
        yield
        while text.peek() == ",":
            text.take(",")
            yield
    text.take(closing)


def _check_member(name: str, value: Any) -> None:
    if name == "type" and value != COLLECTION:
        raise Invalid({"type": [f"Must be {COLLECTION}."]})
    if name not in {"type", "bbox"}:
        raise Invalid({name[:60]: ["Unknown field."]})
