"""`netzlage doctor`: every setting with its origin, one line a check, what to do, nothing changed."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from aggregator.cli.operate import CHECKS
from aggregator.settings import TABLE
from aggregator.store import open_store
from tests.commands import Answer, Run, assert_one_line


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home that is there."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def store(home: Path) -> Path:
    """An SQLite store at head, in its home."""
    open_store(f"sqlite:///{home}/netzlage.sqlite").close()
    return home / "netzlage.sqlite"


def line(answer: Answer, start: str) -> str:
    (found,) = [line for line in answer.out.splitlines() if line.startswith(start)]
    return found


def assert_broken(answer: Answer, check: str, *parts: str) -> None:
    assert_one_line(answer, 1)
    assert check in answer.err
    for part in parts:
        assert part in line(answer, f"broken  {check}: ")


@pytest.mark.sqlite
def test_on_a_new_machine_all_is_well_and_nothing_is_made(run: Run, tmp_path: Path) -> None:
    answer = run("doctor")
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.endswith("Everything else is in order.\n")
    assert "operator, responsible and contact" in line(answer, "to do   impressum: ")
    assert list(tmp_path.iterdir()) == []


def test_who_answers_for_the_site_is_asked_for_until_all_is_said(run: Run) -> None:
    Path("netzlage.toml").write_text('operator = "Ines"\ncontact = "ines@netz.example"', "utf-8")
    assert "set responsible before" in line(run("doctor"), "to do   impressum: ")
    Path("netzlage.toml").write_text('operator = "Ines"\ncontact = "ines@netz.example"\nresponsible = "Ines"', "utf-8")
    assert run("doctor").out.endswith("Everything is in order.\n")
    assert "impressum" not in run("doctor").out.rpartition("feeds:")[2]


def test_each_check_has_one_line(run: Run) -> None:
    lines = run("doctor").out.splitlines()
    assert [found.split()[:2] for found in lines if found.startswith("ok ")] == [["ok", f"{name}:"] for name in CHECKS]
    assert len(lines) == len(TABLE) + len(CHECKS) + 2


def test_every_setting_is_printed_with_value_and_origin(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("netzlage.toml").write_text('operator = "Ines Beispiel"', "utf-8")
    monkeypatch.setenv("NETZLAGE_RATE_LIMITS", "off")
    answer = run("doctor")
    assert [row.name for row in TABLE] == [found.split()[0] for found in answer.out.splitlines()[: len(TABLE)]]
    assert line(answer, "operator").endswith("  Ines Beispiel  (netzlage.toml)")
    assert line(answer, "rate_limits").endswith("  off  (environment (NETZLAGE_RATE_LIMITS))")
    assert line(answer, "redis_url").endswith("  -  (default)")


def test_no_secret_is_printed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETZLAGE_SECRET_KEY", "GEHEIM-1")
    monkeypatch.setenv("NETZLAGE_SMTP_URL", "smtp://ich:GEHEIM-2@mail.example")
    monkeypatch.setenv("NETZLAGE_DATABASE", "mysql://ich:GEHEIM-3@db.example/n")
    answer = run("doctor")
    assert answer.status == 1
    assert "GEHEIM" not in answer.out + answer.err
    assert "smtp://ich:***@mail.example" in answer.out


@pytest.mark.sqlite
def test_a_store_at_head_is_counted(run: Run, store: Path) -> None:
    found = line(run("doctor"), "ok      store")
    assert str(store) in found
    assert "is whole" in found
    assert "0 reports, 0 incidents" in found


@pytest.mark.sqlite
def test_a_database_that_is_empty_yet_is_no_fault(run: Run, home: Path) -> None:
    (home / "netzlage.sqlite").touch()
    assert "is empty" in line(run("doctor"), "ok      store")


@pytest.mark.sqlite
def test_an_older_schema_is_told_and_left_alone(run: Run, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.store.checkup.revisions", lambda read, name: ("0000", "0001"))
    assert "schema 0000; the next command brings it to 0001" in line(run("doctor"), "ok      store")


@pytest.mark.sqlite
def test_a_newer_schema_is_broken(run: Run, store: Path) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert_broken(run("doctor"), "store", "newer", "update Netzlage")


@pytest.mark.sqlite
def test_a_file_that_is_no_database_is_broken(run: Run, home: Path) -> None:
    (home / "netzlage.sqlite").write_text("Ich bin ein Brief. " * 100, "utf-8")
    assert_broken(run("doctor"), "store", str(home / "netzlage.sqlite"), "not a database")


@pytest.mark.sqlite
def test_a_database_with_torn_pages_is_broken(run: Run, store: Path) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'reports'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with store.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)
    assert_broken(run("doctor"), "store", str(store))


@pytest.mark.sqlite
def test_a_database_without_one_of_its_tables_is_broken(run: Run, store: Path) -> None:
    with sqlite3.connect(store) as connection:
        connection.execute("DROP TABLE cube")
    connection.close()
    assert_broken(run("doctor"), "store", "lacks the table cube")


def test_a_home_that_is_a_file_is_broken(run: Run, tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    assert_broken(run("doctor"), "home", "Setting home", "name a folder that can")


def test_a_full_disk_is_broken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.cli.operate.LEAST_SPACE", 10**18)
    assert_broken(run("doctor"), "home", "MB left", "make room")


def test_a_key_that_others_can_read_is_broken(run: Run, home: Path) -> None:
    (home / "secret_key").write_text("abc", "ascii")
    (home / "secret_key").chmod(0o644)
    assert_broken(run("doctor"), "home", f"chmod 600 {home / 'secret_key'}")


def test_a_feeds_file_that_is_not_there_is_broken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETZLAGE_FEEDS", "absent.toml")
    assert_broken(run("doctor"), "feeds", "absent.toml")


def test_a_mistake_in_a_feed_is_broken_and_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("mine.toml").write_text(
        '[[feed]]\nname = "mine"\nformat = "json_records"\nurl = "x.json"\nevry = "1m"\n', "utf-8"
    )
    monkeypatch.setenv("NETZLAGE_FEEDS", "mine.toml")
    assert_broken(run("doctor"), "feeds", "mine", "evry", "did you mean every?")


def test_facts_that_are_not_whole_are_broken(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def nothing() -> Path:
        return tmp_path / "no-data"

    monkeypatch.setattr("aggregator.catalogue.data_folder", nothing)
    monkeypatch.setenv("NETZLAGE_FEEDS", "absent.toml")
    answer = run("doctor")
    assert_broken(answer, "data")
    assert answer.err == "Broken: data, feeds; the lines above say what to do.\n"
