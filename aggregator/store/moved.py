"""That a database has moved to another one, or is being filled by a move: what `meta` says of it. I/O."""

from __future__ import annotations

import json
from typing import Final

from sqlalchemy import Connection

from aggregator.store import meta

OF_A_MOVE: Final = "move:"  # begins the names in `meta` of what a move notes; they are of their database alone
REFUSED: Final = "netzlage has moved to "  # begins what the database answers to a change from then on
TO: Final = f"{OF_A_MOVE}to"  # in the old one: where everything has gone
FILLING: Final = f"{OF_A_MOVE}filling"  # in the new one, until everything is there: JSON, how far it is


def note(connection: Connection) -> str:
    """Return the end of the sentence that begins with the database and says why it cannot be used; "": it can."""
    to = meta.get(connection, TO)
    if to is not None:
        return gone_to(to)
    filling = meta.get(connection, FILLING)
    if filling:
        source = json.loads(filling)["source"]
        return f"is not filled yet from {source}; run `netzlage migrate-store` again, it goes on where it was"
    return ""


def gone_to(target: str) -> str:
    """Return the end of the sentence about a database that has moved."""
    return f"has moved to {target}; set `database` to that address and start again"


def refused(said: str) -> str:
    """Return where the database has moved to, from what it `said` to a change; "" where it said something else."""
    _, found, target = said.partition(REFUSED)
    return target if found else ""
