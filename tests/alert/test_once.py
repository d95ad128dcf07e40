"""Once: workers that are killed, three workers at one store, receivers with faults, a thousand subscribers."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from aggregator.alert import deliver, means
from aggregator.instance import Instance
from aggregator.model import State
from aggregator.store import outbox
from tests.alert.scene import (
    Receiver,
    alerter,
    happened,
    netzlage,
    now_of_life,
    receiving,
    subscribe,
    wait_for,
    webhook,
)
from tests.making import at
from tests.servers import send

ROOT = Path(__file__).parents[2]


@contextmanager
def worker(folder: Path, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker in a process of its own; killed at the end of the block at the latest."""
    command = [sys.executable, "-m", "tests.alert.worker", str(folder), *words]
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}) as process:
        try:
            yield process
        finally:
            process.kill()


def backlog(instance: Instance) -> outbox.Backlog:
    with instance.store.read() as connection:
        return outbox.backlog(connection, at(0))


def settled(instance: Instance) -> bool:
    found = backlog(instance)
    return found.waiting == 0 and found.oldest is None


def test_a_worker_killed_between_claim_and_sending_loses_nothing(tmp_path: Path) -> None:
    here, receiver = now_of_life(netzlage(tmp_path)), Receiver()
    with receiving(receiver) as url:
        subscribe(here, *(webhook(url, f"s{n}") for n in range(5)))
        happened(here)
        with worker(tmp_path, "dies", "short") as first:
            assert first.wait(60) == -signal.SIGKILL
        assert receiver.got == []
        assert backlog(here).waiting == 5
        assert alerter(here).run() == 0  # the dead worker's claims still hold
        with worker(tmp_path, "short"):
            wait_for(lambda: settled(here))
    assert sorted(path for path, _, _ in receiver.got) == [f"/s{n}" for n in range(5)]
    here.store.close()


def test_a_worker_killed_between_sending_and_marking_repeats_under_the_same_id(tmp_path: Path) -> None:
    here = now_of_life(netzlage(tmp_path))
    killed: list[subprocess.Popen[bytes]] = []

    def kill(handler: BaseHTTPRequestHandler, number: int) -> bool:
        if first.poll() is None:
            first.kill()
            first.wait()
            killed.append(first)
        return False

    receiver = Receiver(kill)
    with receiving(receiver) as url:
        subscribe(here, webhook(url))
        happened(here)
        with worker(tmp_path, "short") as first:
            wait_for(lambda: bool(killed))
            with worker(tmp_path, "short"):
                wait_for(lambda: settled(here))
    assert len(receiver.got) == 2
    assert len(receiver.seen) == 1  # one webhook-id: who remembers it takes the message once
    assert len({body for _, _, body in receiver.got}) == 1
    here.store.close()


def test_three_workers_tell_each_subscriber_each_change_once_through_faults(tmp_path: Path) -> None:
    here = now_of_life(netzlage(tmp_path))
    chance = random.Random(5)

    def sometimes(handler: BaseHTTPRequestHandler, number: int) -> bool:
        """Refuse, or hang up before anything was taken, the first time; never after it was taken."""
        kind = chance.choice(("fine", "fine", "500", "hang up")) if number == 1 else "fine"
        if kind == "500":
            send(handler, b"", 500)
        elif kind == "hang up":
            handler.connection.shutdown(2)
        return kind != "fine"

    receiver = Receiver(sometimes)
    names = [f"s{n:02}" for n in range(40)]
    with receiving(receiver) as url:
        subscribe(here, *(webhook(url, name) for name in names))
        with worker(tmp_path), worker(tmp_path), worker(tmp_path):
            states: tuple[State, ...] = ("strong", "easing", "over")
            for number, state in enumerate(states):
                happened(here, state, number)
                time.sleep(1)
            wait_for(lambda: settled(here), 120)
    taken = {(path, body["type"]) for (path, _, _), body in zip(receiver.got, receiver.bodies(), strict=True)}
    assert len(taken) == 3 * len(names)
    assert set(receiver.taken.values()) == {1}
    assert len(receiver.taken) == 3 * len(names)
    assert max(receiver.seen.values()) == 2  # some were refused: the faults were there
    assert backlog(here).given_up == 0
    here.store.close()


def test_a_thousand_subscribers_are_told_in_bounded_passes(tmp_path: Path) -> None:
    here, receiver = now_of_life(netzlage(tmp_path)), Receiver()
    with receiving(receiver) as url:
        subscribe(here, *(webhook(url, f"s{n:04}") for n in range(1000)))
        happened(here)
        work = alerter(here)
        began = time.monotonic()
        tried = 0
        while not settled(here):
            tried += work.run()
        seconds = time.monotonic() - began
    assert tried == len(receiver.taken) == len(receiver.got) == 1000
    assert seconds < 120, f"{seconds:.0f} s"
    here.store.close()


def test_a_claim_holds_longer_than_a_message_takes() -> None:
    assert timedelta(seconds=means.DEADLINE) * 2 < deliver.LEASE
    assert timedelta(seconds=means.DEADLINE) < deliver.MARGIN < deliver.LEASE
