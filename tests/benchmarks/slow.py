"""Slow clients against `netzlage serve`: `python -m tests.benchmarks.slow [--seconds S --posts N --readers N]`.

300 clients send a POST a byte a second, 50 take the CSV of all reports a byte a second; whoever is shown out comes
back at once. Meanwhile a normal reader asks for the situation ten times a second, each time on a new connection, and
sends a report each second. Printed: how long that reader waits before and during, the memory of the site's process
and of its worker's, and how long the slow ones were let stay. Bars: 250 ms for 95 of 100, 250 MB for the site, all
closed in 45 seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
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

PATIENCE: Final = 0.25
MEMORY: Final = 250.0
STAY: Final = 45.0
HEAD: Final = (
    "POST /api/v1/reports HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
)
REPORT: Final = '{{"provider": "o2", "service": "mobile", "plz": "20095", "observed_at": "{:%Y-%m-%dT%H:%M:%SZ}"}}'
TABLE: Final = b"GET /api/v1/reports.csv HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@dataclass
class Seen:
    """What happened to the slow ones."""

    stays: dict[str, list[float]] = field(default_factory=lambda: {"post": [], "csv": []})
    began: dict[tuple[str, int], float] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    ended: float = 0.0  # when it was over for those who were there yet

    def left(self, kind: str, number: int) -> None:
        """Note that one is out."""
        self.stays[kind].append(time.monotonic() - self.began.pop((kind, number)))

    def longest(self, kind: str) -> float:
        """Return the longest stay, of those who are still there too."""
        return max(
            [*self.stays[kind], *(self.ended - since for (k, _), since in self.began.items() if k == kind)], default=0
        )


async def post(port: int, number: int, seen: Seen) -> None:
    """Send a report a byte a second, for ever."""
    text = (HEAD.format(10_000) + "x" * 10_000).encode()
    while True:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        seen.began["post", number] = time.monotonic()
        try:
            for byte in text:
                writer.write(bytes([byte]))
                await writer.drain()
                if await _ended(reader, 1.0):
                    break
        except OSError:
            pass
        seen.left("post", number)
        writer.close()


async def _ended(reader: asyncio.StreamReader, seconds: float) -> bool:
    try:
        return not await asyncio.wait_for(reader.read(1), seconds)
    except TimeoutError:
        return False


async def take(port: int, number: int, seen: Seen) -> None:
    """Take the CSV a byte a second, for ever; who is asked to come again does."""
    loop = asyncio.get_running_loop()
    while True:
        door = socket.socket()
        door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        door.setblocking(False)
        try:
            await loop.sock_connect(door, ("127.0.0.1", port))
            await loop.sock_sendall(door, TABLE)
            status = (await loop.sock_recv(door, 12)).decode()[-3:]
            seen.answers[status] += 1
            if status == "200":
                seen.began["csv", number] = time.monotonic()
                while _is_open(door) and await loop.sock_recv(door, 1):
                    await asyncio.sleep(1)
        except OSError:
            pass
        finally:
            door.close()
        if ("csv", number) in seen.began:
            seen.left("csv", number)
        await asyncio.sleep(1)


def _is_open(door: socket.socket) -> bool:
    """Say whether the other end still holds the connection: what has come before its end may be read long after it."""
    return door.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1) == b"\x01"


def reader(port: int, ended: threading.Event, waits: list[float], wrong: Counter[str]) -> None:
    """Read ten pages a second and send a report each second, noting how long each took."""
    body = REPORT.format(datetime.now(UTC)).encode()
    report = HEAD.format(len(body)).encode() + body
    turn = 0
    while not ended.wait(0.1):
        turn += 1
        began = time.perf_counter()
        answer = once(port, report if turn % 10 == 0 else request("/"))
        waits.append(time.perf_counter() - began)
        wrong[answer[9:12].decode()] += 1


Memory = tuple[float, float]  # megabytes of the site, of its worker


def taken(at: Served) -> Memory:
    """Return what both hold now."""
    return at.megabytes, at.worker_megabytes


def more(one: Memory, other: Memory) -> Memory:
    """Return the larger of each."""
    return max(one[0], other[0]), max(one[1], other[1])


async def attack(at: Served, seconds: float, posts: int, readers: int, seen: Seen) -> Memory:
    """Let the slow ones at it for so long; return the most memory."""
    tasks = [asyncio.create_task(post(at.port, number, seen)) for number in range(posts)]
    tasks += [asyncio.create_task(take(at.port, number, seen)) for number in range(readers)]
    most, end = taken(at), time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(0.5)
        most = more(most, taken(at))
    seen.ended = time.monotonic()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return most


def high(waits: list[float]) -> float:
    """Return what 95 of 100 waits do not exceed, in seconds."""
    return sorted(waits)[int(len(waits) * 0.95)]


def listened(at: Served, run: float | None, asked: argparse.Namespace, seen: Seen) -> tuple[list[float], Memory, str]:
    """Read for a while, with the slow ones where run is given; return waits, most memory, and the answers."""
    ended, waits, answers = threading.Event(), list[float](), Counter[str]()
    thread = threading.Thread(target=reader, args=(at.port, ended, waits, answers))
    thread.start()
    if run is None:
        time.sleep(10)
        most = taken(at)
    else:
        most = asyncio.run(attack(at, run, asked.posts, asked.readers, seen))
    ended.set()
    thread.join()
    return waits, most, ", ".join(f"{status}: {number}" for status, number in sorted(answers.items()))


def first_page(port: int) -> float:
    """Wait for the first look, and return how long the page takes after it: what a new baseline lets see is worked out.

    It comes once a day, to whoever reads first.
    """
    while json.loads(once(port, request("/api/v1/health")).partition(b"\r\n\r\n")[2])["last_look"] is None:
        time.sleep(0.5)
    began = time.perf_counter()
    once(port, request("/"))
    return time.perf_counter() - began


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=90)
    options.add_argument("--posts", type=int, default=300)
    options.add_argument("--readers", type=int, default=50)
    options.add_argument("--stored", type=int, default=100_000)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder), stored=asked.stored, rate_limits="off") as at:
        first = first_page(at.port)
        seen = Seen()
        calm, before, _ = listened(at, None, asked, seen)
        waits, most, answers = listened(at, asked.seconds, asked, seen)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; {asked.stored:,} reports stored\n")
    print("| | calm | with slow clients | bar |\n|---|---|---|---|")
    told = _told(high(waits) * 1000, PATIENCE * 1000, "ms")
    print(f"| wait, 95 % | {high(calm) * 1000:.0f} ms | {high(waits) * 1000:.0f} ms | {told} |")
    print(f"| longest wait | {max(calm) * 1000:.0f} ms | {max(waits) * 1000:.0f} ms | |")
    print(f"| memory of the site | {before[0]:.0f} MB | {most[0]:.0f} MB | {_told(most[0], MEMORY, 'MB')} |")
    print(f"| memory of its worker | {before[1]:.0f} MB | {most[1]:.0f} MB | |")
    for kind, name in {"post": "POSTs", "csv": "readers"}.items():
        longest, out = seen.longest(kind), len(seen.stays[kind])
        print(f"| slow {name}, longest stay | | {longest:.0f} s, {out} shown out | {_told(longest, STAY, 's')} |")
    print(f"\nThe first page after the first look took {first:.1f} s.")
    print(f"The reader's answers: {answers}; the slow readers': {dict(seen.answers)}")


def _told(value: float, bar: float, unit: str) -> str:
    return f"{bar:.0f} {unit} {'met' if value <= bar else 'MISSED'}"


if __name__ == "__main__":
    main()
