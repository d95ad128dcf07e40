"""What 50 feeds polled each minute cost, and whether a slow one delays another.

python -m tests.benchmarks.feeds_load [--feeds 50] [--every 60] [--minutes 3] [--slow 1]
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path

from tests.benchmarks.feeds_kill import worker
from tests.servers import send, serving

STANZA = """
[[feed]]
name = "feed-{number}"
format = "json_records"
url = "{url}/{number}"
every = "{every}s"
timeout = "{timeout}s"
allow_private = true
provider = "o2"
service = "mobile"
[feed.fields]
report_id = "id"
observed_at = "at"
plz = "plz"
"""


@dataclass
class Feeds:
    """A server of many feeds, each with 100 items of which some are new at each poll; the first ones answer never."""

    slow: int
    asked: dict[str, list[float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        name = handler.path.strip("/")
        with self.lock:
            times = self.asked.setdefault(name, [])
            times.append(time.monotonic())
        if int(name) < self.slow:
            self.over.wait(120)
            return
        now, first = datetime.now(UTC), len(times) * 5
        at = (now - timedelta(minutes=1)).isoformat()
        items = [{"id": f"{first + n}", "at": at, "plz": "20095"} for n in range(100)]
        send(handler, json.dumps(items).encode())


def seconds_of(pid: int) -> float:
    """Return the processor time of a process, user and system (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def megabytes_of(pid: int) -> int:
    """Return the peak memory of a process (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) // 1000 for line in lines if line.startswith("VmHWM"))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=50)
    parser.add_argument("--every", type=int, default=60)
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--slow", type=int, default=1)
    asked = parser.parse_args()
    feeds = Feeds(asked.slow)
    with tempfile.TemporaryDirectory() as folder, serving(feeds) as url:
        home = Path(folder)
        pace = {"url": url, "every": asked.every, "timeout": asked.every - 2}
        stanzas = (STANZA.format(number=number, **pace) for number in range(asked.feeds))
        (home / "feeds.toml").write_text("".join(stanzas), "utf-8")
        with worker(home) as process:
            time.sleep(20)  # start: imports, facts, the first poll of all
            before, since = seconds_of(process.pid), time.monotonic()
            time.sleep(asked.minutes * 60)
            used = (seconds_of(process.pid) - before) / (time.monotonic() - since)
            memory = megabytes_of(process.pid)
        feeds.over.set()
    others = [times[1:] for name, times in feeds.asked.items() if int(name) >= asked.slow]
    gaps = [later - earlier for times in others for earlier, later in pairwise(times)]
    print(f"{asked.feeds} feeds every {asked.every} s, {asked.slow} never answering: {100 * used:.1f} % of a core, "
          f"{memory} MB; longest time between two polls of another {max(gaps, default=0):.1f} s")  # fmt: skip


if __name__ == "__main__":
    main()
