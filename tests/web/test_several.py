"""Several web processes at one store: the same page has the same ETag from each, also after a change by another."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aggregator.feedmodel import Source
from aggregator.model import FeedRun
from aggregator.store import open_store, runs, sources
from tests import stores

ROOT = Path(__file__).parents[2]
PAGES = ("/", "/quellen", "/archiv", "/methodik", "/feed.atom")
SEEN = 60  # seconds: a change that was seen after them was waited for in vain (`STALE` of the pages that are kept)


@contextmanager
def site(folder: Path, url: str) -> Iterator[str]:
    """Run `serve --no-worker` in a process of its own; gives its address."""
    environ = {
        **os.environ,
        "NETZLAGE_HOME": str(folder),
        "NETZLAGE_DATABASE": url,
        "NETZLAGE_BASE_URL": "https://netzlage.example",
    }
    command = [sys.executable, "-c", "from aggregator.cli import main; main()", "serve", "--no-worker", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().decode().split()[-1].rstrip("/")
        finally:
            process.terminate()


def etag(address: str, page: str) -> tuple[str, bytes]:
    request = urllib.request.Request(address + page, headers={"Host": "netzlage.example"})  # as a proxy passes it on
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(answer.headers["ETag"]), answer.read()


def both(sites: list[str], page: str) -> tuple[set[str], list[bytes]]:
    """Ask both sites for a page, within one minute: pages say no finer time."""
    if time.time() % 60 > 50:
        time.sleep(60 - time.time() % 60)
    found = [etag(address, page) for address in sites]
    return {name for name, _ in found}, [body for _, body in found]


@pytest.mark.parametrize("kind", stores.BOTH)
def test_two_processes_give_the_same_etag_also_after_a_change_by_a_third(tmp_path: Path, kind: str) -> None:
    url = stores.address(tmp_path, kind)
    with ExitStack() as stack:
        sites = [stack.enter_context(site(tmp_path, url)) for _ in range(2)]
        for page in PAGES:
            names, bodies = both(sites, page)
            assert bodies[0] == bodies[1], page
            assert len(names) == 1, page
        store = open_store(url)
        stack.callback(store.close)
        now = datetime.now(UTC)
        with store.write() as connection:
            sources.keep(connection, [Source("a-new-source", republish="rows")])
            runs.add(connection, FeedRun("a-new-source", now, now, "ok"))
        limit = time.monotonic() + SEEN
        names, bodies = both(sites, "/quellen")
        while not (len(names) == 1 and all(b"a-new-source" in body for body in bodies)):
            assert time.monotonic() < limit, names
            names, bodies = both(sites, "/quellen")
