"""Up to when everything that was received is to be seen. I/O.

Who takes a report notes the moment and commits later; meanwhile others that were received later may be seen already. So
what goes by received_at ("all of that day is there") must not go by the clock, but by a mark that stays behind what is
in flight. SQLite has one writer at a time, who has the file until it commits: there whoever reads after it sees it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, text

NOTED: Final = timedelta(minutes=1)  # at most between the moment that is noted and the beginning of the transaction
# Of this database only, and of those alone that have written something. The age: the clocks of two hosts differ.
IN_FLIGHT: Final = text(
    "SELECT clock_timestamp() - min(xact_start) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_xid IS NOT NULL"
)


def settled(connection: Connection, now: datetime) -> datetime:
    """Return the moment up to which all that was received can be seen, `now` at the latest.

    Ask first, then read: a transaction that is in flight now may be over when its rows are read, never the other way.
    """
    if connection.dialect.name != "postgresql":
        return now
    age: timedelta | None = connection.execute(IN_FLIGHT).scalar()
    return now if age is None else now - age - NOTED
