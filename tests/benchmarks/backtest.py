"""How long a look back at half a year takes: `python -m tests.benchmarks.backtest [--weeks W]`.

A CSV of 24 weeks, 10 streams, 5,000 reports a day, with an outage each week, goes through what `netzlage detect` does:
read, learned anew each day from 28 days, looked at every five minutes. The thresholds are those of the shipped table;
making one's own (`netzlage calibrate`) is measured apart. Limits: 6 minutes of one core, 500 MB.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from aggregator.catalogue import load_catalogue
from aggregator.detect.backtest import Plan, backtest, read_past
from aggregator.detect.calendar import BUCKET_SECONDS
from aggregator.detect.calibrate import SHIPPED
from aggregator.detect.cube import Cells, merged
from aggregator.detect.nullweeks import MONDAY, WEEK
from aggregator.detect.tick import Country
from aggregator.detect.zones import make_zones
from aggregator.frames import BUCKET
from aggregator.reportfile import read_reports
from tests.benchmarks.chance import OUTAGES, SHARES, World, stream

SECONDS, MEGABYTES = 360.0, 500.0


def draw(weeks: int) -> pd.DataFrame:
    """Return the lines of the file: chance at φ = 1.4, and each week 12 districts of one provider with +24/h."""
    world, rng = World("1.4"), np.random.default_rng(17)
    names = np.array([region.id for region in world.regions])
    found = []
    for provider in range(len(SHARES)):
        cells = [world.quiet(provider, MONDAY, weeks * WEEK, rng)]
        for week in range(provider, weeks, len(SHARES)):
            onset = MONDAY + week * WEEK + int(rng.integers(0, WEEK - 24))
            cells.append(world.outage(OUTAGES[2], provider, world.place(OUTAGES[2], rng), onset, rng))
        found.append(_lines(merged(cells), names, stream(provider).provider, rng))
    return pd.concat(found).sort_values("observed_at", kind="stable")


def _lines(cells: Cells, names: np.ndarray, provider: str, rng: np.random.Generator) -> pd.DataFrame:
    times = cells.count.astype(np.int64)
    seconds = np.repeat(cells.bucket, times) * BUCKET_SECONDS + rng.integers(0, BUCKET_SECONDS, times.sum())
    at = pd.to_datetime(seconds, unit="s", utc=True).strftime("%Y-%m-%dT%H:%M:%SZ")
    return pd.DataFrame(
        {"observed_at": at, "region": names[np.repeat(cells.region, times)], "provider": provider,
         "service": "mobile", "reporter": ""}
    )  # fmt: skip


def main() -> None:
    """Write the file, look back over it, and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--weeks", type=int, default=24)
    weeks = options.parse_args().weeks
    regions = list(load_catalogue().regions.values())
    country = Country(regions, {}, make_zones(regions))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reports.csv"
        pid = os.fork()  # what draws the file has its own memory
        if not pid:
            draw(weeks).to_csv(path, index=False)
            os._exit(0)
        os.waitpid(pid, 0)
        start, clock = time.process_time(), time.perf_counter()
        past = read_past(read_reports(path, regions), [region.id for region in regions])
        read = time.process_time() - start
    found = backtest(country, past, Plan(timedelta(days=28), BUCKET, lambda prepared: SHIPPED))
    seconds, waited = time.process_time() - start, time.perf_counter() - clock
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {weeks} weeks\n")
    print("| | | of the limit |\n|---|---|---|")
    print(f"| seconds of the processor | {seconds:.0f} | {seconds / SECONDS:.2f} |")
    print(f"| of them reading | {read:.0f} | {read / SECONDS:.2f} |")
    print(f"| seconds on the clock | {waited:.0f} | {waited / SECONDS:.2f} |")
    print(f"| peak memory, MB | {peak:.0f} | {peak / MEGABYTES:.2f} |")
    print(f"| incidents | {len(found)} | |")


if __name__ == "__main__":
    main()
