"""From every schema that was ever released to the present one: nothing is lost, and half a way is none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, inspect

from aggregator.errors import StoreError
from aggregator.store import Store, open_store
from aggregator.store.copying import rows
from aggregator.store.engine import connect
from aggregator.store.migrate import head, schemas
from aggregator.store.upgrade import config, upgrade
from tests.store import filling

SCRIPTS = ScriptDirectory.from_config(config())
RELEASED = [str(script.revision) for script in reversed(list(SCRIPTS.walk_revisions()))]
HEAD = str(SCRIPTS.get_current_head())
NUMBERS = range(7)


def at_revision(url: str, revision: str) -> Store:
    """Return a database with the schema of `revision` and some rows in each of its tables."""
    store = connect(url)
    with store.write() as connection:
        upgrade(connection, revision)
    with store.write() as connection:
        filling.fill(connection, filling.found(connection), NUMBERS)
    return store


def content(store: Store) -> dict[str, list[dict[str, Any]]]:
    with store.read() as connection:
        return filling.held(connection, filling.found(connection))


def shorter(after: list[dict[str, Any]], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows with those columns alone that there were before."""
    return sorted(({name: row[name] for name in before[0]} for row in after), key=repr)


@pytest.mark.parametrize("revision", RELEASED)
def test_every_row_of_a_released_schema_is_there_afterwards_with_its_values(empty: str, revision: str) -> None:
    old = at_revision(empty, revision)
    before = content(old)
    old.close()
    assert all(len(some) == len(NUMBERS) for some in before.values())
    store = open_store(empty)
    after = content(store)
    assert set(after) == {table.name for table in rows.TABLES} | set(rows.STAY)
    assert {name: shorter(after[name], some) for name, some in before.items()} == before
    with store.read() as connection:  # as the present program reads them
        for table in rows.TABLES:
            values = [row._mapping for row in rows.after(connection, table, None)]
            assert [c.name for c in table.c if not c.nullable and any(row[c] is None for row in values)] == []
    store.close()


def breaking(store: Store, at: int) -> list[str]:
    """Let the statement of that number fail in each connection of the store; return what was said, as it grows."""
    said: list[str] = []

    @event.listens_for(store._engine, "before_cursor_execute")
    def _fail(_connection: Connection, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.split(maxsplit=1)[0] in {"CREATE", "ALTER", "INSERT", "UPDATE"}:
            said.append(statement)
        if len(said) > at:
            raise RuntimeError("the power is out")

    return said


@pytest.mark.parametrize("at", [0, 1, 7, 20, 33])
def test_a_migration_that_dies_in_the_middle_leaves_all_as_it_was(empty: str, at: int) -> None:
    store = at_revision(empty, "0001")
    before = content(store)
    said = breaking(store, at)

    def migrate() -> None:
        with store.write() as connection:
            upgrade(connection)

    with pytest.raises(RuntimeError):
        migrate()
    store.close()
    assert len(said) == at + 1
    again = connect(empty)
    assert content(again) == before
    again.close()
    open_store(empty).close()


KILLED = """
import os, signal, sys
from sqlalchemy import Engine, event
from aggregator.store import open_store
said = []
@event.listens_for(Engine, "before_cursor_execute")
def kill(connection, cursor, statement, *rest):
    if statement.startswith(("CREATE", "ALTER")):
        said.append(statement)
    if len(said) == 25:
        os.kill(os.getpid(), signal.SIGKILL)
open_store(sys.argv[1])
"""


def test_a_migration_that_is_killed_is_done_by_the_next_start(empty: str) -> None:
    old = at_revision(empty, "0001")
    before = content(old)
    old.close()
    done = subprocess.run([sys.executable, "-c", KILLED, empty], check=False, timeout=120, env=dict(os.environ))
    assert done.returncode == -signal.SIGKILL
    half = connect(empty)
    assert content(half) == before
    half.close()
    store = open_store(empty)
    with store.read() as connection:
        assert set(inspect(connection).get_table_names()) >= {table.name for table in rows.TABLES}
    store.close()


def test_the_newest_released_schema_is_the_head() -> None:
    assert RELEASED[-1] == HEAD == head()
    assert tuple(RELEASED) == schemas()
    assert len(SCRIPTS.get_heads()) == 1


def test_a_schema_that_nobody_released_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.sqlite'}"
    store = at_revision(url, "0001")
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    store.close()
    with pytest.raises(StoreError, match="newer Netzlage"):
        open_store(url)
