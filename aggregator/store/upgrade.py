"""The migrations of the package, by Alembic: loaded once a version, where a database is behind. I/O."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from aggregator.store.migrations import FOLDER


def config() -> Config:
    """Return where the migrations are."""
    found = Config()
    found.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return found


def upgrade(connection: Connection, to: str = "head") -> None:
    """Bring the database to a schema, inside the transaction of the connection."""
    found = config()
    found.attributes["connection"] = connection
    command.upgrade(found, to)
