"""`serve` and `worker`: a site that answers, ends when told to, and says in one line why it cannot start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.request import urlopen

import pytest
from sqlalchemy import select

from aggregator.store import open_store
from aggregator.store.schema import reports
from tests.commands import Run, assert_one_line

NETZLAGE = (sys.executable, "-c", "from aggregator.cli import main; main()")


def start(
    home: Path, *words: str, before: Sequence[str] = (), settings: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """A command in a process of its own, whose output can be read; before: what starts it; settings: environment."""
    feeds = home / "feeds.toml"
    if not feeds.exists():
        feeds.write_text("", "utf-8")
    environ = {**os.environ, "NETZLAGE_HOME": str(home), "NETZLAGE_FEEDS": str(feeds), "PYTHONUNBUFFERED": "1"}
    environ |= settings or {}
    environ["PYTHONPATH"] = str(Path(__file__).parent.parent)
    pipe = subprocess.PIPE
    return subprocess.Popen([*before, *NETZLAGE, *words], cwd=home, env=environ, stdout=pipe, stderr=pipe, text=True)


def end(process: subprocess.Popen[str], number: signal.Signals) -> tuple[int, str]:
    process.send_signal(number)
    _, err = process.communicate(timeout=80)  # a worker that is still starting ends when it has started
    return process.returncode, err


WORKERS_OWN = "alembic apscheduler dask geopy pyarrow.parquet requests scipy.optimize scipy.sparse.linalg"


def test_the_site_loads_nothing_that_only_its_worker_and_other_commands_need(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'netzlage.sqlite'}"
    open_store(url).close()  # whose migrations need Alembic
    code = (
        "import sys, aggregator.cli, aggregator.cli.serve; from aggregator.store import open_store\n"
        f"open_store({url!r}).close(); print(*(name for name in {WORKERS_OWN.split()} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serve_answers_and_ends_cleanly_when_told_to(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path, "serve", "--port", "0")
    try:
        assert process.stdout
        address = process.stdout.readline().strip().removeprefix("Netzlage: ")
        with urlopen(f"{address}api/v1/health", timeout=20) as answer:
            assert json.load(answer)["simulated"] is False
        with urlopen(f"{address}api/v1/services", timeout=20) as answer:
            assert answer.headers.get("Server", "") == ""
    finally:
        status, err = end(process, number)
    assert (status, err) == (0, "")


def test_worker_runs_without_a_site_until_told_to_end(tmp_path: Path) -> None:
    process = start(tmp_path, "worker")
    try:
        assert process.stdout
        assert process.stdout.readline() == "5 jobs: alerts, calibrate, day files, refresh, retention\n"
    finally:
        status, err = end(process, signal.SIGTERM)
    assert (status, err) == (0, "")


def test_a_port_that_is_taken_is_told_in_one_sentence(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feeds = tmp_path / "feeds.toml"
    feeds.write_text("", "utf-8")
    monkeypatch.setenv("NETZLAGE_FEEDS", str(feeds))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = run("serve", "--port", port)
    assert_one_line(answer, 1)
    assert f"Port {port} on 127.0.0.1 is taken" in answer.err


def test_who_has_asked_is_answered_before_the_end_and_what_was_acknowledged_is_stored(tmp_path: Path) -> None:
    process = start(tmp_path, "serve", "--port", "0", "--no-worker")
    try:
        assert process.stdout
        port = int(process.stdout.readline().rstrip("/\n").rpartition(":")[2])
        senders = [Sender(port, number) for number in range(8)]
        for sender in senders:
            sender.start()
        assert all(sender.answered.wait(30) for sender in senders)
    finally:
        status, err = end(process, signal.SIGTERM)
    for sender in senders:
        sender.join(20)
    assert (status, err) == (0, "")
    assert [sender.broken for sender in senders] == [""] * len(senders)
    acknowledged = {uid for sender in senders for uid in sender.acknowledged}
    store = open_store(f"sqlite:///{tmp_path / 'netzlage.sqlite'}")
    with store.read() as connection:
        kept = {row.report_id for row in connection.execute(select(reports.c.report_id))}
    store.close()
    assert acknowledged <= kept
    assert len(acknowledged) >= len(senders)


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    process = start(tmp_path, "serve", "--port", "0", "--no-worker")
    assert process.stdout
    port = int(process.stdout.readline().rstrip("/\n").rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as slow:
        slow.sendall(b"POST /api/v1/reports HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nx")
        with urlopen(f"http://127.0.0.1:{port}/api/v1/health?probe=live", timeout=20):
            pass  # by now that one is inside, too
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):  # somebody is still sending
            process.wait(2)
        status, _ = end(process, signal.SIGTERM)
    assert status == 128 + signal.SIGTERM


class Sender(threading.Thread):
    """Sends reports on one connection, one after the other, until it is told that it closes."""

    def __init__(self, port: int, number: int) -> None:
        super().__init__(daemon=True)
        self.acknowledged: list[str] = []
        self.broken = ""
        self.answered = threading.Event()
        self._door, self._number = HTTPConnection("127.0.0.1", port, timeout=30), number

    def run(self) -> None:
        """Send."""
        try:
            while self._send(len(self.acknowledged)):
                self.answered.set()
        except (OSError, HTTPException) as error:
            self.broken = repr(error)

    def _send(self, turn: int) -> bool:
        now = datetime.now(UTC).isoformat()
        body = {"provider": "o2", "service": "mobile", "plz": "20095", "observed_at": now,
                "uid": f"{self._number}-{turn}"}  # fmt: skip
        self._door.request("POST", "/api/v1/reports", json.dumps(body), {"Content-Type": "application/json"})
        answer = self._door.getresponse()
        said = json.load(answer)
        if answer.status == 201:
            self.acknowledged.append(said["report_id"])
        return answer.headers.get("Connection", "") != "close"
