"""The child of history.py: `python -m tests.benchmarks.history_count FOLDER PROCESSES`; 0: plain pandas, file by file.

What it imports is what it needs: the start of its processes is among what is measured.
"""

from __future__ import annotations

import os
import resource
import sys
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from aggregator.history.counts import READ, count_days
from aggregator.history.hands import hands


class Used(NamedTuple):
    """What a process has used: seconds of the processor, GB of memory at most."""

    process: int
    seconds: float
    memory: float


KEYS: Final = ("provider", "service", "region", "bucket", "source")


def file_by_file(folder: Path) -> list[Used]:
    """Count each file as one plain pandas process does."""
    for path in sorted(folder.glob("reports-*.parquet")):
        reports = pd.read_parquet(path, columns=list(READ))
        counted = reports[reports["counted"]].assign(bucket=lambda some: some["observed_at"].dt.floor("5min"))
        sizes = counted.groupby(list(KEYS), observed=True, sort=False).size().rename("count")
        sizes.reset_index().to_parquet(folder / f"pandas-{path.name}", compression="zstd")
    return []


def by_hands(folder: Path, processes: int) -> list[Used]:
    """Count the files as `history build` does, and return what each process at work has used."""
    with hands(processes, work="aggregator.history.counts") as at_work:
        count_days(folder, at_work)
        told = at_work.results([at_work.submit(used, at=number) for number in range(8 * processes)])
    return list({one.process: one for one in told}.values())


def used() -> Used:
    """Return what this process has used so far."""
    so_far = resource.getrusage(resource.RUSAGE_SELF)
    return Used(os.getpid(), so_far.ru_utime + so_far.ru_stime, so_far.ru_maxrss / 1024**2)


if __name__ == "__main__":
    at, number = Path(sys.argv[1]), int(sys.argv[2])
    others = by_hands(at, number) if number else file_by_file(at)
    here = used()
    every = [here, *(one for one in others if one.process != here.process)]
    print(sum(one.seconds for one in every), max(one.memory for one in every))
