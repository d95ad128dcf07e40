"""Limits that two processes count together in a real Redis or Valkey, and what happens when it goes away."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from aggregator.web.shared import AWAY, SharedStorage
from tests import stores

PROGRAM = shutil.which("redis-server") or shutil.which("valkey-server")
ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.redis,
    pytest.mark.skipif(PROGRAM is None, reason="needs redis-server or valkey-server"),
]


class Redis:
    """A server that forgets all when it is stopped."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as door:
            self.port = int(door.getsockname()[1])
        self._folder = folder
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        words = [
            str(PROGRAM),
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--dir",
            str(self._folder),
        ]
        self.process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        until_true(self._answers)

    def _answers(self) -> bool:
        with socket.socket() as line:
            return line.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """Run a Redis."""
    server = Redis(tmp_path)
    server.start()
    yield server
    server.stop()


def until_true(done: Callable[[], bool], seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < limit, "it takes too long"
        time.sleep(0.05)


@contextmanager
def site(folder: Path, redis: Redis) -> Iterator[str]:
    """Run the site in a process of its own, on the store in `folder`; gives its address."""
    environ = {
        **os.environ,
        "NETZLAGE_HOME": str(folder),
        "NETZLAGE_DATABASE": stores.address(folder),
        "NETZLAGE_REDIS_URL": redis.url,
        "NETZLAGE_RATE_LIMIT_BLOCK": "10 per minute",
        "NETZLAGE_SECRET_KEY": "of both processes, or their blocks would differ",
    }
    command = [sys.executable, "-c", "from aggregator.cli import main; main()", "serve", "--no-worker", "--port", "0"]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().decode().split()[-1].rstrip("/")
        finally:
            process.send_signal(signal.SIGKILL)


def post(url: str) -> int:
    request = urllib.request.Request(
        f"{url}/api/v1/reports", b"{}", {"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def health(url: str) -> str:
    with urllib.request.urlopen(f"{url}/api/v1/health", timeout=30) as answer:
        return str(answer.read().decode())


def test_two_processes_have_one_limit_together_and_each_its_own_when_the_redis_goes_away(
    tmp_path: Path, redis: Redis
) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(site(tmp_path, redis))
        second = stack.enter_context(site(tmp_path, redis))
        assert [post(first) for _ in range(6)] == [422] * 6
        assert [post(second) for _ in range(6)] == [422] * 4 + [429] * 2
        assert post(first) == 429
        assert AWAY not in health(first)
        redis.stop()
        assert [post(second) for _ in range(12)] == [422] * 10 + [429] * 2  # it begins to count for itself
        assert post(first) == 422
        assert AWAY in health(first)
        redis.start()
        until_true(lambda: (post(first), AWAY not in health(first))[1])


def test_many_that_meet_a_dead_redis_at_once_are_all_counted(redis: Redis) -> None:
    storage = SharedStorage(url=redis.url)
    assert storage.incr("k", 60) == 1
    redis.stop()
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(storage.incr("k", 60))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == list(range(1, 17))


def test_a_redis_that_hangs_is_waited_for_once_and_asked_again_by_one(redis: Redis) -> None:
    now = [0.0]
    storage = SharedStorage(url=redis.url, monotonic=lambda: now[0])
    assert storage.incr("k", 60) == 1
    assert redis.process is not None
    redis.process.send_signal(signal.SIGSTOP)
    try:
        assert storage.incr("k", 60) == 1
        began = time.monotonic()
        assert [storage.incr("k", 60) for _ in range(5)] == [2, 3, 4, 5, 6]
        assert time.monotonic() - began < 1  # nobody waits for it meanwhile
        assert storage.trouble == AWAY
    finally:
        redis.process.send_signal(signal.SIGCONT)
    now[0] = 6.0
    assert storage.incr("k", 60) >= 2  # what was counted there is not forgotten
    assert storage.trouble == ""
