"""What a database says of its own state -> one sentence that says what to do, and a word or two without paths. I/O."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DatabaseError, IntegrityError, InternalError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as NoneFree

from aggregator.errors import StoreError
from aggregator.store.moved import gone_to, refused

# What one report may do wrong that the next does right: a value that the database does not take.
MISTAKES: Final = (StatementError, ValueError, TypeError, ArithmeticError)

RESTORE: Final = "stop Netzlage and put a backup back with `netzlage restore FILE`"
DAMAGED: Final = "the database is damaged; put a backup back with `netzlage restore FILE`"
LOCKED: Final = "the database is locked by another process"
MOVED: Final = "the database has moved"
REFUSED: Final = "the database refuses its user"
MANY: Final = "has no connection left; raise max_connections in its postgresql.conf, 40 for each process of Netzlage"
NO_RIGHT: Final = ("permission denied", "no schema has been selected")
NOT_OURS: Final = "does not let its user make or use tables; let the user own it: ALTER DATABASE … OWNER TO …"
EXAMPLE: Final = "postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
# A word of what the database says -> the end of the sentence that begins with its name, the state.
REASONS: Final = {
    "locked": (
        "is being written by another process for too long; stop that one or try again later",
        LOCKED,
    ),
    "lock timeout": (
        "is being written by another process for too long; stop that one or try again later",
        LOCKED,
    ),
    "full": ("has no space left on its disk; make room, Netzlage goes on by itself", "the disk is full"),
    "No space left": ("has no space left on its disk; make room, Netzlage goes on by itself", "the disk is full"),
    "the file is gone": (
        "is gone from its folder; put it back, or a backup with `netzlage restore FILE`",
        "the database is gone",
    ),
    "unable to open": (
        "cannot be opened; check the path and the rights of its folder",
        "the database cannot be opened",
    ),
    "readonly": ("cannot be written; check the rights of the file and its folder", "the database cannot be written"),
    "read-only": ("cannot be written; check the rights of the file and its folder", "the database cannot be written"),
    "disk I/O error": (
        "cannot be reached on its disk (disk I/O error); look whether the disk is full, read-only or broken",
        "the disk of the database fails",
    ),
    "malformed": (f"is damaged; {RESTORE}", DAMAGED),
    "password authentication failed": ("refuses the user or the password; check both in `database`", REFUSED),
    "no password supplied": (
        f"wants a password; write it into `database`: {EXAMPLE}",
        REFUSED,
    ),
    "pg_hba.conf": ("lets nobody in from here; add this host, user and database to the server's pg_hba.conf", REFUSED),
    "Peer authentication failed": (
        f"wants another user of this machine, or a password over the network: {EXAMPLE}",
        REFUSED,
    ),
    "does not exist": (
        "or its user does not exist on the server; make what lacks there: CREATE ROLE …; CREATE DATABASE … OWNER …",
        "the database does not exist",
    ),
    "resolve host": ("cannot be found: no host has that name; check `database`", "the database cannot be found"),
    **dict.fromkeys(NO_RIGHT, (NOT_OURS, REFUSED)),
    "unrecognized configuration parameter": ("is older than PostgreSQL 14; use 14 or a newer one", "too old a server"),
    "too many clients": (MANY, "the database is busy"),
    "connection slots": (MANY, "the database is busy"),
    "max_locks_per_transaction": (
        "has too little room for locks; set max_locks_per_transaction = 1024 in its postgresql.conf and start it again",
        "the database has too little room for locks",
    ),
}
AWAY: Final = ("does not answer; start it, Netzlage goes on by itself", "the database does not answer")
# So PostgreSQL and its driver say that the server is stopped, stopping or starting, or that there is no way to it.
SILENT: Final = (
    "terminating connection", "server closed the connection", "connection is bad", "connection failed", "is closed",
    "is shutting down", "is starting up", "Connection refused", "connection is lost", "consuming input failed",
    "timeout expired",
)  # fmt: skip
OTHERWISE: Final = "the database cannot be used"


@contextmanager
def told_in_one_sentence(name: str) -> Iterator[None]:
    """Turn what the database says of its own state into a StoreError; our own mistakes pass unchanged."""
    try:
        yield
    except (OperationalError, InternalError) as error:
        raise _told(name, str(error.orig)) from error
    except IntegrityError as error:
        target = refused(str(error.orig))
        if not target:
            raise  # a mistake of ours
        raise _with_state(StoreError(f"The database {name} {gone_to(target)}."), MOVED) from error
    except DatabaseError as error:
        if any(word in str(error.orig) for word in NO_RIGHT):
            raise _told(name, str(error.orig)) from error
        if type(error) is not DatabaseError:  # IntegrityError, ProgrammingError ...: a mistake of ours
            raise
        if "malformed" in str(error.orig):
            raise _told(name, str(error.orig)) from error
        sentence = f"The file {name} is not a database ({error.orig}); name another one."
        raise _with_state(StoreError(sentence), DAMAGED) from error
    except NoneFree as error:
        sentence = f"The database {name} is busy: no connection to it became free in time; try again later."
        raise _with_state(StoreError(sentence), "the database is busy") from error


def _told(name: str, said: str) -> StoreError:
    for word, (reason, state) in (*REASONS.items(), *((word, AWAY) for word in SILENT)):
        if word in said:
            return _with_state(StoreError(f"The database {name} {reason}."), state)
    return _with_state(StoreError(f"The database {name} cannot be used: {' '.join(said.split())}."), OTHERWISE)


def _with_state(error: StoreError, state: str) -> StoreError:
    error.state = state
    return error
