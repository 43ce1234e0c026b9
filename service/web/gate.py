"""The strict gate before marshmallow: what is not plain JSON of plain values goes no further.

Comes in: a request's bytes. Goes out: objects, lists, text, numbers of 64 bits, booleans and null. What JSON
allows but no field means (a key twice, half a surrogate pair, a NUL, a huge integer) is an `Invalid` that
names its path; what is no JSON at all is `NotJson`.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import chain, islice
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from service.errors import Invalid, NotJson

DEEPEST = 12
LARGEST_INTEGER = 2**63 - 1
MOST_DIGITS = 25
MOST_FAULTS = 100
_MARK = "\ufeff"
_Steps = tuple[str | int, ...]
_NUMBERS, _HOLDERS = {int, float}, {dict, list}
_PLAIN = _NUMBERS | _HOLDERS | {str, bool, type(None)}


class _Twice(dict[str, Any]):
    """An object in which a key stood more than once."""

    keys_twice: tuple[str, ...]


def parse_json(body: bytes) -> Any:
    """Parse one JSON text; raise `NotJson` or `Invalid`."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise NotJson("The body is not UTF-8.") from None
    try:
        parsed = _read(text)
    except RecursionError:
        raise NotJson(f"The body is nested deeper than {DEEPEST} levels.") from None
    except ValueError as error:
        raise NotJson(f"The body is not JSON: {error}.") from None
    # Only an escape can write a character that a strict decoder would have refused.
    if "\\u" not in text and _is_plain(parsed):
        return parsed
    errors = dict(islice(_faults(parsed), MOST_FAULTS))
    if errors:
        raise Invalid(errors)
    return parsed


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    twice = _Twice(found)
    twice.keys_twice = tuple(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
    return twice


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _integer(digits: str) -> float | int:
    # A number too long for Python to convert is out of bounds all the same.
    return math.inf if len(digits) > MOST_DIGITS else int(digits)


# Made once: `json.loads` makes one for each call that brings hooks.
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant, parse_int=_integer)


def _read(text: str) -> Any:
    if text.startswith(_MARK):
        raise json.JSONDecodeError("Unexpected UTF-8 BOM (decode using utf-8-sig)", text, 0)
    return _DECODER.decode(text)


def _is_plain(parsed: Any) -> bool:
    """Tell by the types of values alone, level by level, that nothing but a text can be at fault."""
    level: list[Any] = [[parsed]]
    for _ in range(DEEPEST + 1):
        inner: list[Any] = []
        for values in level:
            kinds = set(map(type, values))
            if not kinds <= _PLAIN:
                return False
            if kinds & _NUMBERS and any(_fault(value) for value in values if type(value) in _NUMBERS):
                return False
            if kinds & _HOLDERS:
                held = [value for value in values if type(value) in _HOLDERS]
                inner += [value.values() if type(value) is dict else value for value in held]
        if not inner:
            return True
        level = inner
    return False


def _faults(parsed: Any) -> Iterator[tuple[str, list[str]]]:
    # A loop, not a recursion: depth is one of the things that it looks for. Only what holds others waits, and
    # a path is written only where there is a fault: a body may hold 100,000 values.
    waiting: list[tuple[_Steps, Any, int]] = [((), parsed, 1)]
    while waiting:
        steps, value, depth = waiting.pop()
        if depth > DEEPEST:
            raise NotJson(f"The body is nested deeper than {DEEPEST} levels.")
        if fault := _fault(value):
            yield _path(steps) or "body", [fault]
            continue
        for step, item in _inside(value):
            if isinstance(item, (dict, list)):
                waiting.append(((*steps, step), item, depth + 1))
            elif fault := _fault(item):
                yield _path((*steps, step)), [fault]


def _inside(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return chain(value.items(), (("key", key) for key in value))
    return enumerate(value) if isinstance(value, list) else ()


def _path(steps: _Steps) -> str:
    return reduce(_join, steps, "")


def _join(path: str, step: str | int) -> str:
    shown = f"{step}".encode(errors="replace").decode().replace("\0", "?")[:80]
    return f"{path}.{shown}" if path else shown


def _fault(value: Any) -> str | None:
    match value:
        case _Twice():
            return f"Holds a key twice: {', '.join(map(repr, value.keys_twice))[:200]}."
        case str():
            return _text_fault(value)
        case bool():
            return None
        case int() if not -LARGEST_INTEGER - 1 <= value <= LARGEST_INTEGER:
            return "Must be an integer of at most 64 bits."
        case float() if not math.isfinite(value):
            return "Must be a number within the range of 64 bits."
    return None


def _text_fault(text: str) -> str | None:
    if "\0" in text:
        return "Must not hold a NUL character."
    if text.isascii():
        return None
    try:
        text.encode()
    except UnicodeEncodeError:
        return "Must not hold half of a surrogate pair."
    return None


def parse_query(query: bytes) -> dict[str, str]:
    """Parse a query string in which every parameter stands once; raise `Invalid`."""
    pairs = [_decode(part) for part in query.replace(b"+", b" ").split(b"&") if part]
    check_once(name for name, _ in pairs)
    return dict(pairs)


def check_once(names: Iterable[str]) -> None:
    """Raise `Invalid` where a parameter stands twice."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise Invalid({name: ["Given twice."] for name in twice})


def _decode(part: bytes) -> tuple[str, str]:
    name, _, value = part.partition(b"=")
    try:
        decoded = unquote_to_bytes(name).decode(), unquote_to_bytes(value).decode()
    except UnicodeDecodeError:
        raise Invalid(
            {_join("", unquote_to_bytes(name).decode(errors="replace")): ["Must be UTF-8."]}
        ) from None
    if fault := _text_fault(decoded[1]) or _text_fault(decoded[0]):
        raise Invalid({_join("", decoded[0]): [fault]})
    return decoded
