"""How fast PostgreSQL takes reports; run it with `python -m tests.benchmarks.postgres [--reports N]`.

`reports.add` in batches of 1,000: ids seen once, the six-hour rule, the rows and the cube in one transaction, COMMIT
waited for. Beside it in the same run, in turns, a batch of each: the insertion of the same rows, ready made, into a
copy of the table with the same partitions and indexes, by `executemany` and by COPY. One connection each; the server
is one of its own with its usual settings (fsync on), the reports are of seven days, two of three with a reporter.
Limits: 10,000 a second; 0.75 of the insertion alone. Beside the clock stands the processor's time of this process and
of the server together: what a batch would take on cores that nobody else wants, waiting for the disk left out.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Table, insert

from aggregator.model import Report
from aggregator.store import Store, open_store, partitions, reports
from aggregator.store.bulk import in_bulk
from aggregator.store.schema import reports as table
from tests.benchmarks.used import below
from tests.postgres import Server

START: Final = datetime(2026, 3, 1, tzinfo=UTC)
BATCH: Final = 1000
DAYS: Final = 7
PROVIDERS: Final = ("o2", "telekom", "vodafone", "1und1", "pyur", "m-net")
SERVICES: Final = ("mobile", "fixed_internet", "landline", "tv")
Work = Callable[[Connection, Sequence[Report]], object]


def drawn(number: int) -> Iterator[Report]:
    """Draw reports in the order in which they come in."""
    dice = random.Random(7)
    for n in range(number):
        at = START + n * timedelta(days=DAYS) / number
        seconds = dice.randrange(600)
        yield Report(
            report_id=f"{dice.getrandbits(128):032x}", source="feed", block=f"{dice.getrandbits(64):016x}",
            reporter=f"{dice.randrange(number):032x}" if dice.random() < 0.67 else "", provider=dice.choice(PROVIDERS),
            service=dice.choice(SERVICES), symptom="", region=f"{dice.randrange(400):05}", plz="20095",
            place_source="plz", lat=53.55, lon=10.0, observed_at=at - timedelta(seconds=seconds), began_at=None,
            received_at=at,
        )  # fmt: skip


def take(connection: Connection, some: Sequence[Report]) -> None:
    """Take the reports as the one door does."""
    reports.add(connection, some)


def by_insert(bare: Table) -> Work:
    """Return what inserts ready rows by executemany."""

    def work(connection: Connection, some: Sequence[Report]) -> None:
        names = [column.name for column in table.c]
        connection.execute(insert(bare), [dict(zip(names, _row(report), strict=True)) for report in some])

    return work


def by_copy(bare: Table) -> Work:
    """Return what inserts ready rows by COPY."""

    def work(connection: Connection, some: Sequence[Report]) -> None:
        in_bulk(connection, insert(bare), [_row(report) for report in some])

    return work


def _row(report: Report) -> tuple[Any, ...]:
    return reports._row(report, _as_it_is)


def _as_it_is(moment: datetime) -> datetime:
    return moment


def copy_of_the_table(store: Store, name: str) -> Table:
    """Make a table like that of the reports, with the same partitions and indexes."""
    with store.write() as connection:
        connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE reports INCLUDING ALL) PARTITION BY RANGE (received_at)")
        for n in range(-1, DAYS + 1):
            day = (START + timedelta(days=n)).date()
            connection.exec_driver_sql(
                f"CREATE TABLE {name}_{n + 1} PARTITION OF {name} "
                f"FOR VALUES FROM ('{day} 00:00+00') TO ('{day + timedelta(days=1)} 00:00+00')"
            )
    return table.to_metadata(table.metadata.__class__(), name=name)


def measure(
    store: Store, works: dict[str, Work], given: Sequence[Report]
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Return the seconds of each batch by name, and those of the processor of all.

    The works take turns, each a batch, another first each time.
    """
    seconds: dict[str, list[float]] = defaultdict(list)
    used: dict[str, float] = defaultdict(float)
    names = list(works)
    for number, start in enumerate(range(0, len(given), BATCH)):
        some = given[start : start + BATCH]
        for name in names[number % len(names) :] + names[: number % len(names)]:
            server, own, began = below(os.getpid()), time.process_time(), time.perf_counter()
            with store.write(alone=False) as connection:
                works[name](connection, some)
            seconds[name].append(time.perf_counter() - began)
            used[name] += time.process_time() - own + below(os.getpid()) - server
    return seconds, used


def main() -> None:
    """Print a table: reports/s, the median batch, the share of each insertion alone."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--reports", type=int, default=200_000)
    number = options.parse_args().reports
    with Server({}) as server:
        store = open_store(server.fresh("benchmark"))
        with store.write() as connection:
            partitions.make(connection, [START + timedelta(days=n) for n in range(-1, DAYS + 1)])
        works: dict[str, Work] = {
            "taken whole (ids, six hours, rows, cube)": take,
            "insertion alone, executemany": by_insert(copy_of_the_table(store, "inserted")),
            "insertion alone, COPY": by_copy(copy_of_the_table(store, "copied")),
        }
        given = list(drawn(number))
        seconds, used = measure(store, works, given)
        (version,) = server.ask("SHOW server_version")[0]
        store.close()
    print_table(number, str(version), seconds, used)


def print_table(number: int, version: str, seconds: dict[str, list[float]], used: dict[str, float]) -> None:
    """Print the measured lines as Markdown."""
    load = f"load {os.getloadavg()[0]:.1f} at the end"
    print(f"PostgreSQL {version}, Python {sys.version.split()[0]}, {number:,} reports, batches of {BATCH:,}; {load}\n")
    print("| | reports/s | median batch | this / taken whole | reports/s of the processor | this / taken whole |")
    print("|---|---|---|---|---|---|")
    whole, busy = sum(next(iter(seconds.values()))), next(iter(used.values()))
    for name, batches in seconds.items():
        each = f"{number / sum(batches):,.0f} | {statistics.median(batches) * 1000:.0f} ms"
        of_processor = f"{number / used[name]:,.0f} | {used[name] / busy:.2f}"
        print(f"| {name} | {each} | {sum(batches) / whole:.2f} | {of_processor} |")


if __name__ == "__main__":
    main()
