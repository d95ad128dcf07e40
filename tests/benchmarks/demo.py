"""How long the demo takes to be there; run as a script: `python tests/benchmarks/demo.py [--times N]`.

Beside it the stated limit: 60 seconds from the start until the site stands at Saturday 12:30. Each time is a new
process in a folder of its own; it must end with status 0 and leave that folder empty.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

LIMIT = 60.0
COMMAND = (sys.executable, "-c", "from aggregator.cli import main; main()", "demo", "--port")


def free_port() -> int:
    """Return a port of this machine that is free at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


def once(folder: Path) -> tuple[float, float, float]:
    """Run the demo; return the seconds to its line, to the answer of `/`, and from the signal to its end."""
    port = free_port()
    environment = {**os.environ, "TMPDIR": str(folder)}
    start = time.perf_counter()
    demo = subprocess.Popen([*COMMAND, str(port)], stdout=subprocess.PIPE, text=True, env=environment)
    try:
        line = demo.stdout.readline() if demo.stdout else ""
        told = time.perf_counter() - start
        if f":{port}/" not in line:
            raise SystemExit(f"the demo said {line!r} instead of where to look")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=LIMIT) as answer:
            page = answer.read().decode()
        there = time.perf_counter() - start
    finally:
        demo.send_signal(signal.SIGTERM)
        stopped = time.perf_counter()
        demo.communicate(timeout=LIMIT)
    check(demo.returncode, page, folder)
    return told, there, time.perf_counter() - stopped


def check(status: int, page: str, folder: Path) -> None:
    """Stop where the demo did not do its work: a fast failure is no measurement."""
    lacking = [word for word in ("Hamburg", "München", "SIMULATION") if word not in page]
    left = [path.name for path in folder.iterdir()]
    if status or lacking or left:
        raise SystemExit(f"status {status}; the page lacks {lacking}; left behind: {left}")


def main() -> None:
    """Print a table: a row each time, then the slowest beside the limit."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--times", type=int, default=3)
    times = options.parse_args().times
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, load before {os.getloadavg()[0]:.1f}\n")
    print("| | to its line, s | to the page, s | of the limit | to its end, s |\n|---|---|---|---|---|")
    slowest = 0.0
    for number in range(1, times + 1):
        with tempfile.TemporaryDirectory() as folder:
            told, there, ending = once(Path(folder))
        slowest = max(slowest, there)
        print(f"| {number} | {told:.1f} | {there:.1f} | {there / LIMIT:.2f} | {ending:.1f} |", flush=True)
    print(f"| limit: the page is there | | {LIMIT:.1f} | 1.00 | |")
    print(f"\nSlowest of {times}: {slowest:.1f} s, {slowest / LIMIT:.2f} of the limit.")


if __name__ == "__main__":
    main()
