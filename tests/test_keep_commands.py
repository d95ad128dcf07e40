"""`backup`, `restore` and what `doctor` says of them, as a person runs them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aggregator.backups import MADE_AT
from aggregator.store import Store, meta, open_store, reports
from tests import stores
from tests.commands import Run, assert_one_line
from tests.making import report
from tests.test_operate import assert_broken, line


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A store with two reports, where the commands look for it."""
    (tmp_path / "home").mkdir()
    url = stores.address(tmp_path / "home")
    monkeypatch.setenv("NETZLAGE_DATABASE", url)
    opened = open_store(url)
    with opened.write() as connection:
        reports.add(connection, [report("a"), report("b")])
    return opened


def add(store: Store, name: str) -> None:
    with store.write() as connection:
        reports.add(connection, [report(name)])


def test_a_backup_is_made_while_the_store_is_open_and_put_back_when_it_is_not(run: Run, store: Store) -> None:
    made = run("backup", "netzlage.backup")
    assert (made.status, made.err) == (0, "")
    assert "2 reports" in made.out
    assert "delete old backups" in made.out
    add(store, "c")
    assert_one_line(run("restore", "netzlage.backup"), 1)
    busy = run("restore", "netzlage.backup", "--replace")
    assert_one_line(busy, 1)
    assert "stop the service" in busy.err
    store.close()
    back = run("restore", "netzlage.backup", "--replace")
    assert (back.status, back.err) == (0, "")
    assert "2 reports" in back.out
    assert "The cube sums up to 2, reports that count: 2." in back.out
    assert "Forgotten since then: 0 reporters, 0 address blocks, 2 places" in back.out


@pytest.mark.sqlite
def test_a_backup_is_put_back_on_a_new_machine(run: Run, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    run("backup", "netzlage.backup")
    store.close()
    monkeypatch.delenv("NETZLAGE_DATABASE")
    monkeypatch.setenv("NETZLAGE_HOME", "elsewhere")
    assert run("restore", "netzlage.backup").status == 0
    assert "2 reports" in line(run("doctor"), "ok      store: ")


@pytest.mark.parametrize("words", [("backup",), ("restore",), ("restore", "there", "--perhaps")])
def test_wrong_use_is_told(run: Run, words: tuple[str, ...]) -> None:
    assert_one_line(run(*words), 2)


def test_a_file_that_is_no_backup_is_told(run: Run) -> None:
    Path("letter").write_text("Dear Netzlage")
    assert_one_line(run("restore", "letter"), 1)
    assert_one_line(run("restore", "nothing"), 1)


def test_the_doctor_says_how_old_the_last_backup_is(run: Run, store: Store) -> None:
    assert "none yet; `netzlage backup FILE`" in line(run("doctor"), "ok      backup: ")
    run("backup", "netzlage.backup")
    assert "the last one is from" in line(run("doctor"), "ok      backup: ")
    with store.write() as connection:
        meta.put(connection, MADE_AT, (datetime.now(UTC) - timedelta(days=12)).isoformat())
    store.close()
    assert_broken(run("doctor"), "backup", "12 days old", "run `netzlage backup FILE`")


@pytest.mark.postgresql
def test_a_store_moves_by_one_command_and_everybody_is_told(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
    old = stores.address(tmp_path / "old", stores.SQLITE)
    new = stores.address(tmp_path / "new", stores.POSTGRESQL, empty=True)
    store = open_store(old)
    add(store, "a")
    moved = run("migrate-store", old, new)
    assert (moved.status, moved.err) == (0, "")
    assert "Moved: 1 reports" in moved.out
    assert "set `database` to the new one" in moved.out
    monkeypatch.setenv("NETZLAGE_DATABASE", old)
    assert "has moved to postgresql+psycopg://" in line(run("doctor"), "broken  store: ")
    assert_one_line(run("refresh"), 1)
    monkeypatch.setenv("NETZLAGE_DATABASE", new)
    assert "1 reports" in line(run("doctor"), "ok      store: ")
    assert "used as before" in run("migrate-store", old, new, "--give-up").out
    add(store, "b")
    store.close()
    assert_one_line(run("migrate-store", old, new, "--give-up"), 1)


def test_a_move_that_cannot_be_is_told(run: Run, tmp_path: Path) -> None:
    for words in (
        ("sqlite:///nothing.sqlite", "sqlite:///other.sqlite"),
        ("postgresql+psycopg://x", "sqlite:///o.sqlite"),
    ):
        assert_one_line(run("migrate-store", *words), 1)
    assert not (tmp_path / "nothing.sqlite").exists()
    assert_one_line(run("migrate-store", "sqlite:///nothing.sqlite"), 2)
