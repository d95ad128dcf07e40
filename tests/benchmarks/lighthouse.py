"""What Lighthouse says of four pages on a phone; a script.

    npm install --prefix FOLDER lighthouse
    python -m tests.benchmarks.lighthouse --lighthouse FOLDER/node_modules/.bin/lighthouse [--times N]

The site is served as `serve` does it, over a store with Hamburg's fault; its clock stands still in May 2017 but is no
simulation, because a simulation asks search engines to stay away and Lighthouse would count that. Bars, of the median
of N runs a page: 100 for accessibility, best practices and SEO, 98 for performance.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, Final

from aggregator.catalogue import load_catalogue
from aggregator.cli.serve import serve_app
from aggregator.clock import SimulatedClock
from aggregator.refresh import Detection
from aggregator.web import create_app
from tests.benchmarks.pages import once, request
from tests.making import instance
from tests.test_refresh import NOW, fill, hamburg, quiet

PAGES: Final = ("/", "/vorfall/20170513-o2-fixed_internet-02000", "/melden", "/daten")
BARS: Final = {"performance": 98, "accessibility": 100, "best-practices": 100, "seo": 100}
FLAGS: Final = "--headless=new --no-sandbox --disable-gpu"
SPAWN: Final = get_context("spawn")


class StandingClock(SimulatedClock):
    """A time that stands still and passes for the world's."""

    simulated = False


def serve_site(port: int, folder: str) -> None:
    """Serve the site over a store with Hamburg's fault as `serve` does."""
    made = replace(instance(Path(folder), load_catalogue(), now=NOW), clock=StandingClock(NOW))
    fill(made, quiet(), hamburg())
    Detection(made).refresh()
    serve_app(create_app(made, cached=True), "127.0.0.1", port, say=lambda _line: None)


def look(lighthouse: str, address: str, *, again: int = 3) -> dict[str, Any]:
    """Return Lighthouse's report of one page, on a phone as it imitates one; asked again where it lost its trace."""
    asked = [lighthouse, address, "--output=json", "--quiet", f"--chrome-flags={FLAGS}", "--form-factor=mobile"]
    environment = {"CHROME_PATH": "/usr/bin/chromium", **os.environ}
    done = subprocess.run(asked, capture_output=True, check=False, env=environment, text=True)
    if done.returncode and again and "run Lighthouse again" in done.stderr:
        return look(lighthouse, address, again=again - 1)
    if done.returncode:
        raise SystemExit(f"{address}: Lighthouse says: {done.stderr[-1000:]}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def marks(report: Mapping[str, Any]) -> dict[str, int]:
    """Return the mark of each category, 0 to 100."""
    return {name: round(100 * report["categories"][name]["score"]) for name in BARS}


def lacking(report: Mapping[str, Any]) -> set[str]:
    """Return the audits that cost a mark outside performance."""
    wanted = {
        ref["id"]
        for name in BARS
        if name != "performance"
        for ref in report["categories"][name]["auditRefs"]
        if ref["weight"]
    }
    return {name for name in wanted if (report["audits"][name]["score"] or 0) < 1 and _counts(report["audits"][name])}


def _counts(audit: Mapping[str, Any]) -> bool:
    return audit["scoreDisplayMode"] not in {"notApplicable", "manual", "informative"}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def main() -> int:
    """Look at each page N times and print the medians; 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lighthouse", default="lighthouse", help="the command")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--pages", nargs="+", default=PAGES)
    asked = parser.parse_args()
    port, missed = free_port(), 0
    with tempfile.TemporaryDirectory() as folder:
        server = SPAWN.Process(target=serve_site, args=(port, folder), daemon=True)
        server.start()
        sys.stdout.write(f"| page | {' | '.join(BARS)} | lacking |\n|---|{'---|' * len(BARS)}---|\n")
        for page in asked.pages:
            once(port, request(page))
            reports = [look(asked.lighthouse, f"http://127.0.0.1:{port}{page}") for _n in range(asked.times)]
            found = {name: round(median(marks(report)[name] for report in reports)) for name in BARS}
            missed += any(found[name] < bar for name, bar in BARS.items())
            wrong = ", ".join(sorted(set().union(*map(lacking, reports))))
            sys.stdout.write(f"| {page} | {' | '.join(str(mark) for mark in found.values())} | {wrong} |\n")
            sys.stdout.flush()
        server.terminate()
        server.join(10)
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
