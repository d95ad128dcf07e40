"""A backup is whole and consistent, holds no keys, and is put back whole, forgotten and counted, or not at all."""

from __future__ import annotations

import sqlite3
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from aggregator import backups
from aggregator.errors import DataError, NetzlageError, StoreError
from aggregator.store import Store, daykeys, open_store, reports
from aggregator.store.copying import archive, rows, snapshot
from aggregator.store.copying.rows import Passed
from aggregator.store.schema import comments, metadata
from tests import stores
from tests.making import SATURDAY, report
from tests.store import filling
from tests.store.test_migrations import RELEASED, at_revision

NOW = SATURDAY + timedelta(hours=1)
DAY = timedelta(days=1)


@contextmanager
def quietly(_step: str) -> Iterator[Passed]:
    yield lambda _done, _total: None


def content(store: Store) -> dict[str, list[dict[str, Any]]]:
    with store.read() as connection:
        held = filling.held(connection, rows.TABLES)
    held["meta"] = [row for row in held["meta"] if row["name"] != backups.MADE_AT]
    return {name: some for name, some in held.items() if name not in snapshot.LEFT_OUT}


def keep(store: Store, *given: Any) -> None:
    with store.write() as connection:
        reports.add(connection, given)


def some(number: int, **values: Any) -> list[Any]:
    return [report(f"r{i}", i / 60, reporter=f"person{i}", comment=f"words {i}", **values) for i in range(number)]


def backup(store: Store, path: Path, now: datetime = NOW) -> archive.Manifest:
    return backups.backup(store, path, now, quietly)


def restore(path: Path, url: str, now: datetime = NOW, *, over: bool = False) -> backups.Restored:
    return backups.restore(path, url, now, over=over, steps=quietly)


def unpacked(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path) as file:
        return Path(file.extract(archive.DATABASE, folder))


def another(folder: Path, kind: str) -> str:
    (folder / "another").mkdir()
    return stores.address(folder / "another", kind, empty=True)


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


@contextmanager
def failing_at(step: str) -> Iterator[Any]:
    """Give steps of which one is stopped in the middle by Ctrl-C."""

    @contextmanager
    def steps(name: str) -> Iterator[Passed]:
        def passed(_done: int, _total: int) -> None:
            if name == step:
                raise KeyboardInterrupt

        yield passed

    yield steps


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


def damaged(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 1
    path.write_bytes(whole)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def a_letter(path: Path) -> None:
    path.write_text("Dear Netzlage")


def gone(path: Path) -> None:
    path.unlink()


def of_another_program(path: Path) -> None:
    path.unlink()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("manifest.json", "[]")
        file.writestr(archive.DATABASE, "")


def anew(path: Path, **values: Any) -> None:
    """Write the backup again with other values in its manifest."""
    manifest, folder = archive.look(path), path.parent / "anew"
    unpacked(path, folder)
    path.unlink()
    archive.pack(folder / archive.DATABASE, replace(manifest, **values), path, lambda _: None)


def newer(path: Path) -> None:
    anew(path, form=99)


def of_another_count(path: Path) -> None:
    anew(path, rows={**archive.look(path).rows, "reports": 4})


def of_another_sum(path: Path) -> None:
    anew(path, cube=77)


def of_another_checksum(path: Path) -> None:
    anew(path, sha256="0" * 64)


def of_a_newer_schema(path: Path) -> None:
    folder = path.parent / "newer"
    with closing(sqlite3.connect(unpacked(path, folder))) as file, file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
    manifest = archive.look(path)
    sha256 = archive.digest(folder / archive.DATABASE, lambda _: None)
    path.unlink()
    archive.pack(folder / archive.DATABASE, replace(manifest, schema="9999", sha256=sha256), path, lambda _: None)


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (damaged, "damaged"),
        (cut, "not a whole backup"),
        (a_letter, "not a whole backup"),
        (gone, "cannot be read"),
        (of_another_program, "not a backup"),
        (newer, "newer Netzlage"),
        (of_another_count, "does not hold what its manifest says"),
        (of_another_sum, "does not hold what its manifest says"),
        (of_another_checksum, "its checksum is another"),
        (of_a_newer_schema, "newer Netzlage"),
    ],
)
@stores.ON_SQLITE
def test_a_file_that_is_not_what_it_claims_changes_nothing(
    store: Store, database: str, tmp_path: Path, harm: Any, sentence: str
) -> None:
    keep(store, *some(3))
    backup(store, tmp_path / "b")
    before = content(store)
    store.close()
    harm(tmp_path / "b")
    with pytest.raises(NetzlageError, match=sentence):
        restore(tmp_path / "b", database, over=True)
    again = open_store(database)
    assert content(again) == before
    again.close()
    assert list(tmp_path.glob(".netzlage*")) == []


def test_data_is_replaced_only_when_told_and_kept_aside_on_sqlite(store: Store, database: str, tmp_path: Path) -> None:
    keep(store, *some(3))
    backup(store, tmp_path / "b")
    keep(store, report("later", 30))
    store.close()
    with pytest.raises(StoreError, match=r"holds data .* say --replace"):
        restore(tmp_path / "b", database)
    found = restore(tmp_path / "b", database, over=True)
    again = open_store(database)
    with again.read() as connection:
        assert rows.counts(connection)["reports"] == found.rows["reports"] == 3
    again.close()
    if found.former is not None:
        former = open_store(f"sqlite:///{found.former}")
        with former.read() as connection:
            assert rows.counts(connection)["reports"] == 4
        former.close()
    assert (found.former is None) == database.startswith("postgresql")


def test_a_database_that_anybody_has_open_is_left_alone(store: Store, database: str, tmp_path: Path) -> None:
    keep(store, *some(3))
    backup(store, tmp_path / "b")
    keep(store, report("later", 30))
    with store.read() as reader:
        reader.execute(select(1))
        with pytest.raises(StoreError, match=r"in use.*stop the service"):
            restore(tmp_path / "b", database, over=True)
    with store.read() as connection:
        assert rows.counts(connection)["reports"] == 4
    store.close()
    assert restore(tmp_path / "b", database, over=True).rows["reports"] == 3


def test_a_restore_that_is_stopped_leaves_the_former_state(store: Store, database: str, tmp_path: Path) -> None:
    keep(store, *some(3))
    backup(store, tmp_path / "b")
    keep(store, report("later", 30))
    before = content(store)
    store.close()
    for step in ["unpack"] if database.startswith("sqlite") else ["unpack", "put back"]:  # there it is one rename
        with failing_at(step) as steps, pytest.raises(KeyboardInterrupt):
            backups.restore(tmp_path / "b", database, NOW, over=True, steps=steps)
        again = open_store(database)
        assert content(again) == before
        again.close()


@stores.ON_SQLITE
def test_a_damaged_database_can_be_replaced_with_its_log(store: Store, database: str, tmp_path: Path) -> None:
    keep(store, *some(3))
    backup(store, tmp_path / "b")
    store.close()
    file = tmp_path / "netzlage.sqlite"
    file.write_bytes(b"not a database at all" * 1000)
    Path(f"{file}-wal").write_bytes(b"an old log")
    with pytest.raises(StoreError, match="say --replace"):
        restore(tmp_path / "b", database)
    found = restore(tmp_path / "b", database, over=True)
    assert found.former is not None
    assert found.former.read_bytes().startswith(b"not a database")
    again = open_store(database)
    with again.read() as connection:
        assert rows.counts(connection)["reports"] == 3
    again.close()


def test_what_should_be_forgotten_since_then_is_before_anybody_reads_it(
    store: Store, database: str, tmp_path: Path
) -> None:
    keep(store, *some(3, block="block"))
    backup(store, tmp_path / "b")
    store.close()
    found = restore(tmp_path / "b", database, NOW + 100 * DAY, over=True)
    assert (found.forgotten.reporters, found.forgotten.places, found.forgotten.comments) == (3, 3, 3)
    again = open_store(database)
    with again.read() as connection:
        kept = connection.execute(select(metadata.tables["reports"])).all()
        assert {(row.reporter, row.plz) for row in kept} == {("-", "")}
        assert connection.execute(select(comments)).all() == []
    again.close()
    if database.startswith("sqlite"):
        assert b"words 1" not in (tmp_path / "netzlage.sqlite").read_bytes()
        assert b"person1" not in (tmp_path / "netzlage.sqlite").read_bytes()


@pytest.mark.parametrize("empty", [stores.SQLITE], indirect=True)
@pytest.mark.parametrize("revision", [RELEASED[0], RELEASED[4]])
def test_a_backup_of_an_older_netzlage_comes_back_at_the_present_schema(
    empty: str, tmp_path: Path, revision: str
) -> None:
    old = at_revision(empty, revision)
    with old.read() as connection:
        before = filling.held(connection, filling.found(connection))["incidents"]
    file = tmp_path / archive.DATABASE
    snapshot.take(old, file, lambda _done, _total: None)
    old.close()
    sums, size = snapshot.sums(file), file.stat().st_size
    sha256 = archive.digest(file, lambda _: None)
    manifest = archive.Manifest(NOW.isoformat(), "0.0.1", revision, snapshot.tables(file), *sums, size, sha256)
    archive.pack(file, manifest, tmp_path / "b", lambda _: None)
    url = another(tmp_path, stores.SQLITE)
    restore(tmp_path / "b", url, filling.MORNING)
    again = open_store(url)
    with again.read() as connection:
        after = filling.held(connection, filling.found(connection))["incidents"]
    again.close()
    assert [{name: row[name] for name in before[0]} for row in after] == before


def test_the_store_knows_when_its_last_backup_was_made(store: Store, database: str, tmp_path: Path) -> None:
    assert backups.last_made(database) is None
    backup(store, tmp_path / "b", NOW.replace(microsecond=0))
    assert backups.last_made(database) == NOW.replace(microsecond=0, tzinfo=UTC)
    assert backups.last_made(f"sqlite:///{tmp_path / 'none.sqlite'}") is None


@stores.ON_SQLITE
def test_a_place_where_the_former_name_is_taken_gets_another(store: Store, database: str, tmp_path: Path) -> None:
    keep(store, *some(1))
    backup(store, tmp_path / "b")
    store.close()
    names = [restore(tmp_path / "b", database, over=True).former for _ in range(3)]
    assert len(set(names)) == 3
