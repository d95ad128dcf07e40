"""Rows -> GeoJSON (RFC 7946): a feature a row, its geometry the point or points it is drawn at. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from aggregator.export.columns import Column
from aggregator.export.table import AT_ONCE, Row, iso


def write_geojson(rows: Iterable[Row], columns: Sequence[Column]) -> Iterator[bytes]:
    """Yield a FeatureCollection, a feature a line; the geometry of a row without a place is null.

    A district is drawn at its middle.
    """
    yield b'{"type": "FeatureCollection", "features": ['
    items, mark = iter(rows), "\n"
    while some := list(islice(items, AT_ONCE)):
        yield (mark + ",\n".join(_feature(row, columns) for row in some)).encode("utf-8")
        mark = ",\n"
    yield b"\n]}\n"


def _feature(row: Row, columns: Sequence[Column]) -> str:
    properties = {column.name: _value(row[column.name]) for column in columns}
    feature = {"type": "Feature", "geometry": _geometry(row.get("points") or ()), "properties": properties}
    return json.dumps(feature, ensure_ascii=False, allow_nan=False)


def _geometry(points: Sequence[tuple[float, float]]) -> dict[str, Any] | None:
    if not points:
        return None
    if len(points) == 1:
        return {"type": "Point", "coordinates": list(points[0])}
    return {"type": "MultiPoint", "coordinates": [list(point) for point in points]}


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    return list(value) if isinstance(value, tuple) else value
