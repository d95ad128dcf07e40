"""How fast pages leave the default server; a script: `python tests/benchmarks/pages.py [--seconds S --rounds N]`.

64 connections that stay open ask a real server process (waitress as `serve` starts it) for one thing at a time: a bare
hello, the situation, the same with its ETag (304), an incident. The client is a process of its own; its share of a core
is printed: near 1 it would be what is measured. Bars: `/` and 304 at least 0.5 of hello, an incident 0.4.
"""

from __future__ import annotations

import argparse
import os
import selectors
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final
from wsgiref.types import StartResponse, WSGIEnvironment

from aggregator.catalogue import load_catalogue
from aggregator.cli.serve import serve_app
from aggregator.refresh import Detection
from aggregator.web import create_app
from tests.making import instance
from tests.test_refresh import NOW, fill, hamburg, quiet

CONNECTIONS: Final = 64
INCIDENT: Final = "/vorfall/20170513-o2-fixed_internet-02000"
BARS: Final = {"hello": None, "/": 0.5, "304": 0.5, "incident": 0.4}
SPAWN: Final = get_context("spawn")


def hello(_environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
    """The least that a WSGI app can do."""
    start("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    return [b"hello\n"]


def serve_hello(port: int, _folder: str) -> None:
    """Serve `hello` as `serve` serves the site."""
    serve_app(hello, "127.0.0.1", port, say=lambda _line: None)


def serve_site(port: int, folder: str) -> None:
    """Serve the site over a store with Hamburg's fault as `serve` does."""
    made = instance(Path(folder), load_catalogue(), now=NOW)
    fill(made, quiet(), hamburg())
    Detection(made).refresh()
    serve_app(create_app(made, cached=True), "127.0.0.1", port, say=lambda _line: None)


def request(path: str, *more: str) -> bytes:
    """Return the request of a browser that takes packed answers."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Accept-Encoding: gzip, deflate, br",
        "Accept-Language: de",
        *more,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def once(port: int, asked: bytes) -> bytes:
    """Return one whole answer; waits until the server is there."""
    deadline = time.monotonic() + 120
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as door:
                door.sendall(asked.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
                pieces = iter(lambda: door.recv(1 << 16), b"")
                return b"".join(pieces)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def whole(door: socket.socket, asked: bytes) -> int:
    """Ask once on a connection that stays open and return the length of the answer."""
    door.sendall(asked)
    got = b""
    while b"\r\n\r\n" not in got:
        got += door.recv(1 << 18)
    head = got.split(b"\r\n\r\n", 1)[0]
    lengths = [int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    total = len(head) + 4 + (lengths[0] if lengths else 0)
    while len(got) < total:
        got += door.recv(1 << 18)
    return total


def load(port: int, asked: bytes, seconds: float, answer: Any) -> None:
    """Ask on 64 connections for so many seconds; puts answers a second and the client's share of a core."""
    doors = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    length = whole(doors[0], asked)
    chooser = selectors.EpollSelector()
    left: dict[Any, int] = {}
    for door in doors:
        door.setblocking(False)
        chooser.register(door, selectors.EVENT_READ)
        left[door] = length
        door.send(asked)
    done, begun, busy = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - begun < seconds:
        for key, _ in chooser.select(1):
            asking: Any = key.fileobj
            got = len(asking.recv(1 << 20))
            if not got:
                raise SystemExit("the server closed a connection that was to stay open")
            left[asking] -= got
            if left[asking] == 0:
                done += 1
                left[asking] = length
                asking.send(asked)
    spent = time.perf_counter() - begun
    answer.put((done / spent, (time.process_time() - busy) / spent))
    for door in doors:
        door.close()


def measure(port: int, asked: bytes, seconds: float) -> tuple[float, float]:
    """Run the client in a process of its own."""
    answer = SPAWN.Queue()
    client = SPAWN.Process(target=load, args=(port, asked, seconds, answer))
    client.start()
    found = answer.get(timeout=seconds + 20)
    client.join()
    return float(found[0]), float(found[1])


def free_port() -> int:
    """Return a port of this machine that is free at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


def started(target: Callable[[int, str], None], folder: str) -> tuple[Any, int]:
    """Start a server process and return it with its port."""
    port = free_port()
    process = SPAWN.Process(target=target, args=(port, folder), daemon=True)
    process.start()
    return process, port


def questions(plain: int, site: int) -> dict[str, tuple[int, bytes]]:
    """Return port and request of each row; stops where an answer is not what the row says."""
    first = once(site, request("/"))
    etag = next(line for line in first.split(b"\r\n") if line.lower().startswith(b"etag")).split(b": ")[1].decode()
    asked = {
        "hello": (plain, request("/")),
        "/": (site, request("/")),
        "304": (site, request("/", f"If-None-Match: {etag}")),
        "incident": (site, request(INCIDENT)),
    }
    for name, (port, question) in asked.items():
        status = once(port, question).split(b" ", 2)[1]
        if status != (b"304" if name == "304" else b"200"):
            raise SystemExit(f"{name} was answered with {status.decode()}")
    return asked


def main() -> None:
    """Print a table: answers a second (median of the rounds), the ratio to hello, the bar, the client's share."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=2.0)
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        servers = [started(target, folder) for target in (serve_hello, serve_site)]
        try:
            asked = questions(*(port for _, port in servers))
            found: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
            for _ in range(chosen.rounds):
                for name, (port, question) in asked.items():
                    found[name].append(measure(port, question, chosen.seconds))
        finally:
            for process, _ in servers:
                process.terminate()
                process.join(20)
    show(found)


def show(found: dict[str, list[tuple[float, float]]]) -> None:
    """Print the table."""
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| | answers/s | of hello | bar | client, cores |\n|---|---|---|---|---|")
    for name, rounds in found.items():
        rate = statistics.median(r for r, _ in rounds)
        ratio = statistics.median(r / plain for (r, _), (plain, _) in zip(rounds, found["hello"], strict=True))
        bar = BARS[name]
        told = "" if bar is None else f"{bar} {'met' if ratio >= bar else 'MISSED'}"
        print(f"| {name} | {rate:.0f} | {ratio:.2f} | {told} | {statistics.median(c for _, c in rounds):.2f} |")


if __name__ == "__main__":
    main()
