"""Opens the database, brings it to the present schema and hands out connections. I/O."""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, literal, make_url, select
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from aggregator.errors import StoreError
from aggregator.store import leases, moved
from aggregator.store.bulk import driver_of
from aggregator.store.knock import by_one
from aggregator.store.leases import Lease
from aggregator.store.migrate import check_head, to_head
from aggregator.store.samefile import keep_to_the_file
from aggregator.store.trouble import told_in_one_sentence
from aggregator.store.watch import Watch

PROGRAM = "netzlage"  # and the host: so the server names who is connected
WRITES = "netzlage_writes"  # execution option: this transaction will write
TURN = 4_200  # of the advisory lock that one writer at a time holds on PostgreSQL
SILENT = 15  # seconds after which PostgreSQL ends the transaction of a writer that says nothing more: it holds the lock
ALIVE = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}  # seconds, seconds, questions
WAITS = {"client_connection_check_interval": 5_000, "lock_timeout": 10_000}  # milliseconds
CUT_OFF = {"tcp_user_timeout": 10_000}  # milliseconds for which what was sent may stay without an answer
PATIENT = func.set_config("idle_in_transaction_session_timeout", f"{SILENT}s", literal(True))

PATIENCE = "busy_timeout = 10000"
PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",  # a report that was answered for survives a power cut
    PATIENCE,
    "foreign_keys = ON",
    "cache_size = -1000",  # 1 MB a connection, of which there are as many as threads; the system caches the file, too
    "temp_store = MEMORY",
    "wal_autocheckpoint = 8000",  # pages: 32 MB are folded back at a time, not 4
    "secure_delete = ON",  # what is deleted is gone from the file, too
)


class Store:
    """An open database at the present schema. Threads may share it; a connection belongs to one thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._name = _name(engine.url)
        self._reader = _reader(engine)
        self._writer = engine.execution_options(**{WRITES: True})
        self._watches: list[Watch] = []
        self._fence: ContextVar[Lease | None] = ContextVar("fence", default=None)

    @property
    def url(self) -> str:
        """The address of the database, the password hidden."""
        return self._engine.url.render_as_string(hide_password=True)

    @property
    def name(self) -> str:
        """What a message calls the database: an SQLite file's path, else the URL without its password."""
        return self._name

    @property
    def is_sqlite(self) -> bool:
        """Say whether the database is a file with one writer at a time."""
        return self._engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one consistent state and cannot write."""
        with told_in_one_sentence(self._name), self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self, *, alone: bool = True) -> Iterator[Connection]:
        """Give a connection inside one transaction: committed at the end, rolled back when an error leaves it.

        alone: no other such transaction runs meanwhile, so what was read stays true until it is written; False is for
        what sees to that itself, and has an effect on PostgreSQL only: SQLite has one writer at a time. Raises
        LeaseLost inside of `fenced`.
        """
        with told_in_one_sentence(self._name), self._writer.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(PATIENT, func.pg_advisory_xact_lock(TURN)) if alone else select(PATIENT))
            lease = self._fence.get()
            if lease is not None:
                leases.check(connection, lease)
            yield connection

    @contextmanager
    def fenced(self, lease: Lease) -> Iterator[None]:
        """Let this thread write, to the end of the block, only as long as nobody else has taken over `lease`."""
        before = self._fence.set(lease)
        try:
            yield
        finally:
            self._fence.reset(before)

    def check_schema(self) -> None:
        """Raise StoreError where the database does not answer, or was brought to another schema meanwhile."""
        check_head(self.read, self._name)

    def watch(self) -> Watch:
        """Return what tells whether anything has changed; it is closed with the store."""
        with told_in_one_sentence(self._name):
            self._watches.append(Watch(self._engine))
        return self._watches[-1]

    def fold(self) -> None:
        """Fold the write-ahead log of SQLite back into the file, so that nothing old stays in it; not while it is used.

        A log that somebody reads from stays as it is until the next time: nobody is kept waiting.
        """
        if self._engine.url.get_backend_name() != "sqlite":
            return
        with told_in_one_sentence(self._name), self._engine.connect() as connection:
            driver = connection.connection.driver_connection
            if driver is not None:
                for pragma in ("query_only = OFF", "busy_timeout = 100", "wal_checkpoint(TRUNCATE)", PATIENCE):
                    driver.execute(f"PRAGMA {pragma}").close()

    def close(self) -> None:
        """Let go of every connection."""
        for watch in self._watches:
            watch.close()
        self._engine.dispose()


def open_store(url: str, *, moving: bool = False) -> Store:
    """Open the database at the SQLAlchemy `url`, new or old, and migrate it to the present schema.

    moving: also one that has moved, or into which another is moving.

    Raises StoreError with one sentence: not a database, another program's, a newer version's, moved, not to be reached.
    """
    store = connect(url)
    try:
        to_head(store.read, store.write, store.name)
        with store.read() as connection:
            why_not = "" if moving else moved.note(connection)
        if why_not:
            raise StoreError(f"The database {store.name} {why_not}.")
    except BaseException:
        store.close()
        raise
    return store


def connect(url: str) -> Store:
    """Reach the database at `url` and leave its schema as it is; StoreError as in `open_store`."""
    parsed = _parse(url)
    try:  # without parameters in what is said: errors are logged
        engine = create_engine(parsed, hide_parameters=True, connect_args=_line(parsed), **_pool(parsed))
    except NoSuchModuleError:
        raise StoreError(
            f"No driver for databases of the kind {parsed.drivername}; use sqlite or postgresql+psycopg."
        ) from None
    except ModuleNotFoundError as error:
        lacks = f"The database {_name(parsed)} needs the package {error.name}"
        raise StoreError(f'{lacks}; install it: pip install "netzlage[postgres]".') from None
    if parsed.get_backend_name() == "sqlite":
        _make_sqlite_behave(engine)
        keep_to_the_file(engine, Path(str(parsed.database)))
    else:
        by_one(engine)
    return Store(engine)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(
            "Setting database is not an SQLAlchemy URL; write for instance sqlite:////var/lib/netzlage/netzlage.sqlite."
        ) from None
    if parsed.get_backend_name() != "sqlite":
        return parsed
    if parsed.database in {None, "", ":memory:"}:
        raise StoreError("A database in memory would be another one in each thread; name a file: sqlite:///PATH.")
    folder = Path(str(parsed.database)).parent
    if not folder.is_dir():
        raise StoreError(f"The folder {folder} of the database does not exist; make it or name another database.")
    return parsed


def _pool(url: URL) -> dict[str, Any]:
    # the last to come back is the first to go: what it has read lies in memory once, not once for each of twenty
    return {
        "pool_size": 20,
        "max_overflow": 20,
        "pool_use_lifo": True,
        "pool_pre_ping": url.get_backend_name() != "sqlite",
    }


def _line(url: URL) -> dict[str, Any]:
    """Return how soon both ends of a connection notice that the other is cut off, and by what name the server knows us.

    What the URL says of it comes first. Otherwise a host whose network is gone would hold its locks for hours, and its
    threads would wait as long.
    """
    if url.get_backend_name() != "postgresql":
        return {}
    theirs = {f"tcp_{name}": value for name, value in ALIVE.items()} | {
        "client_connection_check_interval": 5_000,
        "lock_timeout": 10_000,
    }
    options = " ".join(f"-c {name}={value}" for name, value in (theirs | CUT_OFF).items())
    name = f"{PROGRAM} {platform.node()}"
    ours = {**ALIVE, **CUT_OFF, "connect_timeout": 10, "options": options, "fallback_application_name": name}
    return {name: value for name, value in ours.items() if name not in url.query}


def _reader(engine: Engine) -> Engine:
    """Return what opens transactions that see one state and cannot write; on SQLite `_begin` sees to that."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _name(url: URL) -> str:
    """Return what a message calls the database: an SQLite file's path, else the URL without its password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.render_as_string(hide_password=True)


def _make_sqlite_behave(engine: Engine) -> None:
    """Set the pragmas of each connection and begin transactions ourselves: writers take the lock at once.

    A transaction that reads first and writes later would fail, not wait, when somebody else wrote in between.
    """

    @event.listens_for(engine, "connect")
    def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
        with driver_of(connection, begin) as driver:  # itself: each transaction begins so
            driver.execute(f"PRAGMA query_only = {'OFF' if writes else 'ON'}")
            driver.execute(begin)
