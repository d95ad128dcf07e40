"""Three workers and two web processes on PostgreSQL: killed every 30 seconds, one cut off. What is doubled, the gaps.

python -m tests.benchmarks.workers [--minutes 10] [--every 4] [--lease 10]

Each worker is a host of its own (network namespaces, where there can be some; else one is paused instead of cut off).
A local feed counts its requests, a local receiver of webhooks the alerts by their id.

A gap can be the machine's: whoever is killed while it starts does nothing. So it is told how long a start took, and the
longest time without any worker that had started and was connected.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from itertools import cycle, pairwise
from pathlib import Path
from typing import Any, Final

import psycopg

from aggregator.alert.deliver import EVERY, LEASE
from aggregator.clock import SystemClock
from aggregator.instance import Instance, open_instance
from aggregator.model import State
from aggregator.settings import load_settings
from aggregator.store.outbox import backlog
from tests.alert.scene import Receiver, happened, subscribe, webhook
from tests.hosts import Hosts, why_not
from tests.ingest.crew import ROOT, Crew
from tests.postgres import Server
from tests.servers import send, serving

FEEDS = 4
SUBSCRIBERS = 3
KILLS = 30.0  # seconds between two
HEARD = 5  # seconds: the pace of the feeds
STATES: tuple[State, ...] = ("strong", "easing", "over")

STANZA = """
[[feed]]
name = "feed{n}"
format = "json_records"
url = "{url}/feed{n}"
every = "{every}s"
lookback = "10m"
allow_private = true
provider = "o2"
service = "mobile"
[feed.fields]
report_id = "id"
observed_at = "at"
plz = "zip"
"""


@dataclass
class Source:
    """A server of feeds: each says one report a second, and what it has said in the last ten minutes."""

    began: float = field(default_factory=time.time)
    requests: Counter[str] = field(default_factory=Counter)
    lock: Any = field(default_factory=threading.Lock)

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/robots.txt":
            send(handler, b"", 404)
            return
        with self.lock:
            self.requests[handler.path] += 1
        now = int(time.time()) - 2
        said = range(max(int(self.began), now - 600), now)
        items = [{"id": f"n{second}", "at": _iso(second), "zip": "20095"} for second in said]
        send(handler, json.dumps(items).encode(), Content_Type="application/json")


def _iso(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat()


def main() -> None:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--every", type=float, default=4, help="seconds between two looks")
    parser.add_argument("--lease", type=float, default=10, help="seconds")
    given = parser.parse_args()
    with ExitStack() as stack:
        hosts = stack.enter_context(Hosts(3)) if not why_not() else None
        here = hosts.address if hosts else "127.0.0.1"
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="netzlage-workers-")))
        server = stack.enter_context(Server(address=here))
        source, receiver = Source(), Receiver()
        feeds = stack.enter_context(serving(source, here))
        target = stack.enter_context(serving(receiver, here))
        (folder / "feeds.toml").write_text("".join(STANZA.format(n=n, url=feeds, every=HEARD) for n in range(FEEDS)))
        server.fresh("workers")
        url = server.url("workers", host=here)
        environ = _environ(folder, url)
        instance = open_instance(load_settings(None, environ), SystemClock())
        stack.callback(instance.store.close)
        subscribe(instance, *(webhook(target, f"s{n}") for n in range(SUBSCRIBERS)))
        crew = Crew(environ, folder, given.every, given.lease, hosts)
        sites = [stack.enter_context(site(environ)) for _ in range(2)]
        cut = run(crew, instance, given.minutes * 60)
        drained = drain(instance)
        crew.stop()
        tell(crew, url, (source, receiver), sites, cut=cut)
        print(f"the outbox was empty {drained:.0f} s after the last alarm" if drained else "the outbox is not empty")


def _environ(folder: Path, url: str) -> dict[str, str]:
    settings = {"HOME": str(folder), "DATABASE": url, "FEEDS": str(folder / "feeds.toml"), "SECRET_KEY": "k" * 40}
    settings["BASE_URL"] = "https://netzlage.example"
    return {**os.environ, "PYTHONPATH": str(ROOT), **{f"NETZLAGE_{name}": value for name, value in settings.items()}}


@contextmanager
def site(environ: dict[str, str]) -> Iterator[str]:
    """Run the site in a process of its own; gives its address."""
    command = [sys.executable, "-c", "from aggregator.cli import main; main()", "serve", "--no-worker", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().decode().split()[-1].rstrip("/")
        finally:
            process.terminate()


def run(crew: Crew, instance: Instance, seconds: float) -> tuple[float, float]:
    """Let the crew work so long, with a kill every 30 seconds and one cut off from a third to a half; return when."""
    chance, states = random.Random(7), enumerate(cycle(STATES))
    for number in range(3):
        crew.start(number)
    while not (crew.folder / "looks").exists():
        time.sleep(0.2)
    began = time.monotonic()
    cut_at, joined_at = began + seconds / 3, began + seconds / 2
    next_kill, next_alert, is_cut, was_joined, kills = began + KILLS, began, False, False, 0
    while time.monotonic() < began + seconds:
        now = time.monotonic()
        if now >= next_alert:
            number, state = next(states)
            happened(instance, state, number % 1_000_000)
            next_alert += 3
        if not is_cut and now >= cut_at:
            crew.cut(0)
            is_cut = True
        if is_cut and not was_joined and now >= joined_at:
            crew.join(0)
            was_joined = True
        if now >= next_kill:
            number = chance.choice([1, 2] if is_cut and not was_joined else [0, 1, 2])
            crew.kill(number)
            kills += 1
            time.sleep(chance.random())
            crew.start(number)
            next_kill += KILLS
        time.sleep(0.05)
    print(f"{seconds / 60:g} minutes, {kills} killed, one cut off for {joined_at - cut_at:.0f} s", flush=True)
    return cut_at, joined_at


def drain(instance: Instance) -> float:
    """Wait until all is told, for as long as a claim of a worker that was killed holds; 0: it is not."""
    began = time.monotonic()
    while time.monotonic() < began + (LEASE + EVERY * 4).total_seconds():
        time.sleep(1)
        with instance.store.read() as connection:
            if backlog(connection, instance.clock.now()).oldest is None:
                return time.monotonic() - began
    return 0.0


QUESTIONS: Final = {
    "failed": "SELECT count(*) FROM feed_runs WHERE listened_until IS NULL",
    "stored": "SELECT count(*) FROM reports",
    "distinct": "SELECT count(DISTINCT report_id) FROM reports",
    "counted": "SELECT sum(count) FROM cube",
    "changes": "SELECT count(*) FROM changes",
    "due": "SELECT count(*) FROM deliveries",
    "delivered": "SELECT count(*) FROM deliveries WHERE status = 'delivered'",
    "given up": "SELECT count(*) FROM deliveries WHERE status = 'given_up'",
}


def tell(crew: Crew, url: str, others: tuple[Source, Receiver], sites: list[str], *, cut: tuple[float, float]) -> None:
    """Print the table. others: who was asked, and who was told."""
    (source, receiver), folder, lease, starts = others, crew.folder, crew.lease, crew.starts()
    looks = sorted(tuple(map(float, line.split())) for line in (folder / "looks").read_text().splitlines())
    ends = sorted(end for _, end, _ in looks)
    gap = max(after - before for before, after in pairwise(ends))
    in_cut = max(after - before for before, after in pairwise(ends) if before >= cut[0] - lease and before <= cut[1])
    overlapping = sum(b[0] < a[1] for a, b in pairwise(looks))
    runs, kept, tokens = _asked(url)
    doubled = sum(
        after[1] < before[2]
        for name in {run[0] for run in runs}
        for before, after in pairwise([run for run in runs if run[0] == name])
    )
    twice = {(path, body) for path, _, body in receiver.got}
    by_id = Counter(headers["webhook-id"] for _, headers, _ in receiver.got)
    given = sum(token for name, token in tokens.items() if name.startswith("feed "))
    rows = [
        ("looks", len(looks), ""),
        ("looks that overlapped", overlapping, "0"),
        ("longest gap between two looks", f"{gap:.1f} s", f"<= {2 * lease:g} s"),
        ("longest gap round the cut", f"{in_cut:.1f} s", f"<= {2 * lease:g} s"),
        ("longest time without a worker at work", f"{crew.away(cut):.1f} s", f"load {os.getloadavg()[0]:.0f}"),
        ("a start took", f"{starts[len(starts) // 2]:.1f} s", f"at most {starts[-1]:.1f} s"),
        ("workers that looked", len({pid for _, _, pid in looks}), ""),
        ("feed runs", len(runs), f"failed beside them: {kept['failed']}"),
        ("requests of feeds", sum(source.requests.values()), f"leases given: {given}"),
        ("feed runs doubled in effect", doubled, "0"),
        ("reports stored", kept["stored"], f"distinct {kept['distinct']}, in the cube {kept['counted']}"),
        ("alerts due", kept["due"], f"changes: {kept['changes']}, those below the threshold among them"),
        ("alerts delivered", kept["delivered"], f"ids received: {len(by_id)}, given up: {kept['given up']}"),
        ("alerts doubled in effect (one text, two ids)", len(by_id) - len(twice), "0"),
        ("the same id again after a kill", sum(by_id.values()) - len(by_id), ""),
        ("pages of both sites agree", agree(sites), "True"),
    ]
    for name, value, limit in rows:
        print(f"{name:48} {value!s:>12}  {limit}")
    print(f"ratio of the longest gap to two leases: {gap / (2 * lease):.2f}")
    for path in sorted(folder.glob("worker*.log")):
        lines = path.read_text("utf-8", "replace").splitlines()
        print(
            path.name, len(lines), "lines,", sum("Traceback" in line for line in lines), "tracebacks;", *_kinds(lines)
        )


def _asked(url: str) -> tuple[list[tuple[Any, ...]], dict[str, int], dict[str, int]]:
    """Return what the database holds: the runs that heard something, numbers by name, the tokens of the leases."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        runs = connection.execute(
            "SELECT source, listened_from, listened_until FROM feed_runs WHERE listened_until IS NOT NULL ORDER BY id"
        ).fetchall()
        tokens: dict[str, int] = dict(connection.execute("SELECT name, token FROM leases").fetchall())
        return runs, {name: _one(connection, question) for name, question in QUESTIONS.items()}, tokens


def _kinds(lines: list[str]) -> list[str]:
    words = Counter(line[:90] for line in lines if not line.startswith("working "))
    return [f"{count} x {line}" for line, count in words.most_common(4)]


def _one(connection: psycopg.Connection[Any], query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def agree(sites: list[str], until: timedelta = timedelta(seconds=70)) -> bool:
    """Say whether both sites come to give the same ETag of the same page."""
    limit = time.monotonic() + until.total_seconds()
    while time.monotonic() < limit:
        if len({etag(f"{one}/quellen") for one in sites}) == 1:
            return True
        time.sleep(0.5)
    return False


def etag(url: str) -> str:
    """Return the ETag of a page."""
    request = urllib.request.Request(url, headers={"Host": "netzlage.example"})  # as a proxy passes it on
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(answer.headers["ETag"])


if __name__ == "__main__":
    main()
