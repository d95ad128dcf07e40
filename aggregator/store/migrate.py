"""Brings a database to the present schema, in one transaction, with the migrations of the package. I/O."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from aggregator.errors import StoreError

FOLDER: Final = Path(__file__).parent / "migrations"

Opener = Callable[[], AbstractContextManager[Connection]]


def to_head(read: Opener, write: Opener, name: str) -> None:
    """Migrate the database called `name` if it is not at head; StoreError when it is not ours or newer than we are."""
    config, scripts = _scripts()
    with read() as connection:
        if _revision(connection) == scripts.get_current_head():
            return
    with write() as connection:  # looked at again under the lock: another process may have been first
        _check(connection, scripts, name)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@lru_cache(maxsize=1)
def head() -> str:
    """Return the schema that this version of the program brings."""
    return str(_scripts()[1].get_current_head())


def check_head(read: Opener, name: str) -> None:
    """Raise StoreError where the database called `name` has another schema than this version brings."""
    with read() as connection:
        found = _revision(connection)
    if found != head():
        raise StoreError(f"The database {name} has schema {found}, this version {head()}; restart Netzlage.")


def revisions(read: Opener, name: str) -> tuple[str | None, str]:
    """Return the schema of the database called `name` (None: empty yet) and ours; StoreError as in `to_head`."""
    _, scripts = _scripts()
    with read() as connection:
        _check(connection, scripts, name)
        return _revision(connection), str(scripts.get_current_head())


def _scripts() -> tuple[Config, ScriptDirectory]:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config, ScriptDirectory.from_config(config)


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _check(connection: Connection, scripts: ScriptDirectory, name: str) -> None:
    revision = _revision(connection)
    known = {script.revision for script in scripts.walk_revisions()}
    if revision is None and inspect(connection).get_table_names():
        raise StoreError(f"The database {name} belongs to another program; name another one for Netzlage.")
    if revision is not None and revision not in known:
        raise StoreError(
            f"The database {name} was written by a newer Netzlage (its schema is {revision}, "
            f"ours {scripts.get_current_head()}); update Netzlage or name another database."
        )
