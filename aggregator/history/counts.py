"""Day files of reports -> day files of counts, a file at a time and many at once: Dask's map_partitions. I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from aggregator.detect.cube import tally
from aggregator.frames import CUBE
from aggregator.history.folder import DayFile, described, keep_index, known, whole
from aggregator.history.hands import Alone, Hands
from aggregator.history.tables import parquet, read

READ: Final = ("provider", "service", "region", "source", "observed_at", "counted")
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
    """Count some days. A partition is a file's name; reports and counts never leave the process that reads them."""
    if isinstance(hands, Alone):
        return _count_files(files, folder)
    from dask.bag import from_sequence  # noqa: PLC0415 # optional extra: history

    named: Any = from_sequence  # without types
    made: list[DayFile] = named(files, npartitions=len(files)).map_partitions(_count_files, folder).compute()
    return made


def _count_files(files: Iterable[DayFile], folder: Path) -> list[DayFile]:
    return [write_counts(folder, file, tally(read(folder, file, READ))) for file in files]


def without_counts(folder: Path) -> list[DayFile]:
    """Return the files of reports whose counts are not there, or are those of other reports."""
    have = known(folder)
    counts = {file.day: file for file in have.values() if file.table == "cube" and (folder / file.name).is_file()}
    return [
        file for file in have.values()
        if file.table == "reports" and (file.day not in counts or counts[file.day].state != file.sha256)
    ]  # fmt: skip


def write_counts(folder: Path, of: DayFile, counts: pd.DataFrame) -> DayFile:
    """Write the CUBE of a file of reports beside it, as `tally` orders it. The same counts are the same bytes."""
    path = folder / f"cube-{of.day}.parquet"
    with whole(path) as file:
        file.writelines(parquet([counts], CUBE))
        return described(file, DayFile(path.name, "cube", "parquet", of.day, 0, "", of.sha256))


def note_counts(folder: Path, made: Sequence[DayFile]) -> None:
    """Put files of counts into the list of the folder."""
    if made:
        keep_index(folder, known(folder) | {file.name: file for file in made})
