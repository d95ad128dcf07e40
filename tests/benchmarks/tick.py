"""How long one detection pass takes; run as a script: `python tests/benchmarks/tick.py [--ticks N]`.

The store is filled with the shipped scenario's weeks through its own feeds, as `netzlage demo` does it; measured is
`Detection.refresh()` over the last five-minute ticks before Saturday 12:30, while the incidents are going on. Beside
it the limit of a pass, 300 ms for 95 in 100 with windows up to 180 minutes; those of 6 to 24 hours come at full hours.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np

from aggregator.catalogue import data_folder
from aggregator.cli.common import settle
from aggregator.clock import BERLIN, SimulatedClock
from aggregator.instance import Instance, open_instance
from aggregator.model import Filter
from aggregator.refresh import Detection
from aggregator.settings import load_settings
from aggregator.store import cube, reports
from ingest.demo import DemoApi, FeedServer
from ingest.events import Events
from ingest.feed import parse_feeds
from ingest.replay import catch_up, steps, world_of
from ingest.scenario import Scenario, read_scenario

LIMIT = 0.3
Tick = tuple[datetime, float, float]  # simulated time, seconds on the clock and of the processor


def replayed(instance: Instance, clock: SimulatedClock, scenario: Scenario) -> list[Tick]:
    """Replay the scenario up to its show; return the time of each pass, with the seconds that it took."""
    ticks: list[Tick] = []
    refresh = timed(Detection(instance).refresh, clock, ticks)
    with FeedServer(DemoApi(Events(scenario, world_of(instance.catalogue)), clock)) as server:
        feeds = parse_feeds(server.stanzas(), server.environ)
        for _ in catch_up(instance, clock, feeds, refresh, steps(scenario)):
            pass
    return ticks


def timed(work: Callable[[], object], clock: SimulatedClock, ticks: list[Tick]) -> Callable[[], object]:
    """Return `work` that notes the simulated time and the seconds of each of its runs."""

    def run() -> None:
        start, busy = time.perf_counter(), time.process_time()
        work()
        ticks.append((clock.now(), time.perf_counter() - start, time.process_time() - busy))

    return run


def print_store(instance: Instance, scenario: Scenario) -> None:
    """Print what the passes had before them."""
    with instance.store.read() as connection:
        stored = reports.count(connection, Filter())
        counts = cube.frame(connection, Filter())
    streams = sum(1 + len(provider.services) for provider in instance.catalogue.providers.values()) + 1
    days = (scenario.show - scenario.start).days
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end")
    print(f"{stored:,} reports of {days} days in {len(counts):,} cells; {streams} streams are looked at, "
          f"{len(counts[['provider', 'service']].drop_duplicates())} of them with reports of their own.\n")  # fmt: skip


def print_table(ticks: list[Tick], measured: list[Tick]) -> None:
    """Print median, 95 % and slowest of `measured`, full hours apart, and the slowest of all, which learns."""
    learning, slowest, _ = max(ticks, key=lambda tick: tick[1])
    first, last = (tick[0].astimezone(BERLIN) for tick in (measured[0], measured[-1]))
    print(f"| {first:%d.%m.%Y %H:%M} to {last:%H:%M} | passes | ms | of the limit | ms of the processor |")
    print("|---|---|---|---|---|")
    hourly = [tick for tick in measured if not tick[0].minute]
    print_rows("", [tick for tick in measured if tick not in hourly])
    print_rows(", at full hours, windows of 6 to 24 hours too", hourly)
    print(f"| limit of 95 % | | {LIMIT * 1000:.0f} | 1.00 | |")
    when = f"{learning.astimezone(BERLIN):%d.%m. %H:%M}"
    print(f"\nSlowest of all {len(ticks)} passes: {slowest * 1000:,.0f} ms at {when}; the first of a day (UTC) learns.")


def print_rows(which: str, ticks: list[Tick]) -> None:
    """Print median, 95 % and slowest of some passes."""
    seconds = np.array([tick[1:] for tick in ticks])
    rows = [("median", np.median(seconds, axis=0)), ("95 %", np.quantile(seconds, 0.95, axis=0))]
    for label, (clock, busy) in [*rows, ("slowest", seconds.max(axis=0))]:
        print(f"| {label}{which} | {len(ticks)} | {clock * 1000:.0f} | {clock / LIMIT:.2f} | {busy * 1000:.0f} |")


def main() -> None:
    """Fill a store in a fresh folder, and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--ticks", type=int, default=40)
    number = options.parse_args().ticks
    path = data_folder() / "scenarios" / "may_2017.toml"
    scenario = read_scenario(path.read_text("utf-8"), path.name)
    clock = SimulatedClock(scenario.start)
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{Path(folder) / 'tick.sqlite'}"
        instance = open_instance(load_settings(None, {}, overrides={"home": folder, "database": database}), clock)
        settle()  # as `serve` and `worker` do
        ticks = replayed(instance, clock, scenario)
        print_store(instance, scenario)
        instance.store.close()
    print_table(ticks, ticks[-number:])


if __name__ == "__main__":
    main()
