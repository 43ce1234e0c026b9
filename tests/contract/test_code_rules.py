"""Rules about the text of the code: sizes, loose ends, and nothing of one machine in it."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("matching", "service", "tests", "benchmarks")
LONGEST_FILE_LINES = 400
LONGEST_BODY_LINES = 40
LARGEST_READ_BYTES = 2_000_000

# Put together, so that this file doesn't break the rule itself.
REGISTRY_HOSTS = [
    "pypi." + "org",
    "python" + "hosted.org",
    "npmjs." + "org",
    "deb.debian." + "org",
    "docker." + "io",
    "ghcr." + "io",
    "quay." + "io",
]
MACHINE_PATHS = [
    "/" + "root/",
    "/" + "work/",
    "/" + "home/",
    "/" + "Users/",
    "." + "pyenv",
    "/tmp/" + "kith/",
]
LOOSE_ENDS = re.compile(r"\b(TO" + "DO|FIX" + "ME|XX" + r"X|HA" + r"CK)\b")


def code_files() -> list[Path]:
    """List every file of Python, and the script without an ending."""
    return [ROOT / "dev", *(path for folder in CODE for path in sorted((ROOT / folder).rglob("*.py")))]


def kept_files() -> list[Path]:
    """List what is or would be committed."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(listing, check=False, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:  # an export without git's folder
        return [path for path in code_files() if path.is_file()]
    paths = [ROOT / name for name in done.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and not path.is_symlink()]


def text_of(path: Path) -> str:
    """Read a file, or nothing of what is no text or is large."""
    if path.stat().st_size > LARGEST_READ_BYTES:
        return ""
    content = path.read_bytes()
    return "" if b"\0" in content else content.decode(errors="replace")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def test_no_file_is_long() -> None:
    lengths = {named(path): len(path.read_text().splitlines()) for path in code_files()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE_LINES} == {}


def test_no_function_is_long() -> None:
    lengths = {
        f"{named(path)}:{function.name}": body_lines(function)
        for path in code_files()
        for function in functions(path)
    }
    assert len(lengths) > 100
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_BODY_LINES} == {}


def test_a_long_body_is_counted_without_its_docstring() -> None:
    function = ast.parse('def f():\n    """One.\n\n    Two.\n    """\n    a = 1\n\n    return a\n').body[0]
    assert isinstance(function, ast.FunctionDef)
    assert body_lines(function) == 3


def test_nothing_is_left_for_later() -> None:
    found = [named(path) for path in kept_files() if LOOSE_ENDS.search(text_of(path))]
    assert found == []


def test_no_file_names_a_registry_or_a_place_on_one_machine() -> None:
    found = [
        (named(path), word)
        for path in kept_files()
        for word in (*REGISTRY_HOSTS, *MACHINE_PATHS)
        if word in text_of(path)
    ]
    assert found == []
