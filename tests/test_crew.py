"""The worker beside the site is a process of its own: it ends with the site, however that ends, and comes again."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aggregator.cli import crew
from aggregator.cli.common import Options
from aggregator.cli.crew import Crew
from aggregator.store import leases, open_store
from aggregator.store.leases import Holding
from tests.processes import children, is_there
from tests.test_serve import end, start

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="who started whom is read from /proc")
ON_LEASH = "import sys; sys.stdin.read()"


def until(true: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)


def jobs(home: Path) -> list[Holding]:
    """Return how each job stands."""
    store = open_store(f"sqlite:///{home / 'netzlage.sqlite'}")
    try:
        with store.read() as connection:
            return leases.all_of(connection)
    finally:
        store.close()


def workers_seen(home: Path) -> set[int]:
    """Return the processes that took a job last."""
    return {int(job.holder.split()[1]) for job in jobs(home)}


def still_held(home: Path) -> list[str]:
    return [job.name for job in jobs(home) if job.held]


@contextmanager
def site_at_work(home: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A site and the number of its worker, which has done something already."""
    process = start(home, "serve", "--port", "0")
    try:
        assert process.stdout
        assert process.stdout.readline().startswith("Netzlage: ")
        [worker] = children(process.pid)
        until(lambda: worker in workers_seen(home))
        yield process, worker
    finally:
        process.kill()
        process.communicate()


def test_the_worker_is_not_the_site_and_both_end_when_the_site_is_told_to(tmp_path: Path) -> None:
    with site_at_work(tmp_path) as (site, worker):
        assert workers_seen(tmp_path) == {worker}
        assert end(site, signal.SIGTERM) == (0, "")
        assert not is_there(worker)
    assert still_held(tmp_path) == []


def test_a_worker_whose_site_was_killed_hands_over_and_ends_by_itself(tmp_path: Path) -> None:
    with site_at_work(tmp_path) as (site, worker):
        site.kill()
        site.wait()
        with site_at_work(tmp_path) as (again, other):  # at once, whether or not the orphan has ended
            until(lambda: not is_there(worker))
            assert other != worker
            assert end(again, signal.SIGTERM) == (0, "")
    assert still_held(tmp_path) == []


def test_who_is_let_go_and_does_not_end_is_gone_all_the_same() -> None:
    code = (
        "import time, aggregator.cli.stopping as s; s.GRACE = 0.1\n"
        "with s.stopped_by_signal() as stop:\n    s.stopped_when_let_go(stop); stop.wait(); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    process.communicate(timeout=30)
    assert process.returncode == 1


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that does nothing but wait for its end."""
    monkeypatch.setattr(crew, "NETZLAGE", (sys.executable, "-c", ON_LEASH))


def number_of(beside: Crew) -> int:
    assert beside._process
    return beside._process.pid


@pytest.mark.usefixtures("small")
def test_a_worker_that_dies_is_started_again_and_the_log_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    beside = Crew(Options(None))
    beside.start()
    beside._started -= crew.PAUSE
    first = number_of(beside)
    beside.look()
    assert number_of(beside) == first
    os.kill(first, signal.SIGKILL)
    until(lambda: not is_there(first))
    for _ in range(3):
        beside.look()
    assert number_of(beside) != first
    assert is_there(number_of(beside))
    assert [record.message for record in caplog.records] == ["the worker ended with status -9; it is started again"]
    beside.stop()
    assert not is_there(number_of(beside))


@pytest.mark.usefixtures("small")
def test_a_worker_that_dies_soon_is_left_for_a_while() -> None:
    beside = Crew(Options(None))
    beside.start()
    first = number_of(beside)
    os.kill(first, signal.SIGKILL)
    until(lambda: not is_there(first))
    beside.look()
    assert number_of(beside) == first
    beside.stop()


def test_the_worker_has_the_settings_file_of_the_site_and_its_wish_to_hear_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said.txt"
    code = f"import sys, pathlib; pathlib.Path({str(said)!r}).write_text(' '.join(sys.argv[1:])); sys.stdin.read()"
    monkeypatch.setattr(crew, "NETZLAGE", (sys.executable, "-c", code))
    monkeypatch.setattr(logging.getLogger(), "level", logging.DEBUG)
    beside = Crew(Options(Path("mine.toml")))
    beside.start()
    beside.stop()
    assert said.read_text("utf-8") == "--config mine.toml --debug worker --leash"


@pytest.mark.usefixtures("small")
def test_ctrl_c_in_the_terminal_reaches_the_site_alone() -> None:
    beside = Crew(Options(None))
    beside.start()
    assert os.getpgid(number_of(beside)) != os.getpgid(0)
    beside.stop()
