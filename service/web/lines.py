"""Imports line by line: bytes in, records or what is wrong with each line out, in flat memory.

NDJSON: one profile or connection a line. CSV (profiles alone): a header, lists by `;`, slots as
`tue 18:00-21:00`. A line too long is read past, not kept.
"""

import codecs
import csv
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import IO, Any

from matching import FACETS
from service.errors import Invalid, NotJson, WrongMediaType
from service.records import ConnectionRecord, ImportLine, ProfileRecord, R
from service.schemas.pairs import ConnectionLineSchema
from service.schemas.profiles import ProfileSchema, is_profile_id, schema_of_many
from service.web.gate import parse_json

NDJSON = "application/x-ndjson"
CSV = "text/csv"
LONGEST_LINE = 256 * 1024
ProfileLine = ImportLine[ProfileRecord]
_NUMBER = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,18})?")
_WHOLE = re.compile(r"[0-9]{1,9}")
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z_.;]{0,59}")
_SLOT = re.compile(r"([a-z]{3}) ([0-9:]{5})-([0-9:]{5})")


def read_lines(stream: IO[bytes], content_type: str) -> Iterator[ProfileLine]:
    """Yield each line of an import, numbered from 1; raise `WrongMediaType` for a type that is neither."""
    if content_type == NDJSON:
        schema = schema_of_many()
        return read_ndjson(
            stream, lambda number, line: _read_record(schema, number, partial(parse_json, line))
        )
    if content_type == CSV:
        return _read_csv(stream)
    raise WrongMediaType(f"Send {NDJSON} or {CSV}.")


def read_connections(stream: IO[bytes]) -> Iterator[ImportLine[ConnectionRecord]]:
    """Yield each line of an import of connections, numbered from 1."""
    schema = ConnectionLineSchema()

    def read(number: int, line: bytes) -> ImportLine[ConnectionRecord]:
        record: ConnectionRecord = schema.read(parse_json(line))
        return ImportLine(number, record, record.a)

    return read_ndjson(stream, read)


def read_ndjson(stream: IO[bytes], read: Callable[[int, bytes], ImportLine[R]]) -> Iterator[ImportLine[R]]:
    """Yield each line that is not empty, numbered from 1: what `read` makes of it, or what is wrong."""
    for number, line in _numbered(stream):
        if line is None:
            yield ImportLine(number, errors={"line": [f"Must be at most {LONGEST_LINE} bytes long."]})
        elif line.strip():
            try:
                yield read(number, line)
            except Invalid as error:
                yield ImportLine(number, errors=error.errors)
            except NotJson as error:
                yield ImportLine(number, errors={"line": [str(error)]})


def _numbered(stream: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    number = 0
    while line := stream.readline(LONGEST_LINE):
        number += 1
        if len(line) < LONGEST_LINE or line.endswith(b"\n"):
            yield number, line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(LONGEST_LINE)
        yield number, None


def _read_record(schema: ProfileSchema, number: int, parse: Callable[[], Any]) -> ProfileLine:
    profile_id = None
    try:
        wire = parse()
        given = wire.get("id") if isinstance(wire, dict) else None
        profile_id = given if isinstance(given, str) and is_profile_id(given) else None
        record: ProfileRecord = schema.read(wire)
    except Invalid as error:
        return ImportLine(number, id=profile_id, errors=error.errors)
    if not record.id:
        return ImportLine(number, errors={"id": ["Missing data for required field."]})
    return ImportLine(number, record, record.id)


def _read_csv(stream: IO[bytes]) -> Iterator[ProfileLine]:
    schema = schema_of_many()
    rows = _csv_rows(stream)
    number, header = next(rows, (1, []))
    if isinstance(header, str) or (faults := _header_faults(header)):
        yield ImportLine(number, errors={"header": [header] if isinstance(header, str) else faults})
        return
    for number, row in rows:
        if isinstance(row, str):
            yield ImportLine(number, errors={"line": [row]})
        elif any(cell.strip() for cell in row):
            yield _read_record(schema, number, partial(_wire, header, row))


def _csv_rows(stream: IO[bytes]) -> Iterator[tuple[int, list[str] | str]]:
    # No field of a profile holds a line break, so every line is read alone: an open quote costs one line.
    for number, line in _numbered(stream):
        try:
            yield number, _csv_row(line)
        except (csv.Error, UnicodeDecodeError) as error:
            yield number, f"Is not CSV in UTF-8: {error}."


def _csv_row(line: bytes | None) -> list[str] | str:
    if line is None:
        return f"Must be at most {LONGEST_LINE} bytes long."
    text = line.decode().rstrip("\r\n")
    return next(csv.reader([text], strict=True), [])


COLUMNS = {
    "id", "name", *FACETS, "lat", "lon", "radius_km", "modes", "timezone", "availability", "languages",
    "capacity",    "joins_rounds", "status", "paused_until",
}  # fmt: skip


def _header_faults(header: list[str]) -> list[str]:
    unknown = [
        # A table without a header begins with somebody's profile: only what looks like a name is repeated.
        name if _COLUMN.fullmatch(name) else str(number)
        for number, name in enumerate(header, 1)
        if name not in COLUMNS and not name.startswith(("attributes.", "seeks."))
    ]
    twice = sorted({name for name in header if header.count(name) > 1})
    return (
        [f"Unknown column {name}." for name in unknown]
        + [f"Column {name} stands twice." for name in twice]
        + ([] if "id" in header else ["Needs a column id."])
    )


def _wire(header: list[str], row: list[str]) -> dict[str, Any]:
    if len(row) != len(header):
        raise Invalid({"line": [f"Must hold {len(header)} cells, not {len(row)}."]})
    wire: dict[str, Any] = {}
    for name, cell in zip(header, row, strict=True):
        if cell != "":
            _put(wire, name, cell)
    return wire


def _put(wire: dict[str, Any], name: str, cell: str) -> None:
    if name in {"lat", "lon"}:
        wire.setdefault("location", {})[name] = _number(cell)
    elif name.startswith(("attributes.", "seeks.")):
        group, _, key = name.partition(".")
        wire.setdefault(group, {})[key] = _items(cell) if group == "seeks" else cell
    elif name in _READERS:
        wire[name] = _READERS[name](cell)
    else:
        wire[name] = cell


def _items(cell: str) -> list[str]:
    return [item.strip() for item in cell.split(";") if item.strip()]


def _number(cell: str) -> Any:
    return float(cell) if _NUMBER.fullmatch(cell) else cell


def _whole(cell: str) -> Any:
    return int(cell) if _WHOLE.fullmatch(cell) else cell


def _flag(cell: str) -> Any:
    return {"true": True, "false": False}.get(cell, cell)


def _slots(cell: str) -> list[Any]:
    return [_slot(item) for item in _items(cell)]


def _slot(text: str) -> Any:
    found = _SLOT.fullmatch(text)
    return dict(zip(("day", "from", "to"), found.groups(), strict=True)) if found else text


_READERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys((*FACETS, "modes", "languages"), _items),
    "radius_km": _number,
    "capacity": _whole,
    "joins_rounds": _flag,
    "availability": _slots,
}
