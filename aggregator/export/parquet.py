"""Rows -> Parquet with typed columns. Pure: the file is made in memory, a group of rows at a time, and handed on."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import pyarrow as pa

from aggregator.export.columns import Column
from aggregator.export.table import Row

GROUP: Final = 50_000  # rows in a row group
DICTIONARY: Final = pa.dictionary(pa.int32(), pa.string())  # few different texts: read as categories
REPEATED: Final = frozenset({
    "source", "provider", "service", "symptom", "region", "place_source", "model", "pattern", "scope", "state",
})  # fmt: skip

TYPES: Final[Mapping[str, Any]] = {
    "text": pa.string(),
    "time": pa.timestamp("us", tz="UTC"),
    "number": pa.float64(),
    "integer": pa.int64(),
    "truth": pa.bool_(),
    "list": pa.list_(pa.string()),
}


class Pieces(io.RawIOBase):
    """Takes what the writer writes and gives it away in pieces."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Keep a copy of `data` for `take` and return its length."""
        self._pieces.append(bytes(data))
        self._written += len(self._pieces[-1])
        return len(self._pieces[-1])

    def tell(self) -> int:
        """Return how many bytes were written in all."""
        return self._written

    def take(self) -> bytes:
        """Return what was written since the last call."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def write_parquet(rows: Iterable[Row], columns: Sequence[Column]) -> Iterator[bytes]:
    """Yield a Parquet file; times are timestamps in microseconds, UTC, texts that come again and again a dictionary."""
    import pyarrow.parquet as pq  # noqa: PLC0415 # optional extra: 5 MB, needed when somebody asks for such a file

    schema = pa.schema([(column.name, _type(column)) for column in columns])
    sink, items = Pieces(), iter(rows)
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        while some := list(islice(items, GROUP)):
            arrays = {name: [_value(row[name]) for row in some] for name in schema.names}
            writer.write_table(pa.Table.from_pydict(arrays, schema=schema))
            yield sink.take()
    yield sink.take()


def _type(column: Column) -> Any:
    return DICTIONARY if column.name in REPEATED else TYPES[column.kind]


def _value(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
