"""A store moves while it is in use: whatever changes meanwhile arrives, whoever is stopped goes on, nothing differs."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import delete, insert, select, update

from aggregator.errors import StoreError
from aggregator.store import Store, meta, open_store, reports
from aggregator.store.copying import move, rows
from aggregator.store.copying.rows import Passed
from aggregator.store.schema import metadata
from tests import stores
from tests.making import report
from tests.store import filling
from tests.store.keeping import quietly

FEW: Final = range(7)
NOT_KEYS: Final = {table: [c for c in table.c if not c.primary_key and not c.foreign_keys] for table in rows.TABLES}


@pytest.fixture
def old(tmp_path: Path) -> Iterator[Store]:
    """A store in SQLite with seven rows in each table."""
    (tmp_path / "old").mkdir()
    store = open_store(old_url(tmp_path))
    with store.write() as connection:
        filling.fill(connection, rows.TABLES, FEW)
    yield store
    store.close()


def old_url(folder: Path) -> str:
    return stores.address(folder / "old", stores.SQLITE)


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(move, "STEP", 5)


def content(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Return every row but what a move notes of itself."""
    with store.read() as connection:
        held = filling.held(connection, rows.TABLES)
    held["meta"] = [row for row in held["meta"] if not row["name"].startswith("move:")]
    return held


def arrived(url: str) -> dict[str, list[dict[str, Any]]]:
    store = open_store(url)
    found = content(store)
    store.close()
    return found


def meanwhile(act: Callable[[int], object], during: str = "copy") -> move.Steps:
    """Return steps in which `act` is done after each step of the part `during`."""
    number = iter(range(10**6))

    @contextmanager
    def steps(name: str) -> Iterator[Passed]:
        yield lambda _done, _total: act(next(number)) if name == during else None

    return steps


def test_every_row_arrives_and_the_old_database_says_where_to(old: Store, tmp_path: Path, empty: str) -> None:
    before = content(old)
    found = move.move(old_url(tmp_path), empty, quietly)
    assert set(found.rows.values()) == {7}
    assert arrived(empty) == before
    new = open_store(empty)
    with new.write() as connection:  # numbers go on behind those that arrived
        at = filling.moment(0)
        connection.execute(
            insert(metadata.tables["heard"]), [{"source": "x", "listened_from": at, "listened_until": at}]
        )
    with (
        pytest.raises(StoreError, match=r"has moved to .*set `database` to that address") as told,
        old.write() as connection,
    ):
        reports.add(connection, [report("late")])
    assert new.name in str(told.value)
    assert told.value.state == "the database has moved"
    with pytest.raises(StoreError, match="has moved to"):
        open_store(old_url(tmp_path))
    assert content(old) == before
    new.close()


def change_something(store: Store, chance: random.Random, number: int) -> None:
    """Add, change and delete rows of random tables, in the order that their references allow."""
    with store.write() as connection:
        for table in chance.sample(rows.TABLES, 8):
            values = {c.name: filling.rows(table, [chance.randrange(1000)])[0][c.name] for c in NOT_KEYS[table]}
            if values:
                keys = [None, *connection.execute(select(rows.key_of(table)[0])).scalars()]
                key = chance.choice([key for key in keys if not str(key).startswith("move:")])
                connection.execute(update(table).where(rows.key_of(table)[0] == key), values)
        filling.fill(connection, rows.TABLES, [100 + number])
        gone = chance.choice([*FEW, *range(100, 100 + number + 1)])
        for table in reversed(rows.TABLES):
            row = filling.rows(table, [gone])[0]
            connection.execute(delete(table).where(*(c == row[c.name] for c in rows.key_of(table))))


@pytest.mark.parametrize("seed", range(3))
def test_what_is_added_changed_and_deleted_meanwhile_arrives_too(
    old: Store, tmp_path: Path, empty: str, seed: int
) -> None:
    chance = random.Random(seed)
    acts: list[int] = []

    def act(number: int) -> None:
        if chance.random() < 0.4 and len(acts) < 12:
            acts.append(number)
            change_something(old, chance, number)

    move.move(old_url(tmp_path), empty, meanwhile(act))
    assert len(acts) > 5
    assert arrived(empty) == content(old)


def test_what_changes_while_all_is_compared_arrives_too(old: Store, tmp_path: Path, empty: str) -> None:
    chance = random.Random(7)

    def act(number: int) -> None:
        if number < 3:
            change_something(old, chance, number)

    move.move(old_url(tmp_path), empty, meanwhile(act, "compare"))
    assert arrived(empty) == content(old)


def test_stopped_again_and_again_it_goes_on_where_it_was(old: Store, tmp_path: Path, empty: str) -> None:
    chance = random.Random(3)
    stops, seen = 0, []

    def act(number: int) -> None:
        seen.append(number)
        if number >= 3:
            raise KeyboardInterrupt

    for stops in range(1, 100):
        try:
            move.move(old_url(tmp_path), empty, meanwhile(act))
        except KeyboardInterrupt:
            if stops % 4 == 0:
                change_something(old, chance, stops)
        else:
            break
    assert 5 < stops < 99
    assert arrived(empty) == content(old)


KILLED = """
import os, signal, sys
from contextlib import contextmanager
from aggregator.store.copying import journal, move
move.STEP = 5
kill = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
when = sys.argv[3]
number = iter(range(1000))
if when == "new is complete":
    journal.refuse = kill
if when == "old is marked":
    move.meta.drop = kill
@contextmanager
def steps(name):
    yield lambda done, total: kill() if name == when and next(number) == 9 else None
move.move(sys.argv[1], sys.argv[2], steps)
"""


@pytest.mark.parametrize("when", ["copy", "compare", "new is complete", "old is marked"])
def test_killed_at_any_moment_it_goes_on_and_nothing_differs(old: Store, tmp_path: Path, empty: str, when: str) -> None:
    before = content(old)
    command = [sys.executable, "-c", KILLED, old_url(tmp_path), empty, when]
    done = subprocess.run(command, check=False, timeout=120, env=dict(os.environ))
    assert done.returncode == -signal.SIGKILL
    with pytest.raises(StoreError, match=r"not filled yet .* run `netzlage migrate-store` again"):
        open_store(empty)
    if when != "old is marked":
        change_something(old, random.Random(1), 1)
        before = content(old)
    move.move(old_url(tmp_path), empty, quietly)
    assert arrived(empty) == before


def test_reports_that_were_acknowledged_while_it_moved_are_there(old: Store, tmp_path: Path, empty: str) -> None:
    kept, told = [], []
    begun = threading.Event()

    def write() -> None:
        for number in range(10**6):
            try:
                with old.write() as connection:
                    reports.add(connection, [report(f"during {number}", reporter=f"somebody {number}")])
            except StoreError as error:
                told.append(str(error))
                return
            kept.append(f"during {number}")
            begun.set()
            threading.Event().wait(0.02)  # as fast as this test's steps of five rows can follow

    writer = threading.Thread(target=write)
    writer.start()
    begun.wait(10)
    move.move(old_url(tmp_path), empty, quietly)
    writer.join(20)
    assert len(told) == 1
    assert "has moved to" in told[0]
    there = {row["report_id"] for row in arrived(empty)["reports"]}
    assert {report_id for report_id in there if report_id.startswith("during")} == set(kept)


def test_what_arrived_otherwise_is_found_and_the_old_database_stays_in_use(
    old: Store, tmp_path: Path, empty: str
) -> None:
    def spoil(_number: int) -> None:
        new = open_store(empty, moving=True)
        with new.write() as connection:
            connection.execute(update(metadata.tables["incidents"]).values(reports=99))
        new.close()

    with pytest.raises(StoreError, match=r"differs \(incidents\); the old database stays in use"):
        move.move(old_url(tmp_path), empty, meanwhile(spoil))
    with old.write() as connection:
        assert reports.add(connection, [report("late")]).duplicate == 0


def test_done_twice_the_second_time_says_the_same(old: Store, tmp_path: Path, empty: str) -> None:
    first = move.move(old_url(tmp_path), empty, quietly)
    assert move.move(old_url(tmp_path), empty, quietly) == first


def test_given_up_the_old_database_is_used_as_before(old: Store, tmp_path: Path, empty: str) -> None:
    before = content(old)
    with pytest.raises(KeyboardInterrupt):
        move.move(old_url(tmp_path), empty, meanwhile(stop))
    assert move.give_up(old_url(tmp_path))
    assert not move.give_up(old_url(tmp_path))
    open_store(old_url(tmp_path)).close()
    with old.read() as connection:
        left = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE name LIKE 'move%'").all()
    assert left == []
    assert content(old) == before
    with pytest.raises(StoreError, match="half filled by another move"):
        move.move(old_url(tmp_path), empty, quietly)


def stop(number: int) -> None:
    if number > 4:
        raise KeyboardInterrupt


def test_a_moved_database_comes_back_into_use(old: Store, tmp_path: Path, empty: str) -> None:
    move.move(old_url(tmp_path), empty, quietly)
    assert move.give_up(old_url(tmp_path))
    with old.write() as connection:
        meta.put(connection, "name", "value")


def test_a_database_that_holds_data_is_not_moved_into(old: Store, tmp_path: Path, database: str) -> None:
    new = open_store(database)
    with new.write() as connection:
        reports.add(connection, [report("other")])
    with pytest.raises(StoreError, match=r"holds data .*name an empty one"):
        move.move(old_url(tmp_path), database, quietly)
    with new.read() as connection:
        assert rows.counts(connection)["reports"] == 1
    new.close()


def test_two_moves_into_one_database_do_not_mix(old: Store, tmp_path: Path, empty: str) -> None:
    with pytest.raises(KeyboardInterrupt):
        move.move(old_url(tmp_path), empty, meanwhile(stop))
    (tmp_path / "third").mkdir()
    third = stores.address(tmp_path / "third", stores.SQLITE)
    open_store(third).close()
    with pytest.raises(StoreError, match="half filled by another move"):
        move.move(third, empty, quietly)


def test_what_cannot_be_moved_is_told(old: Store, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="same database"):
        move.move(old_url(tmp_path), old_url(tmp_path), quietly)
    with pytest.raises(StoreError, match="There is no database"):
        move.move(f"sqlite:///{tmp_path / 'none.sqlite'}", old_url(tmp_path), quietly)
    with pytest.raises(StoreError, match="Only an SQLite database"):
        move.move("postgresql+psycopg://nobody@127.0.0.1:1/x", old_url(tmp_path), quietly)
