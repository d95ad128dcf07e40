"""The day of a national outage, scaled down: `python -m tests.benchmarks.sizing [--shares 0.0025 0.01] [--peak 20]`.

The day: 10 million reports in six hours, 2,000 a second at the peak (up for an hour, then half as many every 37
minutes), nine of ten about one provider's mobile network, from everywhere. A store with 28 usual days of 5,000 reports
takes a share of them through the one door (normalise, seen once, the six-hour rule, rows and cube in one transaction)
as feeds bring them, in simulated time; every five minutes a detection pass looks. Then some seconds of the peak are
offered as they come, 2,000 a second on the clock. Printed: what was measured, and what follows for the whole day by
this model: taking costs the same for each report, a pass costs a + b times the reports of the incident (a line through
the shares), the file grows by the same for each. Seconds are those of the processor. The whole day is not run; SQLite,
one process, on this machine; both shares and the peak take about five minutes of one core.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from sqlalchemy import text

from aggregator.clock import SimulatedClock
from aggregator.instance import Instance, open_instance
from aggregator.model import FeedRun, RawReport
from aggregator.pipeline import accept
from aggregator.refresh import Detection
from aggregator.settings import load_settings
from tests.benchmarks.tick_size import A_DAY, NOW, fill

WHOLE: Final = 10_000_000
HOURS: Final = 6
TOP: Final = 2_000.0  # a second
RISE: Final = 11  # looks until the peak
FALL: Final = 10.2  # looks in which it falls by e
LOOKS: Final = HOURS * 12
STEP: Final = timedelta(minutes=5)
SECOND: Final = timedelta(seconds=1)
LATE: Final = 3  # last looks that are averaged


@dataclass(frozen=True, slots=True)
class Measured:
    """A day: its reports, seconds of taking, those of the first and the last passes, bytes, minutes to the alarm."""

    reports: int
    taking: float
    quiet: float
    last: float
    size: int
    alarm: float


def hill() -> np.ndarray:
    """Return how many reports of the whole day come in each five minutes."""
    look = np.arange(LOOKS)
    shape = np.where(look < RISE, (look + 1) / RISE, np.exp(-(look - RISE) / FALL))
    level = TOP * STEP.total_seconds() * shape
    return np.asarray(level * (WHOLE / level.sum()), dtype=np.float64)


class Crowd:
    """People who report: most about one mobile network, each once."""

    def __init__(self, instance: Instance) -> None:
        self._rng = np.random.default_rng(11)
        self._regions = list(instance.catalogue.regions.values())
        people = np.array([r.population for r in self._regions], dtype=np.float64)
        self._people = people / people.sum()
        self._number = 0

    def report(self, number: int, at: datetime, since: timedelta = STEP) -> Iterator[RawReport]:
        """Yield reports of the time before `at`."""
        where = self._rng.choice(len(self._regions), number, p=self._people)
        seconds = np.sort(self._rng.uniform(0, since.total_seconds(), number))
        other = self._rng.random(number) < 0.1
        for place, second, odd in zip(where, seconds, other, strict=True):
            self._number += 1
            yield RawReport(
                source="crowd", key=str(self._number), provider="vodafone" if odd else "o2", service="mobile",
                region=self._regions[place].id, observed_at=(at - since + timedelta(seconds=float(second))).isoformat(),
                reporter=f"p{self._number}",
            )  # fmt: skip


def opened(folder: str, clock: SimulatedClock) -> Instance:
    """Return an instance with 28 usual days, and one more up to now."""
    url = f"sqlite:///{Path(folder) / 'sizing.sqlite'}"
    instance = open_instance(load_settings(None, {}, overrides={"home": folder, "database": url}), clock)
    fill(instance, 29, A_DAY)
    return instance


def take(instance: Instance, crowd: Crowd, number: int, at: datetime, since: timedelta = STEP) -> float:
    """Give reports of the time before `at` to the door as a feed's run does, and return the seconds that it took."""
    given = list(crowd.report(number, at, since))
    run = FeedRun("crowd", at - since, at, "ok", listened_from=at - since, listened_until=at)
    start = time.process_time()
    found = accept(instance, given, run=run)
    seconds = time.process_time() - start
    if found.kept != number:
        raise SystemExit(f"{found.kept} of {number} reports were kept: {found.rejected}")
    return seconds


def day(share: float) -> Measured:
    """Let a share of the day happen, with a pass every five minutes."""
    clock = SimulatedClock(NOW)
    with tempfile.TemporaryDirectory() as folder:
        instance = opened(folder, clock)
        detection, crowd = Detection(instance), Crowd(instance)
        detection.refresh()
        before, taking, passes, alarm, taken = _size(instance), 0.0, [], float("nan"), 0
        for look, level in enumerate(hill() * share):
            at = NOW + (look + 1) * STEP
            clock.set(at)
            taking += take(instance, crowd, round(level), at)
            taken += round(level)
            start = time.process_time()
            found = detection.refresh()
            passes.append(time.process_time() - start)
            if any(i.provider == "o2" for i in found) and np.isnan(alarm):
                alarm = (look + 1) * 5.0
        size = _size(instance) - before
        instance.store.close()
    return Measured(taken, taking, float(np.mean(passes[:LATE])), float(np.mean(passes[-LATE:])), size, alarm)


def _size(instance: Instance) -> int:
    with instance.store.read() as connection:
        pages, page = (int(connection.scalar(text(f"PRAGMA page_{name}"))) for name in ("count", "size"))
    return pages * page


def peak(seconds: int) -> tuple[float, float]:
    """Offer 2,000 reports a second on the clock; return how late the last were in, and the busy share of time."""
    clock = SimulatedClock(NOW)
    with tempfile.TemporaryDirectory() as folder:
        instance = opened(folder, clock)
        crowd, busy, start = Crowd(instance), 0.0, time.perf_counter()
        for second in range(seconds):
            time.sleep(max(start + second - time.perf_counter(), 0.0))
            at = NOW + timedelta(seconds=second + 1)
            clock.set(at)
            busy += take(instance, crowd, round(TOP), at, SECOND)
        late = time.perf_counter() - start - seconds
        instance.store.close()
    return max(late, 0.0), busy / seconds


def main() -> None:
    """Measure the shares and the peak, and print both tables."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--shares", type=float, nargs=2, default=(0.0025, 0.01))
    options.add_argument("--peak", type=int, default=20, help="Seconds.")
    asked = options.parse_args()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start\n")
    print("| share of the day | reports | taken, reports/s | pass at first, s | pass at the end, s | bytes a report | "
          "alarm after, min |\n|---|---|---|---|---|---|---|")  # fmt: skip
    found = []
    for share in asked.shares:
        found.append(one := day(share))
        print(f"| {share:g} | {one.reports:,} | {one.reports / one.taking:,.0f} | {one.quiet:.2f} | {one.last:.2f} | "
              f"{one.size / one.reports:,.0f} | {one.alarm:.0f} |", flush=True)  # fmt: skip
    small, large = found
    late, busy = peak(asked.peak)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nThe peak for {asked.peak} s, 2,000 a second: in {late:.1f} s after they came, a process busy for "
          f"{busy:.2f} of the time; peak memory {memory:.0f} MB.")  # fmt: skip
    print("\nThe whole day by the model:\n\n| | |\n|---|---|")
    slope = max(large.last - small.last, 0.0) / (large.reports - small.reports)
    rate = large.reports / large.taking
    print(f"| reports | {hill().sum():,.0f} |\n| hours of one process that takes them | {WHOLE / rate / 3600:.1f} |")
    print(f"| share of that process at the peak | {TOP / rate:.2f} |")
    print(f"| size of the database, GB | {WHOLE * large.size / large.reports / 1e9:.1f} |")
    print(f"| a pass at the end of the day, s | {large.last + slope * (WHOLE - large.reports):.1f} |")


if __name__ == "__main__":
    main()
