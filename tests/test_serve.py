"""`serve` and `worker`: a site that answers, ends when told to, and says in one line why it cannot start."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.request import urlopen

import pytest

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
    _, err = process.communicate(timeout=20)
    return process.returncode, err


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
