"""Brings a database to the present schema, in one transaction, with the migrations of the package. I/O."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Final

from sqlalchemy import Connection, column, inspect, select, table

from aggregator.errors import StoreError
from aggregator.store.migrations import FOLDER

VERSION: Final = table("alembic_version", column("version_num"))

Opener = Callable[[], AbstractContextManager[Connection]]


def to_head(read: Opener, write: Opener, name: str) -> None:
    """Migrate the database called `name` if it is not at head; StoreError when it is not ours or newer than we are."""
    with read() as connection:
        if _revision(connection) == head():
            return
    from aggregator.store.upgrade import upgrade  # noqa: PLC0415 # optional extra: Alembic, needed once a version, takes 8 MB

    with write() as connection:  # looked at again under the lock: another process may have been first
        _check(connection, name)
        upgrade(connection)


@lru_cache(maxsize=1)
def schemas() -> tuple[str, ...]:
    """Return every schema that there was, as the names of the migrations tell, oldest first."""
    return tuple(sorted(path.name[1:5] for path in (FOLDER / "versions").glob("v*_*.py")))


def head() -> str:
    """Return the schema that this version of the program brings."""
    return schemas()[-1]


def check_head(read: Opener, name: str) -> None:
    """Raise StoreError where the database called `name` has another schema than this version brings."""
    with read() as connection:
        found = _revision(connection)
    if found != head():
        raise StoreError(f"The database {name} has schema {found}, this version {head()}; restart Netzlage.")


def revisions(read: Opener, name: str) -> tuple[str | None, str]:
    """Return the schema of the database called `name` (None: empty yet) and ours; StoreError as in `to_head`."""
    with read() as connection:
        _check(connection, name)
        return _revision(connection), head()


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION.name):
        return None
    return connection.execute(select(VERSION.c.version_num)).scalar_one_or_none()


def _check(connection: Connection, name: str) -> None:
    revision = _revision(connection)
    if revision is None and inspect(connection).get_table_names():
        raise StoreError(f"The database {name} belongs to another program; name another one for Netzlage.")
    if revision is not None and revision not in schemas():
        raise StoreError(
            f"The database {name} was written by a newer Netzlage (its schema is {revision}, "
            f"ours {head()}); update Netzlage or name another database."
        )
