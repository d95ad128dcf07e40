"""Opening: every database ends at head or is refused in one sentence; writers wait, readers see one state."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Index, Text, inspect

from aggregator.errors import StoreError
from aggregator.store import Store, meta, open_store
from aggregator.store.schema import metadata
from tests.stores import ON_SQLITE


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def test_a_fresh_database_has_exactly_the_tables_of_the_schema(store: Store) -> None:
    with store.read() as connection:

        def ours(thing: Any, *_rest: object) -> bool:
            return not isinstance(thing, Index) or runs_on(connection, thing)

        context = MigrationContext.configure(connection, opts={"include_object": ours})
        assert compare_metadata(context, metadata) == []


def runs_on(connection: Connection, index: Index) -> bool:
    """Say whether this database is meant to have the index: Alembic does not ask."""
    only = index._ddl_if
    return only is None or only.dialect == connection.dialect.name


def test_text_is_ordered_alike_whatever_language_the_server_speaks(store: Store) -> None:
    with store.read() as connection:
        found = inspect(connection)
        tables = found.get_multi_columns().items()
        columns = [(table, c["name"], c["type"]) for (_, table), some in tables for c in some]
        columns = [one for one in columns if one[0] in metadata.tables]
    texts = [(table, name, kind) for table, name, kind in columns if isinstance(kind, Text)]
    wanted = "C" if store.url.startswith("postgresql") else None
    assert len(texts) > 100
    assert [(table, name) for table, name, kind in texts if kind.collation != wanted] == []


def test_an_old_database_is_opened_again_with_what_it_holds(tmp_path: Path) -> None:
    first = open_store(url(tmp_path / "a.sqlite"))
    with first.write() as connection:
        meta.put(connection, "name", "value")
    first.close()
    second = open_store(url(tmp_path / "a.sqlite"))
    with second.read() as connection:
        assert meta.get(connection, "name") == "value"
    second.close()


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").touch()
    open_store(url(tmp_path / "a.sqlite")).close()


def test_a_database_of_a_newer_version_is_left_alone(store: Store) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match=r"newer Netzlage .*9999.*update Netzlage"):
        open_store(store.url)


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.sqlite").write_text("This is a letter, not a database. " * 50)
    with pytest.raises(StoreError, match=r"a\.sqlite is not a database"):
        open_store(url(tmp_path / "a.sqlite"))


def test_the_database_of_another_program_gets_no_tables_of_ours(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    with pytest.raises(StoreError, match="another program"):
        open_store(url(tmp_path / "a.sqlite"))
    assert [row[0] for row in connection.execute("SELECT name FROM sqlite_master")] == ["songs"]
    connection.close()


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("sqlite://", "in memory"),
        ("sqlite:////nowhere/at/all/a.sqlite", "folder /nowhere/at/all"),
        ("not a url", "not an SQLAlchemy URL"),
        ("mongodb://host/base", "No driver"),
    ],
)
def test_an_address_that_cannot_be_used_is_told_in_one_sentence(address: str, sentence: str) -> None:
    with pytest.raises(StoreError, match=sentence):
        open_store(address)


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def fail() -> None:
        with store.write() as connection:
            meta.put(connection, "name", "value")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with store.read() as connection:
        assert meta.get(connection, "name") is None


def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(StoreError), store.read() as connection:
        meta.put(connection, "name", "value")


def test_a_reader_sees_one_state_while_others_write(store: Store) -> None:
    with store.read() as reader:
        assert meta.get(reader, "name") is None
        with store.write() as writer:
            meta.put(writer, "name", "value")
        assert meta.get(reader, "name") is None


def test_writers_that_read_first_wait_for_one_another(store: Store) -> None:
    def count() -> None:
        for _ in range(20):
            with store.write() as connection:
                meta.put(connection, "n", str(int(meta.get(connection, "n") or 0) + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with store.read() as connection:
        assert meta.get(connection, "n") == "80"


def test_many_may_open_a_fresh_database_at_once(empty: str) -> None:
    failed: list[Exception] = []

    def work() -> None:
        try:
            open_store(empty).close()
        except StoreError as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


@ON_SQLITE
def test_what_was_committed_survives_a_power_cut(store: Store) -> None:
    with store.read() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert pragmas == ["wal", 2, 1, 10000]
