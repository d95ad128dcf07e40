"""Years of day files on one process and on two: `python -m tests.benchmarks.history [--parts cube replay] [--rows N]`.

cube: day files of 20 million reports (ten, made once in a temporary folder) are counted by the step of `history build`
on one process and on two, beside one plain pandas process that goes file by file: the columns read,
`groupby(…).size()`, the result written. Each is timed from the start of its processes to their end. Limits: 0.85 of
pandas' time, 1.6 GB a process. Seconds of the processor are those of all processes together: on cores that are shared
they say more. replay: `history replay` over 24 weeks (10 streams, 5,000 reports a day, a fault each week), four of
which are learned from, thresholds made from null weeks of its own, on two processes and on one (without Dask), each in
a folder of its own. Limit: 0.6 of the time on one; the same bytes. Beside the clock stand the processor's seconds of
each process: on free cores the look back takes no longer than those of the first (which hands out) and of the busiest
of the others. Small: `--rows 2000000 --weeks 6`, with `--null-weeks 13` (of 52, for the thresholds).
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
from aggregator.detect.nullweeks import NULL_WEEKS
from aggregator.frames import REPORTS, TIME
from aggregator.history.counts import count_days
from aggregator.history.files import REPORT_COLUMNS
from aggregator.history.folder import DayFile, bounds, described, keep_index, known, whole
from aggregator.history.hands import hands
from aggregator.history.tables import parquet
from aggregator.reportfile import read_reports
from tests.benchmarks.backtest import draw
from tests.benchmarks.used import family

DAYS: Final = 10
PIECE: Final = 500_000
FIRST: Final = date(2026, 3, 2)
TIMES: Final = 0.85
MEMORY: Final = 1.6
REPLAY: Final = 0.6
SAMPLE: Final = 0.2  # seconds between two looks at what each process has used
FRAME: Final = {name: REPORTS[name] for name in REPORT_COLUMNS}


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


def measured(words: list[str], home: Path | None = None) -> tuple[float, float, str]:
    """Run a command; return seconds on the clock, seconds of all its processes on the processor, what it printed."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {**os.environ, "NETZLAGE_HOME": str(home or "")}
    told = subprocess.run([sys.executable, *words], check=True, stdout=subprocess.PIPE, text=True, env=environment)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, told.stdout


def watched(words: list[str], home: Path) -> tuple[float, list[float]]:
    """Run a command; return seconds on the clock, and on the processor of each process: its own, then the busiest."""
    start, seconds = time.perf_counter(), dict[int, float]()
    with subprocess.Popen([sys.executable, *words], env={**os.environ, "NETZLAGE_HOME": str(home)}) as command:
        while command.poll() is None:
            seconds |= family(command.pid)
            time.sleep(SAMPLE)
    if command.returncode:
        raise SystemExit("the look back failed")
    own = seconds.pop(command.pid)
    return time.perf_counter() - start, [own, *sorted(seconds.values(), reverse=True)]


def cube(folder: Path, rows: int) -> None:
    """Measure the counting and print its table."""
    for number in range(DAYS):
        day = FIRST + number * timedelta(days=1)
        store(folder, day, pieces(day, rows // DAYS))
    print(f"| {rows:,} rows in {DAYS} files | seconds | of pandas | of the processor | GB a process |")
    print("|---|---|---|---|---|")
    base, sums = None, []
    for name, processes in (("one pandas process, file by file", 0), ("one process", 1), ("two processes", 2)):
        for path in folder.glob("cube-*"):
            path.unlink()
        seconds, _, told = measured(["-m", "tests.benchmarks.history_count", str(folder), str(processes)])
        base, (busy, memory) = base or seconds, map(float, told.split())
        print(f"| {name} | {seconds:.1f} | {seconds / base:.2f} | {busy:.1f} | {memory:.2f} |", flush=True)
        sums.append([_total(path) for path in sorted(folder.glob("cube-*" if processes else "pandas-*"))])
    same = sums[0] == sums[1] == sums[2]
    print(f"| limit for two | | {TIMES} | | {MEMORY} |\n\nThe same sums: {'yes' if same else 'NO'}.\n", flush=True)


def _total(path: Path) -> int:
    return int(pd.read_parquet(path, columns=["count"])["count"].sum())


def replay(folder: Path, weeks: int, null_weeks: int) -> None:
    """Measure the look back on one process and on two, and print its table."""
    pid = os.fork()  # what draws the reports has its own memory
    if not pid:
        draw_days(folder, weeks)
        os._exit(0)
    os.waitpid(pid, 0)
    days = sorted(file.day for file in known(folder).values())
    first, last = bounds(date.fromisoformat(days[0]))[0] + timedelta(days=28), bounds(date.fromisoformat(days[-1]))[1]
    with hands(1) as at_work:
        count_days(folder, at_work)
    print(f"| {weeks} weeks, {null_weeks} null weeks | seconds | of one | of the processor, each process | "
          "first and busiest other, of one | incidents.json |\n|---|---|---|---|---|---|")  # fmt: skip
    base, alone, digests = 0.0, 0.0, set()
    for processes in (1, 2):
        home = folder / f"home{processes}"
        seconds, busy = watched(command(folder, home, first, last, processes, null_weeks), home)
        base, alone, path = base or seconds, alone or busy[0], sum(busy[:2])
        each = " + ".join(f"{one:.1f}" for one in busy if one > SAMPLE)
        digest = sha256((home / "out" / "incidents.json").read_bytes()).hexdigest()
        digests.add(digest)
        shares = f"{seconds / base:.2f} | {each} | {path / alone:.2f}"
        print(f"| {processes} | {seconds:.1f} | {shares} | {digest[:12]} |", flush=True)
    print(f"| limit | | {REPLAY} | | | |\n\nThe same bytes: {'yes' if len(digests) == 1 else 'NO'}.")


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


def command(  # noqa: PLR0917 - what a look back is asked
    folder: Path, home: Path, first: datetime, last: datetime, processes: int, null_weeks: int
) -> list[str]:
    """Return the words after `python` that look back, to a folder in `home`."""
    fewer = f"from aggregator import calibration as c; c.NULL_WEEKS = {null_weeks}; "
    return [
        "-c", f"{fewer}from aggregator.cli import main; main()", "history", "replay",
        "--from", first.isoformat(), "--to", last.isoformat(), "--folder", str(folder),
        "--out", str(home / "out"), "--processes", str(processes),
    ]  # fmt: skip


def main() -> None:
    """Measure what is asked for."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--parts", nargs="*", choices=("cube", "replay"), default=("cube", "replay"))
    options.add_argument("--rows", type=int, default=20_000_000)
    options.add_argument("--weeks", type=int, default=24)
    options.add_argument("--null-weeks", type=int, default=NULL_WEEKS, help="13 at least.")
    asked = options.parse_args()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start\n")
    with tempfile.TemporaryDirectory() as folder:
        if "cube" in asked.parts:
            cube(Path(folder) / "cube", asked.rows)
        if "replay" in asked.parts:
            replay(Path(folder) / "replay", asked.weeks, asked.null_weeks)


if __name__ == "__main__":
    main()
