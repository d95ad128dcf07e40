"""Districts -> the drawn map: SVG paths in whole pixels, computed once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import shapely
from compile_districts import District, laender_of
from shapely.geometry.base import BaseGeometry

SIMPLIFY = 0.03  # degrees, the root of the area a corner may lose; 8.7k points of 20k stay
WIDTH, MARGIN = 6000, 20
CENTRE_LON, CENTRE_LAT = 10.45, 51.16  # of the projection


def draw(districts: Sequence[District]) -> dict[str, object]:
    """SVG path data per district and Land, the Land borders as one path, and the frame they are drawn in."""
    simple = shapely.coverage_simplify([d.polygon for d in districts], SIMPLIFY)
    plane = shapely.transform(simple, project)
    left, top, right, bottom = shapely.total_bounds(plane)
    scale = (WIDTH - 2 * MARGIN) / (right - left)
    shift = (MARGIN - left * scale, MARGIN - top * scale)
    scaled = shapely.transform(plane, lambda xy: xy * scale + shift)
    areas = {d.id: area for d, area in zip(districts, scaled, strict=True)}
    joined = laender_of(areas)  # before rounding: rounded neighbours would leave slivers in the union
    return {
        "width": WIDTH,
        "height": round((bottom - top) * scale) + 2 * MARGIN,
        "projection": {
            "centre_lat": CENTRE_LAT,
            "centre_lon": CENTRE_LON,
            "scale": round(scale, 4),
            "shift_x": round(shift[0], 4),
            "shift_y": round(shift[1], 4),
        },
        "borders": border_path(joined.values()),
        "laender": {land: path(area) for land, area in joined.items()},
        "districts": {i: path(area) for i, area in areas.items()},
    }


def project(points: np.ndarray) -> np.ndarray:
    """Longitudes and latitudes (n, 2) to the plane, Lambert azimuthal equal-area on the sphere: areas are true."""
    lon = np.radians(points[:, 0] - CENTRE_LON)
    lat = np.radians(points[:, 1])
    lat0 = math.radians(CENTRE_LAT)
    k = np.sqrt(2 / (1 + math.sin(lat0) * np.sin(lat) + math.cos(lat0) * np.cos(lat) * np.cos(lon)))
    x = k * np.cos(lat) * np.sin(lon)
    y = k * (math.cos(lat0) * np.sin(lat) - math.sin(lat0) * np.cos(lat) * np.cos(lon))
    return np.column_stack([x, -y])


def border_path(areas: Iterable[BaseGeometry]) -> str:
    """All borders, a border between two Länder drawn once."""
    lines = shapely.line_merge(shapely.union_all([area.boundary for area in areas]))
    return "".join(_line(shapely.get_coordinates(line), closed=line.is_closed) for line in shapely.get_parts(lines))


def path(area: BaseGeometry) -> str:
    """SVG path data of a polygon in whole pixels: absolute start, relative steps."""
    rings = shapely.get_rings(shapely.get_parts(area))
    return "".join(_line(shapely.get_coordinates(ring), closed=True) for ring in rings)


def _line(points: np.ndarray, *, closed: bool) -> str:
    steps = [(round(x), round(y)) for x, y in points]
    moves = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(steps)]
    if closed:
        moves = moves[:-1]  # z draws the last one
    moves = [m for m in moves if m != (0, 0)]
    if len(moves) < (2 if closed else 1):
        return ""
    drawn = " ".join(f"{dx} {dy}" for dx, dy in moves).replace(" -", "-")
    return f"M{steps[0][0]} {steps[0][1]}l{drawn}" + ("z" if closed else "")
