"""Persons over midnight: six hours are six hours, and after them nothing leads back."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aggregator.catalogue import load_catalogue
from aggregator.clock import SimulatedClock
from aggregator.errors import StoreBusy
from aggregator.instance import Instance
from aggregator.keyring import Keyring
from aggregator.model import Filter, RawReport
from aggregator.persons import Persons
from aggregator.pipeline import accept
from aggregator.retention import forget
from aggregator.store import reports
from tests import making

MIDNIGHT = datetime(2017, 5, 13, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    made = making.instance(tmp_path, load_catalogue(), now=MIDNIGHT)
    yield made
    made.store.close()


def send(instance: Instance, at: datetime, key: str) -> None:
    assert isinstance(instance.clock, SimulatedClock)
    instance.clock.set(at)
    forget(instance.store, at)
    raw = RawReport("form", "o2", "mobile", key=key, plz="20095", observed_at=at, reporter="one", address="192.0.2.7")
    assert accept(instance, [raw]).kept == 1


def counted(instance: Instance) -> dict[datetime, bool]:
    with instance.store.read() as connection:
        return {row["observed_at"]: row["counted"] for row in reports.rows(connection, Filter())}


def test_one_person_counts_once_in_six_hours_over_midnight(instance: Instance) -> None:
    times = [MIDNIGHT - 2 * HOUR, MIDNIGHT + HOUR, MIDNIGHT + 3.9 * HOUR, MIDNIGHT + 4 * HOUR, MIDNIGHT + 9 * HOUR]
    for n, at in enumerate(times):
        send(instance, at, str(n))
    assert list(counted(instance).values()) == [True, False, False, True, False]


def test_a_store_that_was_opened_again_knows_the_persons_of_before(instance: Instance) -> None:
    send(instance, MIDNIGHT - HOUR, "a")
    send(replace(instance), MIDNIGHT + HOUR, "b")
    assert list(counted(instance).values()) == [True, False]


def test_another_day_has_other_names_for_persons_and_blocks(instance: Instance) -> None:
    today, tomorrow = (instance.keyring.at(MIDNIGHT + n * 24 * HOUR) for n in range(2))
    assert today.reporter("one") != tomorrow.reporter("one")
    assert today.reporter("one") == tomorrow.formerly("one")
    assert today.block("192.0.2.7", 1) == today.block("192.0.2.99", 1) != today.block("192.0.2.7", 2)
    assert today.block("192.0.2.7", 1) != tomorrow.block("192.0.2.7", 1)


def test_after_six_hours_the_day_before_is_unknown_also_to_a_process_that_knew_it(instance: Instance) -> None:
    keyring = instance.keyring
    keyring.at(MIDNIGHT - HOUR)
    assert keyring.at(MIDNIGHT + 5.9 * HOUR).former is not None
    assert keyring.at(MIDNIGHT + 6 * HOUR).former is None
    forget(instance.store, MIDNIGHT + 6 * HOUR)
    assert Keyring(instance.store, instance.key).at(MIDNIGHT + HOUR).former is None


def test_two_processes_hash_alike_and_the_store_alone_is_not_enough(instance: Instance) -> None:
    same, other = (Keyring(instance.store, key).at(MIDNIGHT) for key in (instance.key, b"another secret"))
    assert same == instance.keyring.at(MIDNIGHT)
    assert same.reporter("one") != other.reporter("one")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.254", True),
        ("192.0.2.1", "192.0.15.1", True),
        ("192.0.2.1", "192.0.16.1", False),
        ("2001:db8:1::1", "2001:db8:ff:ffff::2", True),
        ("2001:db8:1::1", "2001:db8:100::1", False),
        ("::ffff:192.0.2.1", "192.0.2.9", True),
    ],
)
def test_a_block_is_a_20_or_a_40(one: str, other: str, same: bool) -> None:
    hashes = Persons(b"k")
    assert (hashes.block(one, 1) == hashes.block(other, 1)) is same
    assert hashes.block("nonsense", 1) == ""


@pytest.mark.sqlite
def test_a_lock_at_midnight_keeps_one_waiting_and_sends_the_others_away(instance: Instance) -> None:
    store, tomorrow = instance.store, MIDNIGHT + 24 * HOUR
    Keyring(store, b"secret").at(MIDNIGHT)
    ring = Keyring(store, b"secret")
    with closing(sqlite3.connect(store.name, isolation_level=None)) as other, ThreadPoolExecutor(1) as pool:
        other.execute("BEGIN IMMEDIATE")
        assert ring.at(MIDNIGHT)  # the key is there: reading it waits for nobody
        first = pool.submit(ring.at, tomorrow)
        while not ring._lock.locked():
            time.sleep(0.001)
        with pytest.raises(StoreBusy):
            ring.at(tomorrow)
        other.execute("ROLLBACK")
        assert first.result() == ring.at(tomorrow)
