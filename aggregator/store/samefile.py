"""The file of an SQLite database stays the one that was opened: what is written into one that is gone is lost. I/O."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

IDENTITY: Final = "netzlage_file"
Identity = tuple[int, int]


def keep_to_the_file(engine: Engine, path: Path) -> None:
    """Let `engine` make no second database at `path`, and let go of connections to a file that is there no more.

    SQLite goes on writing into a file that was deleted or replaced, and makes a new one where there is none.
    """
    met: set[Path] = set()

    @event.listens_for(engine, "do_connect")
    def _make_it_once(_dialect: object, _record: object, _args: object, _more: object) -> None:
        if path in met and not path.exists():
            raise sqlite3.OperationalError("the file is gone")

    @event.listens_for(engine, "connect")
    def _note(_connection: object, record: ConnectionPoolEntry) -> None:
        met.add(path)
        record.info[IDENTITY] = identity(path)

    @event.listens_for(engine, "checkout")
    def _look(_connection: object, record: ConnectionPoolEntry, _proxy: Any) -> None:
        if identity(path) != record.info[IDENTITY]:
            raise DisconnectionError(f"{path} is another file now")


def identity(path: Path) -> Identity | None:
    """Return what tells a file from another one that is put in its place; None: there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
