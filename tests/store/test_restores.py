"""A backup is checked before anything changes, put back whole, forgotten and counted, or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from aggregator import backups
from aggregator.errors import NetzlageError, StoreError
from aggregator.store import Store, open_store
from aggregator.store.copying import archive, rows, snapshot
from aggregator.store.schema import comments, metadata
from tests import stores
from tests.making import report
from tests.store import filling
from tests.store.keeping import (
    DAY,
    NOW,
    a_letter,
    another,
    backup,
    content,
    cut,
    damaged,
    failing_at,
    gone,
    keep,
    newer,
    of_a_newer_schema,
    of_another_checksum,
    of_another_count,
    of_another_program,
    of_another_sum,
    restore,
    some,
)
from tests.store.test_migrations import RELEASED, at_revision


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


KILLED = """
import os, signal, sys
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from aggregator import backups
kill = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
when = sys.argv[3]
if when == "replace":
    os.replace = kill
@contextmanager
def steps(name):
    yield kill if name == when else lambda *_: None
now = datetime.fromisoformat(sys.argv[4])
backups.restore(Path(sys.argv[1]), sys.argv[2], now, over=True, steps=steps)
"""


@pytest.mark.parametrize("when", ["unpack", "last"])
def test_a_restore_that_is_killed_leaves_the_former_state_and_can_be_done_again(
    store: Store, database: str, tmp_path: Path, when: str
) -> None:
    keep(store, *some(3))
    backup(store, tmp_path / "b")
    keep(store, report("later", 30))
    before = content(store)
    store.close()
    last = "replace" if database.startswith("sqlite") else "put back"
    words = [str(tmp_path / "b"), database, last if when == "last" else when, NOW.isoformat()]
    done = subprocess.run([sys.executable, "-c", KILLED, *words], check=False, timeout=120, env=dict(os.environ))
    assert done.returncode == -signal.SIGKILL
    again = open_store(database)
    assert content(again) == before
    again.close()
    assert restore(tmp_path / "b", database, over=True).rows["reports"] == 3
    assert list(tmp_path.glob(".*restore")) == []


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


@stores.ON_SQLITE
def test_a_place_where_the_former_name_is_taken_gets_another(store: Store, database: str, tmp_path: Path) -> None:
    keep(store, *some(1))
    backup(store, tmp_path / "b")
    store.close()
    names = [restore(tmp_path / "b", database, over=True).former for _ in range(3)]
    assert len(set(names)) == 3
