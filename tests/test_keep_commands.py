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
