"""Kills `netzlage serve` hard at random moments under a flow of reports, and counts what became of each of them.

    python -m tests.benchmarks.kill [--times 30] [--rate 500] [--postgresql | --database URL] [--seed 1]

The real `serve` with its worker in a process of its own: both are killed, or, half of the times, the site alone, whose
worker then ends by itself while the next site is there already. A feed brings 50 items a second, and detection looks
every two seconds (its usual minute is longer than most lives here). This process sends POSTs over 48 connections and
remembers what was acknowledged; what got no answer is sent again with its uid after the restart, as a browser does.
60 % of the reports are from Hamburg, so that there is an incident to be torn apart; one in ten comes from somebody who
has sent before.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from aggregator.store import Store, cube, leases, open_store, reports
from tests.benchmarks.kill_judge import judge
from tests.benchmarks.pages import free_port
from tests.postgres import Server
from tests.processes import children
from tests.servers import send, serving
from tests.test_refresh import NOW, quiet

DOORS: Final = 48
LIFE: Final = (0.2, 5.0)  # seconds from when all are at work to the kill
WORKER: Final = (  # `worker`, its detection at a pace at which it is hit, too
    "import datetime, ingest.scheduler as s;"
    "s.Worker.__init__.__kwdefaults__['every'] = datetime.timedelta(seconds=2);"
    "from aggregator.cli import main; main()"
)
START: Final = (  # `serve` with that worker
    f"import sys, aggregator.cli.crew as c; c.NETZLAGE = (sys.executable, '-c', {WORKER!r});"
    "from aggregator.cli import main; main()"
)
STANZA: Final = """
[[feed]]
name = "steady"
format = "json_records"
url = "{url}"
every = "1s"
allow_private = true
provider = "telekom"
service = "mobile"
[feed.fields]
report_id = "id"
observed_at = "at"
plz = "plz"
"""
PLACES: Final = ("80331", "10115", "04109", "50667")


@dataclass
class Kept:
    """What the client remembers."""

    chance: random.Random
    sent: dict[str, bytes] = field(default_factory=dict)  # uid -> request
    acknowledged: dict[str, int] = field(default_factory=dict)  # uid -> 201 or 200
    open: deque[str] = field(default_factory=deque)  # no answer yet: to be sent again
    asked: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    ending: bool = False  # nothing new is sent any more
    wrong: list[str] = field(default_factory=list)  # told to be known, and never sent before

    def next(self) -> str | None:
        """Return the uid to send now: one that got no answer, else a new one; None: there is no more to send."""
        if self.open:
            return self.open.popleft()
        if self.ending:
            return None
        uid = f"u{len(self.sent)}"
        self.sent[uid] = self._request(uid)
        return uid

    def _request(self, uid: str) -> bytes:
        number = len(self.sent)
        person = self.chance.randrange(number + 1) if self.chance.random() < 0.1 else number
        body = {
            "provider": "o2", "service": "fixed_internet", "uid": uid, "reporter": f"p{person}",
            "plz": "20095" if self.chance.random() < 0.6 else self.chance.choice(PLACES),
            "observed_at": (datetime.now(UTC) - timedelta(seconds=self.chance.randrange(900))).isoformat(),
        }  # fmt: skip
        data = json.dumps(body).encode()
        address = ".".join(str(self.chance.randrange(1, 224)) for _ in range(4))
        head = f"POST /api/v1/reports HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: {address}\r\n"
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data

    def answered(self, uid: str, status: int) -> None:
        """Note an answer; what was not taken is sent again."""
        self.answers[status] += 1
        if status not in {200, 201}:
            self.open.append(uid)
            return
        if status == 200 and self.asked[uid] == 1:
            self.wrong.append(uid)
        self.acknowledged[uid] = status


async def flow(port: int, kept: Kept, rate: float, until: asyncio.Event) -> None:
    """Send at `rate` a second over many connections until `until` is set or the server is gone."""
    turns: asyncio.Queue[None] = asyncio.Queue()
    doors = [asyncio.create_task(_door(port, kept, turns)) for _ in range(DOORS)]
    began, given = time.monotonic(), 0
    while not until.is_set():
        due = int((time.monotonic() - began) * rate)
        for _ in range(min(due - given, DOORS - turns.qsize())):
            turns.put_nowait(None)
        given = due
        await asyncio.sleep(0.005)
    for door in doors:
        door.cancel()
    await asyncio.gather(*doors, return_exceptions=True)


async def _door(port: int, kept: Kept, turns: asyncio.Queue[None]) -> None:
    """One connection: a report at a time; what has no answer when it breaks is open again."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while True:
            await turns.get()
            uid = kept.next()
            if uid is None:
                continue
            kept.asked[uid] += 1
            status = 0
            try:
                writer.write(kept.sent[uid])
                status = await _status(reader)
            finally:
                if status:
                    kept.answered(uid, status)
                else:
                    kept.open.append(uid)
    finally:
        writer.close()


async def _status(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
    await reader.readexactly(length)
    return int(head.split(b" ", 2)[1])


@contextmanager
def server(home: Path, port: int, database: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `netzlage serve` in `home` and wait until it answers."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("NETZLAGE_")}
    told = {
        "NETZLAGE_HOME": str(home), "NETZLAGE_FEEDS": str(home / "feeds.toml"), "NETZLAGE_DATABASE": database,
        "NETZLAGE_RATE_LIMITS": "off", "NETZLAGE_TRUSTED_PROXIES": "1",
    }  # fmt: skip
    command = [sys.executable, "-c", START, "serve", "--port", str(port)]
    with (
        (home / "log").open("ab") as log,
        subprocess.Popen(command, env={**environ, **told}, stdout=subprocess.DEVNULL, stderr=log) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


async def _answers(port: int, process: subprocess.Popen[bytes], home: Path) -> None:
    while process.poll() is None:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
        else:
            writer.close()
            return
    last = (home / "log").read_text("utf-8", "replace").splitlines()[-3:]
    raise SystemExit(f"the server does not start: {' / '.join(last)}")


async def _at_work(process: subprocess.Popen[bytes], store: Store) -> None:
    """Wait until the worker of a site has taken a job."""
    while process.poll() is None:
        with store.read() as connection:
            if {int(job.holder.split()[1]) for job in leases.all_of(connection)} & {*children(process.pid)}:
                return
        await asyncio.sleep(0.1)


async def one_life(
    home: Path,
    kept: Kept,
    database: str,
    rate: float,
    life: float,
    *,
    kill: bool = True,
    both: bool = True,
    crash: Server | None = None,
) -> float:
    """Serve, send for `life` seconds, kill; return how many answers a second there were.

    both: the worker, too; crash: this, too.
    """
    port, before = free_port(), sum(kept.answers.values())
    with server(home, port, database) as process:
        await _answers(port, process, home)
        with closing(open_store(database)) as store:
            await _at_work(process, store)
        over = asyncio.Event()
        sending = asyncio.create_task(flow(port, kept, rate, over))
        await asyncio.sleep(life)
        if kill:
            if crash:
                crash.stop("immediate")
            for number in [process.pid, *(children(process.pid) if both else [])]:
                os.kill(number, signal.SIGKILL)
            if crash:
                await asyncio.to_thread(crash.start)
        else:
            kept.ending = True
            while len(kept.acknowledged) < len(kept.sent):
                await asyncio.sleep(0.05)
        over.set()
        await sending
        if not kill:
            process.send_signal(signal.SIGTERM)
            await asyncio.to_thread(process.wait, 90)
    return (sum(kept.answers.values()) - before) / life


def history(store: Store) -> None:
    """Twelve quiet days before now, so that detection has something to compare with."""
    shift = datetime.now(UTC) - NOW
    with store.write() as connection:
        for name in ("form", "api"):
            cube.listen(connection, name, NOW + shift - timedelta(days=12), NOW + shift + timedelta(hours=1))
        reports.add(connection, [_moved(report, shift) for report in quiet()])


def _moved(report: Any, by: timedelta) -> Any:
    return type(report)(
        **{
            **{name: getattr(report, name) for name in report.__slots__},
            "source": "api",
            "observed_at": report.observed_at + by,
            "received_at": report.received_at + by,
        }
    )


def feed(handler: Any) -> None:
    """Answer the feed's items of the last minute, fifty a second, each with its own key."""
    last = int(time.time() * 50)
    numbers = range(last - 3000, last)
    items = [{"id": n, "at": datetime.fromtimestamp(n / 50, UTC).isoformat(), "plz": "80331"} for n in numbers]
    send(handler, json.dumps(items).encode())


async def run(times: int, rate: float, database: str, seed: int, own: Server | None = None) -> dict[str, object]:
    """Kill so many times, serve until all is acknowledged, and judge; own: crash it every second time, too."""
    chance = random.Random(seed)
    kept, rates = Kept(chance), []
    with tempfile.TemporaryDirectory() as folder, serving(feed) as url:
        home = Path(folder)
        database = database or f"sqlite:///{home / 'netzlage.sqlite'}"
        (home / "feeds.toml").write_text(STANZA.format(url=url), "utf-8")
        store = open_store(database)
        history(store)
        store.close()
        for number in range(times):
            crash = own if number % 2 else None
            rates.append(
                await one_life(home, kept, database, rate, chance.uniform(*LIFE), both=number % 4 < 2, crash=crash)
            )
            print(f"kill {number + 1}: {rates[-1]:.0f} answers/s, {len(kept.open)} without an answer", flush=True)
        await one_life(home, kept, database, 50, 3.0, kill=False)
        store = open_store(database)
        found = judge(store, kept.sent, kept.acknowledged, kept.wrong)
        store.close()
        log = (home / "log").read_text("utf-8", "replace").splitlines()
    told = {"kills": times, "answers/s while it lived": round(sum(rates) / len(rates)), **found}
    return {**told, "answers": dict(kept.answers), "lines in the log": len(log), "log": log[:5]}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--database", default="", help="SQLAlchemy URL of an empty database; default: SQLite")
    parser.add_argument("--postgresql", action="store_true", help="on a server of our own, crashed every second time")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    began = time.monotonic()
    with Server({}) if asked.postgresql else nullcontext() as own:
        database = own.empty("kills") if own else asked.database
        found = asyncio.run(run(asked.times, asked.rate, database, asked.seed, own))
    print(f"\nPython {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
          f"{time.monotonic() - began:.0f} s\n\n| | |\n|---|---|")  # fmt: skip
    for name, value in found.items():
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()
