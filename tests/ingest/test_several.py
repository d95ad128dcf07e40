"""Several whole workers at one SQLite file: each job once, one that is killed has a successor, all end in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from itertools import pairwise
from pathlib import Path

import pytest

from aggregator.store import leases, open_store
from tests.alert.scene import wait_for
from tests.servers import send, serving

ROOT = Path(__file__).parents[2]
FEED = """
[[feed]]
name = "here"
format = "json_records"
url = "{url}/here"
every = "1s"
allow_private = true
provider = "o2"
service = "mobile"
"""


class Heard:
    """A feed of nothing that counts how often it is asked, and tells whether two ever asked at once."""

    def __init__(self) -> None:
        self.requests, self.at_once, self.most = 0, 0, 0
        self._lock = threading.Lock()

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        if handler.path == "/robots.txt":
            send(handler, b"", 404)
            return
        with self._lock:
            self.requests, self.at_once = self.requests + 1, self.at_once + 1
            self.most = max(self.most, self.at_once)
        send(handler, b"[]", Content_Type="application/json")
        with self._lock:
            self.at_once -= 1


@contextmanager
def worker(folder: Path, number: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker that looks every second under leases of three, in a process of its own; killed at the end."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "NETZLAGE_HOME": str(folder),
               "NETZLAGE_FEEDS": str(folder / "feeds.toml"), "NETZLAGE_DATABASE": database(folder)}  # fmt: skip
    command = [sys.executable, "-m", "tests.ingest.worker", str(folder / "looks"), "1", "3"]
    with (folder / f"worker{number}.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def database(folder: Path) -> str:
    return f"sqlite:///{folder / 'netzlage.sqlite'}"


def looks(folder: Path) -> list[tuple[float, float, int]]:
    """When each look began and ended, and whose it was."""
    with suppress(FileNotFoundError):
        lines = [line.split() for line in (folder / "looks").read_text("utf-8").splitlines()]
        return sorted((float(began), float(ended), int(pid)) for began, ended, pid in lines)
    return []


@pytest.mark.sqlite
def test_two_workers_share_a_file_and_the_jobs_of_one_that_is_killed_go_to_the_other(tmp_path: Path) -> None:
    heard = Heard()
    with ExitStack() as stack:
        url = stack.enter_context(serving(heard))
        (tmp_path / "feeds.toml").write_text(FEED.format(url=url), "utf-8")
        crew = [stack.enter_context(worker(tmp_path, number)) for number in range(2)]
        logs = [tmp_path / f"worker{number}.log" for number in range(2)]
        wait_for(lambda: all("working" in log.read_text("utf-8") for log in logs), 120)
        wait_for(lambda: len(looks(tmp_path)) > 5, 60)
        last = next(process for process in crew if process.pid == looks(tmp_path)[-1][2])
        last.kill()
        known = len(looks(tmp_path))
        wait_for(lambda: len(looks(tmp_path)) > known + 2, 60)
        other = next(process for process in crew if process is not last)
        other.send_signal(signal.SIGTERM)
        assert other.wait(60) == 0
        said = "".join(log.read_text("utf-8") for log in logs)
    found = looks(tmp_path)
    assert all(before[1] <= after[0] for before, after in pairwise(found))
    assert last.pid not in {pid for _, _, pid in found[known + 1 :]}
    store = open_store(database(tmp_path))
    with store.read() as connection:
        jobs = {job.name: job for job in leases.all_of(connection)}
    store.close()
    seconds = found[known - 1][0] - found[0][0]
    assert known - 1 <= seconds / 0.9 + 1  # both had come to each turn; a job may come a tenth of its pace too soon
    assert heard.most == 1
    assert jobs["feed here"].token - 1 <= heard.requests <= jobs["feed here"].token  # the one killed had not asked yet
    assert not any(job.held for job in jobs.values() if str(last.pid) not in job.holder)  # given back, not run out
    assert "Traceback" not in said
    assert "skipped" not in said
