"""An SQLite database moved into another one while it is in use; stopped at any moment, it goes on where it was. I/O.

Triggers note the key of each row that changes (journal.py). A step sees one state of the old database and is one
transaction of the new one: first what has changed since the step before, in the rows that were copied already; then
some more rows, in the order of their keys; with them how far that is. So after each step the copied part of the new
database is the old one's at one moment, whatever was added, changed or deleted there, and whoever was killed when.
When all is copied, everything is compared at one moment; the last changes follow while writers wait, for the time that
takes to count, and then the old database refuses every change with the name of the new one.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, Table

from aggregator.errors import StoreError
from aggregator.store import meta
from aggregator.store.checkup import file_of
from aggregator.store.copying import compare, journal, rows
from aggregator.store.engine import Store, open_store
from aggregator.store.migrate import revisions
from aggregator.store.moved import FILLING, OF_A_MOVE, TO
from aggregator.store.trouble import LOCKED

IDENTITY: Final = f"{OF_A_MOVE}id"  # in the old database: of the move that is under way
STEP: Final = 50_000  # rows of a step
CHANGES: Final = 20_000  # changes looked at together
TRIES: Final = 12  # of ten seconds each, to get at the old database between two who write
FEW: Final = 500  # changes that may follow while writers wait
ROUNDS: Final = 100  # after which it does not matter how many they are: they come as fast as they can be copied

Steps = Callable[[str], AbstractContextManager[rows.Passed]]  # what is being done -> hears how much of how much


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a move is. seen: the last change that has arrived; done: tables copied; last: key in the next one."""

    source: str
    identity: str
    schema: str
    seen: int
    done: tuple[str, ...] = ()
    last: tuple[Any, ...] | None = None
    complete: bool = False

    def table(self) -> Table | None:
        """Return the table that is being copied, None when all are."""
        return next((table for table in rows.TABLES if table.name not in self.done), None)

    def has(self, table: Table, key: rows.Key) -> bool:
        """Say whether the row with this key is among those copied."""
        if table.name in self.done:
            return True
        return table is self.table() and self.last is not None and key <= rows.read_key(table, self.last)


@dataclass(frozen=True, slots=True)
class Moved:
    """What is in the new database. cube and counted: sum of the counts, and the reports that count."""

    rows: Mapping[str, int]
    cube: int
    counted: int


def move(source_url: str, target_url: str, steps: Steps) -> Moved:
    """Move the SQLite database at `source_url` into the empty one at `target_url`, or go on with that.

    Raises StoreError: the old one is not there or not SQLite, the new one holds something else, they differ.
    """
    with _opened(source_url, target_url) as (source, target):
        with target.write() as writer, source.read() as reader:
            if _is_over(reader, writer, target):
                return _result(writer)
        _begin(source, target)
        _copy(source, target, steps)
        _catch_up(source, target)
        _compare(source, target, steps)
        return _finish(source, target)


@contextmanager
def _opened(source_url: str, target_url: str) -> Iterator[tuple[Store, Store]]:
    _check_old(source_url)
    source = open_store(source_url, moving=True)
    try:
        target = open_store(target_url, moving=True)
        try:
            if source.name == target.name:
                raise StoreError("Both addresses name the same database; name an empty one to move to.")
            yield source, target
        finally:
            target.close()
    finally:
        source.close()


def _check_old(url: str) -> None:
    path = file_of(url)
    if path is None:
        raise StoreError("Only an SQLite database can move while it is in use; for others use backup and restore.")
    if not path.exists():
        raise StoreError(f"There is no database {path}; name the one that is to move.")


def _is_over(reader: Connection, writer: Connection, target: Store) -> bool:
    """Say whether everything moved before, and end it where that was cut short by a kill."""
    to = meta.get(reader, TO)
    if to is None:
        return False
    if to != target.name:
        raise StoreError(f"The old database has moved to {to} already; with --give-up it comes back into use.")
    meta.drop(writer, FILLING)
    return True


def _begin(source: Store, target: Store) -> None:
    """Let changes be noted, and see that the new database is empty or half filled by this very move."""
    schema, _ = revisions(source.read, source.name)
    with _writing(source) as connection:
        journal.begin(connection)
        identity = meta.get(connection, IDENTITY) or secrets.token_hex(8)
        meta.put(connection, IDENTITY, identity)
        seen = journal.last(connection)
    with target.write() as connection:
        said = meta.get(connection, FILLING)
        if said is None:
            filled = [table.name for table in rows.TABLES if rows.count(connection, table)]
            if filled:
                raise StoreError(f"The database {target.name} holds data ({filled[0]}); name an empty one to move to.")
            _note(connection, Progress(source.name, identity, str(schema), seen))
            return
    progress = _read(said)
    if progress.identity != identity:
        raise StoreError(f"The database {target.name} is half filled by another move; empty it, then run this again.")
    if progress.schema != schema:
        raise StoreError(f"Netzlage was updated since the move began; empty {target.name}, then run this again.")


@contextmanager
def _writing(store: Store) -> Iterator[Connection]:
    """Give a transaction as `Store.write` does, also where others write without a pause: SQLite knows no queue."""
    with ExitStack() as stack:
        yield _first_free(store, stack)


def _first_free(store: Store, stack: ExitStack) -> Connection:
    for left in reversed(range(TRIES)):
        try:
            return stack.enter_context(store.write())
        except StoreError as error:
            if not left or error.state != LOCKED:
                raise
    raise AssertionError("the last try returns or raises")


def _note(connection: Connection, progress: Progress) -> None:
    meta.put(connection, FILLING, json.dumps(asdict(progress)))


def _read(said: str) -> Progress:
    values = json.loads(said)
    last = None if values["last"] is None else tuple(values["last"])
    return Progress(**{**values, "done": tuple(values["done"]), "last": last})


def _now(connection: Connection) -> Progress:
    said = meta.get(connection, FILLING)
    if said is None:
        raise StoreError("The new database was changed by somebody else; empty it, then run this again.")
    return _read(said)


def _copy(source: Store, target: Store, steps: Steps) -> None:
    with source.read() as connection:
        total = sum(rows.counts(connection).values())
    with target.read() as connection:
        done = sum(rows.counts(connection).values())
        progress = _now(connection)
    with steps("copy") as passed:
        passed(done, total)
        while progress.table() is not None:
            progress, more = _step(source, target, STEP)
            done += more
            passed(min(done, total), total)


def _step(source: Store, target: Store, size: int) -> tuple[Progress, int]:
    """Bring over what has changed and `size` more rows; return how far it is, and how many rows were new.

    The state of the old database is taken after the lock of the new one: two moves at once do not undo each other.
    """
    copied = 0
    with target.write() as writer, source.read() as reader:
        progress = _follow(reader, writer, _now(writer))
        while copied < size and (table := progress.table()) is not None:
            last = None if progress.last is None else rows.read_key(table, progress.last)
            some = rows.after(reader, table, last, min(size, rows.BATCH))
            if some:
                rows.put(writer, table, some)
                progress = replace(progress, last=tuple(rows.written(rows.key_in(table, some[-1]))))
            else:
                progress = replace(progress, done=(*progress.done, table.name), last=None)
            copied += len(some)
        _note(writer, progress)
    return progress, copied


def _follow(reader: Connection, writer: Connection, progress: Progress) -> Progress:
    """Bring over what has changed since in the rows copied before: first what is there, then what is there no more."""
    until = journal.last(reader)
    if until <= progress.seen:
        return progress
    spans = [(low, min(low + CHANGES, until)) for low in range(progress.seen, until, CHANGES)]
    names = journal.names(reader, progress.seen, until)
    touched = [table for table in rows.TABLES if table.name in names]
    for table in touched:
        for span in spans:
            there = journal.present(reader, table, *span)
            rows.set_to(writer, table, [row for row in there if progress.has(table, rows.key_in(table, row))])
    for table in reversed(touched):
        for span in spans:
            gone = journal.touched(reader, table, *span)
            gone -= {rows.key_in(table, row) for row in journal.present(reader, table, *span)}
            rows.delete_keys(writer, table, sorted(key for key in gone if progress.has(table, key)))
    return replace(progress, seen=until)


def _catch_up(source: Store, target: Store) -> None:
    """Follow until only a few changes are left."""
    for _ in range(ROUNDS):
        progress, _new = _step(source, target, 0)
        with source.read() as connection:
            if journal.last(connection) - progress.seen <= FEW:
                return


def _compare(source: Store, target: Store, steps: Steps) -> None:
    """Hold every row of both against each other at one moment, while others write on."""
    with source.read() as reader:
        with target.write() as writer:
            _note(writer, _follow(reader, writer, _now(writer)))
        with steps("compare") as passed, target.read() as other:
            _be_same(compare.all_differences(reader, other, passed), target)


def _be_same(differences: Iterable[str], target: Store) -> None:
    for what in differences:
        raise StoreError(
            f"What arrived in {target.name} differs ({what}); the old database stays in use. Empty the new one, then "
            "run this again, and report it."
        )


def _finish(source: Store, target: Store) -> Moved:
    """Bring over the rest while writers wait, count, and let the old database refuse changes from then on."""
    with _writing(source) as old:
        with target.write() as new:
            progress = _follow(old, new, _now(new))
            rows.number_on(new)
            _be_same(compare.quick_differences(old, new), target)
            result = _result(new)
            _note(new, replace(progress, complete=True))
        meta.put(old, TO, target.name)
        journal.refuse(old, target.name)
    with target.write() as new:
        meta.drop(new, FILLING)
    return result


def _result(connection: Connection) -> Moved:
    return Moved(rows.counts(connection), *rows.sums(connection))


def give_up(source_url: str) -> bool:
    """Let the old database be used as before; return whether a move had been begun or was over."""
    _check_old(source_url)
    source = open_store(source_url, moving=True)
    try:
        with source.write() as connection:
            driver = connection.connection.driver_connection
            if isinstance(driver, sqlite3.Connection):
                journal.clear(driver)
            known = [name for name in (IDENTITY, TO) if meta.get(connection, name) is not None]
            for name in known:
                meta.drop(connection, name)
            return bool(known)
    finally:
        source.close()
