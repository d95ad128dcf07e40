"""Leases: one holder at a time, due once for all, and who has lost a job writes nothing: paused, killed, cut off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from aggregator.errors import LeaseHeld, LeaseLost, StoreError
from aggregator.store import Store, leases, meta, open_store
from aggregator.store.holder import LENGTH, Holder, alone
from aggregator.store.lease_tables import leases as table
from tests.hosts import Hosts, why_not
from tests.postgres import Server, programs
from tests.store.leaseholder import JOB, NAME

LONG = timedelta(minutes=5)
SHORT = timedelta(seconds=2)
ROOT = Path(__file__).parents[2]


def acquire(
    store: Store, holder: str, length: timedelta = LONG, every: timedelta = leases.ALWAYS
) -> leases.Lease | None:
    with store.write(alone=False) as connection:
        return leases.acquire(connection, JOB, holder, length, every)


def give_back(store: Store, lease: leases.Lease, *, done: bool = True) -> bool:
    with store.write(alone=False) as connection:
        return leases.release(connection, lease, done=done)


def changed(store: Store, **values: object) -> None:
    with store.write() as connection:
        connection.execute(update(table).values(**values))


def taken(store: Store, holder: str, every: timedelta = leases.ALWAYS) -> leases.Lease:
    found = acquire(store, holder, LONG, every)
    assert found is not None
    return found


def test_a_job_has_one_holder_until_it_is_given_back_and_its_number_only_grows(store: Store) -> None:
    first = taken(store, "a")
    assert acquire(store, "b") is None
    assert acquire(store, "a") is None  # not twice by one process either
    assert give_back(store, first)
    second = taken(store, "b")
    assert (first.token, second.token) == (1, 2)
    assert not give_back(store, first)


def test_what_runs_out_is_taken_over_and_what_is_renewed_is_not(store: Store) -> None:
    first = taken(store, "a")
    changed(store, held_until=datetime(2017, 5, 13, tzinfo=UTC))
    with store.write(alone=False) as connection:
        assert leases.renew(connection, first, LONG)  # late, and before anybody else came
    assert acquire(store, "b") is None
    changed(store, held_until=datetime(2017, 5, 13, tzinfo=UTC))
    assert taken(store, "b").token == 2
    with store.write(alone=False) as connection:
        assert not leases.renew(connection, first, LONG)


def test_a_clock_that_was_set_back_does_not_let_the_dead_hold_for_hours(store: Store) -> None:
    taken(store, "a")
    changed(store, held_until=datetime(2117, 5, 13, tzinfo=UTC))
    assert taken(store, "b").token == 2


def test_a_job_is_due_its_pace_after_it_was_begun_that_was_done_for_all_alike(store: Store) -> None:
    hour = timedelta(hours=1)
    first = taken(store, "a", hour)
    assert give_back(store, first)
    assert acquire(store, "b", LONG, hour) is None
    changed(store, done_at=datetime.now(UTC) - hour)
    second = taken(store, "b", hour)
    assert give_back(store, second, done=False)  # it died, say
    assert taken(store, "c", hour).token == 3
    changed(store, held_until=datetime(2017, 5, 13, tzinfo=UTC), done_at=datetime(2117, 5, 13, tzinfo=UTC))
    assert taken(store, "d", hour).token == 4  # done in the future: by a wrong clock


def test_who_has_lost_a_job_writes_nothing_in_its_name(store: Store) -> None:
    first = taken(store, "a")
    with store.fenced(first), store.write() as connection:
        meta.put(connection, NAME, "a")
    changed(store, held_until=datetime(2017, 5, 13, tzinfo=UTC))
    taken(store, "b")
    with store.fenced(first):
        for alone_ in (True, False):
            with pytest.raises(LeaseLost, match="taken over job"), store.write(alone=alone_) as connection:
                meta.put(connection, NAME, "too late")
    with store.write() as connection:  # outside of the job it may
        assert meta.get(connection, NAME) == "a"


def test_many_that_want_a_job_at_once_get_it_one_at_a_time(store: Store) -> None:
    won: list[int] = []

    def try_it(number: int) -> None:
        lease = acquire(store, f"holder {number}")
        if lease:
            won.append(lease.token)

    threads = [threading.Thread(target=try_it, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [1]


def test_a_holder_renews_what_it_has_and_gives_it_back_at_once(store: Store) -> None:
    with Holder(store, SHORT) as holder, holder.doing(JOB) as ours:
        assert ours
        time.sleep(1.5 * SHORT.total_seconds())  # longer than a lease: only time can tell
        assert acquire(store, "b", SHORT) is None
    assert acquire(store, "b", SHORT) is not None


def test_a_command_says_who_does_the_job(store: Store) -> None:
    assert acquire(store, "host 1", LENGTH) is not None
    with (
        pytest.raises(LeaseHeld, match=r"\(host 1\) looks for clusters at this moment"),
        alone(store, JOB, "looks for clusters"),
    ):
        pass


@contextmanager
def first(url: str, seconds: float, *words: str, before: list[str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run a process that takes the job; killed at the end at the latest."""
    command = [*(before or []), sys.executable, "-m", "tests.store.leaseholder", url, str(seconds), *words]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=environ, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            assert heard(process) == "mine"
            yield process
        finally:
            process.kill()


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def told(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def answers(process: subprocess.Popen[str]) -> list[str]:
    """Let it write until it finds the way to the database again; return what it said of that."""
    found, limit = ["StoreError"], time.monotonic() + 60
    while found[-1] == "StoreError":
        assert time.monotonic() < limit
        time.sleep(0.5)
        told(process)
        found.append(heard(process))
    return found


def seconds_until_taken(store: Store, length: timedelta) -> float:
    """Return how long it takes until somebody else has the job."""
    began, lease = time.monotonic(), None
    while lease is None:
        assert time.monotonic() - began < 120
        time.sleep(0.1)
        with suppress(StoreError):  # who is cut off inside of a transaction holds the row until PostgreSQL ends it
            lease = acquire(store, "the second", length)
    with store.write() as connection:
        meta.put(connection, NAME, "the second")
    return time.monotonic() - began


def written_by(store: Store) -> str | None:
    with store.read() as connection:
        return meta.get(connection, NAME)


def test_a_paused_process_finds_its_job_taken_over_and_writes_nothing(store: Store, database: str) -> None:
    with first(database, 3) as process:
        told(process)
        assert heard(process) == "written"
        process.send_signal(signal.SIGSTOP)
        assert seconds_until_taken(store, timedelta(seconds=3)) <= 6
        process.send_signal(signal.SIGCONT)
        told(process)
        assert heard(process) == "LeaseLost"
    assert written_by(store) == "the second"


def test_a_killed_process_has_a_successor_within_two_lease_times(store: Store, database: str) -> None:
    with first(database, 3) as process:
        process.kill()
        assert seconds_until_taken(store, timedelta(seconds=3)) <= 6


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    """Give two hosts beside this machine."""
    if reason := why_not() or ("" if programs() else "needs PostgreSQL"):
        pytest.skip(reason)
    with Hosts(1) as made:
        yield made


@pytest.mark.postgresql
@pytest.mark.parametrize("words", [(), ("within",)], ids=["between transactions", "inside of a transaction"])
def test_a_host_that_is_cut_off_loses_its_job_within_two_lease_times_and_writes_nothing_when_it_is_back(
    hosts: Hosts, words: tuple[str, ...]
) -> None:
    length = timedelta(seconds=12)
    with Server(address=hosts.address) as server:
        server.fresh("cut")
        url = server.url("cut", host=hosts.address)
        store = open_store(url)
        with closing(store), first(url, 12, *words, before=hosts.command(0)) as process:
            if words:
                assert heard(process) == "inside"  # it holds the lock that lets one writer in at a time
            hosts.cut(0)
            assert seconds_until_taken(store, length) <= 24
            hosts.join(0)
            assert answers(process)[-1] == "LeaseLost"
            assert written_by(store) == "the second"
