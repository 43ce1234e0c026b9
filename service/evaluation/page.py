"""The page of figures: lines of `kith evaluate` in, a section with a table and a plot out."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from service.errors import Invalid
from service.evaluation.chart import Curve, draw

PAGE = Path("docs") / "measurements.md"
Line = dict[str, Any]
HEAD = ("method", "nDCG@10", "recall@10", "recall@100", "never suggested", "exposure Gini")


def save(name: str, lines: Sequence[Line], page: Path = PAGE) -> None:
    """Put the figures of a community on the page, in place of older ones of the same name."""
    if not page.is_file():
        raise Invalid({"save": [f"Expected the page {page} in the folder where kith is run."]})
    plot = page.parent / f"quality_{name}.svg"
    plot.write_text(draw([curve(name, lines)]), encoding="utf-8")
    begin, end = f"<!-- kith evaluate {name} -->", f"<!-- end of kith evaluate {name} -->"
    section = (
        f"{begin}\n\n## Quality on {name}\n\n{table(lines)}\n\n![Quality by feedback]({plot.name})\n\n{end}"
    )
    text = page.read_text(encoding="utf-8")
    before = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if before.search(text):
        page.write_text(before.sub(lambda _: section, text), encoding="utf-8")
    else:
        page.write_text(f"{text.rstrip()}\n\n{section}\n", encoding="utf-8")


def table(lines: Sequence[Line]) -> str:
    """Write the methods as a table in Markdown."""
    rows = [HEAD, ("---", *["--:"] * (len(HEAD) - 1)), *(_row(line) for line in lines if "method" in line)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _row(line: Line) -> tuple[str, ...]:
    measured = [_figure(line, name) for name in ("ndcg_10", "recall_10", "recall_100")]
    if "never_suggested" not in line:
        return (line["method"], *measured, "", "")
    return (line["method"], *measured, f"{line['never_suggested']:.2%}", f"{line['exposure_gini']:.3f}")


def _figure(line: Line, name: str) -> str:
    error = line.get(f"{name}_error")
    return f"{line[name]:.4f}" if error is None else f"{line[name]:.4f} ± {error:.4f}"


def curve(name: str, lines: Sequence[Line]) -> Curve:
    """Return the quality by the number of connections learnt from."""
    steps = [line for line in lines if "learnt_from" in line]
    return Curve(
        name,
        tuple(line["learnt_from"] for line in steps),
        tuple(line["ndcg_10"] for line in steps),
        tuple(line["ndcg_10_error"] for line in steps),
    )
