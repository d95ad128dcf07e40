"""The names of providers that open feeds brought and the catalogue lacks. I/O."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, select

from aggregator.store.schema import provider_names
from aggregator.store.select import upsert


def add(connection: Connection, names: Mapping[str, str]) -> None:
    """Keep the names by provider id; the first name of an id stays."""
    if names:
        rows = [{"id": provider, "name": name} for provider, name in sorted(names.items())]
        connection.execute(upsert(connection, provider_names).on_conflict_do_nothing(), rows)


def all(connection: Connection) -> dict[str, str]:  # noqa: A001 - names.all() reads well
    """Return every name by provider id."""
    query = select(provider_names.c.id, provider_names.c.name).order_by(provider_names.c.id)
    return {row.id: row.name for row in connection.execute(query)}
