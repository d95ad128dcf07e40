"""Rows -> bytes of a file, a piece at a time: the registry of formats. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aggregator.export.columns import TABLES, Column
from aggregator.export.excel import write_excel
from aggregator.export.geojson import write_geojson
from aggregator.export.parquet import write_parquet
from aggregator.export.table import Row, write_csv

Writer = Callable[[Iterable[Row], Sequence[Column]], Iterator[bytes]]


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: how it is written, what its name ends in, its media type."""

    write: Writer
    suffix: str
    media_type: str


FORMATS: Final[Mapping[str, Format]] = {
    "csv": Format(write_csv, ".csv", "text/csv; charset=utf-8"),
    "excel": Format(write_excel, "-excel.csv", "text/csv; charset=utf-8"),
    "parquet": Format(write_parquet, ".parquet", "application/vnd.apache.parquet"),
    "geojson": Format(write_geojson, ".geojson", "application/geo+json"),
}

__all__ = ["FORMATS", "TABLES", "Column", "Format", "Row", "write_csv", "write_geojson", "write_parquet"]
