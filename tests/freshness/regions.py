"""Where a walk's members live: cells that are near each other in awkward ways."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Region:
    """Where a walk's members live: cells that are near each other in awkward ways."""

    name: str
    points: tuple[Point, ...]


def _around(lat: float, lon: float) -> tuple[Point, ...]:
    """Return points in one cell, in the next ones, some and many kilometres away."""
    near = ((0, 0), (0.0003, 0.0003), (0.03, 0), (0, 0.05))
    far = ((0.21, 0.1), (-1.02, 0.3), (1.9, -1.4), (-3.1, 0.2))
    return tuple((round(lat + north, 5), round(lon + east, 5)) for north, east in near + far)


REGIONS = (
    Region("tile corner", (*_around(52.99, 12.99), (53.01, 13.01), (52.995, 13.005), (53.0, 13.0))),
    Region(
        "antimeridian",
        (
            (0.02, 179.99),
            (0.02, -179.99),
            (-0.02, 179.999),
            (0.3, -179.8),
            (0.01, 178.3),
            (0.4, -178.3),
            (-1.7, -179.999),
            (-2.5, 180.0),
        ),
    ),
    Region(
        "north pole",
        (
            (89.0, 0.0),
            (89.0, 179.999),
            (89.0, -90.0),
            (89.9, 45.0),
            (88.2, -179.9),
            (87.4, 10.0),
            (86.6, 100.0),
            (89.99, -135.0),
        ),
    ),
    Region(
        "south pole",
        ((-89.0, -179.999), (-89.0, 60.0), (-90.0, 0.0), (-87.9, 150.0), (-88.8, 179.999), (-86.5, -30.0)),
    ),
    Region(
        "far north",
        ((70.9, 20.0), (70.9, 25.1), (70.9, 30.3), (72.4, 23.0), (69.2, 15.2), (70.91, 20.02), (70.9, 9.8)),
    ),
)
ELSEWHERE: tuple[Point, ...] = ((-33.87, 151.21), (40.71, -74.01))
