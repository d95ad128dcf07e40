"""How fast a million reports leave as CSV; run as a script: `python -m tests.benchmarks.export_csv [--reports N]`.

The rival in the same run is the sqlite3 shell with -csv on the same file and the same rows in the same order, twice: as
the table has them (times as integers), and with the text that we write (times as text). Both write to a file. The
shell neither guards against formulas nor asks what a source lets be given on. The first byte is taken from the site
behind waitress in a process of its own.
"""

from __future__ import annotations

import argparse
import http.client
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aggregator.catalogue import load_catalogue
from aggregator.clock import SystemClock
from aggregator.downloads import download
from aggregator.feedmodel import Source
from aggregator.instance import open_instance
from aggregator.model import Filter, Report
from aggregator.record import End
from aggregator.settings import load_settings
from aggregator.store import Store, ends, reports, sources

START = datetime(2026, 3, 1, tzinfo=UTC)
SECONDS = 28 * 86400.0
SYMPTOMS = ("", "no_signal", "slow", "Kein Internet, kein Telefon", '"Es geht nichts"', "=HYPERLINK(1)", "- seit heute")
WEIGHTS = (40, 30, 20, 5, 3, 1, 1)
ENDED = "(SELECT ended_at FROM ends WHERE ends.report_id = reports.report_id)"
TEXTS = "report_id, source, provider, service, symptom, region, place_source"


def fill(store: Store, number: int) -> None:
    """Store reports of four weeks: a tenth of the symptoms to be quoted or guarded, 2 % over, 30 % with a beginning."""
    dice, catalogue = random.Random(1), load_catalogue()
    providers, services, regions = (
        list(names) for names in (catalogue.providers, catalogue.services, catalogue.regions)
    )
    moments = sorted(START + timedelta(seconds=dice.random() * SECONDS) for _ in range(number))
    with store.write() as connection:
        sources.keep(connection, [Source("feed", republish="rows")])
    for start in range(0, number, 50_000):
        batch = [
            Report(
                f"{dice.getrandbits(96):024x}", dice.choice(("feed", "feed", "feed", "form")), "", "",
                dice.choice(providers), dice.choice(services), dice.choices(SYMPTOMS, WEIGHTS)[0],
                dice.choice(regions) if dice.random() < 0.95 else "", "", "plz", None, None, at,
                at - timedelta(hours=1) if dice.random() < 0.3 else None, at + timedelta(seconds=dice.random() * 600),
            )
            for at in moments[start : start + 50_000]
        ]  # fmt: skip
        over = [End(r.report_id, r.observed_at + timedelta(hours=2), r.received_at) for r in batch]
        with store.write() as connection:
            reports.add(connection, batch)
            ends.add(connection, [end for end in over if dice.random() < 0.02])


def as_stored() -> str:
    """Return the query of the rows as the table has them."""
    return f"SELECT {TEXTS}, observed_at, began_at, {ENDED}, received_at, counted FROM reports"


def as_text() -> str:
    """Return the query of the rows with the text that we write."""
    names = ("observed_at", "began_at", ENDED, "received_at")
    cut = ", ".join(f"strftime('%Y-%m-%dT%H:%M:%SZ', {name} / 300000000 * 300, 'unixepoch')" for name in names)
    return f"SELECT {TEXTS}, {cut}, CASE counted WHEN 1 THEN 'true' ELSE 'false' END, 'false' FROM reports"


def shell(database: Path, query: str, out: Path) -> None:
    """Let the sqlite3 shell write the query as CSV."""
    ordered = f"{query} ORDER BY observed_at, reports.report_id"
    with out.open("wb") as file:
        subprocess.run(["sqlite3", "-csv", "-header", str(database), ordered], stdout=file, check=True)


def one(home: Path, out: Path) -> None:
    """Write the export and print: seconds, and MB of this process before it and at the peak."""
    instance = open_instance(load_settings(None, {"NETZLAGE_HOME": str(home)}), SystemClock())
    before, start = peak(), time.perf_counter()
    with out.open("wb") as file:
        for piece in download(instance, "reports", "csv", Filter()):
            file.write(piece)
    print(time.perf_counter() - start, before, peak())


def peak() -> float:
    """Return the most memory that this process has had so far, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def timed(work: Callable[[], None]) -> float:
    """Return the seconds that `work` took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def first_byte(home: Path) -> Iterator[float]:
    """Yield the seconds until the first byte of the whole file over HTTP, of five readers one after the other."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    command = ["serve", "--no-worker", "--port", str(port)]
    environment = {"NETZLAGE_HOME": str(home), "PATH": "/usr/bin:/bin"}
    code = "import sys; from aggregator.cli import main; sys.exit(main())"
    with subprocess.Popen([sys.executable, "-c", code, *command], env=environment, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout
            server.stdout.readline()
            for _ in range(5):
                connection = http.client.HTTPConnection("127.0.0.1", port)
                start = time.perf_counter()
                connection.request("GET", "/daten/reports.csv")
                connection.getresponse().read(1)
                yield time.perf_counter() - start
                connection.close()
        finally:
            server.terminate()


def main() -> None:
    """Print a table: seconds, MB/s, ratio to the shell; then memory and first byte."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--reports", type=int, default=1_000_000)
    options.add_argument("--times", type=int, default=3)
    options.add_argument("--one", nargs=2, type=Path)
    asked = options.parse_args()
    if asked.one:
        one(*asked.one)
        return
    if not shutil.which("sqlite3"):
        sys.exit("This needs the sqlite3 shell; install Debian's package sqlite3.")
    with tempfile.TemporaryDirectory() as folder:
        compare(Path(folder), asked.reports, asked.times)


def compare(home: Path, number: int, times: int) -> None:
    """Fill a store in `home`, let each write it in turns, and print the best of each."""
    instance = open_instance(load_settings(None, {"NETZLAGE_HOME": str(home)}), SystemClock())
    fill(instance.store, number)
    instance.store.close()
    database, out = home / "netzlage.sqlite", home / "out.csv"
    best: dict[str, tuple[float, int]] = {}
    memory = (0.0, 0.0)
    command = [sys.executable, "-m", "tests.benchmarks.export_csv", "--one", str(home), str(out)]
    for _ in range(times):
        for name, query in (("sqlite3 -csv, as stored", as_stored()), ("sqlite3 -csv, same text", as_text())):
            seconds = timed(lambda query=query: shell(database, query, out))  # type: ignore[misc]
            best[name] = min(best.get(name, (9e9, 0)), (seconds, out.stat().st_size))
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
        memory = float(told[1]), float(told[2])
        best["Netzlage"] = min(best.get("Netzlage", (9e9, 0)), (float(told[0]), out.stat().st_size))
    print(f"| {number:,} reports | seconds | MB/s | Netzlage's rate of rows to it |\n|---|---|---|---|")
    for name, (seconds, size) in best.items():
        print(f"| {name} | {seconds:.2f} | {size / 1e6 / seconds:.0f} | {seconds / best['Netzlage'][0]:.2f} |")
    print(f"\nMemory: {memory[1] - memory[0]:.0f} MB by the export, on {memory[0]:.0f} MB of code and facts before it.")
    print(f"First byte over HTTP: {', '.join(f'{seconds:.3f}' for seconds in first_byte(home))} s.")


if __name__ == "__main__":
    main()
