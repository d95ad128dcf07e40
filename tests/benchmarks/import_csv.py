"""How fast a CSV goes through the one door; run as a script: `python tests/benchmarks/import_csv.py [--reports N]`.

Beside it the limit, in the same run: `executemany` of the same reports as ready rows into the same table, one file
each, the same batches and the same durability.
"""

from __future__ import annotations

import argparse
import csv
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from aggregator.catalogue import Catalogue, load_catalogue
from aggregator.cli.files import BATCH
from aggregator.clock import SimulatedClock
from aggregator.importing import read_csv
from aggregator.instance import Instance
from aggregator.pipeline import accept
from aggregator.settings import load_settings
from aggregator.store import Store, open_store

START = datetime(2026, 3, 1, tzinfo=UTC)
SECONDS = 28 * 86400.0
HEADER = ("provider", "service", "observed_at", "plz", "symptom", "reporter", "report_id", "comment")


def write_file(path: Path, number: int, catalogue: Catalogue, *, keyed: bool) -> None:
    """Write `number` reports of four weeks in order of time: aliases, all PLZ, two of three with a reporter."""
    dice = random.Random(7)
    providers = [name for p in catalogue.providers.values() for name in (p.id, p.name, *p.aliases)]
    services = [name for s in catalogue.services.values() for name in (s.id, s.name_de, s.name_en)]
    codes = [plz for plz in (f"{n:05}" for n in range(1000, 99999, 7)) if _known(catalogue, plz)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for item, second in enumerate(sorted(dice.random() * SECONDS for _ in range(number))):
            observed = (START + timedelta(seconds=second)).isoformat(timespec="seconds")
            reporter = f"u{dice.randrange(number)}" if dice.random() < 0.67 else ""
            comment = "Seit heute früh kein Netz" if dice.random() < 0.1 else ""
            key = str(item) if keyed else ""
            row = (dice.choice(providers), dice.choice(services), observed, dice.choice(codes), "", reporter)
            writer.writerow((*row, key, comment))


def _known(catalogue: Catalogue, plz: str) -> bool:
    return hasattr(catalogue.places.locate(plz=plz), "region")


def timed(work: Callable[[], int]) -> tuple[int, float]:
    """Return what `work` returned and the seconds that it took."""
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def through_the_door(instance: Instance, path: Path) -> int:
    """Import the file and return how many reports were kept."""
    with path.open("rb") as file:
        return accept(instance, read_csv(file), batch=BATCH).kept


def ready_rows(store: Store) -> tuple[str, list[tuple[object, ...]]]:
    """Return the INSERT and the rows of the reports table, as they stand in it."""
    with store.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM reports ORDER BY observed_at, report_id").fetchall()
    marks = ", ".join("?" * len(rows[0]))
    return f"INSERT INTO reports VALUES ({marks})", [tuple(row) for row in rows]


def into_the_table(store: Store, insert: str, rows: list[tuple[object, ...]]) -> int:
    """Insert the rows in the batches of an import."""
    for start in range(0, len(rows), BATCH):
        with store.write() as connection:
            connection.exec_driver_sql(insert, rows[start : start + BATCH])
    return len(rows)


def main() -> None:
    """Print a table: reports, seconds, reports/s, share of the limit; then the peak of memory."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--reports", type=int, default=200_000)
    number = options.parse_args().reports
    catalogue = load_catalogue()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        clock = SimulatedClock(START + timedelta(seconds=SECONDS))
        results: list[tuple[str, int, float]] = []
        for label, keyed in (("CSV, report_id given", True), ("CSV, without keys", False)):
            path = home / f"{keyed}.csv"
            write_file(path, number, catalogue, keyed=keyed)
            store = open_store(f"sqlite:///{home / str(keyed)}.sqlite")
            instance = Instance(load_settings(None, {}), clock, catalogue, store, b"benchmark")
            through = partial(through_the_door, instance, path)
            results.append((label, *timed(through)))
            results.append((f"{label}, again", number, timed(through)[1]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        insert, rows = ready_rows(store)
        bare = open_store(f"sqlite:///{home / 'bare'}.sqlite")
        results.append(("limit: executemany of ready rows", *timed(partial(into_the_table, bare, insert, rows))))
    print_table(results, peak)


def print_table(results: list[tuple[str, int, float]], peak: float) -> None:
    """Print the measured lines as Markdown, the last one being the limit."""
    limit = results[-1][1] / results[-1][2]
    print(f"Python {sys.version.split()[0]}, batches of {BATCH:,}\n")
    print("| | reports | seconds | reports/s | of the limit |\n|---|---|---|---|---|")
    for label, number, seconds in results:
        print(f"| {label} | {number:,} | {seconds:.2f} | {number / seconds:,.0f} | {number / seconds / limit:.2f} |")
    print(f"\nPeak memory of the process while importing: {peak:,.0f} MB.")


if __name__ == "__main__":
    main()
