"""`netzlage demo` as a person starts it, with a short scenario: page there, hotspot found, nothing left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from aggregator.catalogue import data_folder
from aggregator.cli.demo import found


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """The shipped scenario from the Wednesday on, caught up with in few steps."""
    text = (data_folder() / "scenarios" / "may_2017.toml").read_text("utf-8")
    text = text.replace("start = 2017-04-14T00:00:00", "start = 2017-05-03T00:00:00", 1)
    text = re.sub(r"(?m)^earlier = .*\n", "", text)
    text = text.replace('step = "15m"\nrefresh = true', 'step = "6h"\nrefresh = false').replace(
        'step = "5m"', 'step = "1h"'
    )
    path = tmp_path / "short.toml"
    path.write_text(text, "utf-8")
    return path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from aggregator.cli import main; main()", "demo", *words]
    environment = {**os.environ, "TMPDIR": str(folder), "NETZLAGE_HOME": str(folder / "never")}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def test_the_demo_shows_hamburg_and_cleans_up(short: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    port = free_port()
    demo = start(folder, "--port", str(port), "--scenario", str(short), "--speed", "600")
    assert demo.stdout is not None
    try:
        line = demo.stdout.readline()
        assert re.fullmatch(rf"Netzlage: http://127\.0\.0\.1:{port}/ SIMULATION of 13\.05\.2017 12:3\d, .*\n", line)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/incidents", timeout=20) as answer:
            found = json.load(answer)["items"]
        assert any("02000" in item["regions"] and item["service"] == "fixed_internet" for item in found)
        time.sleep(2)  # let the worker hear its feeds
    finally:
        demo.send_signal(signal.SIGINT)
        _, said = demo.communicate(timeout=30)
    assert demo.returncode == 0
    assert "Traceback" not in said
    assert list(folder.iterdir()) == []


def test_a_port_that_is_taken_is_refused_at_once_with_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        demo = start(tmp_path, "--port", str(port))
        told, said = demo.communicate(timeout=20)
    assert (demo.returncode, told) == (1, "")
    assert said.strip().count("\n") == 0
    assert f"Port {port} on 127.0.0.1 cannot be had" in said


def test_a_stop_while_catching_up_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = start(tmp_path, "--port", str(free_port()))
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not list(tmp_path.glob("netzlage-demo-*/demo.sqlite")):
        time.sleep(0.05)
    demo.send_signal(signal.SIGTERM)
    _, said = demo.communicate(timeout=30)
    assert (demo.returncode, said.strip()) == (1, "Stopped.")
    assert list(tmp_path.iterdir()) == []


def test_a_copied_scenario_finds_the_earlier_year_beside_it_or_the_shipped_one(tmp_path: Path) -> None:
    shipped = data_folder() / "scenarios" / "early_2017.toml"
    assert found(tmp_path, "early_2017.toml") == shipped
    (tmp_path / "early_2017.toml").write_text("", "utf-8")
    assert found(tmp_path, "early_2017.toml") == tmp_path / "early_2017.toml"
