"""A prepared copy put into the place of a store, whole or not at all, while nobody else uses that. I/O."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect

from aggregator.errors import StoreError
from aggregator.store.checkup import file_of
from aggregator.store.copying import rows
from aggregator.store.engine import Store, connect, open_store

BESIDE: Final = ("-wal", "-shm")  # SQLite's files beside a database
OWN: Final = ("alembic_version", "meta")  # tables that every store has rows in
OTHERS: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND (backend_type = 'client backend' OR backend_type IS NULL)"
)
TRIES, PAUSE = 20, 0.1  # seconds
STOP: Final = "stop the service (and what else has it open), then run this again"


def check_place(url: str, *, over: bool) -> None:
    """Raise StoreError where the database at `url` holds something that may not be replaced, or cannot be reached."""
    path = file_of(url)
    if path is not None and not path.exists():
        return
    store = connect(url)
    try:
        with store.read() as connection:
            held = _filled(connection)
    except StoreError as error:
        if over and path is not None:
            return  # damaged: what else would one restore for
        raise StoreError(f"{str(error).rstrip('.')}; to put a backup in its place, say --replace.") from None
    finally:
        store.close()
    if held and not over:
        raise StoreError(f"The database {store.name} holds data ({held}); to take its place say --replace.")


def _filled(connection: Connection) -> str:
    """Return the name of a table that has rows, "" where all is empty, whatever the schema."""
    for name in sorted(inspect(connection).get_table_names()):
        if name not in OWN and connection.exec_driver_sql(f'SELECT 1 FROM "{name}" LIMIT 1').first():  # noqa: S608
            return name
    return ""


def into_file(prepared: Path, target: Path, now: datetime, *, keep: bool) -> Path | None:
    """Put the file `prepared` at `target`, at once; return under which name the former one is kept.

    Raises StoreError when anybody has that one open. `prepared` lies in the same file system and has no log.
    """
    if not target.exists():
        os.replace(prepared, target)
        _settle(target.parent)
        return None
    aside = _free_name(target, now) if keep else None
    with closing(sqlite3.connect(target, timeout=0, isolation_level=None)) as former:
        _be_alone(former, target)
        if aside:
            _name_also(target, aside)
        for end in BESIDE:  # of a damaged one; a whole one has none now
            with suppress(FileNotFoundError):
                os.replace(f"{target}{end}", f"{aside}{end}") if aside else os.unlink(f"{target}{end}")
        os.replace(prepared, target)
    _settle(target.parent)
    return aside


def _be_alone(former: sqlite3.Connection, target: Path) -> None:
    """Take the lock that nobody can share: it cannot be had while any other connection is open."""
    try:
        former.execute("PRAGMA locking_mode = EXCLUSIVE")
        former.execute("PRAGMA journal_mode = DELETE").fetchall()  # folds the log into the file
        former.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            return  # damaged: nobody can work on it
        raise StoreError(f"The database {target} is in use; {STOP}.") from None
    except sqlite3.DatabaseError:
        return


def _name_also(target: Path, aside: Path) -> None:
    """Give the file a second name, so that the first is never without a file; where that cannot be, copy it."""
    try:
        os.link(target, aside)
    except OSError:
        shutil.copy2(target, aside)


def _free_name(target: Path, now: datetime) -> Path:
    stem = f"{target.stem}-replaced-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    tries = (target.with_name(f"{stem}{more}{target.suffix}") for more in ("", *(f"-{n}" for n in range(2, 1000))))
    return next(path for path in tries if not path.exists())


def _settle(folder: Path) -> None:
    """Let the names in `folder` be on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def into_server(prepared: Path, url: str, passed: rows.Passed) -> None:
    """Put the rows of the file `prepared` into the place of those of the server's database, in one transaction.

    Raises StoreError when others are connected to it, or when not everything has arrived: then all is as it was.
    """
    source, target = open_store(f"sqlite:///{prepared}"), open_store(url)
    try:
        with source.read() as reader, target.write() as writer:
            _be_alone_there(writer, target)
            names = ", ".join(f'"{t.name}"' for t in rows.TABLES)
            writer.exec_driver_sql(f"TRUNCATE {names}")
            rows.fill(writer, reader, passed)
            if rows.counts(reader) != rows.counts(writer):
                raise StoreError(f"Not every row arrived in {target.name}; nothing was changed there.")
    finally:
        source.close()
        target.close()


def _be_alone_there(connection: Connection, store: Store) -> None:
    for _ in range(TRIES):  # one of ours that was just closed may still be there
        others = connection.exec_driver_sql(OTHERS).scalar_one()
        if not others:
            return
        time.sleep(PAUSE)
        connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()").close()
    raise StoreError(f"The database {store.name} is in use by {others} other connections; {STOP}.")
