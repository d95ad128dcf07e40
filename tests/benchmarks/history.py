"""Years of day files on one process and on two: `python -m tests.benchmarks.history [--parts cube replay] [--rows N]`.

cube: day files of 20 million reports (ten, made once in a temporary folder) are counted by the step of `history build`
on two processes, beside one pandas process that goes file by file: the columns read, the same `count_cube`, the result
written. Each is timed from the start of its processes to their end; to count on processes that run already is given
beside it. Limits: 0.85 of pandas' time, 1.6 GB a process. replay: `history replay` over 24 weeks (10 streams, 5,000
reports a day, a fault each week), four of which are learned from, thresholds made from null weeks of its own, on two
processes and on one (without Dask), each in a folder of its own. Limit: 0.6 of the time on one; the same bytes. Small:
`--rows 2000000 --weeks 6`.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from aggregator.catalogue import load_catalogue
from aggregator.clock import BERLIN
from aggregator.dayfiles import DayFile, bounds, described, keep_index, known, whole
from aggregator.detect.cube import count_cube
from aggregator.frames import REPORTS, TIME
from aggregator.history.counts import READ, count_days
from aggregator.history.files import REPORT_COLUMNS, parquet
from aggregator.history.hands import Hands, hands
from aggregator.reportfile import read_reports
from tests.benchmarks.backtest import draw

DAYS: Final = 10
PIECE: Final = 500_000
FIRST: Final = date(2026, 3, 2)
TIMES: Final = 0.85
MEMORY: Final = 1.6
REPLAY: Final = 0.6
FRAME: Final = {name: REPORTS[name] for name in REPORT_COLUMNS}
ONE: Final = "--file-by-file"


def pieces(day: date, rows: int) -> Iterator[pd.DataFrame]:
    """Draw the reports of a day in order of time."""
    catalogue, rng = load_catalogue(), np.random.default_rng(day.toordinal())
    regions, providers = sorted(catalogue.regions), sorted(catalogue.providers)[:12]
    people = np.array([catalogue.regions[name].population for name in regions], dtype=np.float64)
    start = bounds(day)[0].timestamp()
    for low in range(0, rows, PIECE):
        n = min(PIECE, rows - low)
        at = np.sort(start + 86_400 * (low + rng.uniform(0, n, n)) / rows)
        observed = pd.Series(pd.to_datetime((at * 1e6).astype(np.int64), unit="us", utc=True)).astype(TIME)
        yield pd.DataFrame(
            {
                "observed_at": observed, "received_at": observed,
                "began_at": pd.Series(pd.NaT, index=observed.index, dtype=TIME),
                "provider": rng.choice(providers, n), "service": rng.choice(["mobile", "fixed_internet", "tv"], n),
                "region": rng.choice(regions, n, p=people / people.sum()), "source": rng.choice(["form", "feed"], n),
                "symptom": "", "place_source": "plz", "counted": rng.random(n) < 0.95,
            }
        )  # fmt: skip


def store(folder: Path, day: date, frames: Iterator[pd.DataFrame] | list[pd.DataFrame]) -> None:
    """Write the reports of a day as `history build` does."""
    path = folder / f"reports-{day}.parquet"
    with whole(path) as file:
        file.writelines(parquet(frames, FRAME))
        made = described(file, DayFile(path.name, "reports", "parquet", str(day), 0, "", "made"))
    keep_index(folder, known(folder) | {made.name: made})


def file_by_file(folder: Path) -> None:
    """Count each file as one pandas process does."""
    for path in sorted(folder.glob("reports-*.parquet")):
        counts = count_cube(pd.read_parquet(path, columns=list(READ)))
        counts.to_parquet(folder / f"pandas-{path.name}", compression="zstd")
    print(peak())


def peak() -> float:
    """Return the most memory that this process has had, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def peaks(at_work: Hands) -> float:
    """Return the most that any of the processes at work has had."""
    return float(max(at_work.results([at_work.submit(peak, at=i) for i in range(8 * at_work.width)])))


def cube(folder: Path, rows: int) -> None:
    """Measure the counting and print its table."""
    for number in range(DAYS):
        day = FIRST + number * timedelta(days=1)
        store(folder, day, pieces(day, rows // DAYS))
    start = time.perf_counter()
    words = [sys.executable, "-m", "tests.benchmarks.history", ONE, str(folder)]
    memory = float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    alone, start = time.perf_counter() - start, time.perf_counter()
    with hands(2) as at_work:
        ready = time.perf_counter() - start
        count_days(folder, at_work)
        counted, most = time.perf_counter() - start - ready, peaks(at_work)
    both = time.perf_counter() - start
    same = all(
        _total(path) == _total(folder / f"pandas-reports-{path.stem[5:]}.parquet") for path in folder.glob("cube-*")
    )
    print(f"| {rows:,} rows in {DAYS} files | seconds | of pandas | GB a process |\n|---|---|---|---|")
    print(f"| one pandas process, file by file | {alone:.1f} | 1.00 | {memory:.2f} |")
    print(f"| two processes, start and end among it | {both:.1f} | {both / alone:.2f} | {most:.2f} |")
    print(f"| two processes, counting alone | {counted:.1f} | {counted / alone:.2f} | |")
    print(f"| limit | | {TIMES} | {MEMORY} |\n\nThe same sums: {'yes' if same else 'NO'}.\n", flush=True)


def _total(path: Path) -> int:
    return int(pd.read_parquet(path, columns=["count"])["count"].sum())


def replay(folder: Path, weeks: int) -> None:
    """Measure the look back on one process and on two, and print its table."""
    pid = os.fork()  # what draws the reports has its own memory
    if not pid:
        draw_days(folder, weeks)
        os._exit(0)
    os.waitpid(pid, 0)
    days = sorted(file.day for file in known(folder).values())
    first, last = bounds(date.fromisoformat(days[0]))[0] + timedelta(days=28), bounds(date.fromisoformat(days[-1]))[1]
    with hands(2) as at_work:
        count_days(folder, at_work)
    print(f"| {weeks} weeks | seconds | of one | incidents.json |\n|---|---|---|---|")
    base, digests = None, set()
    for processes in (1, 2):
        seconds, digest = timed(folder, first, last, processes)
        base = base or seconds
        digests.add(digest)
        print(f"| {processes} | {seconds:.1f} | {seconds / base:.2f} | {digest[:12]} |", flush=True)
    print(f"| limit | | {REPLAY} | |\n\nThe same bytes: {'yes' if len(digests) == 1 else 'NO'}.")


def draw_days(folder: Path, weeks: int) -> None:
    """Write the day files of the look back's reports."""
    csv = folder / "reports.csv"
    folder.mkdir()
    draw(weeks).to_csv(csv, index=False)
    table = read_reports(csv, list(load_catalogue().regions.values()))
    csv.unlink()
    given = {
        name: table[[name]].astype({name: FRAME[name]})[name] if name in table else _nothing(name, len(table))
        for name in FRAME
    }
    table = pd.DataFrame(given).sort_values(["observed_at", "provider", "region"], ignore_index=True)
    for day, some in table.groupby(table["observed_at"].dt.tz_convert(BERLIN).dt.date):
        store(folder, date.fromisoformat(str(day)), [some])


def _nothing(name: str, rows: int) -> pd.Series:
    return pd.Series(pd.NaT if FRAME[name] == TIME else "", index=range(rows), dtype=FRAME[name])


def timed(folder: Path, first: datetime, last: datetime, processes: int) -> tuple[float, str]:
    """Look back by the command, in a home of its own, and return the seconds and the sum of what was found."""
    home = folder / f"home{processes}"
    words = [
        sys.executable, "-c", "from aggregator.cli import main; main()", "history", "replay",
        "--from", first.isoformat(), "--to", last.isoformat(), "--folder", str(folder),
        "--out", str(home / "out"), "--processes", str(processes),
    ]  # fmt: skip
    start = time.perf_counter()
    subprocess.run(words, check=True, env={**os.environ, "NETZLAGE_HOME": str(home)}, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, sha256((home / "out" / "incidents.json").read_bytes()).hexdigest()


def main() -> None:
    """Measure what is asked for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--parts", nargs="*", choices=("cube", "replay"), default=("cube", "replay"))
    options.add_argument("--rows", type=int, default=20_000_000)
    options.add_argument("--weeks", type=int, default=24)
    options.add_argument(ONE, type=Path, help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.file_by_file:
        file_by_file(asked.file_by_file)
        return
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start\n")
    with tempfile.TemporaryDirectory() as folder:
        if "cube" in asked.parts:
            cube(Path(folder) / "cube", asked.rows)
        if "replay" in asked.parts:
            replay(Path(folder) / "replay", asked.weeks)


if __name__ == "__main__":
    main()
