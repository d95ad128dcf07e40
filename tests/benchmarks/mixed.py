"""A mixed load on `netzlage serve`, for long: `python -m tests.benchmarks.mixed [--minutes 30] [--pace 1.0]`.

The default settings, a worker with a feed, 50,000 reports stored. A second brings 20 requests: pages of ten kinds with
and without a language, filters, lists, pictures, health and metrics, CSV of all reports, form and API reports of new
people, wrong ones, repeated ones; each minute somebody sends 80 reports from one IPv6 line and is asked to wait.
Printed: what was answered, how long that took, memory and open files of each third. Bars: nothing but what is right to
answer (429 and 503 say when to come again), memory of the last third within 5 % of the second, files too.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tests.benchmarks.pages import once, request
from tests.benchmarks.served import Served, served

PAGES: Final = (
    "/", "/?lang=en", "/?service=mobile", "/anbieter/o2", "/anbieter/telekom?lang=en", "/region/02000", "/archiv",
    "/daten", "/quellen", "/methodik", "/bilanz", "/datenschutz", "/feed.atom", "/melden", "/api/v1/incidents",
    "/api/v1/reports?limit=200", "/api/v1/cube?provider=o2&limit=50", "/api/v1/health", "/api/v1/providers",
    "/api/v1/feeds.csv", "/api/v1/openapi.json", "/daten/reports.schema.json",
)  # fmt: skip
LARGE: Final = ("/api/v1/reports.csv", "/daten/cube.csv?provider=o2", "/daten/reports.parquet")
WRONG: Final = (("/nirgends", 404), ("/api/v1/reports?limit=x", 422), ("/vorfall/unbekannt", 404))
HANDS: Final = 4
A_SECOND: Final = 20.0
AGAIN: Final = {429, 503}
FLAT: Final = 0.05


@dataclass
class Seen:
    """What was answered, and the samples of the process."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    samples: list[tuple[float, int]] = field(default_factory=list)

    def note(self, name: str, answer: bytes, right: set[int]) -> None:
        """Note an answer, and what is wrong with it."""
        head = answer.split(b"\r\n\r\n", 1)[0].decode("latin-1")
        status = int(head[9:12] or 0)
        self.answers[f"{name} {status}"] += 1
        if status in AGAIN and "retry-after:" in head.lower():
            return
        if status not in right:
            self.wrong.append(f"{name}: {head[:200]!r}")


def sent(body: dict[str, str], chance: random.Random, address: str = "") -> bytes:
    """Return the request that sends a report."""
    data = json.dumps(body).encode()
    address = address or ".".join(str(chance.randrange(1, 224)) for _ in range(4))
    head = f"POST /api/v1/reports HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-For: {address}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


def report(chance: random.Random) -> dict[str, str]:
    """Return a report of somebody."""
    provider, service = chance.choice([("o2", "mobile"), ("telekom", "fixed_internet"), ("vodafone", "tv")])
    return {"provider": provider, "service": service, "plz": chance.choice(["20095", "80331", "10115"]),
            "observed_at": datetime.now(UTC).isoformat(), "uid": f"u{chance.getrandbits(64):x}"}  # fmt: skip


def ask(port: int, chance: random.Random, seen: Seen) -> None:
    """Do one thing of the mixture."""
    draw = chance.random()
    began = time.perf_counter()
    if draw < 0.7:
        path = chance.choice(PAGES)
        seen.note(path, once(port, request(path)), {200})
    elif draw < 0.9:
        body = report(chance)
        for number in range(2 if chance.random() < 0.1 else 1):  # some send it again
            seen.note("report", once(port, sent(body, chance)), {201} if number == 0 else {200})
    elif draw < 0.93:
        body = {**report(chance), "plz": "99999x"}
        seen.note("wrong report", once(port, sent(body, chance)), {422})
    elif draw < 0.96:
        path, status = chance.choice(WRONG)
        seen.note(path, once(port, request(path)), {status})
    elif draw < 0.99:
        seen.note("/metrics", once(port, request("/metrics")), {200})
    else:
        path = chance.choice(LARGE)
        seen.note(path, once(port, request(path)), {200})
    seen.waits.append(time.perf_counter() - began)


def work(port: int, end: float, pace: float, seen: Seen, seed: int) -> None:
    """Ask until the end, at an even pace."""
    chance, turn = random.Random(seed), time.monotonic()
    while time.monotonic() < end:
        try:
            ask(port, chance, seen)
        except OSError as error:
            seen.wrong.append(f"connection: {error}")
        turn += HANDS / (A_SECOND * pace)
        time.sleep(max(0.0, turn - time.monotonic()))


def crowd(port: int, end: float, seen: Seen) -> None:
    """Send 80 reports from one line, each minute."""
    chance = random.Random(HANDS)  # of its own: else it sends a worker's uids again
    while time.monotonic() < end:
        for _ in range(80):
            seen.note("many from one line", once(port, sent(report(chance), chance, "2001:db8::1")), {201})
        time.sleep(max(0.0, min(60.0, end - time.monotonic())))


def watch(at: Served, end: float, seen: Seen) -> None:
    """Look at the process every two seconds."""
    while time.monotonic() < end:
        seen.samples.append((at.megabytes, at.files))
        time.sleep(2)


def main() -> None:
    """Print the tables; exit 1 where anything is wrong."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=30)
    options.add_argument("--pace", type=float, default=1.0, help="times 20 requests a second")
    asked = options.parse_args()
    seen = Seen()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), stored=50_000) as at:
        for path in (*PAGES, *LARGE):
            once(at.port, request(path))
        end = time.monotonic() + asked.minutes * 60
        threads = [threading.Thread(target=work, args=(at.port, end, asked.pace, seen, n)) for n in range(HANDS)]
        threads.append(threading.Thread(target=crowd, args=(at.port, end, seen)))
        threads.append(threading.Thread(target=watch, args=(at, end, seen)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    show(seen, asked.minutes)
    if seen.wrong:
        raise SystemExit(f"{len(seen.wrong)} wrong answers:\n" + "\n".join(seen.wrong[:20]))


def show(seen: Seen, minutes: float) -> None:
    """Print the tables."""
    waits = sorted(seen.waits)
    again = sum(n for name, n in seen.answers.items() if int(name[-3:]) in AGAIN)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {minutes:g} minutes, {len(waits):,} requests\n")
    middle, high = (waits[int(len(waits) * share)] * 1000 for share in (0.5, 0.95))
    print(f"Wrong: {len(seen.wrong)}; asked to come again (429, 503): {again}; {middle:.0f} ms, 95 % {high:.0f} ms\n")
    third = len(seen.samples) // 3
    parts = [seen.samples[n * third : (n + 1) * third] for n in range(3)]
    print("| | first third | second | last | last / second | bar |\n|---|---|---|---|---|---|")
    for name, column in {"memory, MB": 0, "open files": 1}.items():
        means = [statistics.fmean(sample[column] for sample in part) for part in parts]
        ratio = means[2] / means[1]
        verdict = "met" if ratio <= 1 + FLAT else "MISSED"
        print(f"| {name} | {means[0]:.1f} | {means[1]:.1f} | {means[2]:.1f} | {ratio:.3f} | {1 + FLAT} {verdict} |")
    print("\n" + ", ".join(f"{name}: {number}" for name, number in sorted(seen.answers.items())))


if __name__ == "__main__":
    main()
