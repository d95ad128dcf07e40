"""Day files of reports -> day files of counts, a file at a time and many at once: Dask's map_partitions. I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pandas as pd

from aggregator.dayfiles import DayFile
from aggregator.detect.cube import count_cube
from aggregator.frames import CUBE, REPORTS, empty
from aggregator.history.files import note_counts, read, without_counts, write_counts
from aggregator.history.hands import Alone, Hands

READ: Final = {
    name: REPORTS[name] for name in ("provider", "service", "region", "source", "observed_at", "counted")
}  # fmt: skip
LINE: Final[Mapping[str, str]] = {
    "name": "str", "table": "str", "kind": "str", "day": "str", "size": "int64", "sha256": "str", "state": "str",
}  # fmt: skip
AT_ONCE: Final = 50  # files between two entries in the list: what is entered is not done again


def count_days(folder: Path, hands: Hands, progress: Callable[[int], None] = lambda done: None) -> list[DayFile]:
    """Count the reports of every day whose counts are not there or not of these reports; return the files written."""
    todo = without_counts(folder)
    written: list[DayFile] = []
    for low in range(0, len(todo), AT_ONCE):
        made = _count(folder, todo[low : low + AT_ONCE], hands)
        note_counts(folder, made)
        written += made
        progress(len(made))
    return written


def _count(folder: Path, files: Sequence[DayFile], hands: Hands) -> list[DayFile]:
    """Count some days. Each partition is a file; what comes back is a line about what was written, never the counts."""
    if isinstance(hands, Alone):
        return _files(pd.concat([_write(count_cube(_read(file, folder)), _line(file), folder) for file in files]))
    import dask.dataframe as dd  # noqa: PLC0415 # optional extra: history

    from_map: Any = dd.from_map  # without types
    reports = from_map(_read, files, folder=folder, meta=empty(READ))
    counts = reports.map_partitions(count_cube, meta=empty(CUBE))
    lines = from_map(_line, files, meta=empty(LINE))
    written = counts.map_partitions(_write, lines, folder=folder, meta=empty(LINE), align_dataframes=False)
    return _files(written.compute())


def _read(file: DayFile, folder: Path) -> pd.DataFrame:
    return read(folder, file, list(READ))


def _line(file: DayFile) -> pd.DataFrame:
    return pd.DataFrame([asdict(file)]).astype(dict(LINE))


def _files(lines: pd.DataFrame) -> list[DayFile]:
    return [DayFile(**{str(name): value for name, value in line.items()}) for line in lines.to_dict("records")]


def _write(counts: pd.DataFrame, line: pd.DataFrame, folder: Path) -> pd.DataFrame:
    (file,) = _files(line)
    return _line(write_counts(folder, file, counts))
