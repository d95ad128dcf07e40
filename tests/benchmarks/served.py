"""The real `netzlage serve` with its worker, over a store that has reports; what it takes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from aggregator.clock import SystemClock
from aggregator.feedmodel import Source
from aggregator.instance import open_instance
from aggregator.model import Report
from aggregator.settings import load_settings
from aggregator.store import cube, reports, sources
from tests.benchmarks.pages import free_port, once, request
from tests.processes import children, megabytes
from tests.servers import send, serving
from tests.test_refresh import NOW, quiet

NETZLAGE: Final = (sys.executable, "-c", "from aggregator.cli import main; main()")
STANZA: Final = """
[[feed]]
name = "steady"
format = "json_records"
url = "{url}"
every = "5s"
allow_private = true
provider = "telekom"
service = "mobile"
republish = "rows"
[feed.fields]
report_id = "id"
observed_at = "at"
plz = "plz"
"""
BATCH: Final = 5000


@dataclass(frozen=True, slots=True)
class Served:
    """Where it is, and its process; the worker is a child of that."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def megabytes(self) -> float:
        """What lies in memory of the site."""
        return megabytes(self.process.pid)

    @property
    def worker_megabytes(self) -> float:
        """What lies in memory of its worker."""
        return sum(map(megabytes, children(self.process.pid)))

    @property
    def files(self) -> int:
        """Its open files, sockets among them."""
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


@contextmanager
def served(folder: Path, *, stored: int, **settings: str) -> Iterator[Served]:
    """Fill a store with so many reports of the last twelve days, and serve it until the end of the block.

    A feed of its own brings an item every five seconds. Raises SystemExit where it does not end with 0 when told to.
    """
    given = {"home": str(folder), "feeds": str(folder / "feeds.toml"), "trusted_proxies": "1", **settings}
    environ = {f"NETZLAGE_{name.upper()}": value for name, value in given.items()}
    _fill(environ, stored)
    port = free_port()
    with serving(lambda handler: send(handler, _item())) as url, (folder / "log.txt").open("wb") as log:
        (folder / "feeds.toml").write_text(STANZA.format(url=f"{url}/items"), "utf-8")
        command = [*NETZLAGE, "serve", "--port", str(port)]
        process = subprocess.Popen(command, cwd=folder, env={**os.environ, **environ}, stdout=log, stderr=log)
        try:
            once(port, request("/api/v1/health"))
            yield Served(port, process)
        finally:
            process.terminate()
            status = process.wait(90)
    if status:
        raise SystemExit(f"serve ended with {status}:\n{(folder / 'log.txt').read_text('utf-8', 'replace')[-3000:]}")


def _item() -> bytes:
    now = datetime.now(UTC)
    return f'[{{"id": "{now.timestamp()}", "at": "{now.isoformat()}", "plz": "80331"}}]'.encode()


def _fill(environ: dict[str, str], stored: int) -> None:
    instance = open_instance(load_settings(None, environ), SystemClock())
    shift = datetime.now(UTC) - NOW
    pattern = [_moved(report, shift) for report in quiet()]
    with instance.store.write() as connection:
        cube.listen(connection, "feed", NOW + shift - timedelta(days=12), NOW + shift)
        sources.keep(connection, [Source("feed", republish="rows")])
    for first in range(0, stored, BATCH):
        some = [_numbered(pattern, number) for number in range(first, min(stored, first + BATCH))]
        with instance.store.write() as connection:
            reports.add(connection, some)
    instance.store.close()


def _moved(report: Report, by: timedelta) -> Report:
    return replace(report, observed_at=report.observed_at + by, received_at=report.received_at + by)


def _numbered(pattern: list[Report], number: int) -> Report:
    return replace(pattern[number % len(pattern)], report_id=f"n{number}")
