"""A plot of cost against size, both on scales of tens: points in, SVG out."""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from service.evaluation.chart import BOTTOM, COLOURS, HEIGHT, LEFT, RIGHT, TOP, WIDTH

Points = Sequence[tuple[float, float]]


def draw(curves: Mapping[str, Points], across: str, up: str) -> str:
    """Draw curves of positive numbers as one SVG document."""
    xs, ys = (_decades(point[axis] for points in curves.values() for point in points) for axis in (0, 1))
    lines = [_axes(xs, ys, across, up)]
    for number, (name, points) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)]
        path = "L".join(f"{_x(xs, x)} {_y(ys, y)}" for x, y in sorted(points))
        lines.append(f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        place = f'x="{WIDTH - RIGHT + 12}" y="{TOP + 16 * number + 12}"'
        lines.append(f'<text {place} fill="{colour}">{escape(name)}</text>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="sans-serif" font-size="12">\n<rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join(lines)
        + "\n</svg>\n"
    )


def _decades(values: Iterable[float]) -> range:
    logs = [math.log10(value) for value in values]
    least = math.floor(min(logs))
    return range(least, max(math.ceil(max(logs)), least + 1) + 1)


def _x(decades: range, value: float) -> float:
    share = (math.log10(value) - decades[0]) / (len(decades) - 1)
    return round(LEFT + (WIDTH - LEFT - RIGHT) * share, 1)


def _y(decades: range, value: float) -> float:
    share = (math.log10(value) - decades[0]) / (len(decades) - 1)
    return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share, 1)


def _axes(xs: range, ys: range, across: str, up: str) -> str:
    parts = [f'<text x="{LEFT}" y="18">{escape(up)}</text>']
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 8}">{escape(across)}</text>')
    for decade in xs:
        place = f'x="{_x(xs, 10.0**decade)}" y="{HEIGHT - 30}"'
        parts.append(f'<text {place} text-anchor="middle">{10.0**decade:,.0f}</text>')
    for decade in ys:
        y = _y(ys, 10.0**decade)
        parts.append(f'<path d="M{LEFT} {y}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{10.0**decade:g}</text>')
    return "\n".join(parts)
