"""Which files of which table are offered. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "reports": ("csv", "excel", "parquet", "geojson"),
    "cube": ("csv", "excel", "parquet", "geojson"),
    "incidents": ("csv", "excel", "parquet", "geojson"),
    "statements": ("csv", "excel", "parquet"),
    "coverage": ("csv", "excel", "parquet"),
}
