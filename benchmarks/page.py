"""The pages of measurements: tables go in between their marks, the prose around them is left as it is."""

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "measurements.md"
PERFORMANCE = PAGE.with_name("performance.md")
ON_PERFORMANCE = ("index", "http", "town", "batch", "import")


def page_of(name: str) -> Path:
    """Return the page on which a benchmark's figures stand."""
    return PERFORMANCE if name in ON_PERFORMANCE else PAGE


def machine(how: str) -> str:
    """Say where and when in words that name nobody's machine; call it before anything is measured."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    when = datetime.now(UTC).date().isoformat()
    where = f"{cores} cores, {platform.system()}, Python {platform.python_version()}"
    others = f"load {os.getloadavg()[0]:.1f} when it began" if hasattr(os, "getloadavg") else "load unknown"
    return f"Measured on {when}: {where}, {others}; {how}."


def put(page: str, name: str, figures: str) -> str:
    """Return the page with these figures between the marks of that name."""
    begin, end = f"<!-- figures of {name}: made by ./dev bench {name} --save -->", f"<!-- end of {name} -->"
    between = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not between.search(page):
        raise ValueError(f"expected {begin!r} and {end!r} in the page, got neither")
    return between.sub(lambda _: f"{begin}\n\n{figures}\n\n{end}", page)


def save(name: str, figures: str, file: Path = PAGE) -> None:
    """Put figures in their place on the page."""
    file.write_text(put(file.read_text(), name, figures))
