"""How a detection pass grows with what is stored on PostgreSQL: `python -m tests.benchmarks.postgres_tick [--days N]`.

As `tick_size` for SQLite: 5,000 reports a day, half a year (1 million, 200 partitions) and five years and a half (10
million, 2,000 partitions), poured in past the door as the door writes them. Measured is `Detection.refresh()` at ticks
without full hours, the day's baseline learned. Limit: ten times the reports at most 1.2 times the time.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from datetime import timedelta

import numpy as np
from sqlalchemy import text

from aggregator.cli.common import settle
from aggregator.clock import SimulatedClock
from aggregator.instance import Instance, open_instance
from aggregator.refresh import Detection
from aggregator.settings import load_settings
from aggregator.store import cube, partitions
from tests.benchmarks.tick_size import A_DAY, DAY, DRAWN, NOW, draw
from tests.postgres import LOSABLE, Server

AT_ONCE = 100  # days of a transaction
TEMPLATE = "CREATE TABLE template (day INT, id TEXT, provider TEXT, service TEXT, region TEXT, at BIGINT, block TEXT)"
ROW = "INSERT INTO template VALUES (:day, :id, :provider, :service, :region, :at, :block)"
ROWS = """
INSERT INTO reports (observed_at, report_id, source, reporter, block, provider, service, symptom, region, plz,
                     place_source, received_at, counted)
SELECT :first + t.at * INTERVAL '1 microsecond', t.id || '-' || :number, 'bench', t.id, t.block, t.provider, t.service,
       '', t.region, '', 'plz', :first + t.at * INTERVAL '1 microsecond' + INTERVAL '20 seconds', true
FROM template t WHERE t.day = :number % :drawn
"""
COUNT = """
INSERT INTO cube (region, bucket, provider, service, source, count)
SELECT region, date_bin('5 minutes', observed_at, TIMESTAMPTZ '1970-01-01 0:0+0'), provider, service, source, COUNT(*)
FROM reports GROUP BY 1, 2, 3, 4, 5
"""


def fill(instance: Instance, days: int) -> None:
    """Store `days` days that end with the day of NOW."""
    rng = np.random.default_rng(5)
    midnight = NOW.replace(hour=0, minute=0) - (days - 1) * DAY
    rows = [row for day in range(DRAWN) for row in draw(instance, A_DAY, day, f"{day}-", rng)]
    with instance.store.write() as connection:
        connection.execute(text(TEMPLATE))
    for low in range(0, len(rows), A_DAY):  # a writer that makes ready for long is taken for one that hangs
        with instance.store.write() as connection:
            connection.execute(text(ROW), rows[low : low + A_DAY])
    for start in range(0, days, AT_ONCE):
        some = range(start, min(start + AT_ONCE, days))
        with instance.store.write() as connection:
            partitions.make(connection, [midnight + n * DAY for n in (*some, some[-1] + 1)])
            for n in some:
                connection.execute(text(ROWS), {"first": midnight + n * DAY, "number": n, "drawn": DRAWN})
    with instance.store.write() as connection:
        connection.execute(text(COUNT))
        connection.execute(text("DROP TABLE template"))
        for day in range(min(days, 30)):
            cube.listen(connection, "bench", NOW - (day + 1) * DAY, NOW - day * DAY)
        cube.listen(connection, "bench", NOW, NOW + DAY)


def measure(server: Server, days: int, ticks: int) -> tuple[int, float, list[float], float]:
    """Return the stored reports, the seconds of the filling, of each pass, and of the first, which learns."""
    clock = SimulatedClock(NOW)
    name = f"days{days}"
    with tempfile.TemporaryDirectory() as folder:
        instance = open_instance(
            load_settings(None, {}, overrides={"home": folder, "database": server.fresh(name)}), clock
        )
        began = time.perf_counter()
        fill(instance, days)
        filled = time.perf_counter() - began
        server.ask("VACUUM ANALYZE", name)
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
    server.drop(name)
    return stored, filled, seconds[1:], seconds[0]


def main() -> None:
    """Measure the databases and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--ticks", type=int, default=24)
    options.add_argument("--days", nargs="*", type=int, default=[200, 2_000])
    asked = options.parse_args()
    with Server({**LOSABLE, "max_locks_per_transaction": "1024", "max_wal_size": "8GB"}) as server:
        ((version,),) = server.ask("SHOW server_version")
        print(f"PostgreSQL {version}, Python {sys.version.split()[0]}, load {os.getloadavg()[0]:.1f} at the start\n")
        print("| days | reports | filled in, s | first pass, s | median, ms | 95 %, ms | of the limit |")
        print("|---|---|---|---|---|---|---|")
        base = 0.0
        for days in asked.days:
            stored, filled, seconds, first = measure(server, days, asked.ticks)
            median, most = float(np.median(seconds)) * 1000, float(np.quantile(seconds, 0.95)) * 1000
            base = base or median
            figures = f"{filled:.0f} | {first:.1f} | {median:.0f} | {most:.0f} | {median / base / 1.2:.2f}"
            print(f"| {days} | {stored:,} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
