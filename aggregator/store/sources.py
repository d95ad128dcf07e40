"""The feeds as their stanzas described them last: their licence, what of them may be given on, whom they cover. I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from aggregator.feedmodel import Source
from aggregator.store.feed_tables import sources
from aggregator.store.select import upsert

OWN: Final = ("form", "api", "import")  # what people told us ourselves
ENOUGH: Final[Mapping[str, frozenset[str]]] = {"reports": frozenset({"rows"}), "cube": frozenset({"rows", "counts"})}


def keep(connection: Connection, given: Sequence[Source]) -> None:
    """Keep what the stanzas say now; of a source without a stanza the last word stays, all but that it is on."""
    connection.execute(sources.update().values(enabled=False))
    if not given:
        return
    new = upsert(connection, sources)
    told = {column.name: new.excluded[column.name] for column in sources.c if not column.primary_key}
    connection.execute(
        new.on_conflict_do_update(index_elements=["name"], set_=told), [_row(source) for source in given]
    )


def all_of(connection: Connection) -> list[Source]:
    """Return every source that a stanza has ever described, by name."""
    return [_source(row) for row in connection.execute(select(sources).order_by(sources.c.name))]


def given_on(connection: Connection, table: str) -> list[str] | None:
    """Return the sources of which the rows of `table` (reports, cube) may be given on; None: the table has no source.

    What people told us ourselves always; of a feed what its stanza allows; of a source that no stanza knows nothing.
    """
    enough = ENOUGH.get(table)
    if enough is None:
        return None
    return [*OWN, *(source.name for source in all_of(connection) if source.republish in enough)]


def covers(connection: Connection) -> dict[str, tuple[str, ...]]:
    """Return the providers about whom a source's silence says something, where these are not all that it names.

    Of statements and signals none: they bring no reports that could be missing.
    """
    known = {source.name: source.covers if source.kind == "reports" else None for source in all_of(connection)}
    return {name: covered or () for name, covered in known.items() if covered != ()}


def _row(source: Source) -> dict[str, Any]:
    row = {column.name: getattr(source, column.name) for column in sources.c}
    return {**row, "every": source.every.total_seconds(), "covers": json.dumps(list(source.covers))}


def _source(row: Row[Any]) -> Source:
    values = dict(row._mapping)
    covered = tuple(json.loads(values["covers"]))
    return Source(**{**values, "every": timedelta(seconds=values["every"]), "covers": covered})
