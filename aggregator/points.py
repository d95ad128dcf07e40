"""Coordinates -> why they cannot be a place in Germany, or nothing. Pure; for places."""

from __future__ import annotations

import math
from typing import Literal

Reason = Literal["unknown_place", "ambiguous_place", "outside", "bad_coordinates"]
Problem = tuple[Reason, str]
SOUTH, NORTH, WEST, EAST = 47.2, 55.2, 5.8, 15.1


def bad_point(lat: float, lon: float) -> Problem | None:
    """Return reason and sentence why the coordinates cannot be a place in Germany; None: they may be."""
    if not (math.isfinite(lat) and math.isfinite(lon)) or abs(lat) > 90 or abs(lon) > 180:
        return "bad_coordinates", "latitude and longitude are not degrees"
    if abs(lat) < 1e-3 and abs(lon) < 1e-3:
        return "bad_coordinates", "the coordinates are 0, 0, which stands for none"
    if SOUTH <= lat <= NORTH and WEST <= lon <= EAST:
        return None
    if SOUTH <= lon <= NORTH and WEST <= lat <= EAST:
        return "bad_coordinates", "latitude and longitude are swapped"
    return abroad(lat, lon)


def abroad(lat: float, lon: float) -> Problem:
    """Return reason and sentence for a point that is not in Germany."""
    return "outside", f"the point {lat:.4f}, {lon:.4f} is not in Germany"
