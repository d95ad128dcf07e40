"""Whether anything in the database has changed since it was last asked: cheap, and seen by every process. I/O."""

from __future__ import annotations

import sqlite3
import threading

from sqlalchemy import Engine, PoolProxiedConnection
from sqlalchemy.exc import SQLAlchemyError

from aggregator.errors import StoreError


class Watch:
    """Gives a word that changes whenever anybody commits a change. Threads may share it.

    SQLite counts the commits of all connections but the one that asks: it is kept for asking alone, and the word means
    something to this watch only. PostgreSQL tells which transactions can be seen, of the whole server: that changes
    more often than need be, never less.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._lock = threading.Lock()
        self._sqlite = engine.dialect.name == "sqlite"
        self._connection = engine.raw_connection() if self._sqlite else None

    def word(self) -> str:
        """Return the word of this moment. Raises StoreError where the database cannot be asked."""
        try:
            return self._of_postgresql() if self._connection is None else self._of_sqlite(self._connection)
        except (sqlite3.Error, SQLAlchemyError) as error:
            raise StoreError(f"The database cannot be asked whether it has changed ({error}).") from error

    def _of_postgresql(self) -> str:
        with self._engine.connect() as connection:
            return str(connection.exec_driver_sql("SELECT pg_current_snapshot()::text").scalar_one())

    def _of_sqlite(self, connection: PoolProxiedConnection) -> str:
        with self._lock:
            cursor = connection.cursor()
            cursor.execute("PRAGMA data_version")
            word = cursor.fetchone()
            cursor.close()
        return str(word[0]) if word else ""

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
