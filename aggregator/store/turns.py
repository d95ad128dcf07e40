"""Who may decide about whom, on PostgreSQL, where transactions run beside each other. SQLite has one writer at a time.

Two transactions that take reports of one person at once must count once. Each takes the turn of those it is about
before it reads who was counted, and has it until it ends; whoever comes second sees what the first has written. I/O.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from zlib import crc32

from sqlalchemy import ARRAY, Connection, Integer, func, literal, select

EVERYBODY: Final = 4_202  # of the advisory lock that is shared by those who take turns, and had alone by `take_all`
ONE: Final = 4_203  # begins the locks of single persons
FEW: Final = 16  # persons whose turns are taken one by one: a server has room for some thousand locks


def take(connection: Connection, persons: Iterable[str]) -> None:
    """Wait until nobody else decides about `persons`. To be called before the transaction writes anything of reports.

    The order is the same for all, and all that is locked later is locked in the order of its key: nobody waits for
    somebody who waits for him.
    """
    if connection.dialect.name != "postgresql":
        return
    numbers = sorted({crc32(person.encode("utf-8", "replace")) - 2**31 for person in persons})
    if len(numbers) > FEW:
        take_all(connection)
        return
    connection.execute(select(func.pg_advisory_xact_lock_shared(EVERYBODY)))
    if numbers:
        number = func.unnest(literal(numbers, ARRAY(Integer))).column_valued("number")
        connection.execute(select(func.pg_advisory_xact_lock(ONE, number)))


def take_all(connection: Connection) -> None:
    """Wait until nobody else decides about anybody."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(EVERYBODY)))
