"""Kills the worker at random moments while it polls, and says whether every item is stored exactly once at the end.

python -m tests.benchmarks.feeds_kill [--items 100000] [--kills 20] [--seed 1]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aggregator.model import Filter
from aggregator.store import cube, open_store, reports
from tests.servers import send, serving

STANZA = """
[[feed]]
name = "many"
format = "json_records"
url = "{url}"
every = "1s"
lookback = "1d"
timeout = "60s"
max_bytes = 50000000
allow_private = true
provider = "o2"
service = "mobile"
[feed.fields]
report_id = "id"
observed_at = "at"
plz = "plz"
"""
PLACES = ("20095", "80331", "10115", "04109", "50667", "01067")


@dataclass(frozen=True)
class Result:
    """What was found in the end."""

    kills: int
    during: int  # kills that found a run half done
    stored: int
    distinct: int
    cube: int
    seconds: float
    megabytes: int


def document(items: int, now: datetime) -> bytes:
    """Return a list of items of the last hour, each with a key."""
    at = [(now - timedelta(seconds=n % 3600 + 60)).isoformat() for n in range(items)]
    return json.dumps([{"id": n, "at": at[n], "plz": PLACES[n % len(PLACES)]} for n in range(items)]).encode()


@contextmanager
def worker(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `netzlage worker` in `home`."""
    here = {name: value for name, value in os.environ.items() if not name.startswith("NETZLAGE_")}
    told = {"NETZLAGE_HOME": str(home), "NETZLAGE_FEEDS": str(home / "feeds.toml")}
    command = [sys.executable, "-c", "from aggregator.cli import main; main()", "worker"]
    with subprocess.Popen(
        command, env={**here, **told}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def stored(home: Path) -> int:
    """Return how many reports there are by now."""
    path = home / "netzlage.sqlite"
    if not path.exists():
        return 0
    store = open_store(f"sqlite:///{path}")
    try:
        with store.read() as connection:
            return reports.count(connection, Filter())
    finally:
        store.close()


def run(items: int, kills: int, seed: int) -> Result:
    """Let the worker poll, kill it `kills` times, let it end its work, and count."""
    began, chance, during = time.monotonic(), random.Random(seed), 0
    body = document(items, datetime.now(UTC))
    with tempfile.TemporaryDirectory() as folder, serving(lambda handler: send(handler, body)) as url:
        home = Path(folder)
        (home / "feeds.toml").write_text(STANZA.format(url=url), "utf-8")
        for _ in range(kills):
            during += _kill_once(home, items, chance.random())
        with worker(home):
            _wait_for(home, items)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        store = open_store(f"sqlite:///{home / 'netzlage.sqlite'}")
        with store.read() as connection:
            frame = reports.frame(connection, Filter())
            total = int(cube.frame(connection, Filter())["count"].sum())
        store.close()
    return Result(kills, during, len(frame), frame["report_id"].nunique(), total, time.monotonic() - began, peak)


def _kill_once(home: Path, items: int, chance: float) -> bool:
    """Kill the worker at a random moment of its run; says whether it had stored some of the items and not all."""
    before = stored(home)
    with worker(home) as process:
        limit = time.monotonic() + 60
        while stored(home) <= before < items and time.monotonic() < limit:  # it has begun to store
            time.sleep(0.02)
        time.sleep(chance * 0.4)
        process.send_signal(signal.SIGKILL)
        process.wait()
    return 0 < stored(home) < items


def _wait_for(home: Path, items: int) -> None:
    limit = time.monotonic() + 300
    while stored(home) < items and time.monotonic() < limit:
        time.sleep(0.2)
    time.sleep(3)  # and one more poll, which must add nothing


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    print(run(asked.items, asked.kills, asked.seed))


if __name__ == "__main__":
    main()
