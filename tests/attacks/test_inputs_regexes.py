"""No regular expression of ours takes more than linear time, on the worst strings found for it."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator
from itertools import chain, product
from pathlib import Path
from typing import Any

import pytest
from werkzeug.routing import BaseConverter

import matching
import service
from service.schemas.profiles import SlotSchema, Time
from service.web import converters as web_converters
from service.web.lines import LONGEST_LINE

ROOT = Path(__file__).resolve().parents[2]
SHORT, LONG = 4_000, 32_000
SLOWER = LONG // SHORT * 3  # linear, and as much again twice for a busy machine
NOISE_SECONDS = 0.05
SIDES = (("", "!"), ("", "\n"), ("a", "\0"), ("{", ""))


def modules() -> Iterator[Any]:
    """Import every module of ours."""
    for package in (matching, service):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations." not in found.name:
                yield importlib.import_module(found.name)


def patterns() -> dict[str, re.Pattern[Any]]:
    """Return every compiled expression that a module holds, by its place; and those made of held texts."""
    found: dict[str, re.Pattern[Any]] = {}
    for module in modules():
        for name, value in vars(module).items():
            held = (
                value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
            )
            for one in held:
                if isinstance(one, re.Pattern):
                    found[f"{module.__name__}.{name} {one.pattern!s:.30}"] = one
    for name, field in SlotSchema().fields.items():
        if isinstance(field, Time):
            found[f"a slot's {name}"] = field.pattern
    for converter in converters():
        found[converter.__name__] = re.compile(f"/v1/(?P<id>{converter.regex})/x$")
    return found


def converters() -> list[type[BaseConverter]]:
    """Return what the router reads ids with."""
    found = [made for made in vars(web_converters).values() if isinstance(made, type)]
    return [made for made in found if issubclass(made, BaseConverter) and made is not BaseConverter]


PATTERNS = patterns()


def test_every_expression_in_the_code_is_among_those_attacked() -> None:
    calls = 0
    for path in chain((ROOT / "service").rglob("*.py"), (ROOT / "matching").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re."):
                # Compiled once, where this test finds it.
                assert ast.unparse(node.func) in {"re.compile", "re.escape"}, f"{path.name}:{node.lineno}"
                calls += ast.unparse(node.func) == "re.compile"
    assert len(PATTERNS) >= calls


def pumps(pattern: re.Pattern[Any]) -> list[str]:
    """Return what to repeat: the characters that the expression knows, alone and in pairs."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    known = set(re.sub(r"\\[AbBdDsSwWZ]", "", text)) - set("\\()[]{}?*+|^$")
    alphabet = sorted(known & set("aA0zZ9 .,:;~@_-/'\"=&%<>\n\r\t")) or ["a"]
    alphabet = [*dict.fromkeys(["a", "0", " ", "-", *alphabet, "\r\n", "\u0301", "\u200b", "é"])][:14]
    return [*alphabet, *("".join(pair) for pair in product(alphabet, repeat=2))]


def seconds(call: Callable[[Any], object], text: Any) -> float:
    began = time.thread_time()
    call(text)
    return time.thread_time() - began


def attacks(pattern: re.Pattern[Any], length: int) -> Iterator[tuple[str, Any]]:
    """Yield the strings to try, each with how to write it again."""
    for pump in pumps(pattern):
        for start, end in SIDES:
            text = start + (pump * (length // len(pump))) + end
            yield repr((start, pump, end)), text.encode() if isinstance(pattern.pattern, bytes) else text


def uses(pattern: re.Pattern[Any]) -> list[Callable[[Any], object]]:
    """Return the ways in which an expression may be used."""
    empty: Any = b"" if isinstance(pattern.pattern, bytes) else ""
    return [pattern.fullmatch, pattern.search, lambda text: pattern.sub(empty, text)]


def fault(pattern: re.Pattern[Any]) -> str:
    """Return a string that takes an expression more than linear time; nothing where none was found."""
    return exploding(pattern) or steep(pattern)


def exploding(pattern: re.Pattern[Any]) -> str:
    """Find growth by powers and by cubes on short strings: on longer ones it would take for ever."""
    for length in (*range(16, 36, 4), 128, 1024):
        for name, text in attacks(pattern, length):
            if any(seconds(use, text) > NOISE_SECONDS for use in uses(pattern)):
                return name
    return ""


def steep(pattern: re.Pattern[Any]) -> str:
    """Find growth by squares on long strings."""
    tried: list[tuple[float, int, str, Any]] = []
    for number, use in enumerate(uses(pattern)):
        for name, text in attacks(pattern, SHORT):
            tried.append((seconds(use, text), number, name, text))
            if tried[-1][0] > 1:
                return name
    for took, number, name, text in sorted(tried, key=lambda one: -one[0])[:3]:
        longer = text[:1] + text[1:-1] * (LONG // SHORT) + text[-1:]
        if seconds(uses(pattern)[number], longer) > took * SLOWER + NOISE_SECONDS:
            return name
    return ""


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_an_expression_takes_linear_time(pattern: re.Pattern[Any]) -> None:
    assert fault(pattern) == ""


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_the_longest_that_is_admitted_takes_less_than_a_second(pattern: re.Pattern[Any]) -> None:
    for pump in pumps(pattern)[:6]:
        for start, end in SIDES[:2]:
            text: Any = start + pump * (LONGEST_LINE // len(pump)) + end
            sent = text.encode() if isinstance(pattern.pattern, bytes) else text
            assert all(seconds(use, sent) < 1 for use in uses(pattern)), repr((start, pump, end))


@pytest.mark.parametrize("text", [r"(a+)+$", r"(a|aa)+$", r"[a-]+[0a-]+:", r"a*a*0"])
def test_a_bad_expression_is_found(text: str) -> None:
    assert fault(re.compile(text)) != ""
