"""A plot of quality against feedback: curves in, SVG out.

Each curve is drawn relative to its start, so that communities of unlike difficulty share one scale.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 360, 60, 170, 30, 50  # pixels
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")  # told apart by the colour-blind


@dataclass(frozen=True, slots=True)
class Curve:
    """Hold a community's nDCG@10 by the number of connections learnt from, with standard errors."""

    name: str
    learnt_from: tuple[int, ...]
    means: tuple[float, ...]
    errors: tuple[float, ...]

    def relative(self) -> list[tuple[float, float, float]]:
        """Return each step as (decades of connections, value, error), the first value being 1."""
        start = self.means[0] or 1.0
        return [
            (math.log10(max(count, 1)), mean / start, error / start)
            for count, mean, error in zip(self.learnt_from, self.means, self.errors, strict=True)
        ]


def draw(curves: Sequence[Curve]) -> str:
    """Draw curves as one SVG document."""
    drawn = [curve.relative() for curve in curves]
    decades = max(x for points in drawn for x, _, _ in points) or 1.0
    least = min(0.9, *(y - error for points in drawn for _, y, error in points))
    most = max(1.1, *(y + error for points in drawn for _, y, error in points))
    scale = _Scale(decades, least, most)
    lines = [
        _line(scale, curve.name, points, at)
        for at, (curve, points) in enumerate(zip(curves, drawn, strict=True))
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n'
        f"{_axes(scale)}\n{chr(10).join(lines)}\n</svg>\n"
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    decades: float
    least: float
    most: float

    def x(self, decade: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * decade / self.decades, 1)

    def y(self, value: float) -> float:
        share = (value - self.least) / (self.most - self.least)
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share, 1)


def _axes(scale: _Scale) -> str:
    parts = [f'<text x="{LEFT}" y="18">nDCG@10, relative to nothing learnt</text>']
    for decade in range(math.floor(scale.decades) + 1):
        label = "0" if decade == 0 else f"{10**decade:,}"
        parts.append(f'<text x="{scale.x(decade)}" y="{HEIGHT - 30}" text-anchor="middle">{label}</text>')
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 8}">connections learnt from</text>')
    step = 0.1 if scale.most - scale.least < 1 else 0.5
    for at in range(math.ceil(scale.least / step), math.floor(scale.most / step) + 1):
        y = scale.y(at * step)
        parts.append(f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{at * step:.1f}</text>')
    return "\n".join(parts)


def _line(scale: _Scale, name: str, points: Sequence[tuple[float, float, float]], at: int) -> str:
    colour = COLOURS[at % len(COLOURS)]
    path = "L".join(f"{scale.x(x)} {scale.y(y)}" for x, y, _ in points)
    bars = "".join(f"M{scale.x(x)} {scale.y(y - e)}V{scale.y(y + e)}" for x, y, e in points)
    label = f'<text x="{WIDTH - RIGHT + 12}" y="{TOP + 16 * at + 12}" fill="{colour}">{escape(name)}</text>'
    return f'<path d="M{path}{bars}" fill="none" stroke="{colour}" stroke-width="1.5"/>\n{label}'
