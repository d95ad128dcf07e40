"""Day files of reports -> day files of counts, a file at a time and many at once: Dask's map_partitions. I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pandas as pd

from aggregator.dayfiles import DayFile
from aggregator.detect.cube import tally
from aggregator.frames import empty
from aggregator.history.files import note_counts, read, without_counts, write_counts
from aggregator.history.hands import Alone, Hands

READ: Final = ("provider", "service", "region", "source", "observed_at", "counted")
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
    """Count some days. A partition is a line about a file; reports and counts never leave the process that reads."""
    if isinstance(hands, Alone):
        return _files(pd.concat([_count_file(_line(file), folder) for file in files]))
    import dask.dataframe as dd  # noqa: PLC0415 # optional extra: history

    from_map: Any = dd.from_map  # without types
    lines = from_map(_line, files, meta=empty(LINE))
    return _files(lines.map_partitions(_count_file, folder=folder, meta=empty(LINE)).compute())


def _count_file(line: pd.DataFrame, folder: Path) -> pd.DataFrame:
    (file,) = _files(line)
    return _line(write_counts(folder, file, tally(read(folder, file, READ))))


def _line(file: DayFile) -> pd.DataFrame:
    return pd.DataFrame([asdict(file)]).astype(dict(LINE))


def _files(lines: pd.DataFrame) -> list[DayFile]:
    return [DayFile(**{str(name): value for name, value in line.items()}) for line in lines.to_dict("records")]
