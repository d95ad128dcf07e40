"""How many reports a second the site takes: `python -m tests.benchmarks.post [--seconds S --rounds N]`.

One server process (waitress as `serve` starts it, over SQLite) answers five kinds of POST, each in turn and each with
the same company: a worker process that looks for clusters every ten seconds, as beside `serve`, and a reader process
that asks for 200 pages a second. Bare: a WSGI app of three lines in the same server reads the body and answers with as
many bytes. Flask: a Flask app of one view reads the JSON and answers so. House: a view of our app that does the same,
so with host check, limits and headers. API: `POST /api/v1/reports`. Form: `POST /melden` with its seal, answered by
303. The client is a process of its own with 32 connections that stay open; every report has a uid, a person and an
address of its own. Server CPU: its user and system time by its answers; other work changes it less than the rate. Bar:
API at least 0.65 of a bare POST of the same server, 99 % under 500 ms; both readings of "bare" are judged.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import selectors
import socket
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, request

from aggregator.cli.common import settle
from aggregator.cli.serve import serve_app
from aggregator.clock import SystemClock
from aggregator.instance import Instance, open_instance
from aggregator.model import Report
from aggregator.refresh import Detection
from aggregator.settings import load_settings
from aggregator.store import cube, reports
from aggregator.store.intake import open_intake
from aggregator.web import create_app
from aggregator.web.seal import seal
from tests.benchmarks.pages import SPAWN, once, started
from tests.benchmarks.pages import request as asked_for
from tests.test_refresh import NOW, quiet

DOORS: Final = 32
READS: Final = 200  # a second
PASSES: Final = 10.0  # seconds between two detection passes: six times as often as in life
BAR: Final = 0.65
SLOWEST: Final = 0.5  # seconds for 99 of 100
ANSWER: Final = b'{"report_id":"1111031f0ba94ce7e4e4469b","duplicate":false,"region":"02000","simulated":false}\n'
KEY: Final = "key of the benchmark"
KINDS: Final = ("bare", "flask", "house", "api", "form")
PATHS: Final = {"bare": "/bare", "flask": "/flask", "house": "/api/v1/house", "api": "/api/v1/reports"}


def beside(app: WSGIApplication) -> WSGIApplication:
    """Put the bare POST and the Flask app of one view before `app`."""
    plain = Flask("plain")

    @plain.post(PATHS["flask"])
    def flask() -> Response:
        request.get_json()
        return Response(ANSWER, 201, mimetype="application/json")

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != PATHS["bare"]:
            return (plain if environ["PATH_INFO"] == PATHS["flask"] else app)(environ, start)
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start("201 CREATED", [("Content-Type", "application/json"), ("Content-Length", str(len(ANSWER)))])
        return [ANSWER]

    return answer


def opened(folder: str) -> Instance:
    """Open the Netzlage in `folder`."""
    given = {
        "NETZLAGE_HOME": folder, "NETZLAGE_SECRET_KEY": KEY, "NETZLAGE_TRUSTED_PROXIES": "1",
        **{f"NETZLAGE_RATE_LIMIT_{name}": "10000000 per minute" for name in ("BLOCK", "LINE", "ALL")},
    }  # fmt: skip
    return open_instance(load_settings(None, given), SystemClock())


def serve_site(port: int, folder: str) -> None:
    """Serve a site with twelve quiet days."""
    instance = opened(folder)
    shift = datetime.now(UTC) - NOW
    with instance.store.write() as connection:
        cube.listen(connection, "feed", NOW + shift - timedelta(days=12), NOW + shift)
        reports.add(connection, [_moved(report, shift) for report in quiet()])
    Detection(instance).refresh()
    with closing(open_intake(instance.store)) as intake:
        app = create_app(instance, cached=True, intake=intake)

        @app.post(PATHS["house"])
        def house() -> Response:
            request.get_json()
            return Response(ANSWER, 201, mimetype="application/json")

        settle()
        serve_app(beside(app), "127.0.0.1", port, proxied=True, say=lambda _line: None)


def _moved(report: Report, by: timedelta) -> Report:
    return replace(report, observed_at=report.observed_at + by, received_at=report.received_at + by)


def look(folder: str) -> None:
    """Look for clusters all the time."""
    refresh = Detection(opened(folder)).refresh
    while True:
        refresh()
        time.sleep(PASSES)


@dataclass
class Sender:
    """Makes the requests of one kind."""

    kind: str
    chance: random.Random = field(default_factory=lambda: random.Random(os.getpid()))
    number: int = 0

    def next(self) -> bytes:
        """Return the next report."""
        self.number += 1
        uid = f"{self.kind}-{os.getpid()}-{self.number}"
        fields = {"provider": "o2", "service": "fixed_internet", "uid": uid}
        if self.kind == "form":
            made = datetime.now(UTC) - timedelta(seconds=10)
            more = {"place": "20095", "since": "60", "seal": seal(KEY.encode(), uid, made)}
            return self._post("/melden", urlencode({**fields, **more}), "application/x-www-form-urlencoded")
        path = PATHS[self.kind]
        more = {"plz": "20095", "observed_at": datetime.now(UTC).isoformat()}
        return self._post(path, json.dumps({**fields, **more}), "application/json")

    def _post(self, path: str, body: str, kind: str) -> bytes:
        address = ".".join(str(self.chance.randrange(1, 224)) for _ in range(4))
        lines = (
            f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"X-Forwarded-For: {address}", "Accept-Encoding: gzip, br",
            f"User-Agent: Browser {self.number % 50}", f"Content-Type: {kind}", f"Content-Length: {len(body)}",
        )  # fmt: skip
        return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


@dataclass
class Door:
    """A connection that waits for an answer."""

    socket: socket.socket
    asked_at: float = 0.0
    got: bytes = b""
    need: int = 0

    def take(self) -> bytes | None:
        """Read what came; return the head of the answer once all of it is there."""
        more = self.socket.recv(1 << 18)
        if not more:
            raise SystemExit("the server closed a connection that was to stay open")
        self.got += more
        if not self.need and b"\r\n\r\n" in self.got:
            head = self.got.split(b"\r\n\r\n", 1)[0]
            lengths = [int(x.split(b":")[1]) for x in head.lower().split(b"\r\n") if x.startswith(b"content-length")]
            self.need = len(head) + 4 + (lengths[0] if lengths else 0)
        if not self.need or len(self.got) < self.need:
            return None
        head, self.got, self.need = self.got.split(b"\r\n", 1)[0], b"", 0
        return head


@dataclass(frozen=True, slots=True)
class Round:
    """One measurement: seconds of each answer, statuses, the client's share of a core, its seconds, the server's."""

    took: list[float]
    statuses: Mapping[str, int]
    busy: float
    spent: float
    cpu: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.took) / self.spent


def send(port: int, kind: str, seconds: float, answer: Any) -> None:
    """Send for so many seconds; puts the seconds of each answer, the statuses, and the client's share of a core."""
    sender, chooser = Sender(kind), selectors.EpollSelector()
    for _ in range(DOORS):
        door = Door(socket.create_connection(("127.0.0.1", port)))
        door.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        chooser.register(door.socket, selectors.EVENT_READ, door)
        door.asked_at = time.perf_counter()
        door.socket.sendall(sender.next())
    took: list[float] = []
    statuses: dict[str, int] = {}
    begun, busy = time.perf_counter(), time.process_time()
    while (now := time.perf_counter()) - begun < seconds:
        for key, _ in chooser.select(1):
            head = key.data.take()
            if head is None:
                continue
            status = head.split(b" ")[1].decode()
            statuses[status] = statuses.get(status, 0) + 1
            now = time.perf_counter()
            took.append(now - key.data.asked_at)
            key.data.asked_at = now
            key.data.socket.sendall(sender.next())
    spent = time.perf_counter() - begun
    answer.put((took, statuses, (time.process_time() - busy) / spent, spent))


def read(port: int, answer: Any) -> None:
    """Ask for pages at a steady pace until the process is ended; puts how long each took, four seconds at a time."""
    asked, door = asked_for("/"), Door(socket.create_connection(("127.0.0.1", port)))
    begun, number, took = time.perf_counter(), 0, []
    while True:
        wait = begun + number / READS - time.perf_counter()
        if wait > 0:
            time.sleep(wait)
        number += 1
        asked_at = time.perf_counter()
        door.socket.sendall(asked)
        while door.take() is None:
            pass
        took.append(time.perf_counter() - asked_at)
        if len(took) == READS * 4:
            answer.put(took)
            took = []


def processor(pid: int) -> float:
    """Return the seconds of the processor that a process has had, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(server: int, port: int, kind: str, seconds: float) -> Round:
    """Run the client in a process of its own; server: the pid that answers."""
    answer = SPAWN.Queue()
    before = processor(server)
    client = SPAWN.Process(target=send, args=(port, kind, seconds, answer))
    client.start()
    # The start of a process takes its time on a busy machine.
    took, statuses, busy, spent = answer.get(timeout=seconds + 300)
    client.join()
    return Round(took, statuses, busy, spent, processor(server) - before)


def main() -> None:
    """Print a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=10.0)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server, port = started(serve_site, folder)
        pages = SPAWN.Queue()
        reader = SPAWN.Process(target=read, args=(port, pages), daemon=True)
        worker = SPAWN.Process(target=look, args=(folder,), daemon=True)
        found: dict[str, list[Round]] = {kind: [] for kind in KINDS}
        try:
            once(port, asked_for("/"))
            worker.start()
            reader.start()
            for _ in range(chosen.rounds):
                for kind in KINDS:
                    found[kind].append(measure(server.pid, port, kind, chosen.seconds))
        finally:
            for process in (reader, worker, server):
                process.terminate()
                process.join(20)
        reads = []
        while not pages.empty():
            reads += pages.get()
    show(found, reads)


def show(found: Mapping[str, Sequence[Round]], reads: list[float]) -> None:
    """Print the table."""
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| POST | answers/s | of bare | of Flask | server CPU, ms | 50 % ms | 99 % ms | statuses | client, cores |")
    print("|---|---|---|---|---|---|---|---|---|")
    for kind, rounds in found.items():
        took = sorted(one for a_round in rounds for one in a_round.took)
        bare, flask = (_ratio(rounds, found[rival]) for rival in ("bare", "flask"))
        late, middle = (took[int(len(took) * share)] for share in (0.99, 0.5))
        in_time = _told(500, late <= SLOWEST) if kind == "api" else ""
        statuses = sum((Counter(a_round.statuses) for a_round in rounds), Counter[str]())
        speed, busy = (statistics.median(getattr(r, name) for r in rounds) for name in ("rate", "busy"))
        cpu = sum(r.cpu for r in rounds) / len(took) * 1000
        print(f"| {kind} | {speed:.0f} | {bare:.2f} | {flask:.2f} | {cpu:.2f} | {middle * 1000:.0f} "
              f"| {late * 1000:.0f}{in_time} | {dict(statuses)} | {busy:.2f} |")  # fmt: skip
    for name, rival in (("three lines of WSGI", "bare"), ("a Flask app of one view", "flask")):
        ratio = _ratio(found["api"], found[rival])
        print(f"\nAgainst {name} on the same server: {ratio:.2f}{_told(BAR, ratio >= BAR)}.")
    if reads:
        reads.sort()
        print(f"\n{len(reads)} pages read: median {reads[len(reads) // 2] * 1000:.0f} ms, "
              f"99 % {reads[int(len(reads) * 0.99)] * 1000:.0f} ms")  # fmt: skip


def _ratio(mine: Sequence[Round], rival: Sequence[Round]) -> float:
    return statistics.median(one.rate / other.rate for one, other in zip(mine, rival, strict=True))


def _told(bar: float, met: bool) -> str:
    return f" (bar {bar:g} {'met' if met else 'MISSED'})"


if __name__ == "__main__":
    main()
