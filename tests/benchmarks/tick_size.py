"""How one detection pass grows with what is stored; run it with `python -m tests.benchmarks.tick_size [--ticks N]`.

Stores with 1 and with 10 million reports, 5,000 a day (half a year, five years and a half), and two with a day of a
million after four usual weeks: an outage of one provider in the whole country (the others as usual), and every provider
everywhere at two hundred times its reports, which makes 500 incidents. They are filled past the door, row by row in the
order of time as the door writes them, of 28 drawn days that come again and again. Measured is `Detection.refresh()` at
ticks without full hours, the day's baseline learned.
Limits: ten times the reports at most 1.2 times the time; a day with a million under 3 seconds.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from sqlalchemy import text

from aggregator.cli.common import settle
from aggregator.clock import SimulatedClock
from aggregator.instance import Instance, open_instance
from aggregator.refresh import Detection
from aggregator.settings import load_settings
from aggregator.store import Connection, cube
from tests.benchmarks.chance import BY_HOUR

NOW = datetime(2026, 6, 10, 17, 5, tzinfo=UTC)
DAY = timedelta(days=1)
DRAWN, A_DAY = 28, 5_000
STORES: Final[dict[str, tuple[int, int, str]]] = {  # days, reports of the last of them, whose those beyond A_DAY are
    "1M": (200, A_DAY, ""),
    "10M": (2_000, A_DAY, ""),
    "outage": (29, 1_000_000, "o2"),
    "all": (29, 1_000_000, ""),
}
ROW = """
INSERT INTO reports (observed_at, report_id, source, reporter, block, provider, service, symptom, region, plz,
                     place_source, received_at, counted)
SELECT t.at + d.first, t.id || '-' || d.number, 'bench', t.id, t.block, t.provider, t.service, '', t.region, '', 'plz',
       t.at + d.first + 20000000, 1
FROM template t JOIN days d ON t.day = d.number % :drawn
ORDER BY t.at + d.first
"""
TEMPLATE = """
CREATE TEMP TABLE template (day INT, id TEXT, provider TEXT, service TEXT, region TEXT, at INT, block TEXT)
"""
COUNT = """
INSERT INTO cube (region, bucket, provider, service, source, count)
SELECT region, observed_at - observed_at % 300000000, provider, service, source, COUNT(*)
FROM reports GROUP BY 1, 2, 3, 4, 5
"""


def draw(
    instance: Instance, number: int, day: int, name: str, rng: np.random.Generator, *, only: str = ""
) -> list[dict[str, object]]:
    """Draw the reports of a day: providers (or one) by share, districts by population, hours as people are awake."""
    regions = list(instance.catalogue.regions.values())
    providers = [p for p in instance.catalogue.providers.values() if only in {"", p.id}]
    sold = [(p.id, s, max(p.share, 0.002)) for p in providers for s in p.services]
    people = np.array([r.population for r in regions], dtype=np.float64)
    share = np.array([share for *_, share in sold])
    stream = rng.choice(len(sold), number, p=share / share.sum())
    place = rng.choice(len(regions), number, p=people / people.sum())
    hour = rng.choice(24, number, p=np.array(BY_HOUR) / sum(BY_HOUR))
    at = ((hour + rng.uniform(0, 1, number)) * 3.6e9).astype(np.int64)
    block = rng.integers(0, 300_000, number)
    return [
        {"day": day, "id": f"{name}{i}", "provider": sold[s][0], "service": sold[s][1], "region": regions[r].id,
         "at": int(t), "block": f"b{b}"}
        for i, (s, r, t, b) in enumerate(zip(stream, place, at, block, strict=True))
    ]  # fmt: skip


def pour(connection: Connection, rows: Sequence[Mapping[str, object]], days: Sequence[Mapping[str, int]]) -> None:
    """Store drawn reports on each of `days`: its number says which drawn day, `first` when it begins (microseconds)."""
    connection.execute(text("DELETE FROM template"))
    connection.execute(text("DELETE FROM days"))
    connection.execute(text("INSERT INTO template VALUES (:day, :id, :provider, :service, :region, :at, :block)"), rows)
    connection.execute(text("INSERT INTO days VALUES (:number, :first)"), days)
    connection.execute(text(ROW), {"drawn": DRAWN})


def fill(instance: Instance, days: int, last_day: int, only: str = "") -> None:
    """Store `days` days that end with the day of NOW; the last has `last_day` reports, beyond A_DAY all of `only`."""
    rng = np.random.default_rng(5)
    midnight = NOW.replace(hour=0, minute=0) - (days - 1) * DAY
    first = int(midnight.timestamp()) * 1_000_000
    usual = [{"number": n, "first": first + n * 86_400_000_000} for n in range(days)]
    with instance.store.write() as connection:
        connection.execute(text(TEMPLATE))
        connection.execute(text("CREATE TEMP TABLE days (number INT, first INT)"))
        rows = [row for day in range(DRAWN) for row in draw(instance, A_DAY, day, f"{day}-", rng)]
        pour(connection, rows, usual[:-1])
        last = draw(instance, A_DAY, 0, "usual-", rng) + draw(instance, last_day - A_DAY, 0, "more-", rng, only=only)
        pour(connection, last, [{**usual[-1], "number": 0}])
        connection.execute(text(COUNT))
        connection.execute(text("DROP TABLE template"))
        connection.execute(text("DROP TABLE days"))
        for day in range(min(days, 30)):
            cube.listen(connection, "bench", NOW - (day + 1) * DAY, NOW - day * DAY)
        cube.listen(connection, "bench", NOW, NOW + DAY)


def measure(days: int, last_day: int, only: str, ticks: int) -> tuple[int, list[float], float]:
    """Return the number of stored reports, the seconds of each pass, and those of the first, which learns."""
    clock = SimulatedClock(NOW)
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            None, {}, overrides={"home": folder, "database": f"sqlite:///{Path(folder) / 'size.sqlite'}"}
        )
        instance = open_instance(settings, clock)
        fill(instance, days, last_day, only)
        with instance.store.read() as connection:
            stored = int(connection.execute(text("SELECT COUNT(*) FROM reports")).scalar_one())
        detection = Detection(instance)
        settle()  # as `serve` and `worker` do
        seconds: list[float] = []
        at = NOW
        while len(seconds) <= ticks:
            clock.set(at)
            start = time.perf_counter()
            detection.refresh()
            seconds.append(time.perf_counter() - start)
            at += timedelta(minutes=5 if (at.minute + 5) % 60 else 10)
        instance.store.close()
    return stored, seconds[1:], seconds[0]


def main() -> None:
    """Measure the stores and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--ticks", type=int, default=24)
    options.add_argument("--stores", nargs="*", choices=STORES, default=list(STORES))
    asked = options.parse_args()
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the start\n")
    print("| store | reports | first pass, s | median, ms | 95 %, ms | of the limit |\n|---|---|---|---|---|---|")
    base = None
    for name in asked.stores:
        stored, seconds, first = measure(*STORES[name], asked.ticks)
        median, most = np.median(seconds), np.quantile(seconds, 0.95)
        base = base or median
        limit = most / 3.0 if STORES[name][1] > A_DAY else median / base / 1.2
        print(
            f"| {name} | {stored:,} | {first:.1f} | {median * 1000:.0f} | {most * 1000:.0f} | {limit:.2f} |", flush=True
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\nPeak memory of the process, the filling included: {peak:.0f} MB.")


if __name__ == "__main__":
    main()
