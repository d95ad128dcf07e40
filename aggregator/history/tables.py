"""Day files in Parquet <-> frames: texts as dictionaries, checked by checksum when read. I/O."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from aggregator.errors import DataError
from aggregator.export.parquet import DICTIONARY, Pieces
from aggregator.history.folder import DayFile

Frame = Mapping[str, str]
TYPES: Final[Mapping[str, pa.DataType]] = {
    "str": DICTIONARY, "Int64": pa.int64(), "Float64": pa.float64(), "bool": pa.bool_(),
}  # fmt: skip


def read(folder: Path, file: DayFile, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return a day file, its texts as categories. DataError: it is not there, or not what the list says."""
    path = folder / file.name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); run `netzlage history build`.") from None
    found = sha256(data).hexdigest()
    if found != file.sha256:
        raise DataError(
            f"{path} is damaged: its SHA-256 is {found[:12]}…, the list says {file.sha256[:12]}…; "
            "delete it and run `netzlage history build`."
        )
    frame: pd.DataFrame = pq.read_table(io.BytesIO(data), columns=list(columns) if columns else None).to_pandas()
    return frame


def parquet(frames: Iterator[pd.DataFrame] | Sequence[pd.DataFrame], columns: Frame) -> Iterator[bytes]:
    """Yield a Parquet file of the frames, a row group each, texts as dictionaries in the order of the alphabet."""
    schema = pa.schema([(name, TYPES.get(dtype, pa.timestamp("us", tz="UTC"))) for name, dtype in columns.items()])
    sink = Pieces()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd") as writer:
        for frame in frames:
            texts = {name: frame[name].astype("category") for name, dtype in columns.items() if dtype == "str"}
            writer.write_table(pa.Table.from_pandas(frame.assign(**texts), schema=schema, preserve_index=False))
            yield sink.take()
    yield sink.take()
