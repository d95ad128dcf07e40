"""A backup is whole and consistent, holds no keys, and is put back whole, forgotten and counted, or not at all."""

from __future__ import annotations

import resource
import threading
import time
from datetime import UTC
from pathlib import Path

import pytest

from aggregator import backups
from aggregator.errors import DataError, NetzlageError
from aggregator.store import Store, daykeys, open_store
from aggregator.store.copying import archive, rows, snapshot
from aggregator.store.schema import metadata
from tests import stores
from tests.making import report
from tests.store import filling
from tests.store.keeping import DAY, NOW, another, backup, content, failing_at, keep, restore, some, unpacked


@pytest.mark.postgresql
@pytest.mark.parametrize("target", [stores.SQLITE, stores.POSTGRESQL])
def test_every_row_of_every_table_comes_back_on_either_engine(store: Store, tmp_path: Path, target: str) -> None:
    with store.write() as connection:
        filling.fill(connection, rows.TABLES, range(7))
    backup(store, tmp_path / "b")
    found = restore(tmp_path / "b", another(tmp_path, target), filling.MORNING)
    again = open_store(stores.address(tmp_path / "another", target, empty=True))
    assert content(again) == content(store)
    assert found.rows["incidents"] == 7
    with again.write() as connection:  # new rows get numbers behind those that came back
        connection.execute(
            metadata.tables["heard"].insert(), [{"source": "x", "listened_from": NOW, "listened_until": NOW}]
        )
    again.close()


def test_the_keys_of_the_day_and_who_was_counted_are_not_in_it(store: Store, tmp_path: Path) -> None:
    keep(store, *some(3))
    with store.write() as connection:
        key = daykeys.make(connection, NOW.date())
        filling.fill(connection, [metadata.tables[name] for name in ("confirmations", "reporters")], range(3))
    backup(store, tmp_path / "b")
    file = unpacked(tmp_path / "b", tmp_path / "x")
    assert key not in file.read_bytes()
    assert b"address_hash 00001" not in file.read_bytes()
    counts = snapshot.tables(file)
    assert counts["reports"] == 3
    assert {name: counts[name] for name in snapshot.LEFT_OUT} == dict.fromkeys(snapshot.LEFT_OUT, 0)


def test_it_shows_one_moment_while_others_write_and_nobody_waits(store: Store, tmp_path: Path) -> None:
    keep(store, *some(3000))
    stop, waits, written = threading.Event(), [0.0], [0]

    def write() -> None:
        while not stop.is_set():
            since = time.monotonic()
            keep(store, report(f"later{written[0]}", 60))
            written[0] += 1
            waits.append(time.monotonic() - since)

    writer = threading.Thread(target=write)
    writer.start()
    while written[0] < 5:
        stop.wait(0.01)
    made = [backup(store, tmp_path / f"b{n}") for n in range(3)]
    during = written[0]
    stop.set()
    writer.join()
    assert during > 5
    assert max(waits) < 5
    assert [m.cube for m in made] == [m.counted for m in made] == sorted(m.rows["reports"] for m in made)
    assert made[0].cube >= 3005
    for n in range(3):
        assert snapshot.sums(unpacked(tmp_path / f"b{n}", tmp_path / f"x{n}")) == (made[n].cube, made[n].cube)


@pytest.mark.parametrize("step", ["copy", "checksum", "pack"])
def test_a_backup_that_is_stopped_leaves_the_former_one(store: Store, tmp_path: Path, step: str) -> None:
    keep(store, *some(3))
    backup(store, tmp_path / "b")
    before = (tmp_path / "b").read_bytes()
    with failing_at(step) as steps, pytest.raises(KeyboardInterrupt):
        backups.backup(store, tmp_path / "b", NOW + DAY, steps)
    assert (tmp_path / "b").read_bytes() == before
    assert [path.name for path in tmp_path.glob(".b*")] == []


def test_what_a_kill_has_left_behind_goes_with_the_next_backup(store: Store, tmp_path: Path) -> None:
    (tmp_path / ".b.part").mkdir()
    (tmp_path / ".b.part" / archive.DATABASE).write_text("half")
    backup(store, tmp_path / "b")
    assert not (tmp_path / ".b.part").exists()


def test_only_its_owner_reads_a_backup(store: Store, tmp_path: Path) -> None:
    backup(store, tmp_path / "b")
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o600


def test_a_backup_where_nothing_can_be_written_is_told(store: Store, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="name another file"):
        backup(store, tmp_path / "nowhere" / "b")


@pytest.mark.parametrize("room", [0, 50_000, 500_000])
def test_a_full_disk_leaves_the_former_backup_and_is_told(store: Store, tmp_path: Path, room: int) -> None:
    keep(store, *some(3000))
    backup(store, tmp_path / "b")
    before = (tmp_path / "b").read_bytes()
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, most))
    try:
        with pytest.raises(NetzlageError, match=r"cannot be written|disk"):
            backup(store, tmp_path / "b")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    assert (tmp_path / "b").read_bytes() == before
    assert list(tmp_path.glob(".b*")) == []


def test_the_store_knows_when_its_last_backup_was_made(store: Store, database: str, tmp_path: Path) -> None:
    assert backups.last_made(database) is None
    backup(store, tmp_path / "b", NOW.replace(microsecond=0))
    assert backups.last_made(database) == NOW.replace(microsecond=0, tzinfo=UTC)
    assert backups.last_made(f"sqlite:///{tmp_path / 'none.sqlite'}") is None
